// Lowered operators: the loops of each one, run by a small interpreter that checks every index, give the values of eval.
#include "base/noise.h"
#include "ir/lower.h"
#include "static_eval.h"

namespace dgen::test {
namespace {

// Runs one kernel; arrays are filled by the caller. Expressions take the value of their last let.
class KernelRun {
 public:
  KernelRun(const Kernel& kernel, int64_t frame) : k_(kernel), values_(kernel.exprs.size()), frame_(frame) {
    for (auto& array : k_.arrays) arrays.emplace_back(static_cast<size_t>(std::max<int64_t>(array.size, 1)), 0.f);
  }
  void run() { run(k_.body); }

  std::vector<std::vector<float>> arrays;

 private:
  struct Value {
    double f = 0;
    int64_t i = 0;
  };

  float& element(int array, int64_t index) {
    auto& data = arrays[static_cast<size_t>(array)];
    if (index < 0 || index >= static_cast<int64_t>(data.size())) throw InternalError(cat("index ", index, " of ", data.size()));
    return data[static_cast<size_t>(index)];
  }

  Value& value(int e) {
    Value& v = values_[static_cast<size_t>(e)];
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    if (x.op == LoopOp::fconst) v.f = x.f;
    if (x.op == LoopOp::iconst) v.i = x.i;
    if (x.op == LoopOp::arg) v.i = k_.args[static_cast<size_t>(x.i)].kind == KernelArg::step ? 0 : frame_;
    return v;
  }

  int64_t integer(const LoopExpr& x) {
    int64_t a = value(x.args[0]).i, b = value(x.args[1]).i;
    EXPECT_TRUE((x.op != LoopOp::idiv && x.op != LoopOp::imod) || a >= 0);
    switch (x.op) {
      case LoopOp::iadd: return a + b;
      case LoopOp::isub: return a - b;
      case LoopOp::imul: return a * b;
      case LoopOp::idiv: return a / b;
      case LoopOp::imod: return a % b;
      case LoopOp::imin: return std::min(a, b);
      case LoopOp::imax: return std::max(a, b);
      case LoopOp::ilt: return a < b;
      case LoopOp::ieq: return a == b;
      default: return a && b;
    }
  }

  Value call(const LoopExpr& x) {
    auto arg = [&](size_t i) { return static_cast<uint64_t>(value(x.args[i]).i); };
    if (x.name == "dg_noise") return {noise_value(arg(0), arg(1), arg(2)), 0};
    EXPECT_EQ(x.name, "dg_noise_key");
    uint64_t mixed = noise_mix(arg(0) + 0x9e3779b97f4a7c15ull) + arg(1) * 0xd1342543de82ef95ull;
    return {0, static_cast<int64_t>(noise_mix(mixed))};
  }

  Value compute(const LoopExpr& x) {
    auto f = [&](size_t i) { return i < x.args.size() ? value(x.args[i]).f : 0; };
    switch (x.op) {
      case LoopOp::scalar: return {static_cast<double>(static_cast<float>(x.row->f(f(0), f(1), f(2)))), 0};
      case LoopOp::where: return value(x.args[value(x.args[0]).i ? 1 : 2]);
      case LoopOp::to_float: return {static_cast<double>(static_cast<float>(value(x.args[0]).i + value(x.args[1]).i)), 0};
      case LoopOp::to_int: return {0, std::isnan(f(0)) ? 0 : static_cast<int64_t>(std::clamp(f(0), -0x1p31, 0x1p31))};
      case LoopOp::load: return {element(static_cast<int>(x.i), value(x.args[0]).i), 0};
      case LoopOp::call: return call(x);
      default: return {0, integer(x)};
    }
  }

