// Feedback that comes back late: every way around the loop leads through a delay line whose time stands still. So ticks that
// lie closer together than that time need nothing of each other, and can be computed side by side.
//   %1 = state_read 0; %2 = delay %1, 99; %3 = mul %g, %2; %4 = add %x, %3; %5 = state_write 0, %4
//     ->  lines {2}, order 2 3 4 5 1
#pragma once
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

struct LateFeedback {
  std::vector<ir::Id> lines;  // the delay lines
  std::vector<ir::Id> order;  // the component's nodes for ticks side by side: a line before its input, a cell's read after its write
};

// What a line reads is so many ticks old: a cell's value before the tick is known a tick earlier.
int64_t ticks_before_line(const ir::Graph& g, ir::Id line);

// Of a component of single values at one clock in which some line can be `least` ticks late.
std::optional<LateFeedback> late_feedback(const ir::Graph& g, const std::vector<ir::Id>& component, int64_t least);

}  // namespace dgen::analysis
