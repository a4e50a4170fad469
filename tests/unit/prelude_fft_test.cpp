// The emitted Fourier transforms against sums in double.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "base/fft_size.h"
#include "base/noise.h"
#include "codegen/prelude.h"
#include "support/sanitized.h"
#include "unit/prelude_test_util.h"

namespace dgen::test {
namespace {

using codegen::FftPlan;
using codegen::Target;
using Transform = void(const float*, float*);
using Complex = std::complex<double>;

const int sizes[] = {1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 16, 20, 25, 27, 32, 60, 64, 75, 100, 128, 243, 256, 512, 1000, 1024, 1875, 2048, 3000};
const int large[] = {4096, 16384, 65536, 59049, 62500};

const int few[] = {1, 6, 15, 64, 100, 243, 1024, 2048, 16384};

std::string text(std::span<const int> all, std::span<const int> more = {}) {
  std::vector<FftPlan> plans;
  std::string exports = "int lanes(void) { return DG_W; }\n";
  const auto add = [&](int n) {
    for (const auto& [kind, name] :
         {std::pair{FftPlan::rfft, "rfft"}, {FftPlan::irfft, "irfft"}, {FftPlan::fft, "fft"}, {FftPlan::ifft, "ifft"}}) {
      plans.push_back({kind, n, true});
      const std::string f = std::string(name) + "_" + std::to_string(n);
      exports += "void run_" + f + "(const float *in, float *out) { dg_" + f + "(in, out); }\n";
      exports += "void lanes_" + f + "(const float *in, float *out) { dg_" + f + "_v((const dg_vf *)in, (dg_vf *)out); }\n";
    }
  };
  for (const int n : all) add(n);
  for (const int n : more) add(n);
  const std::string body = codegen::prelude_fft(Target::c, plans) + exports;
  return codegen::prelude_math(Target::c) + codegen::prelude_vector(Target::c, body) + body;
}

const TextLibrary& library() {
  static const TextLibrary value(text(sizes, large));
  return value;
}

Transform* function(const char* name, int n) {
  return library().get<Transform>(std::string("run_") + name + "_" + std::to_string(n));
}

std::vector<float> noise(int n, int seed) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    x[static_cast<std::size_t>(i)] = noise_value(static_cast<std::uint64_t>(seed), 0, static_cast<std::uint64_t>(i));
  return x;
}

// Mixed-radix recursion in double: exact enough to judge float32, and fast for the large sizes.
std::vector<Complex> reference(const std::vector<Complex>& x, int sign) {
  const std::size_t n = x.size();
  std::size_t r = n;
  for (const std::size_t p : {5u, 3u, 2u})
    if (n % p == 0) r = p;
  std::vector<Complex> out(n);
  const auto root = [&](std::size_t k) {
    return std::polar(1.0, sign * 2 * 3.14159265358979323846 * static_cast<double>(k % n) / static_cast<double>(n));
  };
  if (n <= 32 || r == n) {
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < n; ++j) out[k] += x[j] * root(j * k);
    return out;
  }
  const std::size_t m = n / r;
  std::vector<std::vector<Complex>> parts(r, std::vector<Complex>(m));
  for (std::size_t j = 0; j < n; ++j) parts[j % r][j / r] = x[j];
  for (auto& part : parts) part = reference(part, sign);
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t j = 0; j < r; ++j) out[k] += parts[j][k % m] * root(j * k);
  return out;
}

struct Worst {
  double value = 0;
  int n = 0;
};

void check(const char* kind, int n, Worst& worst, const std::vector<Complex>& want, const float* re, const float* im,
           std::size_t count) {
  double peak = 0, error = 0;
  for (std::size_t k = 0; k < count; ++k) {
    peak = std::max(peak, std::abs(want[k]));
    error = std::max(error, std::abs(want[k] - Complex(re[k], im ? im[k] : want[k].imag())));
  }
  const double relative = error / peak / std::max(1.0, std::log2(n));
  if (relative > worst.value) worst = {relative, n};
  EXPECT_LT(relative, 3e-7) << kind << " " << n;
}

