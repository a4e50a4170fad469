// The kernel of a region of sines (schedule/sines.h): for each group of ticks of the stream the sines and cosines of all phases at
// its start, times their weights, then their product with the table. A tick's value depends on the phases at its group's start and
// its place in it, so no cut changes a bit.
#pragma once
#include "ir/loop.h"
#include "schedule/plan.h"

namespace dgen::loop {

ir::Kernel lower_sines(const schedule::Plan& plan, int region, const std::string& name);

}  // namespace dgen::loop
