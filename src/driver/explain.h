// A plan in words, printed from its own objects.
#pragma once
#include <string>

#include "schedule/memory.h"

namespace dgen::driver {

std::string explain_plan(const schedule::Plan& plan);
const char* strategy_name(const schedule::Region& region, const ir::Graph& g);
const char* sweep_name(int level);
// What a run's memory is kept for, and what sharing saves.
std::string explain_memory(const schedule::MemoryPlan& memory);

}  // namespace dgen::driver
