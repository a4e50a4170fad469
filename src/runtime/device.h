// Where kernels run and their memory lies: the host's processor, a GPU, or the null device that only checks.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dgen::runtime {

// Loaded code; kernels are handles that the device understands.
class Module {
 public:
  virtual ~Module() = default;
  virtual void* kernel(const std::string& name) const = 0;  // throws InternalError when there is none
};

// How many threads of a GPU a kernel wants. On the host one call does [lo, hi).
struct LaunchShape {
  int64_t groups = 1;    // blocks of threads
  int threads = 1;       // of a block
};

// One launch: array addresses and run-time integers, in the order of the kernel's lists.
struct Launch {
  void* kernel = nullptr;
  std::span<void* const> arrays;
  std::span<const long> numbers;
  LaunchShape shape;
};

// Copies and launches happen in the order of the calls; only download() and allocate() wait. One thread at a time.
class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;
  virtual bool is_host() const { return false; }  // memory can be read and written directly
  virtual int64_t memory() const = 0;             // bytes in all

  virtual void* allocate(std::size_t bytes) = 0;  // zeros; throws Error when there is not enough
  virtual void release(void* memory) noexcept = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;  // both on the device, may overlap
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  virtual void clear(void* memory, std::size_t bytes) = 0;
  virtual void launch(const Launch& launch) = 0;
  virtual void wait() = 0;  // until all of this is done
};

Device& host_device();

struct MemoryBytes {
  std::int64_t live = 0, peak = 0;
};
// Of all blocks of the process, on every device.
MemoryBytes memory_bytes();
void reset_memory_peak();  // peak = live

// Memory on a device, aligned to a cache line, zero until written.
class Block {
 public:
  static constexpr std::size_t kAlignment = 64;

  Block() = default;
  Block(Device& device, std::size_t bytes);
  ~Block() { release(); }
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept;
  Block(const Block& other);  // same device, same bytes
  Block& operator=(const Block& other) { return *this = Block(other); }

  Device* device() const { return device_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  char* at(std::int64_t byte) const { return static_cast<char*>(data_) + byte; }
  float* floats(std::int64_t index = 0) const { return static_cast<float*>(data_) + index; }

  // Room for at least so many bytes; what it held is lost when it has to grow.
  void reserve(Device& device, std::size_t bytes);

 private:
  void swap(Block& other) noexcept;
  void release();

  Device* device_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace dgen::runtime
