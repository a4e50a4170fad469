// Why a region is computed as it is, in words for explain.
#pragma once
#include <string>

#include "schedule/plan.h"

namespace dgen::schedule {

// Of a region of a finished plan. Where ticks run in order it tells what keeps them from being a scan.
std::string reason_of(const Plan& plan, const Region& region, const PlanOptions& options);

}  // namespace dgen::schedule
