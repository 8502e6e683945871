#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace packseq::test {

/// Does `action` again and again in a process of its own, which is killed after this time.
template <class Action>
void do_until_killed(std::chrono::nanoseconds time, const Action& action) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      while (true) action();
    } catch (...) {  // else the tests would go on in two processes
      _exit(1);
    }
  }
  std::this_thread::sleep_for(time);
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "an exception ended it";
}

}  // namespace packseq::test
