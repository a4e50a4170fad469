#include "analysis/clocks.h"

#include <algorithm>
#include <map>
#include <span>

#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::analysis {

using namespace ir;

namespace {

using Samples = std::map<std::pair<Id, int64_t>, Id>;

// The inputs of x that are sampled instead of x itself, where its operator allows it.
std::span<const Id> sampled_instead(const Graph& g, Id x, int64_t hop) {
  static const Op hold = op("hold"), decimate = op("decimate");
  const Node& node = g[x];
  if (node.clock().period == 0 || node.clock().period == hop) return {};
  if (node.op == hold) {
    int64_t from = g[node.in[0]].clock().period;
    return from == 0 || hop % from == 0 ? std::span(node.in) : std::span<const Id>();
  }
  return node.op == decimate || node.op->is(stateless) ? std::span(node.in) : std::span<const Id>();
}

Id make_sample(Graph& g, Id x, int64_t hop, const Samples& done) {
  static const Op hold = op("hold"), decimate = op("decimate"), buffer = op("buffer");
  const Node& node = g[x];
  const int64_t period = node.clock().period;
  if (period == 0) return g.add(hold, {x}, {{"period", hop}});
  if (period == hop) return x;
  if (node.op == buffer) {
    Attrs attrs = node.attrs;
    return g.add(buffer, node.in, attrs.set("hop", hop));
  }
  Ids in;
  for (Id i : sampled_instead(g, x, hop)) in.push_back(done.at({i, hop}));
  if (in.empty()) return g.add(decimate, {x}, {{"hop", hop}});
  if (node.op == hold || node.op == decimate) return in[0];
  return apply(g, node.op, std::move(in), node.attrs, node.loc, node.label);
}

// x on the ticks of hop, computed there where the operators allow it; every value is sampled once. Chains are too long for
// recursion.
Id sample(Graph& g, Id wanted, int64_t hop, Samples& done) {
  std::vector<Id> todo{wanted};
  while (!todo.empty()) {
    Id x = todo.back();
    const size_t before = todo.size();
    std::span<const Id> in = done.count({x, hop}) ? std::span<const Id>() : sampled_instead(g, x, hop);
    std::copy_if(in.rbegin(), in.rend(), std::back_inserter(todo), [&](Id i) { return !done.count({i, hop}); });
    if (todo.size() > before) continue;
    todo.pop_back();
    if (done.count({x, hop})) continue;
    Id sampled = done[{x, hop}] = make_sample(g, x, hop, done);
    if (g.rewrites && sampled != x) g.rewrites->push_back({"sample", print_node(g, x), print_node(g, sampled)});
  }
  return done.at({wanted, hop});
}

}  // namespace

Graph align_clocks(const Graph& g) {
  Graph explicit_clocks = rewrite(g, [](Graph& out, Id, Node&& node) {
    if (node.op->is(identity)) {  // keeps its number: noise and phasors are never merged
      for (size_t i = 0; i < node.in.size(); ++i) {
        const Clock now = out[node.in[i]].clock();
        node.in[i] = align(out, node.in[i], node.op->want ? node.op->want(node, static_cast<int>(i), now) : node.clock());
      }
      return out.add(std::move(node));
    }
    return apply(out, node.op, std::move(node.in), std::move(node.attrs), node.loc, std::move(node.label));
  });
  static const Op decimate = op("decimate");
  if (std::ranges::none_of(explicit_clocks.nodes(), [](const Node& node) { return node.op == decimate; })) return rebuild(explicit_clocks);
  Samples done;
  Graph sampled = rewrite(explicit_clocks, [&done](Graph& out, Id, Node&& node) {
    if (node.op == decimate) return sample(out, node.in[0], node.attrs.i("hop"), done);
    return out.add(std::move(node));
  });
  return rebuild(sampled);
}

}  // namespace dgen::analysis
