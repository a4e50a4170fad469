#include "analysis/late.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

namespace {

bool is_cell(const Node& node) { return node.op->family == Family::state && node.attrs.has("cell"); }

// What can be computed in vectors of ticks.
bool in_vectors(const Node& node) {
  const bool plain = node.op->family == Family::scalar || node.op->family == Family::view || node.op->lag;
  return is_cell(node) || (plain && !node.op->is(in_order) && !node.op->is(materialise));
}

}  // namespace

int64_t ticks_before_line(const Graph& g, Id line) {
  static const Op state_read = op("state_read");
  return g[g[line].in[0]].op == state_read ? 1 : 0;
}

std::optional<LateFeedback> late_feedback(const Graph& g, const std::vector<Id>& component, int64_t least) {
  auto at = [&component](Id id) {
    return static_cast<size_t>(std::lower_bound(component.begin(), component.end(), id) - component.begin());
  };
  auto inside = [&](Id id) { return at(id) < component.size() && component[at(id)] == id; };
  auto is_static = [&g](Id id) { return g[id].clock().is_static(); };
  LateFeedback found;
  for (Id id : component) {
    const Node& node = g[id];
    if (node.shape().size() != 1 || node.clock() != g[component[0]].clock() || !in_vectors(node)) return {};
    if (node.op->lag && inside(node.in[0]) && std::all_of(node.in.begin() + 1, node.in.end(), is_static) &&
        node.op->reach(node, 0, g[node.in[0]].type) > least - ticks_before_line(g, id))
      found.lines.push_back(id);
  }
  if (found.lines.empty()) return {};
  auto needs = [&](Id id) {
    const Node& node = g[id];
    std::vector<Id> in(node.in.begin(), node.in.end());
    if (std::binary_search(found.lines.begin(), found.lines.end(), id)) in.erase(in.begin());
    if (is_cell(node)) in.push_back(g.cells[static_cast<size_t>(node.attrs.i("cell"))].write);
    in.erase(std::remove_if(in.begin(), in.end(), [&](Id i) { return i == id || i == none || !inside(i); }), in.end());
    return in;
  };
  // Nodes whose inputs are all placed, the first of them first; a shorter way around leaves some that never are.
  std::vector<bool> placed(component.size(), false);
  for (bool more = true; more;) {
    more = false;
    for (Id id : component) {
      const std::vector<Id> in = needs(id);
      if (placed[at(id)] || !std::all_of(in.begin(), in.end(), [&](Id i) { return placed[at(i)]; })) continue;
      found.order.push_back(id), placed[at(id)] = more = true;
    }
  }
  if (found.order.size() < component.size()) return {};
  return found;
}

}  // namespace dgen::analysis
