// Reverse mode, graph to graph: replaces every grad{slot}(loss) by nodes of a reverse sweep.
//   before:  %9 = grad %loss {slot=0}         after:  ... %31 = sum_time %30 : ()@static takes its place
// The driver knows no operator by name: each states its own transpose (vjp), feedback included through reverse cells.
#pragma once
#include "ir/graph.h"

namespace dgen::autodiff {

ir::Graph expand_gradients(const ir::Graph& g);

}  // namespace dgen::autodiff
