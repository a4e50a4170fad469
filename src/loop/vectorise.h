// Loops whose iterations are independent become loops over vectors, where that costs less: ticks or elements are lanes.
//
//   for i in [0, n) lanes: f = a0[i]; g = sin(f); a1[i] = g
//   for i in [0, n) in vectors: vf = a0[i + 1 lane]; vg = sin(vf); a1[i + 1 lane] = vg
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

inline constexpr int64_t kVector = 16;  // elements of the widest vector

// Banks in feedback that are shorter and fill no vectors are masked.
inline constexpr int64_t kLongestBank = 64;

ir::Kernel vectorise(ir::Kernel kernel);

}  // namespace dgen::loop
