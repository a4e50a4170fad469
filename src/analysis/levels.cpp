#include "analysis/levels.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

namespace {

// A static value that only later static sweeps read is computed there, instead of being kept until then: an optimiser's decayed
// moments would be as much memory as the moments.
void wait_for_readers(const Graph& g, std::vector<int>& level) {
  const std::vector<Ids> readers = users(g);
  std::vector<bool> root(static_cast<size_t>(g.size()), false);
  for (Id id : g.roots()) root[static_cast<size_t>(id)] = true;
  for (Id id = g.size() - 1; id >= 0; --id) {
    const Ids& by = readers[static_cast<size_t>(id)];
    if (g[id].op->family != Family::scalar || !g[id].clock().is_static() || root[static_cast<size_t>(id)] || by.empty()) continue;
    int earliest = level[static_cast<size_t>(by[0])];
    for (Id user : by) earliest = g[user].clock().is_static() ? std::min(earliest, level[static_cast<size_t>(user)]) : 0;
    level[static_cast<size_t>(id)] = std::max(level[static_cast<size_t>(id)], earliest);
  }
}

}  // namespace

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
  wait_for_readers(g, level);
  return level;
}

}  // namespace dgen::analysis
