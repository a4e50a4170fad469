// NVIDIA GPUs through libcuda, found at run time: one binary for machines with and without them.
#pragma once
#include <string>

#include "runtime/device.h"

namespace dgen::runtime {

constexpr std::size_t kMostParameters = 480;  // of a launch: 4 KiB of pointers and numbers

// A device with an architecture, which kernels are compiled for.
class GpuDevice : public Device {
 public:
  virtual std::string architecture() const = 0;  // "sm_90"
  virtual std::unique_ptr<Module> load(const std::string& cubin) = 0;
};

// The process's first GPU. Throws Error that says what is missing: a driver, a device.
GpuDevice& cuda_device();
bool has_cuda_device();

// Host memory and no computing: launches are checked and dropped. For tests of CUDA programs on machines without a GPU.
GpuDevice& null_device();

}  // namespace dgen::runtime
