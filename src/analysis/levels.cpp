#include "analysis/levels.h"

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

std::vector<int> sweep_levels(const Graph& g) {
  std::vector<int> level(static_cast<size_t>(g.size()), 0);
  std::vector<int> cell_level(g.cells.size(), 0);  // a cell's read and write belong to one sweep
  bool changed = true;
  for (int round = 0; changed; ++round) {
    DGEN_ASSERT(round <= g.size() + 1);
    changed = false;
    for (Id id = 0; id < g.size(); ++id) {
      const Node& node = g[id];
      int kind = node.clock().is_static() ? 0 : node.clock().reverse ? 2 : 1;
      int least = kind;
      for (Id in : node.in) {
        int from = level[static_cast<size_t>(in)];
        // A static value made from clocked ones waits for the sweep to end.
        least = std::max(least, from);
      }
      int* cell = node.attrs.has("cell") && kind != 0 ? &cell_level[static_cast<size_t>(node.attrs.i("cell"))] : nullptr;
      if (cell) least = std::max(least, *cell);
      while (least % 3 != kind) ++least;
      if (cell && least > *cell) *cell = least, changed = true;
      if (least > level[static_cast<size_t>(id)]) level[static_cast<size_t>(id)] = least, changed = true;
    }
  }
  return level;
}

}  // namespace dgen::analysis
