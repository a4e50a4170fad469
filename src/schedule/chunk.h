// How many frames of the stream one partial sum over time adds up at most; tiles are multiples of it. Whole hops of every clock, so that
// partial sums end at ticks; 0 where those have no common multiple: one tile for the run.
#pragma once
#include <cstdint>

#include "schedule/plan.h"

namespace dgen::schedule {

// wanted: about how many frames; 0: what suits the plan's streams and sums.
int64_t chunk_of(const Plan& plan, int64_t wanted);

}  // namespace dgen::schedule
