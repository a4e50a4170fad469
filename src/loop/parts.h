// Long bodies in functions of their own: compilers take more than twice as long for a function of twice the length.
//
//   for t: f1 = ..; <600 statements>; a0[t] = mul(f1, f900)
// becomes
//   for t:
//     part: f1 = ..; <most of them>; a9[0] = f1
//     part: f1 = a9[0]; <the others>; a0[t] = mul(f1, f900)
#pragma once
#include <set>
#include <vector>

#include "ir/loop.h"

namespace dgen::loop {

// The last but for what changes the bounds or bodies of single loops. Values that one part leaves to another go through memory,
// integers are computed again.
ir::Kernel cut_parts(ir::Kernel kernel, size_t longest = 500);  // statements of a function

// What a function with this body needs from outside: values, arrays that its statements touch, and those that its parts do.
struct Needs {
  std::vector<int> values;
  std::set<int> arrays, of_parts;
};
Needs needs_of(const ir::Kernel& kernel, const std::vector<ir::Stmt>& body);

}  // namespace dgen::loop
