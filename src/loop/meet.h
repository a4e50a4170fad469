// Products of a tick loop whose columns threads share: each needs all of what the others make, so they run the loop together, one of
// them does everything else, and they meet before and after each product.
//
//   for t:                                               for t:
//     a0[..] = a3[..]                                      single: a0[..] = a3[..]
//     dg_matmul(a0, a4, a1, ..)                            barrier
//     a3[..] = tanh(a1[..])                                dg_matmul_columns(a0, a4, a1, .., columns of groups [n2, n3))
//                                                          barrier
//                                                          single: a3[..] = tanh(a1[..])
#pragma once
#include <optional>

#include "ir/loop.h"

namespace dgen::loop {

// Marks products with matrices in panels, if those of a tick are worth it: their columns are the kernel's lanes, in groups that are
// worth a meeting.
ir::Kernel find_shared_columns(ir::Kernel kernel);
// The kernel for a share of the columns; none if a value that one thread makes is needed where all threads are.
std::optional<ir::Kernel> cut_columns(ir::Kernel kernel);

}  // namespace dgen::loop
