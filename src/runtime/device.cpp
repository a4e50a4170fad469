#include "runtime/device.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace dgen::runtime {
namespace {

std::atomic<std::int64_t> live_bytes = 0, peak_bytes = 0;

void count_bytes(std::int64_t change) {
  std::int64_t live = live_bytes += change;
  std::int64_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
}

// What calloc returned stands in front of the aligned address: fresh pages cost nothing until they are touched.
class HostDevice : public Device {
 public:
  std::string name() const override { return "cpu"; }
  bool is_host() const override { return true; }
  int64_t memory() const override { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE); }

  void* allocate(std::size_t bytes) override {
    constexpr std::size_t extra = Block::kAlignment + sizeof(void*);
    void* raw = bytes < PTRDIFF_MAX - extra ? std::calloc(bytes + extra, 1) : nullptr;
    if (!raw) fail("out of memory: a buffer of ", bytes, " bytes");
    auto address = reinterpret_cast<std::uintptr_t>(raw) + extra;
    void* memory = reinterpret_cast<void*>(address - address % Block::kAlignment);
    std::memcpy(static_cast<char*>(memory) - sizeof raw, &raw, sizeof raw);
    return memory;
  }
  void release(void* memory) noexcept override {
    void* raw;
    std::memcpy(&raw, static_cast<char*>(memory) - sizeof raw, sizeof raw);
    std::free(raw);
  }
  // Nothing may be copied to or from nowhere.
  void copy(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memmove(to, from, bytes);
  }
  void upload(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }
  void clear(void* memory, std::size_t bytes) override {
    if (bytes > 0) std::memset(memory, 0, bytes);
  }
  void launch(const Launch& launch) override {
    reinterpret_cast<void (*)(void* const*, const long*)>(launch.kernel)(launch.arrays.data(), launch.numbers.data());
  }
  void wait() override {}
};

}  // namespace

Device& host_device() {
  static HostDevice device;
  return device;
}

MemoryBytes memory_bytes() { return {live_bytes, peak_bytes}; }
void reset_memory_peak() { peak_bytes = live_bytes.load(); }

Block::Block(Device& device, std::size_t bytes) : device_(&device) {
  if (bytes == 0) return;
  data_ = device.allocate(bytes);
  bytes_ = bytes;
  count_bytes(static_cast<std::int64_t>(bytes));
}

Block::Block(const Block& other) {
  if (!other.device_) return;
  Block made(*other.device_, other.bytes_);
  if (!other.empty()) other.device_->copy(made.data_, other.data_, other.bytes_);
  swap(made);
}

Block& Block::operator=(Block&& other) noexcept {
  Block taken(std::move(other));
  swap(taken);
  return *this;
}

void Block::swap(Block& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
}

void Block::release() {
  if (!data_) return;
  device_->release(data_);
  count_bytes(-static_cast<std::int64_t>(bytes_));
}

void Block::reserve(Device& device, std::size_t bytes) {
  if (device_ == &device && bytes <= bytes_) return;
  *this = Block();  // the old memory first
  *this = Block(device, bytes);
}

}  // namespace dgen::runtime
