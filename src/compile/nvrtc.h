// CUDA text to cubin through NVRTC, found at run time: nothing of CUDA is needed to build, and no GPU to compile.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compile/kernel_cache.h"
#include "compile/library.h"

namespace dgen::compilers {

class Nvrtc {
 public:
  // The process's NVRTC, loaded at first use; null, with a message for the user in `why`, when it is not installed.
  static const Nvrtc* find(std::string* why = nullptr);
  // The first of `names` that loads. Throws Error when none does.
  explicit Nvrtc(std::span<const std::string> names);

  int major() const { return major_; }
  int minor() const { return minor_; }

  // Returns NVRTC's log, empty when `cubin` was filled.
  std::string compile(const std::string& text, const std::vector<std::string>& flags, std::string* cubin) const;

 private:
  std::shared_ptr<Library> library_;
  int major_ = 0, minor_ = 0;
};

struct CudaOptions {
  std::vector<std::string> extra_flags;  // after all others
};

// `arch` as "sm_90". Multiplies and adds are not contracted, as in C: kernels write their fma out.
// Throws Error when NVRTC is not installed, InternalError with its log when the text does not compile.
std::string compile_cubin(const std::string& cuda_text, const std::string& arch, const CudaOptions& options,
                          KernelCache& cache);
std::string compile_cubin(const std::string& cuda_text, const std::string& arch, const CudaOptions& options = {});

}  // namespace dgen::compilers
