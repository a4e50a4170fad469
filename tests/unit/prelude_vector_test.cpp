// Every vector function gives the bits of its scalar twin in every lane, with both compilers and for every width of this machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/noise.h"
#include "codegen/prelude.h"
#include "unit/prelude_test_util.h"

namespace dgen::test {
namespace {

using codegen::Target;
using Unary = void(const float*, float*, long);
using Ternary = void(const float*, const float*, const float*, float*, long);

const char* const unary[] = {"abs",     "floor",    "ceil", "round", "sqrt",    "rsqrt",   "sign",      "not",      "exp", "exp2",
                             "sigmoid", "softplus", "sinh", "cosh",  "tanh",    "log",     "log2",      "log10",    "sin", "cos",
                             "tan",     "asin",     "acos", "atan",  "phase_a", "phase_c", "sin_turns", "cos_turns"};
const char* const binary[] = {"min", "max", "max_or_nan", "lt",   "le",       "gt",  "ge",  "eq",   "ne",
                              "and", "or",  "xor",        "mulz", "copysign", "mod", "pow", "atan2"};
const char* const ternary[] = {"fma", "select"};

std::string runner(const std::string& name, int arguments) {
  const char* list[] = {"(x[i])", "(x[i], y[i])", "(x[i], y[i], z[i])"};
  const char* vectors[] = {"(dg_load_v(x + i))", "(dg_load_v(x + i), dg_load_v(y + i))",
                           "(dg_load_v(x + i), dg_load_v(y + i), dg_load_v(z + i))"};
  std::string head = "(const float *x, const float *y, const float *z, float *out, long n) {\n  for (long i = 0; i < n; i += ";
  return "void scalar_" + name + head + "1) out[i] = dg_" + name + list[arguments - 1] + ";\n}\nvoid vector_" + name + head +
         "DG_W) dg_store_v(out + i, dg_" + name + "_v" + vectors[arguments - 1] + ");\n}\n";
}

// phase_a and the like: integers seen through floats.
constexpr const char* others = R"(
DG_FN float dg_phase_a(float x) { return dg_phase_out(dg_phase_step(x, 48000.0f) + dg_phase_step_static(x, 44100.0f), 0.0f); }
DG_FN dg_vf dg_phase_a_v(dg_vf x) {
  dg_vu one = dg_splat_u(1), step = dg_phase_step_static_v(x, dg_splat(44100.0f));
  return dg_phase_out_v(dg_phase_after_v(dg_phase_step_v(x, dg_splat(48000.0f)), step, one), dg_splat(0.0f));
}
DG_FN float dg_phase_c(float x) { return dg_cos_phase(dg_phase_back(dg_phase_step(x, 48000.0f)), x * 0.0f); }
DG_FN dg_vf dg_phase_c_v(dg_vf x) { return dg_cos_phase_v(dg_phase_back_v(dg_phase_step_v(x, dg_splat(48000.0f))), x * 0.0f); }
void scalar_integers(dg_u64 seed, long first, float x, float *out, long n) {
  for (long i = 0; i < n; ++i, out += 6) {
    dg_u64 phase = dg_noise_top(seed, (dg_u64)i) << 34;
    out[0] = dg_noise(seed, 7, (dg_u64)(first + i));
    out[1] = dg_noise(seed + (dg_u64)i, (dg_u64)i, (dg_u64)first);
    out[2] = dg_phase_out(phase + seed * (dg_u64)(first + i), 0.0f);
    out[3] = (float)((double)(int)i + (double)first);
    out[4] = dg_phase_out(x > (float)i ? 0 : phase, 0.0f);
    out[5] = (float)dg_to_i32(x * (float)i);
  }
}
void vector_integers(dg_u64 seed, long first, float x, float *out, long n) {
  for (long i = 0; i < n; i += DG_W, out += 6 * DG_W) {
    dg_vi at = dg_lanes_v() + (int)i;
    dg_vu wide = dg_widen_v(at), key = dg_splat_u(seed), keys = {key.lo + wide.lo, key.hi + wide.hi};
    dg_vu phase = {dg_noise_top_half(key.lo, wide.lo) << 34, dg_noise_top_half(key.hi, wide.hi) << 34};
    dg_vu ticks = {wide.lo + (dg_u64)first, wide.hi + (dg_u64)first};
    dg_store_strided_v(out, 6, dg_noise_v(key, dg_splat_u(7), ticks));
    dg_store_strided_v(out + 1, 6, dg_noise_v(keys, wide, dg_splat_u((dg_u64)first)));
    dg_store_strided_v(out + 2, 6, dg_phase_out_v(dg_phase_after_v(phase, key, ticks), dg_splat(0.0f)));
    dg_store_strided_v(out + 3, 6, dg_float_from_v(at, (double)first));
    dg_store_strided_v(out + 4, 6, dg_phase_out_v(dg_phase_reset_v(x - dg_float_v(at), phase), dg_splat(0.0f)));
    dg_store_strided_v(out + 5, 6, dg_float_v(dg_to_int_v(x * dg_float_v(at))));
  }
}
void ramps(dg_u64 phase, dg_u64 step, dg_u64 first, float *scalar, float *vector) {
  dg_store_v(vector, dg_phase_out_v(dg_phase_plus_v(dg_splat_u(phase + step * first), dg_phase_lanes_v(step)), dg_splat(0.0f)));
  for (int i = 0; i < DG_W; ++i) scalar[i] = dg_phase_out(phase + step * (first + (dg_u64)i), 0.0f);
}
int lanes(void) { return DG_W; }
float fold(int kind, const float *x) {
  return kind == 0 ? dg_sum_v(dg_load_v(x)) : kind == 1 ? dg_prod_v(dg_load_v(x)) : dg_peak_v(dg_load_v(x));
}
void move(const float *from, long stride, long n, float *packed, float *back, float *gathered) {
  dg_vf v[64];
  dg_pack_v(v, from, stride, n);
  dg_unpack_v(back, v, stride, n);
  for (long e = 0; e < n; ++e) dg_store_v(packed + e * DG_W, v[e]);
  dg_store_v(gathered, dg_gather_v(from, dg_splat_i(5) + 3 * dg_lanes_v()));
}
void clamped(const float *p, long at, long least, long most, float *out) { dg_store_v(out, dg_clamped_v(p, at, least, most)); }
void phases(const dg_u64 *from, dg_u64 *to) { dg_store_u(to, dg_phase_after_v(dg_load_u(from), dg_splat_u(1), dg_lanes_u())); }
)";

std::string text() {
  std::string body = others;
  for (const char* name : unary) body += runner(name, 1);
  for (const char* name : binary) body += runner(name, 2);
  for (const char* name : ternary) body += runner(name, 3);
  return codegen::prelude_math(Target::c) + codegen::prelude_vector(Target::c, body) + body;
}

// Numbers of every magnitude, around integers and halves, and all pairs of edges.
struct Samples {
  std::vector<float> x, y, z;
  Samples() {
    const float inf = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
    const float edges[] = {0,
                           -0.0f,
                           0.5f,
                           -0.5f,
                           1,
                           -1,
                           1.5f,
                           2,
                           -2,
                           2.5f,
                           -2.5f,
                           3,
                           -3,
                           1e-45f,
                           -1e-45f,
                           1e-40f,
                           1.17549435e-38f,
                           8388607.5f,
                           -8388607.5f,
                           8388608,
                           16777216,
                           2147483520.0f,
                           3e9f,
                           -3e9f,
                           88.7f,
                           -104,
                           89,
                           1e5f,
                           1e10f,
                           most,
                           -most,
                           inf,
                           -inf,
                           std::numeric_limits<float>::quiet_NaN()};
    for (float a : edges)
      for (float b : edges) x.push_back(a), y.push_back(b), z.push_back(a * b);
    for (std::uint64_t i = 0; i < 1 << 16; ++i) {
      auto any = [i](std::uint64_t k) { return std::bit_cast<float>(static_cast<std::uint32_t>(noise_bits(k, 0, i))); };
      auto near = [i](std::uint64_t k, float span) { return span * noise_value(k, 1, i); };
      x.push_back(any(1)), y.push_back(any(2)), z.push_back(any(3));
      x.push_back(near(1, 4)), y.push_back(near(2, 4)), z.push_back(near(3, 4));
      x.push_back(near(1, 120)), y.push_back(near(2, 1)), z.push_back(near(3, 100));
      x.push_back(std::round(near(1, 40)) / 2), y.push_back(std::round(near(2, 6))), z.push_back(0);
    }
    while (x.size() % 16) x.push_back(1), y.push_back(2), z.push_back(3);
  }
  long size() const { return static_cast<long>(x.size()); }
};

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

// A square root's digits are those of a float in [1, 4) with the same significand.
void every_sqrt(const TextLibrary& library) {
  std::vector<float> x(1 << 16), scalar(x.size()), vector(x.size());
  const auto n = static_cast<long>(x.size());
  int64_t wrong = 0;
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(1.0f); bits < std::bit_cast<std::uint32_t>(4.0f);) {
    for (float& v : x) v = std::bit_cast<float>(bits++);
    library.get<Ternary>("scalar_sqrt")(x.data(), x.data(), x.data(), scalar.data(), n);
    library.get<Ternary>("vector_sqrt")(x.data(), x.data(), x.data(), vector.data(), n);
    for (size_t i = 0; i < x.size(); ++i) wrong += !same(scalar[i], vector[i]);
  }
  EXPECT_EQ(wrong, 0);
}

