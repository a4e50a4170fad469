// About how many elementary operations a kernel does for one tick of its parallel loop, or for one chunk of a sum over time:
// what decides how many ticks are worth a thread.
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

constexpr int64_t kWorthThread = 1 << 21;  // operations that are worth another thread, which takes some 50 us to wake

// ticks: of a chunk, for kernels that take chunks; other kernels' tiles have one.
int64_t operations(const ir::Kernel& kernel, int64_t ticks);
// Of those, how many threads may share by lanes.
int64_t shared_operations(const ir::Kernel& kernel, int64_t ticks);
// Of one statement, done once; a vector's are one.
int64_t operations(const ir::Kernel& kernel, const ir::Stmt& statement);

}  // namespace dgen::loop