  // A transform of the prelude: dg_<operator>_<n>, through the interpreter's own.
  void call(const Stmt& s) {
    std::string name = s.name.substr(3, s.name.rfind('_') - 3);
    int64_t n = std::stoll(s.name.substr(s.name.rfind('_') + 1));
    Shape from = name == "rfft" ? Shape{n} : name == "irfft" ? Shape{2, n / 2 + 1} : Shape{2, n};
    auto at = [&](size_t p, int64_t i) -> float& { return element(s.pointers[p].first, value(s.pointers[p].second).i + i); };
    Values x;
    for (int64_t i = 0; i < from.size(); ++i) x.push_back(at(0, i));
    Bench b;
    Values y = b.eval(ex(name, {b.param(from, x)}, name == "irfft" ? Attrs{{"n", n}} : Attrs{}));
    for (size_t i = 0; i < y.size(); ++i) at(1, static_cast<int64_t>(i)) = static_cast<float>(y[i]);
  }

  void reduce(const Stmt& s) {
    double sum = s.name == "sum" ? 0 : s.name == "prod" ? 1 : -std::numeric_limits<double>::infinity();
    Shape extents;
    for (int n : s.extents) extents.push_back(value(n).i);
    Ints index(s.extents.size(), 0);
    for (int64_t n = 0; n < extents.size(); ++n) {
      int64_t rest = n;
      for (size_t i = index.size(); i-- > 0; rest /= extents[static_cast<int>(i)])
        value(s.vars[i]).i = rest % extents[static_cast<int>(i)];
      run(s.body);
      double v = value(s.value).f;
      sum = s.name == "sum" ? sum + v : s.name == "prod" ? sum * v : v > sum || std::isnan(v) ? v : sum;
    }
    value(s.var).f = static_cast<float>(sum);
  }

  void run(const std::vector<Stmt>& body) {
    for (const Stmt& s : body) {
      if (s.kind == Stmt::let) values_[static_cast<size_t>(s.value)] = compute(k_.exprs[static_cast<size_t>(s.value)]);
      if (s.kind == Stmt::store) element(s.array, value(s.index).i) = static_cast<float>(value(s.value).f);
      if (s.kind == Stmt::add) element(s.array, value(s.index).i) += static_cast<float>(value(s.value).f);
      if (s.kind == Stmt::guard && value(s.value).i) run(s.body);
      if (s.kind == Stmt::call) call(s);
      if (s.kind == Stmt::reduce) reduce(s);
      if (s.kind == Stmt::loop)
        for (int64_t i = value(s.lo).i, n = value(s.hi).i; i < n; ++i) value(s.var).i = i, run(s.body);
    }
  }

