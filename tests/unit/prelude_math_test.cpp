// The scalar functions of generated code against libm in double, on gcc and clang, bit for bit equal; CUDA compiles.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/noise.h"
#include "codegen/prelude.h"
#include "codegen/prelude_bounds.h"
#include "runtime/threads.h"
#include "unit/prelude_test_util.h"

namespace dgen::test {
namespace {

using codegen::Target;
using Unary = void(const float*, float*, long);
using Binary = void(const float*, const float*, float*, long);
constexpr float inf = std::numeric_limits<float>::infinity();
const float nan_f = std::numeric_limits<float>::quiet_NaN();

using Function = codegen::FunctionBounds;
using codegen::function_bounds;

std::string wrappers(const std::map<std::string_view, int>& calls = {}) {
  std::string text = codegen::prelude_math(Target::c) + codegen::prelude_calls(Target::c, calls);
  for (const Function& f : function_bounds)
    text += std::string("void run_") + f.name +
            "(const float *x, float *y, long n) {\n  for (long i = 0; i < n; ++i) y[i] = dg_" + f.name + "(x[i]);\n}\n";
  for (const char* name : {"pow", "atan2", "mod", "min", "max", "mulz"})
    text += std::string("void run_") + name +
            "(const float *x, const float *y, float *z, long n) {\n  for (long i = 0; i < n; ++i) z[i] = dg_" + name +
            "(x[i], y[i]);\n}\n";
  return text + R"(
void run_sign(const float *x, float *y, long n) { for (long i = 0; i < n; ++i) y[i] = dg_sign(x[i]); }
float run_select(float c, float a, float b) { return dg_select(c, a, b); }
float run_fma(float a, float b, float c) { return dg_fma(a, b, c); }
void run_noise(dg_u64 seed, dg_u64 element, dg_u64 tick, float *y, long n) {
  for (long i = 0; i < n; ++i) y[i] = dg_noise(seed, element, tick + (dg_u64)i);
}
dg_u64 run_phase_inc(float f, float scale) { return dg_phase_inc(f, scale); }
dg_u64 run_phase_inc_static(double f) { return dg_phase_inc_static(f); }
float run_phase_out(dg_u64 p) { return dg_phase_out(p, 0.0f); }
void run_phase_sines(dg_u64 first, dg_u64 step, float *sine, float *cosine, long n) {
  for (long i = 0; i < n; ++i, first += step) sine[i] = dg_cos_phase(dg_phase_back(first), 0.0f), cosine[i] = dg_cos_phase(first, 0.0f);
}
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
int has_fma(void) { return 1; }
#else
int has_fma(void) { return 0; }
#endif
)";
}

const TextLibrary& library(const std::string& compiler = "cc") {
  static std::unique_ptr<TextLibrary> cc, gcc, clang;
  auto& slot = compiler == "gcc" ? gcc : compiler == "clang" ? clang : cc;
  if (!slot) slot = std::make_unique<TextLibrary>(wrappers(), compiler);
  return *slot;
}

// Bit patterns of the positive floats up to `high`, strided, and of the negatives.
std::vector<float> sweep(float low, float high, std::uint32_t points) {
  std::vector<float> out;
  const auto top = std::bit_cast<std::uint32_t>(high), stride = top / points + 1;
  for (std::uint32_t b = 0; b < top; b += stride) {
    const float x = std::bit_cast<float>(b);
    out.push_back(x);
    if (-x >= low) out.push_back(-x);
  }
  out.push_back(high);
  return out;
}

// The distance of floats at x.
double ulp_of(double x) {
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(x) >> 52 & 2047;
  return std::bit_cast<double>((std::max<std::uint64_t>(exponent, 1023 - 126) - 23) << 52);
}

double ulps(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : inf;
  if (std::isnan(got)) return inf;
  const float rounded = static_cast<float>(want);
  if (rounded == got) return std::isinf(got) ? 0 : std::fabs(got - want) / ulp_of(want);
  if (std::isinf(rounded)) return std::fabs(got) == std::numeric_limits<float>::max() ? 1 : inf;
  if (std::isinf(got)) return std::fabs(want) > 3.4028230e38 ? 1 : inf;
  return std::fabs(got - want) / ulp_of(want);
}

struct WorstOf {
  double ulp = 0, absolute = 0;
  int64_t failing = 0;
  float where = 0;
  void take(const WorstOf& other) {
    if (other.ulp > ulp) ulp = other.ulp, where = other.where;
    absolute = std::max(absolute, other.absolute), failing += other.failing;
  }
};

// The bit patterns from the begin-th to before the end-th of those `stride` apart up to `high`, and their negatives.
WorstOf check(const Function& f, Unary* run, std::uint32_t stride, int64_t begin, int64_t end) {
  WorstOf worst;
  const std::uint32_t top = std::bit_cast<std::uint32_t>(f.high);
  std::vector<float> x, y;
  for (int64_t i = begin; i < end; ++i) {
    const float at = std::bit_cast<float>(static_cast<std::uint32_t>(std::min<std::uint64_t>(top, static_cast<std::uint64_t>(i) * stride)));
    x.push_back(at);
    if (-at >= f.low) x.push_back(-at);
    if (x.size() < 8192 && i + 1 < end) continue;
    y.resize(x.size());
    run(x.data(), y.data(), static_cast<long>(x.size()));
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double want = f.reference(x[k]), e = ulps(y[k], want), absolute = std::fabs(y[k] - want);
      if (e > worst.ulp) worst.ulp = e, worst.where = x[k];
      if (std::isfinite(want) && std::isfinite(y[k])) worst.absolute = std::max(worst.absolute, absolute);
      if (e > f.most_ulp && !(absolute <= f.most_absolute)) ++worst.failing;
    }
    x.clear();
  }
  return worst;
}

