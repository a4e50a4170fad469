// Why a region is computed as it is, in words for explain.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "schedule/plan.h"

namespace dgen::schedule {

using Loops = std::map<int, std::vector<ir::Id>>;  // the nodes of feedback, by component

// Of a region of a finished plan. Where ticks run in order it tells what keeps them from being a scan.
std::string reason_of(const Plan& plan, const Region& region, const PlanOptions& options, const Loops& loops);

}  // namespace dgen::schedule
