#include "analysis/clocks.h"

#include <map>

#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::analysis {

using namespace ir;

namespace {

using Samples = std::map<std::pair<Id, int64_t>, Id>;

Id make_sample(Graph& g, Id x, int64_t hop, Samples& done);

// x on the ticks of hop, computed there where the operators allow it; every value is sampled once.
Id sample(Graph& g, Id x, int64_t hop, Samples& done) {
  if (auto found = done.find({x, hop}); found != done.end()) return found->second;
  Id sampled = make_sample(g, x, hop, done);
  if (g.rewrites && sampled != x) g.rewrites->push_back({"sample", print_node(g, x), print_node(g, sampled)});
  return done[{x, hop}] = sampled;
}

Id make_sample(Graph& g, Id x, int64_t hop, Samples& done) {
  static const Op hold = op("hold"), decimate = op("decimate"), buffer = op("buffer");
  const Node node = g[x];
  int64_t period = node.clock().period;
  if (period == 0) return g.add(hold, {x}, {{"period", hop}});
  if (period == hop) return x;
  if (node.op == hold) {
    int64_t from = g[node.in[0]].clock().period;
    if (from == 0 || hop % from == 0) return sample(g, node.in[0], hop, done);
  } else if (node.op == decimate) {
    return sample(g, node.in[0], hop, done);
  } else if (node.op == buffer) {
    Attrs attrs = node.attrs;
    return g.add(buffer, node.in, attrs.set("hop", hop));
  } else if (node.op->is(stateless)) {
    std::vector<Id> in;
    for (Id i : node.in) in.push_back(sample(g, i, hop, done));
    return apply(g, node.op, std::move(in), node.attrs, node.loc, node.label);
  }
  return g.add(decimate, {x}, {{"hop", hop}});
}

}  // namespace

Graph align_clocks(const Graph& g) {
  Graph explicit_clocks = rewrite(g, [](Graph& out, Id, Node node) {
    if (node.op->is(identity)) {  // keeps its number: noise and phasors are never merged
      std::vector<Id> in = node.in;
      for (size_t i = 0; i < in.size(); ++i) {
        Clock now = out[in[i]].clock();
        node.in[i] = align(out, in[i], node.op->want ? node.op->want(node, static_cast<int>(i), now) : node.clock());
      }
      return out.add(std::move(node));
    }
    return apply(out, node.op, node.in, node.attrs, node.loc, node.label);
  });
  static const Op decimate = op("decimate");
  Samples done;
  Graph sampled = rewrite(explicit_clocks, [&done](Graph& out, Id, Node node) {
    if (node.op == decimate) return sample(out, node.in[0], node.attrs.i("hop"), done);
    return out.add(std::move(node));
  });
  return rebuild(sampled);
}

}  // namespace dgen::analysis