// Some of each range; scripts/test --full has make_accuracy look at every float.
TEST(PreludeMath, UnaryAccuracy) {
  const char* setting = std::getenv("DGEN_TEST_POINTS");
  const std::uint32_t points = setting ? static_cast<std::uint32_t>(std::atoll(setting)) : 1u << 19;
  for (const Function& f : function_bounds) {
    const std::uint32_t top = std::bit_cast<std::uint32_t>(f.high), stride = top / points + 1;
    Unary* const run = library().get<Unary>(std::string("run_") + f.name);
    std::mutex mutex;
    WorstOf worst;
    runtime::parallel_for(top / stride + 2, 1 << 14, [&](int64_t begin, int64_t end, int) {
      const WorstOf part = check(f, run, stride, begin, end);
      std::lock_guard lock(mutex);
      worst.take(part);
    });
    std::printf("%-10s max %.3g ulp at %.9g, max absolute %.3g\n", f.name, worst.ulp, worst.where, worst.absolute);
    EXPECT_EQ(worst.failing, 0) << f.name << " at " << worst.where;
  }
}

TEST(PreludeMath, BinaryAccuracy) {
  std::vector<float> x, y;
  std::uint64_t state = 1;
  const auto uniform = [&](double low, double high) {
    state = noise_mix(state + 0x9e3779b97f4a7c15ull);
    return static_cast<float>(low + (high - low) * static_cast<double>(state >> 11) * 0x1p-53);
  };
  const int n = 1 << 20;  // docs/accuracy.md has the worst of 64 times as many
  for (int i = 0; i < n; ++i) {  // bases of every magnitude, results over the whole range
    x.push_back(std::exp2(uniform(-149, 128)));
    y.push_back(i % 4 ? uniform(-150, 150) / std::fabs(std::log2(x.back())) : uniform(-5, 5));
    if (i % 8 == 0) x.back() = uniform(0.9, 1.1), y.back() = uniform(-900, 900);
    if (i % 16 == 1) x.back() = -x.back(), y.back() = std::round(y.back());
  }
  x[0] = 0.705582917f, y[0] = 242.54303f;  // the worst that is known (docs/accuracy.md)
  std::vector<float> z(x.size());
  library().get<Binary>("run_pow")(x.data(), y.data(), z.data(), n);
  double worst = 0;
  int at = 0;
  for (int i = 0; i < n; ++i)
    if (const double e = ulps(z[i], std::pow(double(x[i]), double(y[i]))); e > worst) worst = e, at = i;
  std::printf("pow        max %.3g ulp at %.9g, %.9g\n", worst, x[at], y[at]);
  EXPECT_LE(worst, 6);

  for (int i = 0; i < n; ++i) {
    const int span = i % 3 == 0 ? 120 : 4;
    x[i] = (i & 8 ? -1.0f : 1.0f) * std::exp2(uniform(-span, span));
    y[i] = (i & 16 ? -1.0f : 1.0f) * std::exp2(uniform(-span, span));
  }
  library().get<Binary>("run_atan2")(x.data(), y.data(), z.data(), n);
  worst = 0;
  for (int i = 0; i < n; ++i)
    if (const double e = ulps(z[i], std::atan2(double(x[i]), double(y[i]))); e > worst) worst = e, at = i;
  std::printf("atan2      max %.3g ulp at %.9g, %.9g\n", worst, x[at], y[at]);
  EXPECT_LE(worst, 3);

  library().get<Binary>("run_mod")(x.data(), y.data(), z.data(), n);
  for (int i = 0; i < n; ++i) {
    if (std::fabs(x[i] / y[i]) > 1e5f || std::fabs(x[i] / y[i]) < 1e-6f) continue;
    const double b = y[i], want = x[i] - std::floor(x[i] / b) * b;
    ASSERT_NEAR(z[i], want, 1e-6 * std::fabs(b)) << x[i] << " mod " << b;
  }
}

