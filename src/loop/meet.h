// Work that threads share though each needs what the others have made: they run a kernel together, long loops over elements and products
// are cut among them, one does everything else, and they meet in between.
//
//   for t:                                               for t:
//     a0[..] = a3[..]                                      single: a0[..] = a3[..]
//     dg_matmul(a0, a4, a1, ..)                            barrier
//     a3[..] = tanh(a1[..])                                dg_matmul_columns(a0, a4, a1, .., those of groups [n2, n3))
//                                                          barrier
//                                                          single: a3[..] = tanh(a1[..])
#pragma once
#include <optional>

#include "ir/loop.h"

namespace dgen::loop {

// Marks loops over elements and products with matrices in panels that may be worth a meeting, in loops over ticks in order or outside of
// any (Kernel::meet, Stmt::share).
ir::Kernel find_shared_work(ir::Kernel kernel);
// The kernel for a share of it; none if it is not worth a thread as it has become, or needs an integer that one thread makes.
std::optional<ir::Kernel> cut_work(ir::Kernel kernel);

}  // namespace dgen::loop