  const Kernel& k_;
  std::vector<Value> values_;
  int64_t frame_;
};

// The kernel of one node over stored inputs; array 0 is its value, arrays 1.. are its inputs.
Kernel lower(const Graph& g, Id id) {
  const Node& node = g[id];
  LoopBuilder l("test");
  int out = l.array({ArrayRef::stream, id, node.shape().size(), LoopType::f32, true});
  auto input = [&](int i) { return l.array({ArrayRef::stream, -2 - i, g[node.in[static_cast<size_t>(i)]].shape().size()}); };
  for (int i = 0; i < static_cast<int>(node.in.size()); ++i) input(i);
  StmtCtx c{{l, g, node, id, l.i(0), {}, {}}};
  c.at = [&](int i, int, std::vector<int> index) { return l.load(input(i), c.ravel(index, c.input(i).shape())); };
  c.array_of = [&](int i) { return std::pair(input(i), l.i(0)); };
  c.out = out, c.base = l.i(0);
  std::function<void()> nest = [&] {
    if (static_cast<int>(c.idx.size()) == node.shape().rank()) return l.store(out, c.ravel(c.idx, c.shape()), node.op->elem(c));
    l.loop(node.shape()[static_cast<int>(c.idx.size())], [&](int i) {
      c.idx.push_back(i);
      nest();
      c.idx.pop_back();
    });
  };
  if (node.op->elem) nest();
  else node.op->stmt(c);
  return l.finish();
}

void expect_loops(Bench& b, Ex y, int64_t frame = 0) {
  SCOPED_TRACE(testing::Message() << b.g[y.id].op->name << " to " << y.shape().str());
  std::vector<Values> values = b.eval_all(y.id - 1);
  Values want = b.node_value(y.id, values, frame);
  Kernel kernel = lower(b.g, y.id);
  KernelRun run(kernel, frame);
  const Node& node = b.g[y.id];
  for (size_t i = 0; i < node.in.size(); ++i) {
    const Values& x = values[static_cast<size_t>(node.in[i])];
    run.arrays[i + 1].assign(x.begin(), x.end());
  }
  for (size_t a = 0; a < kernel.arrays.size(); ++a) {
    if (kernel.arrays[a].kind == ArrayRef::param) run.arrays[a].assign(b.params[0].begin(), b.params[0].end());
    if (kernel.arrays[a].kind == ArrayRef::scalars) run.arrays[a] = {static_cast<float>(b.run.sample_rate)};
  }
  run.run();
  Values got(run.arrays[0].begin(), run.arrays[0].end());
  expect_values(got, want, 1e-5);
}

void expect_loops(const Use& use) {
  Bench b;
  expect_loops(b, build(b, use));
}

TEST(Loops, WhatIsTakenApartAndPutTogetherIsItself) {
  LoopBuilder l("test");
  const int x = l.arg(KernelArg::lo), y = l.arg(KernelArg::hi);
  auto together = [&](int64_t factor) { return l.add(l.mod(x, 12), l.mul(l.div(x, 12), factor)); };
  EXPECT_EQ(together(12), x);
  EXPECT_EQ(l.add(l.mul(together(12), 3), y), l.add(l.mul(x, 3), y));
  EXPECT_EQ(l[together(13)].op, LoopOp::iadd);
  const int rows = l.div(x, 4);
  EXPECT_EQ(l.add(l.mul(l.add(l.mul(l.div(rows, 5), 5), l.mod(rows, 5)), 4), l.mod(x, 4)), x);
}

TEST(Loops, Reshape) {
  std::vector<std::pair<Shape, Shape>> pairs = {
      {{2, 3, 4}, {6, 4}}, {{6, 4}, {2, 3, 4}}, {{2, 3, 4}, {4, 6}},    {{2, 1, 3}, {1, 2, 3, 1}}, {{1}, {}},
      {{}, {1, 1}},        {{2, 6, 5}, {4, 3, 5}}, {{1, 4, 1}, {2, 2}}, {{3, 1, 4}, {12}},         {{2, 3, 1, 1}, {1, 3, 2}},
  };
  for (auto& pair : pairs) expect_loops({"reshape", {pair.first}, {{"shape", Ints(pair.second.sizes())}}});
}

TEST(Loops, Views) {
  for (const Use& use : std::vector<Use>{
           {"permute", {{2, 3, 4}}, {{"axes", Ints{2, 0, 1}}}},
           {"permute", {{2, 3, 4}}, {{"axes", Ints{-1, 1, 0}}}},
           {"expand", {{2, 1, 3}}, {{"shape", Ints{5, 2, 4, 3}}}},
           {"expand", {{}}, {{"shape", Ints{2, 2}}}},
           {"slice", {{4, 5}}, {{"starts", Ints{1, 0}}, {"ends", Ints{3, 5}}}},
           {"pad", {{4, 5}}, {{"pairs", Ints{1, 2, 0, 3}}, {"value", -2.5}}},
           {"pad", {{4, 1}}, {{"pairs", Ints{0, 0, 0, 0}}, {"value", 1.0}}},
           {"flip", {{2, 3, 4}}, {{"axes", Ints{0, -1}}}},
           {"concat", {{2, 3}, {2, 1}, {2, 4}}, {{"axis", int64_t{-1}}}},
           {"concat", {{2, 3}}, {{"axis", int64_t{0}}}},
           {"detach", {{2, 3}}},
           {"known_zeros", {{2, 3}}, {{"elements", Ints{0, 5}}}},
           {"assign", {{2, 3}}, {{"slot", int64_t{0}}}},
       })
    expect_loops(use);
}

TEST(Loops, Windows) {
  for (int64_t length : {7, 8, 12})
    for (int64_t size : {1, 2, 3})
      for (int64_t stride : {1, 2, 3, 5})
        for (int64_t dilation : {1, 2, 3})
          for (int axis : {0, 1}) {
            Shape from{2, 2};
            from[axis] = length;
            Attrs steps{{"axis", int64_t{axis}}, {"stride", stride}, {"dilation", dilation}};
            expect_loops({"windows", {from}, Attrs(steps).set("size", size)});
            from[axis] = (length - (size - 1) * dilation - 1) / stride + 1;
            from.push_back(size);
            expect_loops({"fold", {from}, Attrs(steps).set("length", length)});
          }
}

TEST(Loops, Reductions) {
  for (std::string_view name : {"sum", "prod", "amax", "amin"})
    for (const Ints& axes : {Ints{1}, Ints{0, 2}, Ints{0, 1, 2}, Ints{}}) expect_loops({name, {{2, 3, 4}}, {{"axes", axes}}});
  for (std::string_view name : {"argmax", "cumsum"})
    for (int64_t axis : {0, 1, -1}) expect_loops({name, {{2, 3, 4}}, {{"axis", axis}}});
  Bench b;
  double nan = std::nan("");
  Ex x = b.param({4, 3}, {1, 5, 5, 5, 5, 1, nan, nan, nan, -1, -2, -3});
  expect_loops(b, ex("argmax", {x}, {{"axis", int64_t{1}}}));
}

TEST(Loops, Matmul) {
  for (const Use& use : std::vector<Use>{{"matmul", {{2, 3}, {3, 4}}},
                                         {"matmul", {{5, 2, 3}, {5, 3, 4}}},
                                         {"matmul", {{5, 2, 3}, {3, 4}}},
                                         {"matmul", {{2, 5, 2, 3}, {2, 5, 3, 1}}}})
    expect_loops(use);
}

TEST(Loops, GatherAndScatter) {
  for (const Shape& rest : {Shape{}, Shape{2}, Shape{2, 3}}) {
    Shape rows{3}, picked{2, 4};
    for (int64_t n : rest) rows.push_back(n), picked.push_back(n);
    Bench b;
    Ex x = b.param(rows, randoms(rows.size(), 5)), values = b.param(picked, randoms(picked.size(), 6));
    Ex index = b.param({2, 4}, {0, 2, -3, 99, 1.75, -0.5, std::nan(""), 2});
    expect_loops(b, ex("gather", {x, index}));
    expect_loops(b, ex("scatter_add", {index, values}, {{"size", int64_t{3}}}));
  }
  Bench b;
  expect_loops(b, ex("scatter_add", {b.param(Shape{}, {1}), b.param({7, 8})}, {{"size", int64_t{3}}}));
}

TEST(Loops, Spectral) {
  for (int64_t n : {1, 5, 8}) {
    expect_loops({"rfft", {{3, n}}});
    expect_loops({"irfft", {{3, 2, n / 2 + 1}}, {{"n", n}}});
    expect_loops({"fft", {{2, 2, n}}});
    expect_loops({"ifft", {{2, n}}});
  }
}

TEST(Loops, Leaves) {
  Bench b;
  expect_loops(b, b.param({2, 3}, randoms(6, 1)));
  expect_loops(b, b.c(2.5));
  expect_loops(b, b.leaf("iota", {{"n", int64_t{5}}}));
  expect_loops(b, b.leaf("sample_rate"));
  expect_loops(b, b.leaf("frame_index"), 42);
  Attrs noise{{"seed", int64_t{3}}, {"number", int64_t{1}}, {"shape", Ints{2, 3}}};
  expect_loops(b, b.leaf("noise", Attrs(noise).set("period", int64_t{1})), 42);
  expect_loops(b, b.leaf("noise", Attrs(noise).set("period", int64_t{0})));
}

TEST(Loops, EveryScalarOperator) {
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    Bench b;
    Ex y = build(b, {o->name, std::vector<Shape>(static_cast<size_t>(o->min_inputs), Shape{2, 3})}, .2, .9);
    for (Values& values : b.params)
      for (double& v : values) v = static_cast<float>(v);
    expect_loops(b, y);
  }
}

}  // namespace
}  // namespace dgen::test
