// A kernel of the loop IR as text, for people:
//   kernel k2  (elementwise at frame)
//     n0 = lo, n1 = hi
//     a0 = stream %4, 1 a tick, written
//     for i0 in [n0, n1) parallel
//       f3 = a1[i0]
//       a0[i0] = mul(f3, 0.5)
// Values are f (float), i (integer) or u (unsigned) and the number of their expression.
#pragma once
#include <string>

#include "ir/loop.h"

namespace dgen::ir {

std::string print(const Kernel& kernel);
std::string print_expr(const Kernel& kernel, int e);  // what is computed, its operands by name

}  // namespace dgen::ir
