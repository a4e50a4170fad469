// Values of structural operators against results worked out by hand.
#include <numbers>

#include "static_eval.h"

namespace dgen::test {
namespace {

Ex reshape(Ex x, const Shape& shape) { return ex("reshape", {x}, {{"shape", Ints(shape.sizes())}}); }
Ex sum(Ex x, Ints axes) { return ex("sum", {x}, {{"axes", std::move(axes)}}); }
Ex windows(Ex x, int64_t axis, int64_t size, int64_t stride = 1, int64_t dilation = 1) {
  return ex("windows", {x}, {{"axis", axis}, {"size", size}, {"stride", stride}, {"dilation", dilation}});
}

Values count_up(int64_t n, double from = 1) {
  Values values;
  for (int64_t i = 0; i < n; ++i) values.push_back(from + static_cast<double>(i));
  return values;
}

TEST(Values, Views) {
  Bench b;
  Ex x = b.param({2, 3}, count_up(6));
  expect_values(b.eval(ex("permute", {x}, {{"axes", Ints{1, 0}}})), {1, 4, 2, 5, 3, 6});
  expect_values(b.eval(ex("permute", {x}, {{"axes", Ints{-1, -2}}})), {1, 4, 2, 5, 3, 6});
  expect_values(b.eval(ex("slice", {x}, {{"starts", Ints{0, 1}}, {"ends", Ints{2, 3}}})), {2, 3, 5, 6});
  expect_values(b.eval(ex("pad", {x}, {{"pairs", Ints{1, 0, 0, 1}}, {"value", 9.0}})), {9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9});
  expect_values(b.eval(ex("flip", {x}, {{"axes", Ints{1}}})), {3, 2, 1, 6, 5, 4});
  expect_values(b.eval(ex("flip", {x}, {{"axes", Ints{0, -1}}})), {6, 5, 4, 3, 2, 1});
  expect_values(b.eval(ex("concat", {x, b.param({2, 1}, {7, 8}), x}, {{"axis", int64_t{1}}})),
                {1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6});
  expect_values(b.eval(ex("expand", {b.param({2, 1}, {7, 8})}, {{"shape", Ints{2, 2, 3}}})),
                {7, 7, 7, 8, 8, 8, 7, 7, 7, 8, 8, 8});
  expect_values(b.eval(ex("detach", {x})), count_up(6));
  expect_values(b.eval(ex("assign", {x}, {{"slot", int64_t{0}}})), count_up(6));
}

TEST(Values, Convolutions) {
  Bench b;
  Ex x = b.param({3, 3}, count_up(9));
  Ex w = windows(windows(x, 0, 2), 1, 2);
  EXPECT_EQ(w.shape(), (Shape{2, 2, 2, 2}));
  expect_values(b.eval(w), {1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9});
  expect_values(b.eval(sum(w * 0.25, {2, 3})), {3, 4, 6, 7});

  Values impulse(25, 0);
  impulse[12] = 1;
  Ex laplacian = b.param({3, 3}, {0, 1, 0, 1, -4, 1, 0, 1, 0});
  Ex patches = windows(windows(b.param({5, 5}, impulse), 0, 3), 1, 3);
  expect_values(b.eval(sum(patches * laplacian, {2, 3})), {0, 1, 0, 1, -4, 1, 0, 1, 0});
}

TEST(Values, WindowsAndFold) {
  Bench b;
  Ex x = b.param(count_up(7));
  expect_values(b.eval(windows(x, 0, 3, 2)), {1, 2, 3, 3, 4, 5, 5, 6, 7});
  expect_values(b.eval(windows(x, 0, 3, 1, 2)), {1, 3, 5, 2, 4, 6, 3, 5, 7});
  Ex ones = b.param({3, 3}, Values(9, 1));
  Attrs attrs{{"axis", int64_t{0}}, {"length", int64_t{8}}, {"stride", int64_t{2}}, {"dilation", int64_t{1}}};
  expect_values(b.eval(ex("fold", {ones}, attrs)), {1, 1, 2, 1, 2, 1, 1, 0});
}

TEST(Values, Reductions) {
  Bench b;
  Ex x = b.param({2, 3}, {3, 1, 3, -4, 5, -6});
  expect_values(b.eval(sum(x, {0})), {-1, 6, -3});
  expect_values(b.eval(sum(x, {0, 1})), {2});
  expect_values(b.eval(sum(x, {})), {3, 1, 3, -4, 5, -6});
  expect_values(b.eval(ex("prod", {x}, {{"axes", Ints{1}}})), {9, 120});
  expect_values(b.eval(ex("amax", {x}, {{"axes", Ints{-1}}})), {3, 5});
  expect_values(b.eval(ex("amin", {x}, {{"axes", Ints{1}}})), {1, -6});
  expect_values(b.eval(ex("argmax", {x}, {{"axis", int64_t{1}}})), {0, 1});
  expect_values(b.eval(ex("argmax", {x}, {{"axis", int64_t{0}}})), {0, 1, 0});
  expect_values(b.eval(ex("cumsum", {b.param(count_up(5))}, {{"axis", int64_t{0}}})), {1, 3, 6, 10, 15});
  expect_values(b.eval(ex("cumsum", {x}, {{"axis", int64_t{0}}})), {3, 1, 3, -1, 6, -3});
}

TEST(Values, Softmax) {
  Bench b;
  Ex x = b.param({1000, 1001, 1002});
  Ex e = fn("exp", x - ex("amax", {x}, {{"axes", Ints{0}}}));
  expect_values(b.eval(e / sum(e, {0})), {.09003057, .2447285, .6652410}, 1e-7);
}

TEST(Values, Matmul) {
  Bench b;
  Ex x = b.param({2, 2, 3}, count_up(12)), shared = b.param({3, 2}, {1, 0, 0, 1, 1, 1});
  expect_values(b.eval(ex("matmul", {x, shared})), {4, 5, 10, 11, 16, 17, 22, 23});
  Ex each = b.param({2, 3, 1}, {1, 1, 1, 2, 2, 2});
  expect_values(b.eval(ex("matmul", {x, each})), {6, 15, 48, 66});
}

TEST(Values, GatherAndScatter) {
  Bench b;
  double nan = std::nan("");
  Ex rows = b.param({10, 20, 30});
  expect_values(b.eval(ex("gather", {rows, b.param({-2, 0, 2, 99})})), {10, 10, 30, 30});
  expect_values(b.eval(ex("gather", {rows, b.param({nan, 1.9, -0.9, 1e300, -1e300})})), {10, 20, 10, 30, 10});
  Ex table = b.param({3, 2}, count_up(6));
  expect_values(b.eval(ex("gather", {table, b.param({1, 2}, {2, 1})})), {5, 6, 3, 4});
  Ex index = b.param({1, 1.9, -0.5, -1, 3, nan, 1e300});
  Attrs size{{"size", int64_t{3}}};
  expect_values(b.eval(ex("scatter_add", {index, b.param(count_up(7))}, size)), {3 + 6, 1 + 2, 0});
  expect_values(b.eval(ex("scatter_add", {b.c(2), b.param({7, 8})}, size)), {0, 0, 0, 0, 7, 8});
}

TEST(Values, Leaves) {
  Bench b;
  b.run = {.frames = 100, .position = 30, .sample_rate = 48000};
  expect_values(b.eval(b.leaf("iota", {{"n", int64_t{4}}})), {0, 1, 2, 3});
  expect_values(b.eval(b.leaf("sample_rate")), {48000});
  expect_values(b.eval(b.leaf("tick_count", {{"period", int64_t{7}}})), {14});
  expect_values(b.eval(b.leaf("tick_count", {{"period", int64_t{1}}})), {100});
  expect_values(b.eval(b.leaf("tick_count", {{"period", int64_t{0}}})), {1});
  Ex frame = b.leaf("frame_index");
  expect_values(b.node_value(frame.id, {}, 42), {42});
  EXPECT_EQ(frame.clock(), frame_clock);
}

Values noise_at(Bench& b, Ex noise, int64_t tick, uint64_t step = 0) {
  b.run.step = step;
  return b.node_value(noise.id, {}, tick);
}

TEST(Values, Noise) {
  Bench b;
  auto make = [&](int64_t seed, int64_t number, int64_t period) {
    return b.leaf("noise", {{"seed", seed}, {"number", number}, {"shape", Ints{500}}, {"period", period}});
  };
  Ex noise = make(1, 0, 1);
  EXPECT_NE(make(1, 0, 1).id, noise.id);
  Values first = noise_at(b, noise, 12);
  EXPECT_EQ(first, noise_at(b, make(1, 0, 1), 12));
  EXPECT_EQ(first, noise_at(b, make(1, 0, 8), 12));
  EXPECT_NE(first, noise_at(b, noise, 13));
  EXPECT_NE(first, noise_at(b, noise, 12, 1));
  EXPECT_NE(first, noise_at(b, make(2, 0, 1), 12));
  EXPECT_NE(first, noise_at(b, make(1, 1, 1), 12));
  double total = 0, squares = 0;
  for (int64_t tick = 0; tick < 100; ++tick)
    for (double v : noise_at(b, noise, tick)) {
      EXPECT_TRUE(v >= -1 && v < 1);
      total += v, squares += v * v;
    }
  EXPECT_NEAR(total / 50000, 0, .01);
  EXPECT_NEAR(squares / 50000, 1.0 / 3, .01);
}

TEST(Values, FftExamples) {
  Bench b;
  auto rfft = [&](Values x) { return b.eval(ex("rfft", {b.param(std::move(x))})); };
  expect_values(rfft({1, 0, 0, 0, 0, 0, 0, 0}), {1, 1, 1, 1, 1, 0, 0, 0, 0, 0});
  expect_values(rfft(Values(8, 1)), {8, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  Values cosine(16, 0), bins(16, 0);
  for (int i = 0; i < 8; ++i) cosine[static_cast<size_t>(i)] = std::cos(std::numbers::pi * i / 4);
  bins[1] = bins[7] = 4;
  expect_values(b.eval(ex("fft", {b.param({2, 8}, cosine)})), bins);
  Ex digits = reshape(b.param({3, 1, 4, 1, 5, 9, 2, 6}), {1, 8});
  Ex spectrum = ex("fft", {ex("concat", {digits, digits * 0.0}, {{"axis", int64_t{0}}})});
  expect_values(b.eval(sum(spectrum * spectrum, {0, 1}) / 8.0), {173}, 1e-10);
}

Values slow_dft(const Values& x) {
  size_t n = x.size() / 2;
  Values y(2 * n, 0);
  for (size_t k = 0; k < n; ++k)
    for (size_t i = 0; i < n; ++i) {
      double angle = -2 * std::numbers::pi * static_cast<double>(k * i % n) / static_cast<double>(n);
      y[k] += x[i] * std::cos(angle) - x[n + i] * std::sin(angle);
      y[n + k] += x[i] * std::sin(angle) + x[n + i] * std::cos(angle);
    }
  return y;
}

TEST(Values, FftSizes) {
  for (int64_t n : {1, 2, 3, 4, 5, 6, 9, 15, 16, 30, 45, 64, 75, 120, 240}) {
    SCOPED_TRACE(n);
    Bench b;
    Ex x = b.param({2, n}, randoms(2 * n, 7));
    Ex spectrum = ex("fft", {x});
    expect_values(b.eval(spectrum), slow_dft(b.params[0]), 1e-11);
    expect_values(b.eval(ex("ifft", {spectrum})), b.params[0], 1e-13);
    expect_values(b.eval(ex("irfft", {ex("rfft", {x})}, {{"n", n}})), b.params[0], 1e-13);
  }
  Bench b;
  Ex x = b.param(randoms(65536, 3));
  expect_values(b.eval(ex("irfft", {ex("rfft", {x})}, {{"n", int64_t{65536}}})), b.params[0], 1e-12);
}

TEST(Values, FftOfAConstantHasNoResidue) {
  for (int64_t n : {2, 4, 8, 16}) {
    Bench b;
    Values bins = b.eval(ex("rfft", {b.param(Shape{n}, Values(static_cast<size_t>(n), 0.3))}));
    EXPECT_EQ(std::count(bins.begin(), bins.end(), 0.0), n + 1) << n;
  }
}

TEST(Values, IrfftIgnoresImaginaryEdges) {
  Bench b;
  Attrs n{{"n", int64_t{4}}};
  Values plain = b.eval(ex("irfft", {b.param({2, 3}, {1, 2, 3, 0, 5, 0})}, n));
  expect_values(b.eval(ex("irfft", {b.param({2, 3}, {1, 2, 3, 7, 5, -7})}, n)), plain);
}

std::string error_of(const Use& use) {
  Bench b;
  try {
    build(b, use);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Errors, Texts) {
  int64_t one = 1;
  EXPECT_EQ(error_of({"matmul", {{2, 3}, {4, 5}}}), "[matmul] inner sizes differ: (2,3) x (4,5)");
  EXPECT_EQ(error_of({"matmul", {{3}, {3, 5}}}), "[matmul] needs matrices: (3) x (3,5)");
  EXPECT_EQ(error_of({"matmul", {{2, 4, 3}, {3, 3, 5}}}), "[matmul] batch sizes differ: (2,4,3) x (3,3,5)");
  EXPECT_EQ(error_of({"reshape", {{2, 3}}, {{"shape", Ints{4}}}}), "[reshape] sizes differ: (2,3) to (4)");
  EXPECT_EQ(error_of({"permute", {{2, 3}}, {{"axes", Ints{0, 0}}}}), "[permute] axis 0 is given twice for (2,3)");
  EXPECT_EQ(error_of({"expand", {{2, 3}}, {{"shape", Ints{4, 3}}}}), "[expand] cannot expand (2,3) to (4,3)");
  EXPECT_EQ(error_of({"slice", {{4}}, {{"starts", Ints{2}}, {"ends", Ints{5}}}}),
            "[slice] range [2,5) does not lie in axis 0 of (4)");
  EXPECT_EQ(error_of({"pad", {{4}}, {{"pairs", Ints{-1, 0}}, {"value", 0.0}}}), "[pad] padding -1 of (4) is negative");
  EXPECT_EQ(error_of({"concat", {{2, 3}, {3, 3}}, {{"axis", one}}}), "[concat] shapes differ beside axis 1: (2,3) x (3,3)");
  EXPECT_EQ(error_of({"windows", {{4}}, {{"axis", int64_t{0}}, {"size", int64_t{3}}, {"stride", one}, {"dilation", int64_t{2}}}}),
            "[windows] a window of 5 is longer than the axis, for (4)");
  EXPECT_EQ(error_of({"sum", {{2, 3}}, {{"axes", Ints{2}}}}), "[sum] axis 2 is out of range for rank 2");
  EXPECT_EQ(error_of({"sum", {{2, 3}}, {{"axes", Ints{1, -1}}}}), "[sum] an axis is given twice for (2,3)");
  EXPECT_EQ(error_of({"gather", {{}, {3}}}), "[gather] needs rows to choose from, got a value of shape ()");
  EXPECT_EQ(error_of({"scatter_add", {{3}, {2, 3}}, {{"size", int64_t{4}}}}),
            "[scatter_add] values do not start with the axes of the indices: (3) x (2,3)");
  EXPECT_EQ(error_of({"rfft", {{1022}}}),
            "[rfft] size 1022 has a prime factor other than 2, 3 and 5; the nearest good size is 1024");
  EXPECT_EQ(error_of({"rfft", {{131072}}}), "[rfft] size 131072 is larger than 65536");
  EXPECT_EQ(error_of({"irfft", {{2, 4}}, {{"n", int64_t{8}}}}), "[irfft] size 8 needs a spectrum of shape (..,2,5), got (2,4)");
  EXPECT_EQ(error_of({"fft", {{3, 8}}}), "[fft] needs a spectrum of shape (..,2,n), got (3,8)");
}

}  // namespace
}  // namespace dgen::test
