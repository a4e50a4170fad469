// The kernel of a region of sines (schedule/sines.h): for each group of ticks of the stream the sines and cosines of all phases at
// its start, times their weights, then their product with the table. A tick's value depends on the phases at its group's start and
// its place in it, so no cut changes a bit.
#pragma once
#include <functional>

#include "ir/loop.h"
#include "schedule/plan.h"

namespace dgen::loop {

class Lowering;

ir::Kernel lower_sines(const schedule::Plan& plan, int region, const std::string& name);

// Ticks [from, end) of a single sine, for a kernel that makes its values itself: arrays of the sines and cosines at their groups'
// starts, two rows of `groups`, of the table, and of the weight.
struct SineBlock {
  int anchors = -1, table = -1, weight = -1, groups = -1, from = -1, end = -1;
};
void for_blocks_of_sine(Lowering& low, ir::Id id, const std::function<void(const SineBlock&)>& body);

}  // namespace dgen::loop
