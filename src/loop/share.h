// Lanes of a tick loop that need nothing of each other, so that threads may share them: each does its own over all ticks.
//
//   for t: for e in [0, 160) lanes: a0[e] = f(a0[e], a1[t])           for t: for e in [64 * n2, min(64 * n3, 160)) lanes: ...
#pragma once
#include <optional>

#include "ir/loop.h"

namespace dgen::loop {

// Marks the loops over elements whose lanes may be shared, all of a kernel's or none (Kernel::lanes, Stmt::share); where lanes need each
// other's, the work that threads may share if they meet (loop/meet.h).
ir::Kernel find_shared_lanes(ir::Kernel kernel);
// The same for groups of lanes (loop/lane_bounds.h); none where the kernel as it has become cannot be shared.
std::optional<ir::Kernel> cut_lanes(ir::Kernel kernel);

}  // namespace dgen::loop
