// What a loop over elements computes anew on every tick though it is always the same is computed once, before the ticks.
//
//   for t: for e in [0, 60): f = exp(a0[e]); ...        for e in [0, 60): a9[e] = exp(a0[e])
//                                                       for t: for e in [0, 60): f = a9[e]; ...
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

ir::Kernel hoist(ir::Kernel kernel);

}  // namespace dgen::loop
