// Lanes of a tick loop that need nothing of each other, so that threads may share them: each does its own over all ticks.
//
//   for t: for e in [0, 64) lanes: a0[e] = f(a0[e], a1[t])           for t: for e in [16 * n2, min(16 * n3, 64)) lanes: ...
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

// Marks the loops over elements whose lanes may be shared, all of a kernel's or none (Kernel::lanes, Stmt::share).
ir::Kernel find_shared_lanes(ir::Kernel kernel);
// The same for groups of lanes [n2, n3), two more numbers of the kernel.
ir::Kernel cut_lanes(ir::Kernel kernel);

}  // namespace dgen::loop
