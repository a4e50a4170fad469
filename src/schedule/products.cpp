#include "schedule/products.h"

#include <algorithm>

#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"
#include "schedule/plan.h"

namespace dgen::schedule {

using namespace ir;

namespace {

// What a tree of additions adds, from left to right.
std::vector<Id> terms_of(const Graph& g, Id sum) {
  static const Op add = op("add");
  std::vector<Id> terms, todo{sum};
  while (!todo.empty()) {
    const Id id = todo.back();
    todo.pop_back();
    if (g[id].op == add) todo.insert(todo.end(), {g[id].in[1], g[id].in[0]});
    else terms.push_back(id);
  }
  return terms;
}

}  // namespace

Graph sum_products_apart(const Graph& g) {
  static const Op sum_time = op("sum_time"), add = op("add");
  std::vector<Id> to;
  Graph out = rewrite(
      g,
      [&](Graph& o, Id id, Node&& node) {
        const std::vector<Id> terms = node.op == sum_time ? terms_of(g, g[id].in[0]) : std::vector<Id>{};
        if (terms.size() < 2 || std::none_of(terms.begin(), terms.end(), [&](Id term) { return time_product(g, term).a != none; }))
          return o.add(std::move(node));
        Id sum = none;
        for (Id term : terms) {
          node.in[0] = to[static_cast<size_t>(term)];
          const Id part = o.add(Node(node));
          sum = sum == none ? part : apply(o, add, {sum, part});
        }
        if (o.rewrites) o.rewrites->push_back({"products", print_node(g, id), print_node(o, sum)});
        return sum;
      },
      &to);
  return rebuild(out);
}

}  // namespace dgen::schedule