float call(const char* name, float x) {
  float y;
  library().get<Unary>(std::string("run_") + name)(&x, &y, 1);
  return y;
}
float call(const char* name, float x, float y) {
  float z;
  library().get<Binary>(std::string("run_") + name)(&x, &y, &z, 1);
  return z;
}

TEST(PreludeMath, Edges) {
  EXPECT_EQ(call("log", 0.0f), -inf);
  EXPECT_EQ(call("log2", 0.0f), -inf);
  EXPECT_EQ(call("log10", 0.0f), -inf);
  for (const char* name : {"log", "log2", "log10", "sqrt", "rsqrt"}) EXPECT_TRUE(std::isnan(call(name, -1.0f))) << name;
  for (const char* name : {"sin", "cos", "tan", "sin_turns", "cos_turns"})
    EXPECT_TRUE(std::isnan(call(name, inf))) << name;
  for (const char* name : {"asin", "acos"}) EXPECT_TRUE(std::isnan(call(name, 1.0000001f))) << name;
  for (const Function& f : function_bounds) EXPECT_TRUE(std::isnan(call(f.name, nan_f))) << f.name;
  EXPECT_EQ(call("log", inf), inf);
  EXPECT_EQ(call("exp", inf), inf);
  EXPECT_EQ(call("exp", -inf), 0.0f);
  EXPECT_EQ(call("exp", 0.0f), 1.0f);
  EXPECT_EQ(call("cos", 0.0f), 1.0f);
  EXPECT_EQ(call("sin", 0.0f), 0.0f);
  EXPECT_EQ(call("sin_turns", 0.25f), 1.0f);
  EXPECT_EQ(call("sin_turns", 0.75f), -1.0f);
  EXPECT_EQ(call("sin_turns", 0.5f), 0.0f);
  EXPECT_EQ(call("cos_turns", 0.0f), 1.0f);
  EXPECT_EQ(call("cos_turns", 0.25f), 0.0f);
  EXPECT_EQ(call("tanh", inf), 1.0f);
  EXPECT_EQ(call("tanh", -inf), -1.0f);
  EXPECT_EQ(call("sigmoid", inf), 1.0f);
  EXPECT_EQ(call("sigmoid", -inf), 0.0f);
  EXPECT_EQ(call("softplus", inf), inf);
  EXPECT_EQ(call("softplus", -inf), 0.0f);
  EXPECT_EQ(call("rsqrt", 0.0f), inf);
  EXPECT_EQ(call("sign", -3.0f), -1.0f);
  EXPECT_EQ(call("sign", 0.0f), 0.0f);
  EXPECT_EQ(call("round", 0.5f), 1.0f);
  EXPECT_EQ(call("round", -2.5f), -3.0f);
  EXPECT_EQ(call("round", 0.49999997f), 0.0f);
  EXPECT_EQ(call("min", 1.0f, nan_f), 1.0f);
  EXPECT_TRUE(std::isnan(call("min", nan_f, 1.0f)));
  EXPECT_TRUE(std::isnan(call("max", nan_f, 1.0f)));
  EXPECT_TRUE(std::signbit(call("max", -0.0f, 0.0f)));
  EXPECT_EQ(call("mulz", 0.0f, inf), 0.0f);
  EXPECT_EQ(call("mulz", -2.0f, 3.0f), -6.0f);
  const struct {
    float a, b, want;
  } mods[] = {{5, 3, 2}, {-5, 3, 1}, {5, -3, -1}, {-5, -3, -2}, {0, 3, 0}, {6, 3, 0}, {-6, 3, 0}, {0.75f, 0.5f, 0.25f}};
  for (const auto& m : mods) EXPECT_EQ(call("mod", m.a, m.b), m.want) << m.a << " mod " << m.b;
  EXPECT_TRUE(std::isnan(call("mod", 1, 0)));
  const auto select = library().get<float(float, float, float)>("run_select");
  EXPECT_EQ(select(0, 1, 2), 2.0f);
  EXPECT_EQ(select(1e-30f, 1, 2), 1.0f);
  EXPECT_EQ(select(nan_f, 1, 2), 2.0f);
  EXPECT_EQ(library().get<float(float, float, float)>("run_fma")(2, 3, 4), 10.0f);
  const float values[] = {0.0f, -0.0f, 0.5f,  -0.5f,  1,      -1,       2,   -2,   3,    -3,
                          2.5f, -2.5f, 1e30f, -1e30f, 1e-40f, 16777216, inf, -inf, nan_f};
  for (const float a : values)
    for (const float b : values) {
      const auto same = [](float x, float y) {
        return std::isnan(x) ? std::isnan(y) : x == y && std::signbit(x) == std::signbit(y);
      };
      const float p = static_cast<float>(std::pow(double(a), double(b)));
      if (std::isinf(p) || std::isnan(p) || p == 0 || p == 1) {
        EXPECT_TRUE(same(p, call("pow", a, b))) << a << " ^ " << b << " = " << p << ", not " << call("pow", a, b);
      }
      const float t = std::atan2(a, b);
      EXPECT_LE(ulps(call("atan2", a, b), t), 3) << a << ", " << b;
      EXPECT_EQ(std::signbit(t), std::signbit(call("atan2", a, b))) << a << ", " << b;
    }
}

