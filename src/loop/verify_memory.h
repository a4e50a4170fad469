// Plays a memory plan on paper: every kernel in the order of a run over a few tiles, with an owner for every byte of the
// arena, and then further runs without what is kept. What a kernel reads must still belong to the value it means. Nothing is
// taken from the plan's own live ranges.
#pragma once
#include <span>

#include "ir/loop.h"
#include "schedule/memory.h"

namespace dgen::loop {

struct KernelUse {
  const ir::Kernel* kernel;
  int level;
  bool sums = false;         // a sum over time: not run again when a tile is computed again
  bool after_sweep = false;  // else in every tile, in order
  analysis::Kept kept = analysis::Kept::no;  // left out of later runs, if the memory plan keeps what it makes
};

// Throws InternalError that names the kernel, the value and who has overwritten it.
void verify_memory(const schedule::Plan& plan, const schedule::MemoryPlan& memory, std::span<const KernelUse> kernels);

}  // namespace dgen::loop
