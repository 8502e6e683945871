#pragma once

#include <cstdint>
#include <filesystem>

#include "packseq/data/batch_sampler.hpp"
#include "packseq/export.hpp"
#include "packseq/nn/state_dict.hpp"

namespace torch::nn {
class Module;
}
namespace torch::optim {
class Optimizer;
}

namespace packseq::data {

/// How far training has come.
struct Progress {
  std::uint64_t seed = 0;  ///< Of the samplers.
  Position position = {};  ///< Batches *consumed*; a loader may have fetched more.
};

/// A file with all that training needs to go on, to the same numbers, bit for bit, as if it had never stopped: the
/// weights and buffers of a model, the state and options of its optimizer, LibTorch's random numbers (those of the CPU
/// and of each CUDA device that the model is on), and the progress. Not in it are gradients, so save after a step; nor
/// how far a learning-rate scheduler is, which LibTorch cannot write: set the rate from the progress instead.
///
/// The file is replaced as a whole: killed at any moment, there is the old one or the new one. (Killed while it saves,
/// a program leaves beside it a file ".packseq-...", which may go.) Length and checksum are verified before anything of
/// it is read. No other thread may use model or optimizer meanwhile.
/// @code
/// torch::optim::Adam optimizer(lstm->parameters());
/// packseq::data::Checkpoint checkpoint("lstm.checkpoint", *lstm, optimizer);
/// packseq::data::Progress progress = {.seed = 1};
/// if (checkpoint.exists()) progress = checkpoint.load();
/// packseq::data::BatchSampler sampler(ids.lengths(), packseq::data::FixedSize{.batch_size = 64},
///                                     {.seed = progress.seed, .start = progress.position});
/// for (auto& [epoch, batches] = progress.position; epoch < 10; ++epoch, batches = 0) {
///   // ... train on the sampler's batches, and after some of them:
///   checkpoint.save(progress);
/// }
/// @endcode
class PACKSEQ_EXPORT Checkpoint {
 public:
  /// Model and optimizer must outlive the checkpoint.
  Checkpoint(std::filesystem::path file, torch::nn::Module& model, torch::optim::Optimizer& optimizer);

  /// Whether the file is there; what cannot be looked at counts as there, and `load` gives the reason.
  bool exists() const;

  /// @throws std::runtime_error that names file and reason, if it cannot be written, or is there and is no regular
  ///   file.
  /// @throws c10::ValueError if the optimizer has a parameter that is none of the model's, and would be lost.
  /// @throws c10::Error if LibTorch cannot write an optimizer of this kind.
  void save(const Progress& progress) const;

  /// Brings model, optimizer and random numbers to where they were; all of them, or none if it throws. The model keeps
  /// its tensors, which may be on another device than those that were saved.
  /// @throws std::runtime_error that names the file, if it cannot be read, is no checkpoint, of another version, cut
  ///   short, longer than written, or altered, or if this LibTorch cannot read it.
  /// @throws c10::ValueError that names the file and what differs, if the model has not the names, sizes and dtypes
  ///   that were saved, or the optimizer is of another kind or has other groups of parameters.
  Progress load() const;

  /// The weights and buffers of the model that a checkpoint holds, on the CPU: all that inference needs.
  /// @throws std::runtime_error as `load` does, if the file cannot be read or is no checkpoint.
  /// @code
  /// packseq::nn::load_state_dict(*lstm, packseq::data::Checkpoint::weights("trained.checkpoint"));
  /// @endcode
  static nn::StateDict weights(const std::filesystem::path& file);

 private:
  std::filesystem::path file_;
  torch::nn::Module& model_;
  torch::optim::Optimizer& optimizer_;
};

}  // namespace packseq::data
