// A region of the plan becomes kernels: one loop over its ticks, inside it one loop nest a group of values of equal shape.
//   region {%4 = mul, %5 = add %4}, frame      for t in [lo, hi): v4 = a[t] * b[t]; s5[t] = v4 + c[t]
#pragma once
#include <vector>

#include "ir/loop.h"
#include "schedule/plan.h"

namespace dgen::loop {

struct LoweredRegion {
  std::vector<ir::Kernel> kernels;  // run one after the other
  bool parallel = false;            // the first kernel's ticks (or chunks) may be cut among threads
};

// for_cpu: a loop over frames that reads values of a slower clock becomes a loop over that clock's ticks with a loop over
// the frames of each inside, so that those values stand still there; and sums leave out products with 0 that are known.
LoweredRegion lower_region(const schedule::Plan& plan, int region, bool for_cpu = false);
// After a tile: phases of closed-form phasors move on by the tile's frames. Empty if there is none in the sweep.
std::vector<ir::Kernel> advance_kernels(const schedule::Plan& plan, int level);
// After a sweep: sums over time become values.
std::vector<ir::Kernel> finish_kernels(const schedule::Plan& plan, int level);
// All kernels of a plan, for showing and checking them.
std::vector<ir::Kernel> lower_plan(const schedule::Plan& plan, bool for_cpu = false);

}  // namespace dgen::loop
