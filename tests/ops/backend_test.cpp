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

// At the edges of float32 a compiled value is what float64 gives, rounded: NaN, infinities and zeros at the same places.
TEST(Backend, Edges) {
  const float inf = INFINITY, huge = 3e38f, tiny = 1e-40f;
  const std::vector<float> edges = {0, -0.0f, 1, -1, 2, 0.5f, tiny, -tiny, FLT_MIN, 1e-20f, 1e20f, huge, -huge, inf, -inf, NAN};
  const std::set<std::string_view> periodic = {"sin", "cos", "tan"};  // stated up to 1e5
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    Patch p;
    std::vector<std::vector<float>> columns(static_cast<size_t>(o->min_inputs));
    size_t rows = 1;
    for (int i = 0; i < o->min_inputs; ++i) rows *= edges.size();
    for (size_t r = 0; r < rows; ++r) {
      size_t rest = r;
      for (auto& column : columns) column.push_back(edges[rest % edges.size()]), rest /= edges.size();
    }
    std::vector<Id> in;
    for (auto& column : columns) in.push_back(p.tensor({static_cast<int64_t>(rows)}, column).id);
    p.output({&p.g(), apply(p.g(), o->name, in)});
    auto want = Oracle(p).run(1);
    for (Backend backend : compiled_backends()) {
      Rows got = run_fresh(p, backend, 1);
      for (size_t r = 0; r < rows; ++r) {
        if (periodic.count(o->name) && std::fabs(columns[0][r]) > 1e5f) continue;
        if (o->name == "mod" && std::fabs(columns[0][r]) > 0x1p22f * std::fabs(columns[1][r])) continue;
        auto w = static_cast<double>(static_cast<float>(want[0][r])), g = static_cast<double>(got[0][r]);
        bool same = std::isnan(w) ? std::isnan(g) : w == g || std::fabs(g - w) <= 1e-5 * std::fabs(w) + static_cast<double>(FLT_MIN);
        std::string at;
        for (auto& column : columns) at += cat(" ", column[r]);
        EXPECT_TRUE(same) << o->name << at << ": " << g << ", not " << w;
      }
    }
  }
}

TEST(Backend, AssignsAfterAllReads) {
  for (Backend backend : graph_backends()) {
    Patch p;
    Ex w = p.param({3}, {1, 2, 3}), v = p.param({3}, {4, 5, 6});
    p.g().effects = {apply(p.g(), "assign", {v.id}, {{"slot", int64_t{0}}}), apply(p.g(), "assign", {(w * 2.0).id}, {{"slot", int64_t{1}}})};
    p.output(w + v);
    EXPECT_EQ(run_fresh(p, backend, 4)[0], (std::vector<float>{5, 7, 9}));
    EXPECT_EQ(p.capture.params[0]->values(), (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(p.capture.params[1]->values(), (std::vector<float>{2, 4, 6}));
  }
}

}  // namespace
}  // namespace dgen::test
