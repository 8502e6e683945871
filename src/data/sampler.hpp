#pragma once

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>

#include "packseq/data/batch_sampler.hpp"

namespace packseq::data::detail {

/// Refuses a number that must be at least 1.
inline void check_positive(const char* sampler, const char* option, std::int64_t value) {
  TORCH_CHECK_VALUE(value >= 1, sampler, ": ", option, " is ", value, ", and must be at least 1");
}

/// Refuses a place before the beginning.
inline void check_start(const char* sampler, const Position& start) {
  TORCH_CHECK_VALUE(start.epoch >= 0, sampler, ": start.epoch is ", start.epoch, ", and must not be negative");
  TORCH_CHECK_VALUE(start.batches >= 0, sampler, ": start.batches is ", start.batches, ", and must not be negative");
}

/// Refuses a place beyond the end of its epoch.
inline void check_start_within(const char* sampler, const Position& start, std::int64_t batches) {
  TORCH_CHECK_VALUE(start.batches <= batches, sampler, ": start.batches is ", start.batches, ", but epoch ",
                    start.epoch, " has ", batches, " batches: are documents, batching and seed those of before?");
}

/// Refuses a loader that would make batches of its own.
inline void check_loader_batch_size(const char* sampler, std::size_t batch_size) {
  TORCH_CHECK_VALUE(batch_size == 1, sampler, ": the data loader's batch_size is ", batch_size,
                    ", and must be left at 1: the sampler makes the batches");
}

[[noreturn]] inline void refuse_archive(const char* sampler) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, sampler,
                              ": cannot be stored, since a loader with workers has fetched ahead of what training has "
                              "seen: keep the position in a packseq::data::Checkpoint");
}

}  // namespace packseq::data::detail
