// Shapes of graph that have a strategy of their own.
#include "ir/op.h"
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

Id without_reshape(const Graph& g, Id x) {
  static const Op reshape = op("reshape");
  while (g[x].op == reshape) x = g[x].in[0];
  return x;
}

// Without what changes neither values nor their layout.
Id scan_coefficient(const Graph& g, Id x) {
  static const Op hold = op("hold");
  for (;;) {
    const Node& node = g[x];
    if (node.in.size() != 1) return x;
    const Node& in = g[node.in[0]];
    const bool same = node.op->is(view_only) && in.shape().size() == 1 && node.shape().size() == 1;
    const bool held = node.op == hold && (in.clock().is_static() || in.clock().period == node.clock().period);
    if (!same && !held) return x;
    x = node.in[0];
  }
}

Id scan_input(const Graph& g, Id x) {
  const Id from = scan_coefficient(g, x);
  return g[from].clock().is_static() ? x : from;
}

StaticMatrix static_matrix(const Graph& g, Id x) {
  static const Op hold = op("hold"), permute = op("permute");
  if (g[x].shape().rank() != 2) return {};
  StaticMatrix m{x, false};
  while (!g[m.id].clock().is_static()) {
    const Node& node = g[m.id];
    if (node.op == permute && swaps_last_two(node)) m.transposed = !m.transposed;
    else if (node.op != hold) return {};
    m.id = node.in[0];
  }
  return m;
}

TimeProduct time_product(const Graph& g, Id sum_time) {
  static const Op matmul = op("matmul"), permute = op("permute");
  const Node& product = g[g[sum_time].in[0]];
  if (product.op != matmul || g[product.in[1]].shape().rank() != 2) return {};
  const Node& left = g[product.in[0]];
  if (left.op != permute || left.shape().rank() != 2 || !swaps_last_two(left)) return {};
  return {without_reshape(g, left.in[0]), without_reshape(g, product.in[1]), product.attrs.i("zero", 0)};
}

}  // namespace dgen::schedule
