// The backends that whole programs are tested on.
#pragma once
#include <dgen/config.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/on_cuda.h"

namespace dgen::test {

inline std::vector<dgen::Backend> backends() {
  if (on_cuda()) return {dgen::Backend::cuda};
  return {dgen::Backend::interpreter, dgen::Backend::cpu};
}

inline std::string backend_name(dgen::Backend backend) {
  switch (backend) {
    case dgen::Backend::interpreter: return "interpreter";
    case dgen::Backend::cpu: return "cpu";
    case dgen::Backend::cuda: return "cuda";
  }
  return "unknown";
}

// Settings of one backend; those from before come back at the end.
class OnBackend {
 public:
  explicit OnBackend(dgen::Backend backend) : saved_(config()) { config().backend = backend; }
  ~OnBackend() { config() = saved_; }
  OnBackend(const OnBackend&) = delete;
  OnBackend& operator=(const OnBackend&) = delete;

 private:
  Config saved_;
};

// A test of every backend.
class EachBackend : public testing::TestWithParam<dgen::Backend> {
  OnBackend settings_{GetParam()};
};
inline std::string backend_test(const testing::TestParamInfo<dgen::Backend>& info) { return backend_name(info.param); }

}  // namespace dgen::test
