// A plan in words, printed from its own objects.
#pragma once
#include <map>
#include <string>

#include "schedule/memory.h"

namespace dgen::driver {

// notes: by region, what else is done with its loops (steps.h).
std::string explain_plan(const schedule::Plan& plan, const std::map<int, std::string>& notes = {});
const char* strategy_name(const schedule::Region& region, const ir::Graph& g);
const char* sweep_name(int level);
// What a run's memory is kept for, and what sharing saves.
std::string explain_memory(const schedule::MemoryPlan& memory);

}  // namespace dgen::driver
