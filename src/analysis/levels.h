// Sweeps: 0 static prologue, 1 forward, 2 reverse, 3 static epilogue, then the same again where a sum over time feeds a
// clocked value. level % 3 tells the kind.
// Static values are computed in the sweep that reads them first.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

std::vector<int> sweep_levels(const ir::Graph& g);

}  // namespace dgen::analysis
