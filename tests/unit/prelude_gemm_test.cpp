// The emitted matrix product against sums in double; rows do not depend on how many there are.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "base/noise.h"
#include "codegen/prelude.h"
#include "ir/lower.h"
#include "unit/prelude_test_util.h"

namespace dgen::test {
namespace {

using codegen::Target;
using Gemm = void(int, int, long, long, long, const float*, long, const float*, long, float*, long, int);

std::string text() {
  const std::string body = codegen::prelude_gemm(Target::c) + R"(
void run_gemm(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb, float *c,
              long ldc, int accumulate) {
  const struct dg_gemm_ends none = {0, 0};
  dg_gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc, accumulate, 0, none);
}
int run_wild(int ta, int tb, long m, long n, long k, const float *a, const float *b, float *c) {
  const struct dg_gemm_ends none = {0, 0};
  return dg_gemm(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n, 0, 1, none);
}
void run_panels(long turn, long m, long n, long k, const float *a, const float *b, float *c) {
  const struct dg_gemm_ends none = {0, 0};
  dg_gemm_panels(turn, m, n, k, a, k, b, c, n, 0, none);
}
void run_columns(long m, long n, long k, long zero, const float *a, const float *b, float *c, long first, long end) {
  dg_matmul_columns(a, b, c, 0, 2, m, n, k, zero, 0, first, end);
}
void run_onto(const float *a, const float *b, double *c, long lda, long zero, long m, long n, long k) {
  dg_matmul_onto(a, b, c, lda, n, m, n, k, n, 1, zero);
}
)";
  return codegen::prelude_math(Target::c) + codegen::prelude_vector(Target::c, body) + body;
}

const TextLibrary& library() {
  static const TextLibrary value(text());
  return value;
}

std::vector<float> noise(long n, std::uint64_t seed) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = noise_value(seed, 0, i);
  return x;
}

struct Case {
  long m, n, k;
};
const Case cases[] = {{1, 1, 1},     {1, 1, 300},  {2, 3, 5},    {5, 1, 70},   {33, 1, 2100}, {6, 16, 8},    {7, 17, 9},    {1, 64, 40},
                      {1, 200, 300}, {2, 130, 64}, {3, 31, 257}, {4, 48, 512}, {13, 8, 100},  {61, 93, 259}, {50, 193, 1},  {100, 200, 30},
                      {12, 400, 10}, {97, 5, 513}, {1500, 1, 3}, {3, 4, 0},    {70, 832, 20}, {70, 512, 30}, {17, 785, 257},
                      {70, 232, 600}, {4, 224, 600}};

TEST(PreludeGemm, AgreesWithSumsInDouble) {
  const auto gemm = library().get<Gemm>("run_gemm");
  double worst = 0;
  for (const Case& s : cases)
    for (int flags = 0; flags < 8; ++flags) {
      const int ta = flags & 1, tb = flags >> 1 & 1, accumulate = flags >> 2;
      const long lda = (ta ? s.m : s.k) + 3, ldb = (tb ? s.k : s.n) + 1, ldc = s.n + 2;
      const std::vector<float> a = noise((ta ? s.k : s.m) * lda + 1, 1), b = noise((tb ? s.n : s.k) * ldb + 1, 2);
      std::vector<float> c = noise(s.m * ldc, 3), before = c;
      gemm(ta, tb, s.m, s.n, s.k, a.data(), lda, b.data(), ldb, c.data(), ldc, accumulate);
      for (long i = 0; i < s.m; ++i)
        for (long j = 0; j < ldc; ++j) {
          const auto at = static_cast<std::size_t>(i * ldc + j);
          if (j >= s.n) {  // the gap between rows stays untouched
            ASSERT_EQ(c[at], before[at]);
            continue;
          }
          double sum = accumulate ? before[at] : 0.0, size = std::fabs(sum);
          for (long p = 0; p < s.k; ++p) {
            const double v = double(a[static_cast<std::size_t>(ta ? p * lda + i : i * lda + p)]) *
                             double(b[static_cast<std::size_t>(tb ? j * ldb + p : p * ldb + j)]);
            sum += v, size += std::fabs(v);
          }
          worst = std::max(worst, std::fabs(c[at] - sum) / (size + 1e-30));
          ASSERT_NEAR(c[at], sum, 1e-6 * size) << s.m << " " << s.n << " " << s.k << " flags " << flags;
        }
    }
  std::printf("largest error / sum of magnitudes %.3g\n", worst);
}