// No value above one near the peaks: asin(sin(x)) must not become NaN.
TEST(PreludeMath, SineStaysInRange) {
  for (const char* name : {"sin", "cos", "sin_turns", "cos_turns", "tanh"}) {
    std::vector<float> x;
    for (const double peak : {0.0, 0.25, 0.5, 0.75, 1.0, 1.5707963267948966, 3.1415926535897932, 4.71238898038469, 9.0})
      for (int i = -200000; i < 200000; ++i) x.push_back(static_cast<float>(peak) + static_cast<float>(i) * 0x1p-25f);
    std::vector<float> y(x.size());
    library().get<Unary>(std::string("run_") + name)(x.data(), y.data(), static_cast<long>(x.size()));
    float worst = 0;
    for (const float v : y) worst = std::max(worst, std::fabs(v));
    EXPECT_LE(worst, 1.0f) << name;
  }
}

TEST(PreludeMath, NoiseEqualsHostFunction) {
  const auto noise = library().get<void(std::uint64_t, std::uint64_t, std::uint64_t, float*, long)>("run_noise");
  double sum = 0, square = 0, lag = 0;
  std::vector<float> y(1 << 16);
  const std::uint64_t keys[][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {~0ull, 7, 1ull << 40}, {42, ~0ull, ~0ull - 5}};
  for (const auto& k : keys) {
    noise(k[0], k[1], k[2], y.data(), static_cast<long>(y.size()));
    for (std::size_t i = 0; i < y.size(); ++i) {
      ASSERT_EQ(y[i], noise_value(k[0], k[1], k[2] + i));
      ASSERT_LT(std::fabs(y[i]), 1.0f);
      sum += y[i], square += y[i] * y[i], lag += i ? y[i] * y[i - 1] : 0;
    }
  }
  const double n = 5.0 * static_cast<double>(y.size());
  EXPECT_NEAR(sum / n, 0, 4e-3);
  EXPECT_NEAR(square / n, 1.0 / 3, 3e-3);
  EXPECT_NEAR(lag / n, 0, 3e-3);
}

