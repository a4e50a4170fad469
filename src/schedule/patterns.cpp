// Shapes of graph that have a strategy of their own, and what lies behind views and computed values.
#include <algorithm>

#include "base/sorted.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "schedule/plan.h"
#include "schedule/sines.h"

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

Strategy recurrence_strategy(const Graph& g, const analysis::Recurrence& r) {
  if (r.is_shift()) return Strategy::shift;
  return analysis::why_in_order(g, r).empty() ? Strategy::scan : Strategy::ordered;
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
  for (size_t i = 0; i < r.order() && found.input == none && !r.is_shift(); ++i) {
    const Id stream = r.b[i] == none ? none : array_behind(g, r.b[i], stored);
    if (stream != none && is_angle_sum(g, stream)) found.input = stream;
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
Id static_panels(const Graph& g, Id product) {
  static const Op panels = op("matmul_panels"), hold = op("hold");
  if (g[product].op != panels || g[g[product].in[1]].op != hold) return none;
  const Id from = g[g[product].in[1]].in[0];
  return g[from].clock().is_static() ? from : none;
}

namespace {

// The static [n] whose numbers all rows of x are; none if x is not such a thing.
Id static_row(const Graph& g, Id x, int64_t n) {
  static const Op hold = op("hold"), expand = op("expand"), reshape = op("reshape");
  for (;; x = g[x].in[0]) {
    const Node& node = g[x];
    if (node.shape().size() == n && node.clock().is_static() && node.op != expand && node.op != reshape) return x;
    if (node.op == hold) continue;
    if ((node.op != expand && node.op != reshape) || node.shape().back() != n) return none;
    if (const Shape& from = g[node.in[0]].shape(); from.rank() == 0 || from.back() != n) return none;
  }
}

// The node that makes a function of the prelude of x, which nothing else reads, and the function.
std::pair<Id, std::string> function_of(const Graph& g, Id x, const UsersOf& users_of) {
  static const Op le = op("le"), select = op("select");
  auto is_zero = [&g](Id id) {
    const double* known = constant_value(g, id);
    return known && *known == 0;
  };
  const Ids users = users_of(x);
  if (users.size() == 1) {
    const Node& node = g[users[0]];
    const std::string_view text = node.op->c_text;
    const bool unary = node.op->family == Family::scalar && node.in.size() == 1 && text.starts_with("dg_");
    if (unary) return {users[0], std::string(text.substr(3, text.find('(') - 3))};
  }
  if (users.size() == 2) {  // x <= 0 ? 0 : x
    const Node &test = g[users[0]], &choice = g[users[1]];
    const bool tested = test.op == le && test.in[0] == x && is_zero(test.in[1]) && users_of(users[0]).size() == 1;
    const bool chosen = choice.op == select && choice.in[0] == users[0] && is_zero(choice.in[1]) && choice.in[2] == x;
    if (tested && chosen) return {users[1], "relu"};
  }
  return {none, ""};
}

}  // namespace

ProductEnding product_ending(const Graph& g, Id product, const UsersOf& users) {
  static const Op add = op("add"), reshape = op("reshape");
  Id of = product;  // a product with a vector lies in memory as one of a row
  Ids readers = users(of);
  while (readers.size() == 1 && g[readers[0]].op == reshape) of = readers[0], readers = users(of);
  if (readers.size() != 1 || g[product].attrs.i("zero", 0) != 0) return {};
  const Node& sum = g[readers[0]];
  const int64_t n = g[product].shape().back();
  if (sum.op != add || sum.type != g[of].type || sum.shape().rank() == 0 || sum.shape().back() != n) return {};
  ProductEnding ending{readers[0], readers[0], static_row(g, sum.in[sum.in[0] == of ? 1 : 0], n), ""};
  if (ending.bias == none) return {};
  if (auto [y, function] = function_of(g, ending.last, users); y != none && g[y].type == sum.type)
    ending.last = y, ending.function = function;
  return ending;
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
  std::vector<Id> seen;
  while (!todo.empty()) {
    Id in = todo.back();
    todo.pop_back();
    if (!insert_sorted(seen, in)) continue;
    if (plan.stored(in)) found.push_back(in);
    else todo.insert(todo.end(), plan.graph[in].in.begin(), plan.graph[in].in.end());
  }
  return found;
}

}  // namespace dgen::schedule