void compare(const TextLibrary& library) {
  static const Samples samples;
  std::vector<float> scalar(samples.x.size()), vector(samples.x.size());
  auto all = [&](const char* name) {
    library.get<Ternary>(std::string("scalar_") + name)(samples.x.data(), samples.y.data(), samples.z.data(), scalar.data(),
                                                        samples.size());
    library.get<Ternary>(std::string("vector_") + name)(samples.x.data(), samples.y.data(), samples.z.data(), vector.data(),
                                                        samples.size());
    int wrong = 0;
    for (size_t i = 0; i < scalar.size(); ++i)
      if (!same(scalar[i], vector[i]) && ++wrong == 1)
        ADD_FAILURE() << name << " of " << samples.x[i] << ", " << samples.y[i] << ", " << samples.z[i] << ": " << scalar[i]
                      << " and in lanes " << vector[i];
    EXPECT_EQ(wrong, 0) << name;
  };
  for (const char* name : unary) all(name);
  for (const char* name : binary) all(name);
  for (const char* name : ternary) all(name);
  every_sqrt(library);

  using Integers = void(std::uint64_t, long, float, float*, long);
  const long ticks = 4096;
  std::vector<float> a(6 * ticks), b(6 * ticks);
  for (long first : {0L, 12345L, (1L << 40) + 7}) {
    library.get<Integers>("scalar_integers")(0x123456789abcdefull * 77, first, 1000.5f, a.data(), ticks);
    library.get<Integers>("vector_integers")(0x123456789abcdefull * 77, first, 1000.5f, b.data(), ticks);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(same(a[i], b[i])) << "column " << i % 6 << ", tick " << i / 6 << ": " << a[i] << " and in lanes " << b[i];
    }
    const int w = library.get<int()>("lanes")();
    std::vector<float> c(static_cast<size_t>(w)), d(c);
    library.get<void(std::uint64_t, std::uint64_t, std::uint64_t, float*, float*)>("ramps")(
        ~0ull / 3, 0x3456789abcdef012ull, static_cast<std::uint64_t>(first), c.data(), d.data());
    for (size_t i = 0; i < c.size(); ++i) EXPECT_TRUE(same(c[i], d[i]));
  }
}

