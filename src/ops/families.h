// The operator table's parts, one function a file of this folder. Helpers that several families use stand here too.
#pragma once
#include <algorithm>

#include "ir/eval.h"
#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "ir/vjp.h"

namespace dgen::ops {

using namespace ir;

std::span<const OpDef> scalar_ops();    // scalar.cpp, from ops.def
std::span<const OpDef> leaf_ops();      // leaf.cpp
std::span<const OpDef> view_ops();      // view.cpp
std::span<const OpDef> reduce_ops();    // reduce.cpp
std::span<const OpDef> linear_ops();    // linear.cpp: matmul
std::span<const OpDef> index_ops();     // index.cpp: gather, scatter_add
std::span<const OpDef> spectral_ops();  // spectral.cpp: FFTs
std::span<const OpDef> window_ops();    // window.cpp: buffer, overlap_add
std::span<const OpDef> clock_ops();     // clock.cpp: hold, decimate and their transposes, sums over time
std::span<const OpDef> state_ops();     // state.cpp: cells
std::span<const OpDef> delay_ops();     // delay.cpp
std::span<const OpDef> phasor_ops();    // phasor.cpp

// The usual clock rule: the fastest of the inputs.
inline Clock meet_all(std::span<const Type> in) {
  Clock clock;
  for (auto& type : in) clock = meet(clock, type.clock);
  return clock;
}

// An axis given from either end, checked.
inline int norm_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) fail("axis ", axis, " is out of range for rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace dgen::ops
