// Arithmetic on single elements that only sums over time of single elements read: on a CPU those share a loop, and with it what they
// have in common, so that it need not be stored.
#pragma once
#include "schedule/plan.h"

namespace dgen::schedule {

// By node. level: of the sweep; stored: what is stored so far; in_feedback: it stays where it is.
std::vector<bool> only_summed(const ir::Graph& g, const std::vector<int>& level, const IsStored& stored, const IsStored& in_feedback);

}  // namespace dgen::schedule
