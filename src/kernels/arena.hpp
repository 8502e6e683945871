#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace packseq::kernels {

/// A piece of memory.
struct Block {
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte, Free> bytes;
  std::size_t size = 0;
};

/// The memory of one pass: its buffers, which live as long as this does.
///
/// It comes from what earlier passes have left, in one list for the whole process, and goes back there. Were it freed,
/// the heap would give it back to the system, and the next pass would wait for its pages again, which takes longer than
/// a step's arithmetic. One thread takes all buffers before the workers begin, so that none of these can fail for lack
/// of memory while others wait for it.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised memory for `count` numbers or pointers, at a multiple of 64 bytes.
  /// @throws std::bad_alloc if there is none.
  template <class T>
  T* take(std::size_t count) {
    return static_cast<T*>(take_bytes(count * sizeof(T)));
  }

 private:
  void* take_bytes(std::size_t bytes);

  std::vector<Block> blocks_;  // the last one has room, the others are full
  std::size_t begin_ = 0;      // of what is free in the last one
  std::size_t taken_ = 0;      // from all
};

/// Frees what passes have left. Those that run meanwhile keep what they have.
void release_memory() noexcept;

/// How many bytes passes have left: never more than twice what the largest of them took.
std::size_t kept_memory() noexcept;

}  // namespace packseq::kernels
