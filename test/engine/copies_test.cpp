// Two libraries in one process, each of which has linked packseq for itself. The program has not.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "engine/copy.hpp"
#include "support/multiply_adds.hpp"

namespace packseq::test {
namespace {

class Library {
 public:
  explicit Library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    copy = reinterpret_cast<Copy (*)()>(dlsym(handle_, "packseq_copy"))();
  }
  ~Library() { dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  Copy copy = {};

 private:
  void* handle_;
};

/// Whether LibTorch's operator runs in an engine.
bool is_used() {
  const at::NoGradGuard no_gradients;
  const auto state = at::rand({1, 2, 4});
  const std::vector<at::Tensor> parameters = {at::rand({16, 3}), at::rand({16, 4})};
  const MultiplyAdds multiply_adds;
  at::lstm(at::rand({5, 3}), at::tensor({2, 2, 1}, at::kLong), {state, state}, parameters, false, 1, 0, false, false);
  return multiply_adds.count() == 0;
}

/// Whether a process forked from this one ends well after `run`.
template <class Run>
bool succeeds_in_fork(Run run) {
  const auto child = fork();
  if (child == 0) _exit(run() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0;
}

TEST(Copies, HaveOneSwitch) {
  at::set_num_threads(1);  // OpenMP's threads do not survive a fork
  {
    const Library first(PACKSEQ_FIRST_COPY);
    const Library second(PACKSEQ_SECOND_COPY);
    const auto expect_installed = [&](bool yes) {
      EXPECT_EQ(first.copy.installed(), yes);
      EXPECT_EQ(second.copy.installed(), yes);
      EXPECT_EQ(is_used(), yes);
    };
    expect_installed(false);
    const auto install_both_at_once = [&] {
      std::thread other(second.copy.install);
      first.copy.install();
      other.join();
      return first.copy.installed() && second.copy.installed() && is_used();
    };
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(succeeds_in_fork(install_both_at_once));
    EXPECT_TRUE(install_both_at_once());
    first.copy.uninstall();
    expect_installed(false);
    second.copy.install();
    expect_installed(true);

    const std::vector<at::Tensor> sequences = {at::rand({5, 3}), at::rand({2, 3})};
    const auto output = first.copy.run(sequences);
    EXPECT_TRUE(second.copy.run(sequences).equal(output));
    EXPECT_TRUE(succeeds_in_fork([&] {
      return is_used() && first.copy.run(sequences).equal(output) && second.copy.run(sequences).equal(output);
    }));
  }
  // LibTorch still knows of one of them.
  EXPECT_TRUE(is_used());
}

}  // namespace
}  // namespace packseq::test