void check_moves(const TextLibrary& library) {
  const int w = library.get<int()>("lanes")();
  std::vector<float> from(16 * 53);
  for (size_t i = 0; i < from.size(); ++i) from[i] = noise_value(5, 0, i);
  using Block = std::pair<long, long>;
  for (auto [n, stride] : {Block{1, 53}, {2, 53}, {3, 53}, {4, 53}, {8, 53}, {16, 53}, {19, 53}, {32, 53}, {53, 53}, {2, 2}}) {
    std::vector<float> packed(static_cast<size_t>(n * w)), back(from.size()), gathered(16);
    library.get<void(const float*, long, long, float*, float*, float*)>("move")(from.data(), stride, n, packed.data(), back.data(),
                                                                                gathered.data());
    for (long e = 0; e < n; ++e)
      for (long l = 0; l < w; ++l) {
        ASSERT_EQ(packed[static_cast<size_t>(e * w + l)], from[static_cast<size_t>(l * stride + e)]);
        ASSERT_EQ(back[static_cast<size_t>(l * stride + e)], from[static_cast<size_t>(l * stride + e)]);
      }
    for (int l = 0; l < w; ++l) ASSERT_EQ(gathered[static_cast<size_t>(l)], from[static_cast<size_t>(5 + 3 * l)]);
  }
  for (auto [least, most] : {std::pair<long, long>(0, 52), {1, 31}, {3, 20}, {7, 7}})
    for (long at = -40; at < 90; ++at) {
      float got[16];
      library.get<void(const float*, long, long, long, float*)>("clamped")(from.data(), at, least, most, got);
      for (int l = 0; l < w; ++l) ASSERT_EQ(got[l], from[static_cast<size_t>(std::clamp(at + l, least, most))]);
    }
  std::vector<float> tree[3];
  for (auto& t : tree) t.assign(from.begin(), from.begin() + w);
  for (size_t h = static_cast<size_t>(w) / 2; h; h /= 2)
    for (size_t j = 0; j < h; ++j)
      tree[0][j] += tree[0][j + h], tree[1][j] *= tree[1][j + h], tree[2][j] = std::max(tree[2][j], tree[2][j + h]);
  for (int kind = 0; kind < 3; ++kind) EXPECT_EQ(library.get<float(int, const float*)>("fold")(kind, from.data()), tree[kind][0]) << kind;
  from[1] = std::nanf("");
  EXPECT_TRUE(std::isnan(library.get<float(int, const float*)>("fold")(2, from.data())));
  std::uint64_t phases[16], after[16];
  for (std::uint64_t i = 0; i < 16; ++i) phases[i] = ~i;
  library.get<void(const std::uint64_t*, std::uint64_t*)>("phases")(phases, after);
  for (int i = 0; i < w; ++i) EXPECT_EQ(after[i], ~0ull);
}