// Of phases themselves, without rounding them to a float of turns; no more than one, and exact at quarters.
TEST(PreludeMath, SinesOfPhases) {
  constexpr int n = 1 << 20;
  const auto run = library().get<void(std::uint64_t, std::uint64_t, float*, float*, long)>("run_phase_sines");
  std::vector<float> sine(n), cosine(n);
  auto check = [&](std::uint64_t first, std::uint64_t step) {
    run(first, step, sine.data(), cosine.data(), n);
    double worst = 0, largest = 0;
    for (std::uint64_t i = 0, p = first; i < n; ++i, p += step) {
      const double turns = std::ldexp(static_cast<double>(static_cast<std::int64_t>(p)), -64);
      worst = std::fmax(worst, std::fabs(sine[i] - std::sin(codegen::kTwoPi * turns)));
      worst = std::fmax(worst, std::fabs(cosine[i] - std::cos(codegen::kTwoPi * turns)));
      largest = std::fmax(largest, std::fmax(std::fabs(sine[i]), std::fabs(cosine[i])));
    }
    EXPECT_LE(worst, 1.7e-7) << first;
    EXPECT_LE(largest, 1) << first;
  };
  check(12345, 0x9e3779b97f4a7c15);
  check(0, (1ull << 44) + 12345);
  for (std::uint64_t quarter = 0; quarter < 4; ++quarter)
    for (const int bits : {32, 36, 40}) check((quarter << 62) - (1ull << (bits + 19)), 1ull << bits);
  run(0, 1ull << 62, sine.data(), cosine.data(), 4);
  EXPECT_EQ(std::vector<float>(sine.begin(), sine.begin() + 4), (std::vector<float>{0, 1, 0, -1}));
  EXPECT_EQ(std::vector<float>(cosine.begin(), cosine.begin() + 4), (std::vector<float>{1, 0, -1, 0}));
}

TEST(PreludeMath, Phases) {
  const auto inc = library().get<std::uint64_t(float, float)>("run_phase_inc");
  const auto inc_static = library().get<std::uint64_t(double)>("run_phase_inc_static");
  const auto out = library().get<float(std::uint64_t)>("run_phase_out");
  const float scale = static_cast<float>(4294967296.0 / 44100);
  for (const float f : {0.0f, 440.0f, -440.0f, 0.001f, 22050.0f, 30000.0f, -30000.0f, 1e6f, 1e9f, 3e12f, 12345.678f}) {
    const auto want = static_cast<std::uint64_t>(std::llrint(f * scale)) << 32;
    EXPECT_EQ(inc(f, scale), want) << f;
  }
  for (const float f : {inf, -inf, nan_f, 1e38f, -1e38f}) EXPECT_EQ(inc(f, scale), 0u) << f;
  EXPECT_EQ(inc(0.5f, 4294967296.0f), 1ull << 63);
  EXPECT_EQ(inc(-0.5f, 4294967296.0f), 1ull << 63);
  EXPECT_EQ(inc_static(0.5), 1ull << 63);
  EXPECT_EQ(inc_static(-0.5), 1ull << 63);
  EXPECT_EQ(inc_static(0.25), 1ull << 62);
  EXPECT_EQ(inc_static(-0.25), 3ull << 62);
  EXPECT_EQ(inc_static(7.25), 1ull << 62);
  EXPECT_EQ(inc_static(0x1p-64), 1u);
  EXPECT_EQ(inc_static(0x1.1p-64), 1u);
  EXPECT_EQ(inc_static(-0x1p-64), ~0ull);
  EXPECT_EQ(inc_static(0x1p-66), 0u);
  EXPECT_EQ(inc_static(double(inf)), 0u);
  EXPECT_EQ(inc_static(double(nan_f)), 0u);
  EXPECT_EQ(inc_static(1e300), 0u);
  EXPECT_EQ(inc_static(0.1), static_cast<std::uint64_t>(0.1 * 0x1p64));
  EXPECT_EQ(out(~0ull), 1.0f - 0x1p-24f);
  EXPECT_EQ(out(1ull << 63), 0.5f);
  EXPECT_EQ(out((1ull << 40) - 1), 0.0f);
}

