#include "analysis/turns.h"

#include <numbers>

#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::analysis {

using namespace ir;

namespace {

bool is_turn(const Graph& g, Id id) {
  const double* value = constant_value(g, id);
  return value && static_cast<float>(*value) == 2 * std::numbers::pi_v<float>;
}

// A product without its factor 2 pi, which may stand behind other constants, or none.
Id turns_of(Graph& g, Id angle) {
  static const Op mul = op("mul");
  const Node node = g[angle];
  if (node.op != mul) return none;
  for (size_t i : {1, 0}) {
    if (is_turn(g, node.in[i])) return node.in[1 - i];
    const Id turns = constant_value(g, node.in[1 - i]) ? turns_of(g, node.in[i]) : none;
    if (turns != none) return apply(g, mul, {turns, node.in[1 - i]}, {}, node.loc);
  }
  return none;
}

}  // namespace

Graph measure_in_turns(const Graph& g) {
  static const Op sine = op("sin"), cosine = op("cos"), sine_of_turns = op("sin_turns"), cosine_of_turns = op("cos_turns");
  bool any = false;
  Graph out = rewrite(g, [&](Graph& o, Id old, Node&& node) {
    Id turns = node.op == sine || node.op == cosine ? turns_of(o, node.in[0]) : none;
    if (turns == none || o[turns].type != node.type) return o.add(std::move(node));
    node.op = node.op == sine ? sine_of_turns : cosine_of_turns;
    node.in = {turns};
    any = true;
    Id now = o.add(std::move(node));
    if (o.rewrites) o.rewrites->push_back({"turns", print_node(g, old), print_node(o, now)});
    return now;
  });
  return any ? rebuild(out) : out;
}

}  // namespace dgen::analysis