void check(const std::string& compiler, const std::string& flags) {
  if (!have_compiler(compiler)) GTEST_SKIP() << "needs " << compiler;
  const TextLibrary library(text(), compiler, "-O2 -Wno-psabi " + flags);
  compare(library);
  check_moves(library);
}

TEST(PreludeVector, EachLaneIsTheScalarGcc) { check("gcc", ""); }
TEST(PreludeVector, EachLaneIsTheScalarClang) { check("clang", ""); }
#ifdef __x86_64__
TEST(PreludeVector, EachLaneIsTheScalarGccSse2) { check("gcc", "-march=x86-64"); }
TEST(PreludeVector, EachLaneIsTheScalarClangSse2) { check("clang", "-march=x86-64"); }
TEST(PreludeVector, EachLaneIsTheScalarGccSse4) { check("gcc", "-march=x86-64-v2"); }
TEST(PreludeVector, EachLaneIsTheScalarGccAvx2) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "no AVX2";
  check("gcc", "-march=x86-64-v3");
}
TEST(PreludeVector, CompilesForAvx512) {
  for (const char* compiler : {"gcc", "clang"})
    if (have_compiler(compiler)) TextLibrary(text(), compiler, "-O1 -march=x86-64-v4");
}
#endif

TEST(PreludeVector, CompilesForArm) {
  if (!have_compiler("clang")) GTEST_SKIP() << "needs clang";
  EXPECT_TRUE(compiles_for_arm(text()));
}

// Only what is called is in the text; long functions called often are functions of their own.
TEST(PreludeVector, TextHoldsWhatIsCalled) {
  EXPECT_EQ(codegen::prelude_vector(Target::c, "dg_sin(x)"), "");
  EXPECT_EQ(codegen::prelude_vector(Target::cuda, "dg_sin_v(x)"), "");
  const std::string one = codegen::prelude_vector(Target::c, "dg_sin_v(x)");
  EXPECT_NE(one.find(" dg_minus_pi_v("), std::string::npos);
  EXPECT_EQ(one.find(" dg_exp_v("), std::string::npos);
  EXPECT_EQ(one.find("dg_sin_v_call"), std::string::npos);
  std::string many;
  for (int i = 0; i < 40; ++i) many += "dg_sin_v(x) ";
  EXPECT_NE(codegen::prelude_vector(Target::c, many).find("dg_sin_v_call"), std::string::npos);
}

}  // namespace
}  // namespace dgen::test
