// About how many elementary operations a kernel does for one tick of its parallel loop, or for one chunk of a sum over time, those of a
// vector being one: what decides how many ticks are worth a thread. A thread does some 3 a nanosecond.
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

// Operations that are worth another thread, which takes about a microsecond to begin, or 50 to be woken.
constexpr int64_t kWorthThread = 1 << 16, kWorthWaking = 1 << 20;

// ticks: of a chunk, for kernels that take chunks; other kernels' tiles have one.
int64_t operations(const ir::Kernel& kernel, int64_t ticks);
// Of those, how many threads may share by lanes.
int64_t shared_operations(const ir::Kernel& kernel, int64_t ticks);
// Of one statement, done once; a vector's are one.
int64_t operations(const ir::Kernel& kernel, const ir::Stmt& statement);

}  // namespace dgen::loop
