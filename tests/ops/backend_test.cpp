// Operators where single values or the order of things matter, on every backend.
#include <cfloat>

#include "support/graphs.h"

namespace dgen::test {
namespace {

// A NaN is seen on both backends, wherever it stands and whatever folds over it.
TEST(Backend, NansAreNotLost) {
  auto nan = std::nanf("");
  Patch p;
  for (size_t at : {0u, 1u, 18u}) {
    std::vector<float> values = random_floats(19, 1);
    values[at] = nan;
    Ex x = p.tensor({19}, values) + p.input() * 0.0;
    for (std::string_view name : {"sum", "prod", "amax", "amin"}) p.output(ex(name, {x}, {{"axes", Ints{0}}}));
    p.output(ex("argmax", {x}, {{"axis", int64_t{0}}}));
  }
  for (std::string_view name : {"sign", "abs", "floor", "sqrt", "exp", "sin", "tanh", "relu"})
    if (find_op(name)) p.output(fn(name, p.input() * 0.0 + p.tensor({}, {nan})));
  auto want = Oracle(p).run(3);
  for (Backend backend : compiled_backends()) {
    Rows got = run_fresh(p, backend, 3);
    for (size_t o = 0; o < want.size(); ++o) {
      EXPECT_LE(distance(got[o], want[o], 0, 0), 1) << "output " << o;
      bool index = o < 15 && o % 5 == 4;
      EXPECT_EQ(std::isnan(got[o][0]), !index) << "output " << o;
    }
  }
}

// Rounding to float32 in the interpreter is at every step, inside sums too: 1e8 + 1 - 1e8 is 0.
TEST(Backend, InterpreterRoundsInsideSums) {
  Patch p;
  Ex x = p.param({1, 3}, {1e8f, 1, -1e8f}), ones = p.param({3, 1}, {1, 1, 1});
  p.output(ex("reshape", {ex("matmul", {x, ones})}, {{"shape", Ints{}}}));
  p.output(ex("sum", {x}, {{"axes", Ints{0, 1}}}));
  p.output(ex("sum", {ex("slice", {ex("rfft", {x})}, {{"starts", Ints{0, 0, 0}}, {"ends", Ints{1, 1, 1}}})}, {{"axes", Ints{0, 1, 2}}}));
  for (bool single : {false, true})
    for (const Values& y : Oracle(p).run(1, single)) EXPECT_EQ(y[0], single ? 0 : 1);
}

TEST(Backend, SlopesOfAnglesFarFromOne) {
  for (float r : {1e-30f, 1e-3f, 1e30f}) {
    Patch p;
    Ex y = p.number(3 * r), x = p.number(-4 * r), angle = fn("atan2", y, x);
    for (size_t slot : {0, 1}) p.output(p.grad(angle, slot));
    Rows got = run_fresh(p, Backend::cpu, 1);
    EXPECT_NEAR(got[0][0] * r, -4.0 / 25, 1e-6) << r;
    EXPECT_NEAR(got[1][0] * r, -3.0 / 25, 1e-6) << r;
  }
}

// The interpreter that rounds counts turns as kernels do, in float32 where the frequency varies.
TEST(Phasors, RoundAsTheRoundingInterpreter) {
  Patch p;
  p.output(ex("phasor", {p.input({3}, 1, 50, 400)}));
  Rows got = run_fresh(p, Backend::cpu, 300);
  auto want = Oracle(p).run(300, true);
  for (size_t i = 0; i < got[0].size(); ++i) EXPECT_EQ(static_cast<double>(got[0][i]), want[0][i]) << i;
}

// Slopes in float32 keep their digits over the whole test domain, where sigmoid and tanh saturate too.
TEST(Backend, SlopesKeepTheirDigits) {
  for (Op o : all_ops()) {
    if (o->family != Family::scalar || o->name == "mod") continue;  // mod may jump by rounding
    Patch p;
    std::vector<Id> in;
    for (int i = 0; i < o->min_inputs; ++i) in.push_back(p.param(Shape{40}, o->lo, o->hi).id);
    Ex y = ex("sum", {Ex{&p.g(), apply(p.g(), o->name, in)}}, {{"axes", Ints{0}}});
    for (size_t i = 0; i < in.size(); ++i) p.output(p.grad(y, i));
    auto want = Oracle(p).run(1);
    for (Backend backend : compiled_backends()) {
      Rows got = run_fresh(p, backend, 1);
      for (size_t i = 0; i < in.size(); ++i) EXPECT_LE(distance(got[i], want[i], 2e-6, FLT_MIN), 1) << o->name << " input " << i;
    }
  }
}

// Every combination of float32's edges as inputs of an operator: a column an input. The CPU takes denormals for zeros, a GPU as
// they are.
struct EdgeCases {
  explicit EdgeCases(Op o, bool flushed = false) : columns(static_cast<size_t>(o->min_inputs)) {
    const float inf = INFINITY, huge = 3e38f, tiny = flushed ? 0 : 1e-40f;
    const std::vector<float> edges = {0, -0.0f, 1, -1, 2, 0.5f, tiny, -tiny, FLT_MIN, 1e-20f, 1e20f, huge, -huge, inf, -inf, NAN};
    for (size_t i = 0; i < columns.size(); ++i) rows *= edges.size();
    for (size_t i = 0, every = 1; i < columns.size(); ++i, every *= edges.size())
      for (size_t r = 0; r < rows; ++r) columns[i].push_back(edges[r / every % edges.size()]);
  }
  std::string at(size_t r) const {
    std::string text;
    for (auto& column : columns) text += cat(" ", column[r]);
    return text;
  }

