#include "analysis/history.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

std::vector<int64_t> history_ticks(const Graph& g) {
  std::vector<int64_t> ticks(static_cast<size_t>(g.size()), 0);
  for (Id id = 0; id < g.size(); ++id) {
    const Node& node = g[id];
    for (size_t i = 0; i < node.in.size(); ++i) {
      const Node& in = g[node.in[i]];
      if (in.clock().is_static()) continue;
      int64_t reach = node.op->reach ? node.op->reach(node, static_cast<int>(i), in.type) : 0;
      // A slower value's newest tick may lie before the block.
      if (in.clock().period > node.clock().period && !node.clock().is_static()) ++reach;
      ticks[static_cast<size_t>(node.in[i])] = std::max(ticks[static_cast<size_t>(node.in[i])], reach);
    }
  }
  return ticks;
}

}  // namespace dgen::analysis
