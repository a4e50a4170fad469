// The memory of a param or constant tensor, shared by handles, programs and optimisers.
#pragma once
#include <atomic>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dgen/shape.h"
#include "runtime/device.h"

namespace dgen::driver {

// The values are on the host or on one other device, whichever wrote last; they are copied when the other side asks.
class Storage {
 public:
  Storage(Shape of, std::vector<float> values) : shape(std::move(of)), host_(std::move(values)) {}

  const Shape shape;
  bool learnable = false;
  float min = -std::numeric_limits<float>::infinity();
  float max = std::numeric_limits<float>::infinity();
  std::vector<float> grad;  // empty: no gradient
  std::string name;

  size_t size() const { return host_.size(); }
  const std::vector<float>& values() const;
  // New values, as many as before.
  void assign(std::span<const float> values);

  // Where the device's kernels read the values.
  float* on(runtime::Device& device);
  // New values from the device's memory.
  void assign(runtime::Device& device, const float* from);
  // The device's kernels have written where it lies there, while they ran: who reads the values in the meantime finds some of both.
  void overwritten(runtime::Device& device);

  // A number that no other values of this or any other storage have had. Who asks before reading the values finds another
  // number when they were written since.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  static uint64_t next_version();
  void written() { version_.store(next_version(), std::memory_order_release); }  // when all is written, not before
  size_t bytes() const { return host_.size() * sizeof(float); }

  mutable std::vector<float> host_;
  runtime::Block device_;
  mutable bool host_valid_ = true;
  bool device_valid_ = false;
  std::atomic<uint64_t> version_ = next_version();
};
using StoragePtr = std::shared_ptr<Storage>;

}  // namespace dgen::driver
