#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/text/vocab.hpp"
#include "packseq/text/word_vectors.hpp"

namespace packseq::nn {

/// What rows of words become that a file of vectors lacks.
enum class Missing {
  zeros,   ///< Zeros.
  normal,  ///< Normal random numbers with mean and standard deviation of all finite numbers that were found.
  vector,  ///< `VectorTableOptions::missing_vector`.
};

/// How a table is filled.
struct VectorTableOptions {
  Missing missing = Missing::zeros;  ///< What the other words get.
  at::Tensor missing_vector = {};    ///< [E]; for `Missing::vector`.
  std::uint64_t seed = 0;            ///< For `Missing::normal`.
  /// A word that the file lacks is looked up once more with its ASCII letters in lower case.
  bool lower_case = true;
  /// A row that is zero whatever the file holds, as that of padding in a new `torch::nn::Embedding`. Where it is not
  /// set, it is the row of "<pad>", if the vocabulary has that token.
  std::optional<std::int64_t> padding_idx = {};
};

/// A vector for each token of a vocabulary, and which of them come from the file.
struct PACKSEQ_EXPORT VectorTable {
  at::Tensor weight;                        ///< Float [V, E], in the order of ids.
  at::Tensor found;                         ///< Bool [V]: whether a row comes from the file.
  std::int64_t found_exactly;               ///< How many rows are those of the word itself,
  std::int64_t found_in_lower_case;         ///< and of the word in lower case.
  std::int64_t repeated;                    ///< Rows of the file that were passed over: their word had come before.
  std::optional<std::int64_t> padding_idx;  ///< The row that is zero, if there is one.

  /// How many of these tokens have a vector from the file; `ids` int64 or int32 [*], such as the values of a `Jagged`.
  /// @throws c10::TypeError if `ids` is neither int64 nor int32.
  /// @throws c10::IndexError if an id is not in 0 ... V - 1.
  /// @code
  /// packseq::WordVectorReader vectors("glove.txt");
  /// const auto table = packseq::nn::read_vector_table(vectors, vocab);
  /// table.found_tokens(ids.values());   // 2, of 6
  /// @endcode
  std::int64_t found_tokens(const at::Tensor& ids) const;
};

/// Reads the vectors that are left in `vectors` into a table for `vocab`. In memory are the table and a block of the
/// file.
///
/// Of a word that comes twice the first vector counts.
/// @throws c10::ValueError if `options.missing_vector` is not a floating-point [E] on the CPU where `missing` is
///   `vector`, or is set where it is not.
/// @throws c10::ValueError if `options.padding_idx` is not in 0 ... V - 1.
/// @throws c10::ValueError if `missing` is `normal`, and no word is found, or none with a finite number.
/// @throws std::runtime_error as `WordVectorReader::next`.
/// @code
/// packseq::WordVectorReader vectors("glove.txt");
/// const auto table = packseq::nn::read_vector_table(vectors, vocab, {.missing = packseq::nn::Missing::normal});
/// std::cout << table.found_exactly + table.found_in_lower_case << " of " << vocab.size() << " words are known\n";
/// auto embedding = packseq::nn::Embedding::from_pretrained(
///     table.weight, torch::nn::EmbeddingFromPretrainedOptions().padding_idx(table.padding_idx));
/// @endcode
PACKSEQ_EXPORT VectorTable read_vector_table(WordVectorReader& vectors, const Vocab& vocab,
                                             const VectorTableOptions& options = {});

}  // namespace packseq::nn
