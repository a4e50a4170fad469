// Cells that trade their memory. Of two fields, where one takes at each tick what the other held,
//   new = f(a, b);  b' = a;  a' = new       with b read only at the element of new that is being made,
// the new one is written over b, and then the arrays change places: nothing is copied, and a stays whole meanwhile, so
// that its neighbours can be read where they lie.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace dgen::schedule {

struct Trade {
  ir::Id write = ir::none;   // of the cell whose old elements are read at many places
  ir::Id behind = ir::none;  // of the one that takes them
};

std::vector<Trade> find_trades(const ir::Graph& g);

// Is a pad around a field that stays whole asked element by element where it lies? If it is narrow and read in long rows; else it is
// put together once a tick.
bool is_asked(const ir::Graph& g, const std::vector<ir::Ids>& users, const std::vector<Trade>& trades, ir::Id pad);

}  // namespace dgen::schedule
