// Narrow banks: linear feedback of a few lanes that do not read each other, such as a stereo filter. A lane of its own is a
// recurrence of single values (analysis/recurrence), whose ticks are lanes of vectors, and several times as fast as a loop in
// order over vectors that the bank does not fill. What is pointwise around it and read by it alone follows, and so do static
// numbers, what is linear in its values, and sums of those over time; else lanes are slices and what is read whole is a concat.
//   before:  %y = fma %a, %s, %x : (2)@frame      after:  %y0 = fma %a0, %s0, %x0    %y1 = fma %a1, %s1, %x1 : ()@frame
#pragma once
#include "ir/graph.h"

namespace dgen::analysis {

// Wider ones take as long in order, as lanes of a vector, or hardly longer. Ordered: a lane of its own would be no scan.
inline constexpr int64_t kWidestConstant = 4, kWidestOrdered = 2, kWidestVarying = 3;
inline constexpr size_t kHighestVarying = 2;  // order

ir::Graph split_banks(const ir::Graph& g);

}  // namespace dgen::analysis
