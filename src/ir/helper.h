// Pure functions of the prelude that expressions of the loop IR call.
#pragma once
#include <string_view>

#include "ir/loop.h"

namespace dgen::ir {

struct Helper {
  std::string_view name;
  LoopType result;
  bool lanewise = true;        // its form for vectors, NAME_v, takes vectors; else plain numbers
  // Its values at n, n + 1, ... of its last argument, the others fixed, are that at n plus what this helper gives for the last
  // but one, added by dg_phase_plus.
  std::string_view ramp = {};
  // Operators of its value that are helpers of its arguments, the first of them as `first` gives it.
  struct Fused {
    std::string_view row, helper, first = {};
  } fused[2] = {};
  // Of that helper's value it is the same as of its first argument, which changes less often.
  std::string_view through = {};
};

// Throws InternalError if there is none of that name.
const Helper& find_helper(std::string_view name);
// Is there a helper whose value this operator makes a helper of? Beside it, it may have other digits than by itself.
bool may_fuse(std::string_view row);

}  // namespace dgen::ir
