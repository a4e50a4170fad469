#include "driver/storage.h"

namespace dgen::driver {

const std::vector<float>& Storage::values() const {
  if (!host_valid_) device_.device()->download(host_.data(), device_.floats(), bytes());
  host_valid_ = true;
  return host_;
}

std::vector<float>& Storage::edit() {
  values();
  device_valid_ = false;
  return host_;
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
    host_valid_ = true, device_valid_ = false;
    return;
  }
  device_.reserve(device, bytes());
  device.copy(device_.floats(), from, bytes());
  host_valid_ = false, device_valid_ = true;
}

}  // namespace dgen::driver
