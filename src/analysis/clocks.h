// Makes every clock change a node, and computes at ticks what is only read at ticks.
//   before:  %3 = mul %spectrum@hop(256), %gain@frame        after:  %3 = mul %spectrum, decimate(%gain) : @hop(256)
//            overlap_add %3 {hop=256}                                overlap_add %3 {hop=256}
#pragma once
#include "ir/graph.h"

namespace dgen::analysis {

ir::Graph align_clocks(const ir::Graph& g);

}  // namespace dgen::analysis
