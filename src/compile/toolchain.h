// Which C compiler this machine has, and a line of text that changes whenever its output may.
#pragma once
#include <string>
#include <vector>

#include "compile/config.h"
#include "compile/kernel_cache.h"

namespace dgen::compilers {

struct Toolchain {
  std::vector<std::string> command;  // the compiler's path, with a launcher such as ccache before it
  std::string family;                // "gcc" or "clang"
  std::string version;               // "12.2.0"
  std::string native_flag;           // -march=native, or what this compiler takes instead
  std::string fingerprint;           // one line: the above, and a hash of path, size, time and resolved target features
};

// Asks the compiler once; the answer is kept in the cache under the compiler's size and time and the processor.
// Throws Error when there is no compiler or it does not run.
Toolchain find_toolchain(const CompileConfig& config, KernelCache& cache);

}  // namespace dgen::compilers
