// DGEN_TEST_BACKEND=cuda puts CUDA in the place of the backends that are tested, for a machine with a GPU.
#pragma once
#include <cstdlib>
#include <string>

namespace dgen::test {

inline bool on_cuda() {
  const char* wanted = std::getenv("DGEN_TEST_BACKEND");
  return wanted && std::string(wanted) == "cuda";
}

}  // namespace dgen::test
