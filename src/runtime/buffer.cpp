#include "runtime/buffer.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"

namespace dgen::runtime {
namespace {

constexpr std::uint32_t kSignallingNan = 0x7fa00000;

std::atomic<std::int64_t> live_bytes = 0, peak_bytes = 0;

void count_bytes(std::int64_t change) {
  std::int64_t live = live_bytes += change;
  std::int64_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
}

}  // namespace

BufferBytes buffer_bytes() { return {live_bytes, peak_bytes}; }

void reset_buffer_peak() { peak_bytes = live_bytes.load(); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  Buffer taken(std::move(other));
  swap(taken);
  return *this;
}

void Buffer::swap(Buffer& other) noexcept {
  std::swap(block_, other.block_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

void Buffer::release() {
  std::free(block_);
  count_bytes(-static_cast<std::int64_t>(capacity_ * sizeof(float)));
}

void Buffer::resize(std::size_t count) {
  if (count > capacity_) {
    if (count > PTRDIFF_MAX / sizeof(float) - kAlignment) fail("a buffer of ", count, " floats is too large");
    std::size_t bytes = count * sizeof(float) + kAlignment;
    Buffer grown;
    grown.block_ = std::calloc(bytes, 1);  // fresh pages cost nothing until they are touched
    if (!grown.block_) fail("out of memory: a buffer of ", bytes, " bytes");
    void* aligned = grown.block_;
    grown.data_ = static_cast<float*>(std::align(kAlignment, count * sizeof(float), aligned, bytes));
    grown.capacity_ = count;
    count_bytes(static_cast<std::int64_t>(count * sizeof(float)));
    if (size_ > 0) std::memcpy(grown.data_, data_, size_ * sizeof(float));
    swap(grown);
  } else if (count > size_) {
    std::fill(data_ + size_, data_ + count, 0.0f);
  }
  size_ = count;
}

void Buffer::zero() { std::fill_n(data_, size_, 0.0f); }

void Buffer::poison() {
  for (std::size_t i = 0; i < size_; ++i) std::memcpy(data_ + i, &kSignallingNan, sizeof kSignallingNan);
}

}  // namespace dgen::runtime
