// How far back in clock order each value is read, in ticks: what must be kept from before a block.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

std::vector<int64_t> history_ticks(const ir::Graph& g);

}  // namespace dgen::analysis