TEST(PreludeGemm, RowsDoNotDependOnTheirNumber) {
  const auto gemm = library().get<Gemm>("run_gemm");
  for (const Case& s : {Case{61, 93, 600}, {20, 128, 300}, {100, 1, 1300}, {19, 17, 40}, {300, 200, 33}, {50, 7, 300}})
    for (int flags = 0; flags < 8; ++flags) {
      const int ta = flags & 1, tb = flags >> 1 & 1, accumulate = flags >> 2;
      const long lda = ta ? s.m : s.k, ldb = tb ? s.k : s.n;
      const std::vector<float> a = noise(s.m * s.k, 1), b = noise(s.n * s.k, 2), start = noise(s.m * s.n, 3);
      std::vector<float> whole = start;
      gemm(ta, tb, s.m, s.n, s.k, a.data(), lda, b.data(), ldb, whole.data(), s.n, accumulate);
      for (const long step : {1L, 2L, 3L, 5L, 12L, 13L}) {
        std::vector<float> parts = start;
        for (long i = 0; i < s.m; i += step)
          gemm(ta, tb, std::min(step, s.m - i), s.n, s.k, a.data() + (ta ? i : i * lda), lda, b.data(), ldb,
               parts.data() + i * s.n, s.n, accumulate);
        ASSERT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)), 0)
            << s.m << " by " << step << " flags " << flags;
      }
    }
}

std::vector<float> in_panels(const std::vector<float>& b, long n, long k) {
  std::vector<float> panels(b.size());
  for (long p = 0; p < k; ++p)
    for (long j = 0; j < n; ++j)
      panels[static_cast<std::size_t>((j / ir::kPanel * k + p) * ir::kPanel + j % ir::kPanel)] = b[static_cast<std::size_t>(p * n + j)];
  return panels;
}

TEST(PreludeGemm, PanelsInAnyTurnAreTheSameSums) {
  const auto gemm = library().get<Gemm>("run_gemm");
  const auto of_panels = library().get<void(long, long, long, long, const float*, const float*, float*)>("run_panels");
  for (const long m : {1L, 2L, 3L, 4L, 9L, 47L, 70L})
    for (const long n : {32L, 96L, 224L, 512L}) {
      const long k = 77;
      const std::vector<float> a = noise(m * k, 1), b = noise(k * n, 2), panels = in_panels(b, n, k);
      std::vector<float> plain(static_cast<std::size_t>(m * n));
      gemm(0, 0, m, n, k, a.data(), k, b.data(), n, plain.data(), n, 0);
      for (const long turn : {0L, 1L, -1L}) {
        std::vector<float> c(plain.size(), 7.0f);
        of_panels(turn, m, n, k, a.data(), panels.data(), c.data());
        EXPECT_EQ(c, plain) << m << " x " << n << " turn " << turn;
      }
    }
}

// Beside an infinite weight a zero stays zero where that is asked, in whichever part its column lies.
TEST(PreludeGemm, ColumnsInPartsAreThoseOfTheWhole) {
  const auto columns =
      library().get<void(long, long, long, long, const float*, const float*, float*, long, long)>("run_columns");
  const long n = 224, k = 77, panel = ir::kPanel;
  for (const long m : {1L, 4L, 9L})
    for (const long zero : {0L, 1L}) {
      std::vector<float> a = noise(m * k, 1), b = noise(k * n, 2), whole(static_cast<std::size_t>(m * n)), parts = whole;
      a[0] = 0, b[5] = b[200] = std::numeric_limits<float>::infinity();
      const std::vector<float> panels = in_panels(b, n, k);
      columns(m, n, k, zero, a.data(), panels.data(), whole.data(), 0, n);
      for (const auto& [first, end] : {std::pair(0L, panel), {panel, 4 * panel}, {4 * panel, n}})
        columns(m, n, k, zero, a.data(), panels.data(), parts.data(), first, end);
      EXPECT_EQ(std::memcmp(parts.data(), whole.data(), sizeof(float) * whole.size()), 0) << m << " rows";
      EXPECT_EQ(std::isfinite(whole[5]), zero == 1);
    }
}

using Onto = void(const float*, const float*, double*, long, long, long, long, long);

TEST(PreludeGemm, OntoAddsSumsOfSomeTermsInDouble) {
  const auto onto = library().get<Onto>("run_onto");
  for (const Case& s : {Case{1, 1, 300}, {1, 200, 40}, {200, 1, 300}, {70, 3, 513}, {3, 70, 513}, {9, 48, 256}, {41, 97, 600},
                        {700, 100, 30}, {330, 53, 260}, {8, 32, 0}}) {
    const std::vector<float> a = noise(s.k * s.m + 1, 1), b = noise(s.k * s.n + 1, 2), start = noise(s.m * s.n, 3);
    std::vector<double> whole(start.begin(), start.end()), parts = whole;
    onto(a.data(), b.data(), whole.data(), s.m, 0, s.m, s.n, s.k);
    for (long i = 0; i < s.m; ++i)
      for (long j = 0; j < s.n; ++j) {
        const auto at = static_cast<std::size_t>(i * s.n + j);
        double sum = start[at], size = 0;
        for (long p = 0; p < s.k; p += 256) {
          float some = 0;
          for (long q = p; q < std::min(s.k, p + 256); ++q) {
            const float x = a[static_cast<std::size_t>(q * s.m + i)], y = b[static_cast<std::size_t>(q * s.n + j)];
            some = std::fma(x, y, some), size += std::fabs(x * y);
          }
          sum += some;
        }
        ASSERT_EQ(whole[at], sum) << s.m << " x " << s.n << " x " << s.k << " at " << i << ", " << j;
      }
    for (long first = 0, rows = 8; first < s.m; first += rows, rows = 24)
      onto(a.data() + first, b.data(), parts.data() + first * s.n, s.m, 0, std::min(rows, s.m - first), s.n, s.k);
    EXPECT_EQ(parts, whole) << "in rows";
  }
}

