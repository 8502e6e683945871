#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/executor.hpp"

namespace packseq::kernels {

/// A linear-chain conditional random field over a packed batch: N tokens of B documents that are not empty, K tags. All
/// matrices are dense, row after row; numbers of -infinity forbid.
template <class T>
struct Crf {
  std::size_t tags = 0;                            ///< K
  const T* start = nullptr;                        ///< The score of a first tag, [K].
  const T* end = nullptr;                          ///< The score of a last tag, [K].
  const T* transitions = nullptr;                  ///< In row i and column j the score of j behind i, [K, K].
  std::span<const std::int64_t> batch_sizes = {};  ///< Never increasing, at least 1: [T].
  const std::int64_t* order = nullptr;             ///< Which document has which place in a step, [B].
  const T* scores = nullptr;                       ///< [N, K]
};

/// The log-likelihood of labels.
template <class T>
struct CrfForward : Crf<T> {
  const std::int64_t* labels = nullptr;  ///< [N], in 0 ... K - 1; null: what is computed is minus the normaliser's log.
  T* log_likelihood = nullptr;           ///< Of each document, at its number.
  T* sums = nullptr;  ///< [N, K], in an order of its own: what backward reads; null: nothing is kept.
};

/// Its gradients. Those that are null are not computed; of the parameters' all are null, or none.
template <class T>
struct CrfBackward : Crf<T> {
  const std::int64_t* labels = nullptr;  ///< As forward.
  const T* sums = nullptr;               ///< What it kept.
  const T* d_log_likelihood = nullptr;   ///< Of each document, at its number.
  T* d_scores = nullptr;                 ///< [N, K]
  T* d_start = nullptr;                  ///< [K]
  T* d_end = nullptr;                    ///< [K]
  T* d_transitions = nullptr;            ///< [K, K]
};

/// The tags of the highest score.
template <class T>
struct CrfDecode : Crf<T> {
  std::int64_t* best = nullptr;  ///< [N]
  T* best_scores = nullptr;      ///< Of each document, at its number; NaN where one of its numbers is NaN or +infinity.
};

/// Documents are dealt to as many threads. What comes out does not depend on their number, to the bit; and what belongs
/// to a document not on the others.
void run(const CrfForward<float>& crf, std::size_t threads, const Executor& executor);
void run(const CrfForward<double>& crf, std::size_t threads, const Executor& executor);
void run(const CrfBackward<float>& crf, std::size_t threads, const Executor& executor);
void run(const CrfBackward<double>& crf, std::size_t threads, const Executor& executor);
void run(const CrfDecode<float>& crf, std::size_t threads, const Executor& executor);
void run(const CrfDecode<double>& crf, std::size_t threads, const Executor& executor);

}  // namespace packseq::kernels
