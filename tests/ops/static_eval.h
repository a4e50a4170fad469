// Evaluates small static graphs node by node, and asks single operators for their adjoints.
#pragma once
#include <gtest/gtest.h>

#include <random>

#include "ir/eval.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/vjp.h"

namespace dgen::test {

using namespace ir;
using Values = std::vector<double>;

// A graph whose params are bound to values.
struct Bench {
  Graph g;
  std::vector<Values> params;
  RunInfo run;
  bool single = false;

  Ex param(const Shape& shape, Values values) {
    EXPECT_EQ(static_cast<size_t>(shape.size()), values.size());
    params.push_back(std::move(values));
    int64_t slot = static_cast<int64_t>(params.size()) - 1;
    return leaf("param", {{"slot", slot}, {"shape", Ints(shape.sizes())}});
  }
  Ex param(Values values) {
    Shape shape{static_cast<int64_t>(values.size())};
    return param(shape, std::move(values));
  }
  Ex c(double value) { return {&g, constant(g, value)}; }
  Ex leaf(std::string_view name, Attrs attrs = {}) { return {&g, apply(g, name, {}, std::move(attrs))}; }

  Values node_value(Id id, const std::vector<Values>& values, int64_t tick = 0) {
    const Node& node = g[id];
    Values out(static_cast<size_t>(node.shape().size()));
    EvalCtx c{g, node, run, tick, out.data(), single, {}, {}, nullptr};
    c.at = [&](int i, int64_t) { return values[static_cast<size_t>(node.in[static_cast<size_t>(i)])].data(); };
    c.leaf = [&] { return params[static_cast<size_t>(node.attrs.i("slot"))].data(); };
    node.op->eval(c);
    return out;
  }

  std::vector<Values> eval_all(Id last) {
    std::vector<Values> values;
    for (Id id = 0; id <= last; ++id) values.push_back(node_value(id, values));
    return values;
  }
  Values eval(Ex x) { return eval_all(x.id).back(); }

  // The adjoint of input i of y, given the adjoint d of y; zeros if the operator states none.
  Ex adjoint(Ex y, int i, Ex d) {
    Shape shape = g[g[y.id].in[static_cast<size_t>(i)]].shape();
    Ex sum = {&g, broadcast_to(g, constant(g, 0), shape)};
    if (!g[y.id].op->vjp) return sum;
    VjpCtx v{g, y.id, d.id, [&](int j) { return j == i; }, {}};
    v.add = [&](int j, Id a) {
      if (j != i) return;
      EXPECT_EQ(g[a].shape(), shape) << g[y.id].op->name;
      sum = sum + Ex{&g, a};
    };
    g[y.id].op->vjp(v);
    return sum;
  }
};

inline Values randoms(int64_t n, unsigned seed, double lo = -1, double hi = 1) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(lo, hi);
  Values values(static_cast<size_t>(n));
  for (double& v : values) v = uniform(rng);
  return values;
}

inline double dot(const Values& a, const Values& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline void expect_values(const Values& got, const Values& want, double tolerance = 1e-12) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], tolerance) << "element " << i;
}

// One use of an operator: the shapes of its inputs and its attributes.
struct Use {
  std::string_view op;
  std::vector<Shape> inputs;
  Attrs attrs = {};
};

inline std::ostream& operator<<(std::ostream& out, const Use& use) {
  out << use.op;
  for (auto& shape : use.inputs) out << ' ' << shape.str();
  return out;
}

// The operator over params of random values.
inline Ex build(Bench& b, const Use& use, double lo = -1, double hi = 1) {
  std::vector<Id> in;
  for (auto& shape : use.inputs)
    in.push_back(b.param(shape, randoms(shape.size(), static_cast<unsigned>(in.size() + 1), lo, hi)).id);
  return {&b.g, apply(b.g, use.op, in, use.attrs)};
}

}  // namespace dgen::test
