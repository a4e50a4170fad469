// When the units of a plan run within their sweep. Those of one depth that fuse become one region.
//   before:  a -> b -> c (waits for d, which is of another clock)      after:  d at 0, a, b and c at 1: one region
#pragma once
#include <vector>

#include "schedule/plan.h"

namespace dgen::schedule {

// A feedback component or a single stored value.
struct Unit {
  std::vector<ir::Id> nodes;
  Strategy strategy = Strategy::pointwise;
  int level = 0, depth = 0;
  ir::Clock clock;
  enum { single, wide, long_rows } width = single;  // loops over elements inside the tick; over so many that they fill vectors
  analysis::Kept kept = analysis::Kept::no;
  bool joins_sums = false;  // a sum over time of single elements: one loop adds up those of a clock
};

// Of units by number, in the same sweep; from is the lower one.
struct Edge {
  size_t from, to;
  bool same_tick;
};

int width_apart(const Unit& unit);  // units of one region have the same
void order_units(std::vector<Unit>& units, const std::vector<Edge>& edges);

}  // namespace dgen::schedule
