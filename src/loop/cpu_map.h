// A kernel for a CPU: what stays the same over ticks goes before them, loops become vectors, rows of stencils stay in registers,
// and what is too large for a stack lies in memory of the caller's (Kernel::scratch).
#pragma once
#include <optional>
#include <string>

#include "ir/loop.h"

namespace dgen::loop {

struct CpuKernels {
  ir::Kernel whole;
  std::optional<ir::Kernel> by_lanes;  // for a share of the lanes
};

// vectors: else loops stay as they were written. by_lanes: is that kernel wanted, where there are lanes that threads may share?
CpuKernels map_to_cpu(ir::Kernel kernel, bool vectors, bool by_lanes);

// What the lanes of a mapped kernel's vectors are, for explain: "lanes are ticks, terms of sums"; empty without vectors.
std::string say_lanes(const ir::Kernel& kernel);
// Does a vector hold several ticks?
bool has_ticks_in_lanes(const ir::Kernel& kernel);

}  // namespace dgen::loop
