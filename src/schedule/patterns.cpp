// Shapes of graph that have a strategy of their own, and what lies behind views and computed values.
#include "ir/op.h"
#include <algorithm>
#include <set>

#include "schedule/plan.h"

namespace dgen::schedule {

using namespace ir;

namespace {

bool swaps_last_two(const Node& permute) {
  const Ints& axes = permute.attrs.ints("axes");
  auto n = static_cast<int64_t>(axes.size());
  for (int64_t i = 0; i < n - 2; ++i)
    if (axes[static_cast<size_t>(i)] != i) return false;
  return n >= 2 && axes[static_cast<size_t>(n - 1)] == n - 2;
}

}  // namespace

bool keeps_layout(const Graph& g, Id x) {
  static const Op reshape = op("reshape"), hold = op("hold");
  const Node& node = g[x];
  if (node.in.size() != 1) return false;
  const Node& in = g[node.in[0]];
  if (node.op == hold) return in.clock().period == node.clock().period;
  return node.op == reshape || (node.op->is(view_only) && in.shape().size() == 1 && node.shape().size() == 1);
}

Id array_behind(const Graph& g, Id x, const IsStored& stored) {
  while (!stored(x) && keeps_layout(g, x)) x = g[x].in[0];
  return x;
}
Id array_behind(const Plan& plan, Id x) {
  return array_behind(plan.graph, x, [&plan](Id id) { return plan.stored(id); });
}

Id static_number(const Graph& g, Id x) {
  static const Op hold = op("hold");
  while (!g[x].clock().is_static()) {
    const bool held = g[x].op == hold && g[g[x].in[0]].clock().is_static();
    if (!held && !keeps_layout(g, x)) return none;
    x = g[x].in[0];
  }
  while (keeps_layout(g, x)) x = g[x].in[0];
  return x;
}

ScanGains scan_gains(const Graph& g, const analysis::Recurrence& r, const IsStored& stored) {
  static const Op mul = op("mul");
  ScanGains found{none, std::vector<Id>(r.order(), none)};
  for (size_t i = 0; i < r.order() && !r.is_shift(); ++i) {  // a shift copies
    if (r.b[i] == none || g[r.b[i]].op != mul || stored(r.b[i])) continue;
    const Id left = g[r.b[i]].in[0], right = g[r.b[i]].in[1];
    const bool swapped = static_number(g, left) == none;
    const Id gain = static_number(g, swapped ? right : left), input = array_behind(g, swapped ? left : right, stored);
    if (gain == none || static_number(g, input) != none) continue;
    if (found.input == none) found.input = input;
    if (found.input == input) found.gain[i] = gain;
  }
  return found;
}

ScanSum scan_sum(const Graph& g, const analysis::Recurrence& r, Id x, const IsStored& stored) {
  static const Op mul = op("mul"), fma = op("fma");
  std::vector<Id> factors(r.order() + 1, none);
  auto take = [&](const std::vector<Id>& cells, Id factor, Id cell) {
    const auto found = std::find(cells.begin(), cells.end(), cell);
    if (found == cells.end() || static_number(g, factor) == none) return false;
    factors[static_cast<size_t>(found - cells.begin())] = static_number(g, factor);
    return true;
  };
  if (g[x].op == mul && take(r.write, g[x].in[0], g[x].in[1])) return {factors, true};
  const bool any = g[x].op == fma;
  for (; g[x].op == fma; x = g[x].in[2])
    if (!take(r.read, g[x].in[0], g[x].in[1])) return {};
  if (!any || g[x].op != mul || stored(x) || static_number(g, g[x].in[0]) == none) return {};
  const Id input = scan_gains(g, r, stored).input;
  if (input == none || array_behind(g, g[x].in[1], stored) != input) return {};
  factors.back() = static_number(g, g[x].in[0]);
  return {factors};
}

StaticMatrix static_matrix(const Graph& g, Id x) {
  static const Op hold = op("hold"), permute = op("permute");
  if (g[x].shape().rank() != 2) return {};
  StaticMatrix m{x, false};
  for (;; m.id = g[m.id].in[0]) {
    const Node& node = g[m.id];
    if (node.op == permute && swaps_last_two(node)) m.transposed = !m.transposed;
    else if (node.op != hold) return node.clock().is_static() ? m : StaticMatrix{};
  }
}

TimeProduct time_product(const Graph& g, Id id) {
  static const Op matmul = op("matmul"), permute = op("permute");
  const Node& product = g[id];
  if (product.op != matmul || g[product.in[1]].shape().rank() != 2) return {};
  const Node& left = g[product.in[0]];
  if (left.op != permute || left.shape().rank() != 2 || !swaps_last_two(left)) return {};
  return {left.in[0], product.in[1], product.attrs.i("zero", 0)};
}

std::vector<Id> stored_inputs(const Plan& plan, Id id) {
  std::vector<Id> found, todo(plan.graph[id].in.begin(), plan.graph[id].in.end());
  std::set<Id> seen;
  while (!todo.empty()) {
    Id in = todo.back();
    todo.pop_back();
    if (!seen.insert(in).second) continue;
    if (plan.stored(in)) found.push_back(in);
    else todo.insert(todo.end(), plan.graph[in].in.begin(), plan.graph[in].in.end());
  }
  return found;
}

}  // namespace dgen::schedule
