// Sums over windows of a plane, where lanes are columns: a row of the plane that is loaded once is added to the sums of all the
// rows it is a part of, which stay in registers until they are whole. Each sum has its terms in the order it had them in.
//
//   for r in [0, R): for c in vectors: s = sum over i < 3, j < 3 of a[P (r + i) + c + j] * k[3 i + j]; ...
// becomes
//   for c in vectors: for q in [0, R + 2), s1 and s2 carried:
//     xj = a[P q + c + j]; t0 = sum of xj * k[j]; t1 = s1 + sum of xj * k[3 + j]
//     if q >= 2: r = q - 2; s = s2 + sum of xj * k[6 + j]; ...
//     s1 = t0; s2 = t1
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

// Of a kernel in vectors.
ir::Kernel carry_rows(ir::Kernel kernel);

}  // namespace dgen::loop
