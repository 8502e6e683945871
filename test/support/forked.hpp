#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace packseq::test {

/// Forks some processes while another thread does `busy` again and again; each of them does `action`, and ends.
template <class Busy, class Action>
void expect_forks_end(int forks, const Busy& busy, const Action& action) {
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) busy();
  });
  for (int i = 0; i < forks && !testing::Test::HasFailure(); ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // ends a child that waits for ever
      action();
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child " << i << ", status " << status;
  }
  stop = true;
  other.join();
}

}  // namespace packseq::test
