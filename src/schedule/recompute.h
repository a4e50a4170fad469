// What a reverse sweep reads of the forward one: outputs of recurrences, transforms and products are stored; pointwise work
// over them is computed again in the reverse sweep, which costs less than writing and reading it. So are values that are kept
// from run to run stored, and functions of few elements that feedback's own loop computes: it waits for them, and writes meanwhile.
//   before:  %9 = cos %8 : @frame     %20 = mulz %d, %9 : @frame'
//   after:   %9 = cos hold(%8) : @frame'                          (%8 stored, %9 computed where %20 is)
#pragma once
#include "ir/graph.h"

namespace dgen::schedule {

ir::Graph recompute_pointwise(const ir::Graph& g);

}  // namespace dgen::schedule
