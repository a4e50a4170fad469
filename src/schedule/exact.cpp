#include "schedule/exact.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

bool is_made_of_numbers(const Graph& g, Id id) {
  const auto number = [&g](Id of) { return g[of].shape().size() == 1; };
  const Node& node = g[id];
  return number(id) && std::all_of(node.in.begin(), node.in.end(), number) && (node.op->family == Family::scalar || node.op->is(view_only));
}

void keep_exact(Plan* plan) {
  const Graph& g = plan->graph;
  const auto n = static_cast<size_t>(g.size());
  plan->exact.assign(n, false);
  std::vector<Id> todo;
  for (const Region& region : plan->regions)
    if (region.is_recurrence())
      for (Id id : region.recurrence.a)
        if (id != none && static_number(g, id) != none) todo.push_back(static_number(g, id));
  std::vector<bool> seen(n, false);
  while (!todo.empty()) {
    const Node& node = g[todo.back()];
    const Id id = todo.back();
    const auto i = static_cast<size_t>(id);
    todo.pop_back();
    if (seen[i] || !node.clock().is_static() || !is_made_of_numbers(g, id)) continue;
    seen[i] = true;
    todo.insert(todo.end(), node.in.begin(), node.in.end());
    if (node.op->family == Family::scalar && plan->stored(id)) plan->exact[i] = true, plan->store[i] = Store::stream;
  }
}

}  // namespace dgen::schedule
