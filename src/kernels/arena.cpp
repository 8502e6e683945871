#include "kernels/arena.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "kernels/fork.hpp"

namespace packseq::kernels {
namespace {

// A cache line, and the widest vector.
constexpr std::size_t alignment = 64;
constexpr std::size_t least_block = std::size_t{64} << 10;

std::size_t rounded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

Block make_block(std::size_t size) {
  return {std::unique_ptr<std::byte, Block::Free>(
              static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment)))),
          size};
}

/// What passes have left.
class FreeList {
 public:
  FreeList() { blocks_.reserve(most_blocks); }

  /// The largest block; one of nothing if there is none.
  Block take() noexcept {
    const std::lock_guard lock(mutex_);
    if (blocks_.empty()) return {};
    Block block = std::move(blocks_.back());
    blocks_.pop_back();
    kept_ -= block.size;
    return block;
  }

  /// Keeps a block that a pass leaves which took so much in all, unless there is enough already.
  void give(Block block, std::size_t taken) noexcept {
    const std::lock_guard lock(mutex_);
    largest_ = std::max(largest_, taken);
    if (blocks_.size() == most_blocks || kept_ + block.size > 2 * largest_) return;
    kept_ += block.size;
    const auto place = std::ranges::upper_bound(blocks_, block.size, {}, &Block::size);
    blocks_.insert(place, std::move(block));
  }

  void clear() noexcept {
    const std::lock_guard lock(mutex_);
    blocks_.clear();
    kept_ = largest_ = 0;
  }

  std::size_t kept() noexcept {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

  std::mutex& mutex() noexcept { return mutex_; }

 private:
  static constexpr std::size_t most_blocks = 64;  // room for them is reserved, so that `give` cannot fail

  std::mutex mutex_;
  std::vector<Block> blocks_;  // the smallest first
  std::size_t kept_ = 0;
  std::size_t largest_ = 0;  // of what passes took
};

std::mutex& list_mutex();

/// It is never destroyed: other threads may run passes while the process ends.
FreeList& free_list() {
  static FreeList* const list = [] {
    auto* const made = new FreeList;
    keep_usable_in_forks<list_mutex>();
    return made;
  }();
  return *list;
}

std::mutex& list_mutex() { return free_list().mutex(); }

}  // namespace

void Block::Free::operator()(std::byte* memory) const noexcept {
  ::operator delete(memory, std::align_val_t(alignment));
}

Arena::Arena() { blocks_.push_back(free_list().take()); }

Arena::~Arena() {
  if (blocks_.size() > 1) {
    // The next pass of this kind finds all that it needs in one.
    blocks_.clear();
    try {
      blocks_.push_back(make_block(taken_));
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  free_list().give(std::move(blocks_.front()), taken_);
}

void* Arena::take_bytes(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  if (blocks_.back().size - begin_ < size) {
    blocks_.push_back(make_block(std::max({size, taken_, least_block})));
    begin_ = 0;
  }
  begin_ += size;
  taken_ += size;
  return blocks_.back().bytes.get() + (begin_ - size);
}

void release_memory() noexcept { free_list().clear(); }

std::size_t kept_memory() noexcept { return free_list().kept(); }

}  // namespace packseq::kernels
