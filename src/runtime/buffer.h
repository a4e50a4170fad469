// Memory for kernels: floats aligned to a cache line, zero until written.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace dgen::runtime {

struct BufferBytes {
  std::int64_t live = 0, peak = 0;
};

// Of all buffers of the process.
BufferBytes buffer_bytes();
void reset_buffer_peak();  // peak = live

class Buffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  Buffer() = default;
  explicit Buffer(std::size_t count) { resize(count); }
  ~Buffer() { release(); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<float> span() { return {data_, size_}; }
  std::span<const float> span() const { return {data_, size_}; }

  // Keeps the first min(old, new) values; new ones are zero. Growth moves the data; shrinking keeps the memory.
  // Throws Error when there is not enough memory.
  void resize(std::size_t count);
  void zero();
  // Signalling NaNs: a read before a write shows.
  void poison();

 private:
  void swap(Buffer& other) noexcept;
  void release();

  void* block_ = nullptr;  // what calloc returned; data_ is the first aligned address in it
  float* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace dgen::runtime