void check_size(int n, Worst (&worst)[4]) {
  const auto count = static_cast<std::size_t>(n), bins = count / 2 + 1;
  const std::vector<float> x = noise(2 * n + 2, n);
  std::vector<Complex> real(count), full(count), half(count);
  for (std::size_t i = 0; i < count; ++i) real[i] = x[i], full[i] = {x[i], x[i + count]};
  std::vector<float> out(2 * count + 2, 7.0f);
  function("rfft", n)(x.data(), out.data());
  const std::vector<Complex> spectrum = reference(real, -1);
  check("rfft", n, worst[0], spectrum, out.data(), out.data() + bins, bins);
  EXPECT_EQ(out[bins], 0.0f);
  if (n % 2 == 0) {
    EXPECT_EQ(out[2 * bins - 1], 0.0f);
  }
  // the imaginary parts of bins 0 and n/2 are noise here and must not matter
  for (std::size_t k = 0; k < bins; ++k) {
    half[k] = {x[k], k == 0 || 2 * k == count ? 0.0 : x[bins + k]};
    if (k > 0) half[count - k] = std::conj(half[k]);
  }
  std::vector<Complex> inverse = reference(half, 1);
  for (Complex& v : inverse) v /= n;
  function("irfft", n)(x.data(), out.data());
  check("irfft", n, worst[1], inverse, out.data(), nullptr, count);
  function("fft", n)(x.data(), out.data());
  check("fft", n, worst[2], reference(full, -1), out.data(), out.data() + n, count);
  function("ifft", n)(x.data(), out.data());
  inverse = reference(full, 1);
  for (Complex& v : inverse) v /= n;
  check("ifft", n, worst[3], inverse, out.data(), out.data() + n, count);
}

TEST(PreludeFft, AgreesWithSumsInDouble) {
  Worst worst[4];
  for (const int n : sizes) check_size(n, worst);
  if (!kSanitized)
    for (const int n : large) check_size(n, worst);  // sums in double take long
  for (int i = 0; i < 4; ++i)
    std::printf("kind %d: largest error / peak / log2(n) %.3g at n = %d\n", i, worst[i].value, worst[i].n);
}

// DG_W transforms at once: each has the bits of a single one.
void check_lanes(const TextLibrary& code, std::span<const int> all) {
  const int w = code.get<int()>("lanes")();
  const auto run = [&](const std::string& name, int n) {
    const auto room = static_cast<size_t>(2 * n + 2), lanes = static_cast<size_t>(w);
    const std::vector<float> x = noise(static_cast<int>(room) * w, n);
    std::vector<float> one(room), single(room);
    auto aligned = [&] {
      return std::unique_ptr<float, decltype(&std::free)>(static_cast<float*>(std::aligned_alloc(64, (room * lanes * 4 + 63) / 64 * 64)),
                                                          &std::free);
    };
    auto in = aligned(), out = aligned();
    for (size_t i = 0; i < room * lanes; ++i) in.get()[i] = x[i], out.get()[i] = 7;
    const std::string f = name + "_" + std::to_string(n);
    code.get<Transform>("lanes_" + f)(in.get(), out.get());
    for (size_t l = 0; l < lanes; ++l) {
      for (size_t i = 0; i < room; ++i) one[i] = x[i * lanes + l], single[i] = 7;
      code.get<Transform>("run_" + f)(one.data(), single.data());
      for (size_t i = 0; i < room; ++i)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(single[i]), std::bit_cast<std::uint32_t>(out.get()[i * lanes + l]))
            << f << " lane " << l << " at " << i;
    }
  };
  for (const char* name : {"rfft", "irfft", "fft", "ifft"})
    for (const int n : all) run(name, n);
}

TEST(PreludeFft, EachLaneIsTheSingleTransform) {
  check_lanes(library(), sizes);
  check_lanes(library(), large);
}
TEST(PreludeFft, EachLaneIsTheSingleTransformClang) {
  if (!have_compiler("clang")) GTEST_SKIP() << "needs clang";
  check_lanes(TextLibrary(text(few), "clang"), few);
}
#ifdef __x86_64__
TEST(PreludeFft, CompilesForArm) {
  if (!have_compiler("clang")) GTEST_SKIP() << "needs clang";
  EXPECT_TRUE(compiles_for_arm(text(few)));
}

