#include "schedule/panels.h"

#include <map>

#include "analysis/feedback.h"
#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "ir/print.h"
#include "schedule/plan.h"

namespace dgen::schedule {

using namespace ir;

namespace {

Id in_panels(Graph& o, Id matrix, bool transposed) {
  if (transposed) matrix = apply(o, "permute", {matrix}, {{"axes", Ints{1, 0}}});
  const int64_t k = o[matrix].shape()[0], n = o[matrix].shape()[1];
  matrix = apply(o, "reshape", {matrix}, {{"shape", Ints{k, n / kPanel, kPanel}}});
  return apply(o, "permute", {matrix}, {{"axes", Ints{1, 0, 2}}});
}

Graph in_panels_where(const Graph& g, const char* pass, bool in_loops) {
  static const Op matmul = op("matmul"), panels = op("matmul_panels");
  const std::vector<int> component = analysis::feedback_components(g);
  std::map<int, int> members;
  for (int c : component) ++members[c];
  std::vector<Id> to;
  Graph out = rewrite(
      g,
      [&](Graph& o, Id id, Node&& node) {
        const bool in_loop = members[component[static_cast<size_t>(id)]] > 1;
        const Shape right = node.op == matmul ? g[g[id].in[1]].shape() : Shape{};
        const bool fits = right.rank() == 2 && is_large_product(right) && right.back() % kPanel == 0;
        if (!fits || node.clock().is_static() || in_loop != in_loops) return o.add(std::move(node));
        if (!in_loops && time_product(g, id).a != none) return o.add(std::move(node));  // a sum over time makes it of all ticks
        const StaticMatrix known = static_matrix(g, g[id].in[1]);
        if (known.id == none || (known.transposed && !in_loops)) return o.add(std::move(node));
        const Clock clock = node.clock();
        node.in[1] = o.add(op("hold"), {in_panels(o, to[static_cast<size_t>(known.id)], known.transposed)},
                           {{"period", clock.period}, {"reverse", static_cast<int64_t>(clock.reverse)}});
        node.op = panels;
        const Id product = o.add(std::move(node));
        if (o.rewrites) o.rewrites->push_back({pass, print_node(g, id), print_node(o, product)});
        return product;
      },
      &to);
  return rebuild(out);
}

}  // namespace

Graph lay_out_panels(const Graph& g) { return in_panels_where(g, "panels", true); }
Graph pack_weights(const Graph& g) { return in_panels_where(g, "weights", false); }

}  // namespace dgen::schedule
