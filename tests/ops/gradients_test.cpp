// Gradients as the operators state them: transposes of linear operators by dot products, the others by differences.
#include "static_eval.h"

namespace dgen::test {
namespace {

// <A x, y> = <x, A' y> for input i, bound to params[slot].
void expect_transpose(Bench& b, Ex y, int i, size_t slot) {
  Ex weights = b.param(y.shape(), randoms(y.shape().size(), 77));
  double forward = dot(b.eval(y), b.params.back());
  double backward = dot(b.params[slot], b.eval(b.adjoint(y, i, weights)));
  EXPECT_NEAR(forward, backward, 1e-12 * (1 + std::fabs(forward)));
}

void expect_transpose(const Use& use) {
  for (int i = 0; i < static_cast<int>(use.inputs.size()); ++i) {
    SCOPED_TRACE(testing::Message() << use << " input " << i);
    Bench b;
    Ex y = build(b, use);
    expect_transpose(b, y, i, static_cast<size_t>(i));
  }
}

// d <weights, y> / d params[slot] by central differences is what the operator states for input i.
void expect_gradient(Bench& b, Ex y, int i, size_t slot, double tolerance) {
  constexpr double h = 1e-5;
  Ex weights = b.param(y.shape(), randoms(y.shape().size(), 99));
  Values stated = b.eval(b.adjoint(y, i, weights));
  ASSERT_EQ(stated.size(), b.params[slot].size());
  for (size_t k = 0; k < stated.size(); ++k) {
    double& x = b.params[slot][k];
    double kept = x;
    x = kept + h;
    double above = dot(b.eval(y), b.params.back());
    x = kept - h;
    double below = dot(b.eval(y), b.params.back());
    x = kept;
    double measured = (above - below) / (2 * h);
    EXPECT_NEAR(stated[k], measured, tolerance * (1 + std::fabs(measured)))
        << b.g[y.id].op->name << " input " << i << " element " << k << " at " << kept;
  }
}

TEST(Transpose, Views) {
  for (const Use& use : std::vector<Use>{
           {"reshape", {{2, 3, 4}}, {{"shape", Ints{4, 6}}}},
           {"reshape", {{1}}, {{"shape", Ints{}}}},
           {"permute", {{2, 3, 4}}, {{"axes", Ints{2, 0, 1}}}},
           {"permute", {{2, 3, 4}}, {{"axes", Ints{-1, 1, 0}}}},
           {"expand", {{}}, {{"shape", Ints{3, 2}}}},
           {"expand", {{2, 1, 3}}, {{"shape", Ints{5, 2, 4, 3}}}},
           {"expand", {{1, 1}}, {{"shape", Ints{1, 2, 1}}}},
           {"slice", {{4, 5}}, {{"starts", Ints{1, 0}}, {"ends", Ints{3, 5}}}},
           {"pad", {{4, 5}}, {{"pairs", Ints{1, 2, 0, 3}}, {"value", 0.0}}},
           {"flip", {{2, 3, 4}}, {{"axes", Ints{0, -1}}}},
       })
    expect_transpose(use);
}

TEST(Transpose, Concat) {
  for (size_t i : {0u, 1u, 2u}) {
    Bench b;
    Ex y = build(b, {"concat", {{2, 3}, {2, 1}, {2, 4}}, {{"axis", int64_t{-1}}}});
    for (size_t other : {0u, 1u, 2u})
      if (other != i) std::fill(b.params[other].begin(), b.params[other].end(), 0.0);
    expect_transpose(b, y, static_cast<int>(i), i);
  }
}

TEST(Transpose, Windows) {
  for (int64_t length : {7, 8, 12})
    for (int64_t size : {1, 2, 3})
      for (int64_t stride : {1, 2, 3, 5})
        for (int64_t dilation : {1, 2, 3})
          for (int64_t axis : {0, 1, -1}) {
            int a = axis == 0 ? 0 : 1;
            Shape from{2, 2};
            from[a] = length;
            Attrs steps{{"axis", axis}, {"stride", stride}, {"dilation", dilation}};
            expect_transpose({"windows", {from}, Attrs(steps).set("size", size)});
            from[a] = (length - (size - 1) * dilation - 1) / stride + 1;
            from.push_back(size);
            expect_transpose({"fold", {from}, Attrs(steps).set("length", length)});
          }
}

TEST(Transpose, ReductionsAndMatmul) {
  for (const Use& use : std::vector<Use>{
           {"sum", {{2, 3, 4}}, {{"axes", Ints{1}}}},
           {"sum", {{2, 3, 4}}, {{"axes", Ints{0, -1}}}},
           {"sum", {{2, 3, 4}}, {{"axes", Ints{0, 1, 2}}}},
           {"sum", {{2, 3}}, {{"axes", Ints{}}}},
           {"cumsum", {{5}}, {{"axis", int64_t{0}}}},
           {"cumsum", {{2, 3, 4}}, {{"axis", int64_t{1}}}},
           {"cumsum", {{2, 3, 4}}, {{"axis", int64_t{-1}}}},
           {"matmul", {{2, 3}, {3, 4}}},
           {"matmul", {{1, 1}, {1, 1}}},
           {"matmul", {{5, 2, 3}, {5, 3, 4}}},
           {"matmul", {{5, 2, 3}, {3, 4}}},
           {"matmul", {{2, 2, 1, 3}, {2, 2, 3, 4}}},
           {"matmul", {{2, 5, 2, 3}, {3, 1}}},
       })
    expect_transpose(use);
}

TEST(Transpose, GatherAndScatter) {
  Values indices = {0, 2, -3, 99, 1.7, -0.5, std::nan(""), 2};
  for (const Shape& rest : {Shape{}, Shape{2}, Shape{2, 3}}) {
    Shape rows{3}, picked{2, 4};
    for (int64_t n : rest) rows.push_back(n), picked.push_back(n);
    Bench b;
    Ex x = b.param(rows, randoms(rows.size(), 5)), index = b.param({2, 4}, indices);
    Ex values = b.param(picked, randoms(picked.size(), 6));
    expect_transpose(b, ex("gather", {x, index}), 0, 0);
    expect_transpose(b, ex("scatter_add", {index, values}, {{"size", int64_t{3}}}), 1, 2);
    expect_values(b.eval(b.adjoint(ex("gather", {x, index}), 1, values)), Values(8, 0));
  }
}

TEST(Transpose, Spectral) {
  for (int64_t n : {1, 2, 3, 4, 5, 6, 8, 9, 15, 20, 64, 225}) {
    expect_transpose({"rfft", {{n}}});
    expect_transpose({"rfft", {{3, n}}});
    expect_transpose({"irfft", {{2, n / 2 + 1}}, {{"n", n}}});
    expect_transpose({"irfft", {{3, 2, n / 2 + 1}}, {{"n", n}}});
    expect_transpose({"fft", {{2, n}}});
    expect_transpose({"ifft", {{3, 2, n}}});
  }
}

TEST(Transpose, IrfftEdgesGetNoImaginaryAdjoint) {
  Bench b;
  Ex y = ex("irfft", {b.param({2, 5}, randoms(10, 1))}, {{"n", int64_t{8}}});
  Values d = b.eval(b.adjoint(y, 0, b.param(randoms(8, 2))));
  EXPECT_EQ(d[5], 0);
  EXPECT_EQ(d[9], 0);
}

TEST(Gradient, Reductions) {
  for (std::string_view name : {"prod", "amax", "amin"})
    for (const Ints& axes : {Ints{1}, Ints{0, 2}, Ints{0, 1, 2}, Ints{}}) {
      Bench b;
      Ex y = build(b, {name, {{2, 3, 4}}, {{"axes", axes}}});
      expect_gradient(b, y, 0, 0, 1e-7);
    }
}

TEST(Gradient, ProductsWithZeros) {
  for (const Values& x : {Values{2, 0, 3, 5}, Values{0, 0, 3, 5}, Values{0, 0, 0, 0}}) {
    Bench b;
    Ex y = ex("prod", {b.param({2, 2}, x)}, {{"axes", Ints{0, 1}}});
    expect_gradient(b, y, 0, 0, 1e-9);
  }
  Bench b;
  Ex y = ex("prod", {b.param({2, 0, 3})}, {{"axes", Ints{0}}});
  expect_values(b.eval(b.adjoint(y, 0, b.c(1))), {0, 6, 0});
}

TEST(Gradient, TiesShareEqually) {
  Bench b;
  Ex x = b.param({2, 3}, {1, 4, 4, 0, 0, 0});
  Ex d = b.param({6, 9});
  expect_values(b.eval(b.adjoint(ex("amax", {x}, {{"axes", Ints{1}}}), 0, d)), {0, 3, 3, 3, 3, 3});
  expect_values(b.eval(b.adjoint(ex("amin", {x}, {{"axes", Ints{1}}}), 0, d)), {6, 0, 0, 3, 3, 3});
}

TEST(Gradient, NoneThroughDetachAndArgmax) {
  Bench b;
  Ex x = b.param({1, 2, 3});
  expect_values(b.eval(b.adjoint(ex("detach", {x}), 0, x)), {0, 0, 0});
  expect_values(b.eval(b.adjoint(ex("argmax", {x}, {{"axis", int64_t{0}}}), 0, b.c(1))), {0, 0, 0});
}

TEST(Gradient, EveryScalarOperator) {
  int rows = 0;
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    ++rows;
    Bench b;
    Ex y = build(b, {o->name, std::vector<Shape>(static_cast<size_t>(o->min_inputs), Shape{40})}, o->lo, o->hi);
    for (int i = 0; i < o->min_inputs; ++i) expect_gradient(b, y, i, static_cast<size_t>(i), 1e-6);
  }
  EXPECT_GT(rows, 40);
}

// What one scalar operator states for input i at one point, for adjoint d.
double slope(std::string_view name, const Values& at, int i = 0, double d = 1) {
  Bench b;
  std::vector<Id> in;
  for (double v : at) in.push_back(b.param(Shape{}, {v}).id);
  Ex y = {&b.g, apply(b.g, name, in)};
  return b.eval(b.adjoint(y, i, b.param(Shape{}, {d})))[0];
}

TEST(Gradient, UndefinedSlopesAreZero) {
  for (std::string_view name : {"sqrt", "rsqrt", "log", "log2", "log10", "abs"}) EXPECT_EQ(slope(name, {0}), 0) << name;
  for (std::string_view name : {"asin", "acos"})
    for (double x : {-1.0, 1.0}) EXPECT_EQ(slope(name, {x}), 0) << name;
  for (int i : {0, 1}) EXPECT_EQ(slope("atan2", {0, 0}, i), 0);
  EXPECT_EQ(slope("pow", {0, .5}, 0), 0);
  for (double x : {0.0, -2.0}) EXPECT_EQ(slope("pow", {x, 2}, 1), 0);
  EXPECT_EQ(slope("pow", {-2, 3}, 0), 12);
  EXPECT_EQ(slope("mod", {-7, 3}, 1), 3);
}

TEST(Gradient, FirstArgumentWinsTies) {
  for (std::string_view name : {"min", "max"}) {
    EXPECT_EQ(slope(name, {2, 2}, 0), 1) << name;
    EXPECT_EQ(slope(name, {2, 2}, 1), 0) << name;
  }
}

TEST(Gradient, ZeroAdjointStaysZero) {
  double inf = std::numeric_limits<double>::infinity();
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    for (double x : {inf, -inf, std::nan(""), 0.0})
      for (int i = 0; i < o->min_inputs; ++i)
        EXPECT_EQ(slope(o->name, Values(static_cast<size_t>(o->min_inputs), x), i, 0), 0) << o->name << " at " << x;
  }
}

TEST(Gradient, ZeroAdjointStaysZeroInReductions) {
  for (std::string_view name : {"prod", "amax", "amin"}) {
    Bench b;
    Ex y = ex(name, {b.param({std::nan(""), 1, std::numeric_limits<double>::infinity()})}, {{"axes", Ints{0}}});
    expect_values(b.eval(b.adjoint(y, 0, b.param(Shape{}, {0}))), {0, 0, 0});
  }
}

TEST(Gradient, ZeroAdjointStaysZeroInProducts) {
  double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (int i : {0, 1}) {
    Bench b;
    Ex y = ex("matmul", {b.param(Shape{2, 2}, {nan, 1, inf, 2}), b.param(Shape{2, 2}, {inf, 1, 2, nan})});
    expect_values(b.eval(b.adjoint(y, i, b.param(Shape{2, 2}, {0, 0, 0, 0}))), {0, 0, 0, 0});
  }
}

}  // namespace
}  // namespace dgen::test