TEST(PreludeFft, EachLaneIsTheSingleTransformSse2) { check_lanes(TextLibrary(text(few), "cc", "-march=x86-64"), few); }
#endif

TEST(PreludeFft, RoundTripParsevalLinearity) {
  for (const int n : {8, 60, 243, 1024, 3000}) {
    const auto count = static_cast<std::size_t>(n), bins = count / 2 + 1;
    const std::vector<float> x = noise(n, 1), y = noise(n, 2);
    std::vector<float> fx(2 * bins), fy(2 * bins), fs(2 * bins), s(count), back(count);
    for (std::size_t i = 0; i < count; ++i) s[i] = x[i] + 2 * y[i];
    const auto forward = function("rfft", n);
    forward(x.data(), fx.data());
    forward(y.data(), fy.data());
    forward(s.data(), fs.data());
    double energy = 0, power = 0, scale = std::sqrt(double(n));
    for (std::size_t k = 0; k < 2 * bins; ++k) EXPECT_NEAR(fs[k], fx[k] + 2 * fy[k], 4e-6 * scale);
    for (std::size_t k = 0; k < bins; ++k)
      power += (k == 0 || 2 * k == count ? 1 : 2) * (double(fx[k]) * fx[k] + double(fx[k + bins]) * fx[k + bins]);
    for (const float v : x) energy += double(v) * v;
    EXPECT_NEAR(power / n, energy, 1e-6 * energy);
    function("irfft", n)(fx.data(), back.data());
    for (std::size_t i = 0; i < count; ++i) EXPECT_NEAR(back[i], x[i], 2e-6);
  }
}

TEST(PreludeFft, SmallKnownSpectra) {
  std::vector<float> out(10);
  const float impulse[8] = {1}, ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  function("rfft", 8)(impulse, out.data());
  for (int k = 0; k < 5; ++k) EXPECT_EQ(out[static_cast<std::size_t>(k)], 1.0f);
  function("rfft", 8)(ones, out.data());
  EXPECT_EQ(out[0], 8.0f);
  for (std::size_t k = 1; k < 10; ++k) EXPECT_EQ(out[k], 0.0f);
}

TEST(PreludeFft, Sizes) {
  EXPECT_TRUE(fft_size_ok(1) && fft_size_ok(65536) && fft_size_ok(60) && fft_size_ok(59049));
  EXPECT_FALSE(fft_size_ok(0) || fft_size_ok(-4) || fft_size_ok(7) || fft_size_ok(131072) || fft_size_ok(1022));
  EXPECT_EQ(nearest_fft_size(1023), 1024);
  EXPECT_EQ(nearest_fft_size(7), 8);
  EXPECT_EQ(nearest_fft_size(0), 1);
  EXPECT_EQ(nearest_fft_size(1000000), 65536);
}

TEST(PreludeFft, TextIsShort) {
  for (const int n : {4096, 59049, 62500, 65536}) {
    const FftPlan plan[] = {{FftPlan::rfft, n}};
    EXPECT_LT(codegen::prelude_fft(Target::c, plan).size(), 200000u) << n;
  }
}

TEST(PreludeFft, CudaTextCompiles) {
  const FftPlan plans[] = {{FftPlan::rfft, 1024}, {FftPlan::irfft, 60}, {FftPlan::fft, 15}, {FftPlan::ifft, 16384}};
  const std::string text = codegen::prelude_math(Target::cuda) + codegen::prelude_fft(Target::cuda, plans) +
                           "extern \"C\" __global__ void k(const float *x, float *y) {\n"
                           "  dg_rfft_1024(x, y); dg_irfft_60(x, y); dg_fft_15(x, y); dg_ifft_16384(x, y);\n}\n";
  const std::string errors = compile_cuda(text);
  if (errors == "absent") GTEST_SKIP() << "libnvrtc is not installed";
  EXPECT_EQ(errors, "");
}

}  // namespace
}  // namespace dgen::test