TEST(PreludeMath, CompilersAgreeBitForBit) {
  if (!have_compiler("gcc") || !have_compiler("clang")) GTEST_SKIP() << "needs gcc and clang";
  const TextLibrary scalar(wrappers(), "gcc", "-fno-tree-vectorize");
  for (const Function& f : function_bounds) {
    const std::vector<float> x = sweep(-inf, inf, 1 << 18);
    std::vector<float> a(x.size()), b(x.size()), c(x.size());
    const std::string name = std::string("run_") + f.name;
    library("gcc").get<Unary>(name)(x.data(), a.data(), static_cast<long>(x.size()));
    library("clang").get<Unary>(name)(x.data(), b.data(), static_cast<long>(x.size()));
    scalar.get<Unary>(name)(x.data(), c.data(), static_cast<long>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(a[i]) && std::isnan(b[i]) && std::isnan(c[i])) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(b[i])) << f.name << " " << x[i];
      ASSERT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(c[i])) << f.name << " " << x[i];
    }
  }
  std::vector<float> x = sweep(-inf, inf, 1 << 18), y(x.rbegin(), x.rend()), a(x.size()), b(x.size());
  for (const char* name : {"pow", "atan2", "mod"}) {
    library("gcc").get<Binary>(std::string("run_") + name)(x.data(), y.data(), a.data(), static_cast<long>(x.size()));
    library("clang").get<Binary>(std::string("run_") + name)(x.data(), y.data(), b.data(), static_cast<long>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << name;
  }
}

TEST(PreludeMath, CallsGiveTheSameBits) {
  const std::string often[] = {"dg_sin", "dg_tanh", "dg_exp", "dg_log", "dg_pow"};
  std::map<std::string_view, int> calls;
  for (const std::string& name : often) calls[name] = 100;
  ASSERT_NE(wrappers(calls), wrappers());
  const TextLibrary called(wrappers(calls));
  const std::vector<float> x = sweep(-inf, inf, 1 << 18), y(x.rbegin(), x.rend());
  std::vector<float> a(x.size()), b(x.size());
  for (const std::string& function : often) {
    const std::string name = "run_" + function.substr(3);
    for (const TextLibrary* text : {&library(), &called}) {
      std::vector<float>& out = text == &called ? a : b;
      if (function == "dg_pow") text->get<Binary>(name)(x.data(), y.data(), out.data(), static_cast<long>(x.size()));
      else text->get<Unary>(name)(x.data(), out.data(), static_cast<long>(x.size()));
    }
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << name << " " << x[i];
  }
}

TEST(PreludeMath, CudaTextCompiles) {
  const std::string text = codegen::prelude_math(Target::cuda) +
                           "extern \"C\" __global__ void k(float *x, unsigned long long *p) {\n"
                           "  x[0] = dg_sin(x[0]) + dg_pow(x[1], x[2]) + dg_noise(p[0], 1, 2);\n"
                           "  p[0] = dg_phase_inc(x[0], x[1]) + dg_phase_inc_static(x[2]);\n}\n";
  const std::string errors = compile_cuda(text);
  if (errors == "absent") GTEST_SKIP() << "libnvrtc is not installed";
  EXPECT_EQ(errors, "");
}

TEST(PreludeMath, MetalTextRenders) {
  const std::string text = codegen::prelude_math(Target::metal);
  EXPECT_NE(text.find("as_type<float>"), std::string::npos);
  EXPECT_EQ(text.find("__builtin"), std::string::npos);
}

}  // namespace
}  // namespace dgen::test