// A zero of the adjoint, b or a, beside an infinite value adds nothing; where neither is zero the sum is infinite.
TEST(PreludeGemm, OntoKeepsZerosOfTheAdjoint) {
  const auto onto = library().get<Onto>("run_onto");
  for (const Case& s : {Case{41, 97, 600}, {97, 3, 600}, {3, 97, 300}})
    for (const long zero : {0L, 1L, 2L}) {
      std::vector<float> a = noise(s.k * s.m, 1), b = noise(s.k * s.n, 2);
      std::vector<double> c(static_cast<std::size_t>(s.m * s.n), 1.0);
      auto &infinite = zero == 1 ? b : a, &adjoint = zero == 1 ? a : b;
      const long wide = zero == 1 ? s.n : s.m, other = zero == 1 ? s.m : s.n;
      infinite[static_cast<std::size_t>(259 * wide + 2)] = std::numeric_limits<float>::infinity();
      for (long j = 1; j < other; ++j) adjoint[static_cast<std::size_t>(259 * other + j)] = 0;
      onto(a.data(), b.data(), c.data(), s.m, zero, s.m, s.n, s.k);
      for (long i = 0; i < s.m; ++i)
        for (long j = 0; j < s.n; ++j) {
          const bool row = (zero == 1 ? j : i) == 2;
          const bool first = (zero == 1 ? i : j) == 0;
          const double value = c[static_cast<std::size_t>(i * s.n + j)];
          EXPECT_EQ(std::isfinite(value), !row || (zero != 0 && !first)) << i << ", " << j << " " << zero;
        }
    }
}

TEST(PreludeGemm, TellsWhetherAnElementIsWild) {
  const auto gemm = library().get<int(int, int, long, long, long, const float*, const float*, float*)>("run_wild");
  for (const Case& s : {Case{61, 93, 600}, {3, 800, 20}, {40, 1, 777}, {1, 40, 30}})
    for (int flags = 0; flags < 4; ++flags)
      for (const bool last : {false, true}) {
        std::vector<float> a = noise(s.m * s.k, 1), c(static_cast<std::size_t>(s.m * s.n));
        const std::vector<float> b = noise(s.k * s.n, 2);
        EXPECT_EQ(gemm(flags & 1, flags >> 1, s.m, s.n, s.k, a.data(), b.data(), c.data()), 0);
        (last ? a.back() : a.front()) = std::numeric_limits<float>::infinity();
        EXPECT_EQ(gemm(flags & 1, flags >> 1, s.m, s.n, s.k, a.data(), b.data(), c.data()), 1) << s.m << " flags " << flags;
      }
}

TEST(PreludeGemm, CompilesForArm) {
  if (!have_compiler("clang")) GTEST_SKIP() << "needs clang";
  EXPECT_TRUE(compiles_for_arm(text()));
}

TEST(PreludeGemm, CompilersAgreeBitForBit) {
  if (!have_compiler("gcc") || !have_compiler("clang")) GTEST_SKIP() << "needs gcc and clang";
  const TextLibrary gcc(text(), "gcc"), clang(text(), "clang");
  for (const Case& s : {Case{61, 93, 600}, {1, 300, 300}, {40, 1, 777}}) {
    const std::vector<float> a = noise(s.m * s.k, 1), b = noise(s.n * s.k, 2);
    std::vector<float> x(static_cast<std::size_t>(s.m * s.n)), y = x;
    gcc.get<Gemm>("run_gemm")(0, 0, s.m, s.n, s.k, a.data(), s.k, b.data(), s.n, x.data(), s.n, 0);
    clang.get<Gemm>("run_gemm")(0, 0, s.m, s.n, s.k, a.data(), s.k, b.data(), s.n, y.data(), s.n, 0);
    EXPECT_EQ(x, y);
  }
}

TEST(PreludeGemm, CudaTextCompiles) {
  const std::string cuda = codegen::prelude_math(Target::cuda) + codegen::prelude_gemm(Target::cuda) +
                           "extern \"C\" __global__ void k(const float *a, const float *b, float *c) {\n"
                           "  dg_matmul(a, b, c, 0, 1, 3, 4, 5, 0, 0, threadIdx.x, blockDim.x);\n}\n";
  const std::string errors = compile_cuda(cuda);
  if (errors == "absent") GTEST_SKIP() << "libnvrtc is not installed";
  EXPECT_EQ(errors, "");
}

}  // namespace
}  // namespace dgen::test
