#include "driver/storage.h"

#include <algorithm>

#include "base/check.h"

namespace dgen::driver {

uint64_t Storage::next_version() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

const std::vector<float>& Storage::values() const {
  if (!host_valid_) device_.device()->download(host_.data(), device_.floats(), bytes());
  host_valid_ = true;
  return host_;
}

void Storage::assign(std::span<const float> values) {
  DGEN_ASSERT(values.size() == size());
  std::copy(values.begin(), values.end(), host_.begin());
  host_valid_ = true, device_valid_ = false;
  written();
}

float* Storage::on(runtime::Device& device) {
  if (device.is_host()) {
    values();
    return host_.data();
  }
  if (device_valid_ && device_.device() == &device) return device_.floats();
  values();
  device_.reserve(device, bytes());
  device.upload(device_.floats(), host_.data(), bytes());
  device_valid_ = true;
  return device_.floats();
}

void Storage::assign(runtime::Device& device, const float* from) {
  if (device.is_host()) {
    device.copy(host_.data(), from, bytes());
  } else {
    device_.reserve(device, bytes());
    device.copy(device_.floats(), from, bytes());
  }
  overwritten(device);
}

void Storage::overwritten(runtime::Device& device) {
  host_valid_ = device.is_host(), device_valid_ = !device.is_host();
  written();
}

}  // namespace dgen::driver