  std::vector<std::vector<float>> columns;
  size_t rows = 1;
};

// Where sines and remainders promise digits.
bool is_stated(Op o, const EdgeCases& edges, size_t r) {
  if (o->name == "sin" || o->name == "cos" || o->name == "tan") return !(std::fabs(edges.columns[0][r]) > 1e5f);
  if (o->name != "mod") return true;
  const float a = std::fabs(edges.columns[0][r]), b = std::fabs(edges.columns[1][r]);
  return !(a > 0x1p22f * b) && !(a > 0 && a / b < FLT_MIN);  // a quotient that is denormal has no floor
}

// Equal to float64's value, rounded: NaN, infinities and zeros at the same places, but for steps on the way that are denormal.
bool same(double got, double exact, double tolerance) {
  auto want = static_cast<double>(static_cast<float>(exact));
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  return want == got || std::fabs(got - want) <= tolerance * std::fabs(want) + 64 * static_cast<double>(FLT_MIN);
}

TEST(Backend, Edges) {
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    EdgeCases edges(o);
    auto patch = [o](const EdgeCases& cases) {
      Patch p;
      std::vector<Id> in;
      for (auto& column : cases.columns) in.push_back(p.tensor({static_cast<int64_t>(cases.rows)}, column).id);
      p.output({&p.g(), apply(p.g(), o->name, in)});
      return p;
    };
    const Patch p = patch(edges);
    auto want = Oracle(p).run(1), flushed = Oracle(patch(EdgeCases(o, true))).run(1);
    for (Backend backend : compiled_backends()) {
      Rows got = run_fresh(p, backend, 1);
      const auto& other = backend == Backend::cpu ? flushed : want;
      for (size_t r = 0; r < edges.rows; ++r) {
        const auto y = static_cast<double>(got[0][r]);
        bool fine = !is_stated(o, edges, r) || same(y, want[0][r], 1e-5) || same(y, other[0][r], 1e-5);
        EXPECT_TRUE(fine) << o->name << edges.at(r) << ": " << got[0][r] << ", not " << want[0][r];
      }
    }
  }
}

// So are the gradients, where no step on their way leaves float32's range.
TEST(Backend, GradientsAtEdges) {
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    EdgeCases edges(o);
    auto patch = [o](const EdgeCases& cases) {
      Patch p;
      std::vector<Id> in;
      for (auto& column : cases.columns) in.push_back(p.param({static_cast<int64_t>(cases.rows)}, column).id);
      Ex y = ex("sum", {Ex{&p.g(), apply(p.g(), o->name, in)}}, {{"axes", Ints{0}}});
      for (size_t i = 0; i < in.size(); ++i) p.output(p.grad(y, i));
      return p;
    };
    const Patch p = patch(edges);
    auto want = Oracle(p).run(1), single = Oracle(p).run(1, true), flushed = Oracle(patch(EdgeCases(o, true))).run(1);
    for (Backend backend : compiled_backends()) {
      Rows got = run_fresh(p, backend, 1);
      const auto& other = backend == Backend::cpu ? flushed : single;
      for (size_t i = 0; i < edges.columns.size(); ++i)
        for (size_t r = 0; r < edges.rows; ++r) {
          auto g = static_cast<double>(got[i][r]);
          bool fine = !is_stated(o, edges, r) || same(g, want[i][r], 1e-4) || same(g, single[i][r], 1e-4) || same(g, other[i][r], 1e-4);
          EXPECT_TRUE(fine) << o->name << " input " << i << " at" << edges.at(r) << ": " << g << ", not " << want[i][r] << " or "
                            << single[i][r];
        }
    }
  }
}

TEST(Backend, AssignsAfterAllReads) {
  for (Backend backend : graph_backends()) {
    Patch p;
    Ex w = p.param({3}, {1, 2, 3}), v = p.param({3}, {4, 5, 6});
    p.g().effects = {apply(p.g(), "assign", {v.id}, {{"slot", int64_t{0}}}),
                     apply(p.g(), "assign", {(w * 2.0).id}, {{"slot", int64_t{1}}})};
    p.output(w + v);
    EXPECT_EQ(run_fresh(p, backend, 4)[0], (std::vector<float>{5, 7, 9}));
    EXPECT_EQ(p.capture.params[0]->values(), (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(p.capture.params[1]->values(), (std::vector<float>{2, 4, 6}));
  }
}

}  // namespace
}  // namespace dgen::test
