#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/shuffle.hpp"

namespace packseq::cli {

/// In what order documents are batched.
enum class Order {
  shuffled,  ///< At random.
  as_is,     ///< As they stand in the text.
  sorted,    ///< A random sample, longest first.
  text,      ///< A random sample, by its words: those that begin alike together.
};

/// Which documents of a text are run.
struct SampleOptions {
  Order order = Order::shuffled;
  std::int64_t documents = 256;  ///< At most.
  std::uint64_t seed = 1;        ///< The same documents for the same seed, on every platform.
};

/// A document, and where it begins.
struct SampledDocument {
  std::string text;
  std::int64_t number = 0;  ///< In the text, from 0.
  std::string file = {};
  std::int64_t line = 0;
};

/// Some of the documents that pass by, each as likely as any other: a reservoir (Vitter 1985, algorithm R). In the
/// order of the text the first ones.
class Sample {
 public:
  explicit Sample(const SampleOptions& options) : options_(options), random_(options.seed, 0) {}

  /// Shows the next document.
  void pass(std::string_view text, std::string_view file, std::int64_t line);

  /// How many have passed.
  std::int64_t passed() const noexcept { return passed_; }

  /// Those that were drawn, in the order of the text, or at random.
  std::vector<SampledDocument> take();

 private:
  SampleOptions options_;
  data::detail::EpochRandom random_;
  std::int64_t passed_ = 0;
  std::vector<SampledDocument> documents_;
};

}  // namespace packseq::cli
