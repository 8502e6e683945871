#pragma once

#include <ATen/Context.h>

#include <array>
#include <cstdint>
#include <exception>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "options.hpp"
#include "packseq/data/checkpoint.hpp"
#include "packseq/distributed/communicator.hpp"
#ifdef PACKSEQ_WITH_MPI
#include "packseq/distributed/mpi.hpp"
#endif

/// All processes that `mpirun` has started, or this one alone.
#ifdef PACKSEQ_WITH_MPI
using Processes = packseq::distributed::MpiCommunicator;
#else
using Processes = packseq::distributed::Alone;
#endif

/// Gives each process random numbers of its own for the next batch: else all would drop out the same. Those of the
/// first one are in the checkpoint; the others' come from the place in training, to be the same when it goes on there.
inline void draw_apart(const packseq::distributed::Communicator& processes, const packseq::data::Progress& progress) {
  if (processes.rank() == 0) return;
  std::seed_seq seeds{static_cast<std::int64_t>(progress.seed), progress.position.epoch, progress.position.batches,
                      processes.rank()};
  std::array<std::uint32_t, 1> seed{};
  seeds.generate(seed.begin(), seed.end());
  at::manual_seed(seed[0]);
}

/// Runs `program(options, processes)` in each process, and gives what `main` must return. What one process cannot do
/// ends all of them.
template <class Program>
int run_processes(const std::string& name, const std::vector<std::string>& words, const Program& program) {
  try {
    Processes processes;
    try {
      const auto options = parse_training_options(words);
      check_files(options);
      program(options, processes);
      check_output();
      return 0;
    } catch (const std::exception& error) {
      // Told while it can be: behind the end of `processes` there is nobody left if there are others.
      std::cerr << name + ": " + reason_of(error) + "\nUsage: " + name + ' ' + training_usage << std::flush;
      throw;
    }
  } catch (const std::exception&) {
    return 1;
  }
}
