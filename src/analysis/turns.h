// Sines and cosines of 2 pi times something become those of turns: fewer operations, and no rounding of the angle.
//   before:  %3 = mul %phase, 6.2831853     %4 = sin %3        after:  %4 = sin_turns %phase
#pragma once
#include "ir/graph.h"

namespace dgen::analysis {

ir::Graph measure_in_turns(const ir::Graph& g);

}  // namespace dgen::analysis
