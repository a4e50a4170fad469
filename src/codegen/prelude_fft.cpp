// Text of Fourier transforms of fixed sizes: Stockham passes of radix 8, 4, 5, 3, 2 on split real and imaginary arrays.
// One pass of radix r reads n/r butterflies at distance n/r and writes them sorted (decimation in frequency):
//   y[q + s (r p + k)] = W_n^(p s k) sum_j x[q + s (p + m j)] W_r^(j k),  p < m = n/(r s), q < s, W_n = e^(-2 pi i/n)
// s is the product of the radices before. The pass with s = 1 vectorises over p, all others over q. Real transforms of
// even length pack pairs of samples as complex numbers. The inverse is the forward transform with both parts swapped.
#include "codegen/prelude.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>

#include "base/check.h"
#include "base/fft_size.h"

namespace dgen::codegen {
namespace {

constexpr const char* header_c = R"(
#define DG_FFT static __attribute__((unused, noinline)) void
#define DG_TABLE static const float
#define DG_TABLE_TYPE const float
#define DG_ALIGN __attribute__((aligned(64)))
)";
constexpr const char* header_cuda = R"(
#define DG_FFT static __device__ void
#define DG_TABLE static __device__ const float
#define DG_TABLE_TYPE const float
#define DG_ALIGN
)";
constexpr const char* header_metal = R"(
#define DG_FFT static void
#define DG_TABLE constant float
#define DG_TABLE_TYPE constant float
#define DG_ALIGN
)";

constexpr const char* passes = R"(
typedef struct { float r, i; } dg_complex;
DG_FN dg_complex dg_c(float r, float i) { dg_complex c; c.r = r; c.i = i; return c; }
DG_FN dg_complex dg_cadd(dg_complex a, dg_complex b) { return dg_c(a.r + b.r, a.i + b.i); }
DG_FN dg_complex dg_csub(dg_complex a, dg_complex b) { return dg_c(a.r - b.r, a.i - b.i); }
DG_FN dg_complex dg_cmul(dg_complex a, dg_complex b) {
  return dg_c(DG_FMA(a.r, b.r, -(a.i * b.i)), DG_FMA(a.r, b.i, a.i * b.r));
}
DG_FN dg_complex dg_cscale(dg_complex a, float f) { return dg_c(a.r * f, a.i * f); }
DG_FN dg_complex dg_cfma(float f, dg_complex a, dg_complex b) { return dg_c(DG_FMA(f, a.r, b.r), DG_FMA(f, a.i, b.i)); }
DG_FN dg_complex dg_cdown(dg_complex a) { return dg_c(a.i, -a.r); } /* times -i */

#define DG_PASS(name) \
  DG_TEMPLATE(typename X, typename Y, typename W) \
  DG_FN void name(int m, int s, DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) yr, DG_OUT(Y) yi, DG_IN(W) wr, DG_IN(W) wi)
#define DG_LOAD(j) dg_c(xr[q + s * (p + m * (j))], xi[q + s * (p + m * (j))])
#define DG_STORE(radix, k, v) \
  { dg_complex v_ = v; yr[q + s * (radix * p + k)] = v_.r; yi[q + s * (radix * p + k)] = v_.i; }

DG_PASS(dg_pass2) {
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_c(wr[p * s], wi[p * s]);
    for (int q = 0; q < s; ++q) {
      dg_complex a = DG_LOAD(0), b = DG_LOAD(1);
      DG_STORE(2, 0, dg_cadd(a, b))
      DG_STORE(2, 1, dg_cmul(dg_csub(a, b), w))
    }
  }
}
DG_PASS(dg_pass3) {
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_c(wr[p * s], wi[p * s]), w2 = dg_cmul(w, w);
    for (int q = 0; q < s; ++q) {
      dg_complex a = DG_LOAD(0), b = DG_LOAD(1), c = DG_LOAD(2);
      dg_complex t = dg_cadd(b, c), u = dg_cfma(-0.5f, t, a), v = dg_cdown(dg_cscale(dg_csub(b, c), 0.866025404f));
      DG_STORE(3, 0, dg_cadd(a, t))
      DG_STORE(3, 1, dg_cmul(dg_cadd(u, v), w))
      DG_STORE(3, 2, dg_cmul(dg_csub(u, v), w2))
    }
  }
}
DG_PASS(dg_pass4) {
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_c(wr[p * s], wi[p * s]), w2 = dg_cmul(w, w), w3 = dg_cmul(w, w2);
    for (int q = 0; q < s; ++q) {
      dg_complex a = DG_LOAD(0), b = DG_LOAD(1), c = DG_LOAD(2), d = DG_LOAD(3);
      dg_complex t = dg_cadd(a, c), u = dg_csub(a, c), v = dg_cadd(b, d), z = dg_cdown(dg_csub(b, d));
      DG_STORE(4, 0, dg_cadd(t, v))
      DG_STORE(4, 1, dg_cmul(dg_cadd(u, z), w))
      DG_STORE(4, 2, dg_cmul(dg_csub(t, v), w2))
      DG_STORE(4, 3, dg_cmul(dg_csub(u, z), w3))
    }
  }
}
DG_PASS(dg_pass5) {
  const float c1 = 0.309016994f, c2 = -0.809016994f, s1 = 0.951056516f, s2 = 0.587785252f; /* of 72 and 144 degrees */
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_c(wr[p * s], wi[p * s]), w2 = dg_cmul(w, w), w3 = dg_cmul(w, w2), w4 = dg_cmul(w2, w2);
    for (int q = 0; q < s; ++q) {
      dg_complex a = DG_LOAD(0), b = DG_LOAD(1), c = DG_LOAD(2), d = DG_LOAD(3), e = DG_LOAD(4);
      dg_complex be = dg_cadd(b, e), cd = dg_cadd(c, d), eb = dg_csub(b, e), dc = dg_csub(c, d);
      dg_complex t = dg_cfma(c2, cd, dg_cfma(c1, be, a)), u = dg_cfma(c1, cd, dg_cfma(c2, be, a));
      dg_complex v = dg_cdown(dg_cfma(s2, dc, dg_cscale(eb, s1))), z = dg_cdown(dg_cfma(-s1, dc, dg_cscale(eb, s2)));
      DG_STORE(5, 0, dg_cadd(a, dg_cadd(be, cd)))
      DG_STORE(5, 1, dg_cmul(dg_cadd(t, v), w))
      DG_STORE(5, 2, dg_cmul(dg_cadd(u, z), w2))
      DG_STORE(5, 3, dg_cmul(dg_csub(u, z), w3))
      DG_STORE(5, 4, dg_cmul(dg_csub(t, v), w4))
    }
  }
}
DG_PASS(dg_pass8) {
  const float h = 0.707106781f; /* sqrt(1/2) */
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_c(wr[p * s], wi[p * s]), w2 = dg_cmul(w, w), w3 = dg_cmul(w, w2), w4 = dg_cmul(w2, w2);
    dg_complex w5 = dg_cmul(w2, w3), w6 = dg_cmul(w3, w3), w7 = dg_cmul(w3, w4);
    for (int q = 0; q < s; ++q) {
      dg_complex a = dg_cadd(DG_LOAD(0), DG_LOAD(4)), e = dg_csub(DG_LOAD(0), DG_LOAD(4));
      dg_complex b = dg_cadd(DG_LOAD(1), DG_LOAD(5)), f = dg_csub(DG_LOAD(1), DG_LOAD(5));
      dg_complex c = dg_cadd(DG_LOAD(2), DG_LOAD(6)), g = dg_cdown(dg_csub(DG_LOAD(2), DG_LOAD(6)));
      dg_complex d = dg_cadd(DG_LOAD(3), DG_LOAD(7)), k = dg_csub(DG_LOAD(3), DG_LOAD(7));
      f = dg_cscale(dg_c(f.r + f.i, f.i - f.r), h); /* times e^(-i pi/4) */
      k = dg_cscale(dg_c(k.i - k.r, -k.r - k.i), h); /* times e^(-3 i pi/4) */
      dg_complex t = dg_cadd(a, c), u = dg_csub(a, c), v = dg_cadd(b, d), z = dg_cdown(dg_csub(b, d));
      DG_STORE(8, 0, dg_cadd(t, v))
      DG_STORE(8, 2, dg_cmul(dg_cadd(u, z), w2))
      DG_STORE(8, 4, dg_cmul(dg_csub(t, v), w4))
      DG_STORE(8, 6, dg_cmul(dg_csub(u, z), w6))
      t = dg_cadd(e, g), u = dg_csub(e, g), v = dg_cadd(f, k), z = dg_cdown(dg_csub(f, k));
      DG_STORE(8, 1, dg_cmul(dg_cadd(t, v), w))
      DG_STORE(8, 3, dg_cmul(dg_cadd(u, z), w3))
      DG_STORE(8, 5, dg_cmul(dg_csub(t, v), w5))
      DG_STORE(8, 7, dg_cmul(dg_csub(u, z), w7))
    }
  }
}
/* w[h B + l] = high[h] low[l]: the long tables from two short ones. */
DG_TEMPLATE(typename X, typename Y)
DG_FN void dg_twiddles(int rows, int columns, DG_IN(X) hr, DG_IN(X) hi, DG_IN(X) lr, DG_IN(X) li, DG_OUT(Y) wr, DG_OUT(Y) wi) {
  for (int h = 0; h < rows; ++h)
    for (int l = 0; l < columns; ++l) {
      dg_complex w = dg_cmul(dg_c(hr[h], hi[h]), dg_c(lr[l], li[l]));
      wr[h * columns + l] = w.r;
      wi[h * columns + l] = w.i;
    }
}
/* Spectrum of 2h real samples from the transform z of the pairs, and back (scaled by f). Index k and h - k together. */
DG_TEMPLATE(typename X, typename Y, typename W)
DG_FN void dg_untangle(int h, DG_IN(X) zr, DG_IN(X) zi, DG_OUT(Y) yr, DG_OUT(Y) yi, DG_IN(W) wr, DG_IN(W) wi) {
  yr[0] = zr[0] + zi[0], yi[0] = 0.0f;
  yr[h] = zr[0] - zi[0], yi[h] = 0.0f;
  for (int k = 1; k < (h + 1) / 2; ++k) {
    float er = 0.5f * (zr[k] + zr[h - k]), ei = 0.5f * (zi[k] - zi[h - k]);
    dg_complex t = dg_cmul(dg_c(0.5f * (zi[k] + zi[h - k]), 0.5f * (zr[h - k] - zr[k])), dg_c(wr[k], wi[k]));
    yr[k] = er + t.r, yi[k] = ei + t.i;
    yr[h - k] = er - t.r, yi[h - k] = t.i - ei;
  }
  if (h % 2 == 0) yr[h / 2] = zr[h / 2], yi[h / 2] = -zi[h / 2];
}
DG_TEMPLATE(typename X, typename Y, typename W)
DG_FN void dg_tangle(int h, float f, DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) zr, DG_OUT(Y) zi, DG_IN(W) wr, DG_IN(W) wi) {
  zr[0] = f * (xr[0] + xr[h]), zi[0] = f * (xr[0] - xr[h]);
  for (int k = 1; k < (h + 1) / 2; ++k) {
    float er = f * (xr[k] + xr[h - k]), ei = f * (xi[k] - xi[h - k]);
    dg_complex t = dg_cmul(dg_c(f * (xr[k] - xr[h - k]), f * (xi[k] + xi[h - k])), dg_c(wr[k], -wi[k]));
    zr[k] = er - t.i, zi[k] = ei + t.r;
    zr[h - k] = er + t.i, zi[h - k] = t.r - ei;
  }
  if (h % 2 == 0) zr[h / 2] = 2.0f * f * xr[h / 2], zi[h / 2] = -2.0f * f * xi[h / 2];
}
)";

// 8 first, so that all later passes fill vectors; 2 last, where there are no twiddles.
std::vector<int> radices(int n) {
  std::vector<int> out;
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  if (twos >= 3) out.push_back(8), twos -= 3;
  if (twos % 2 == 1 && twos >= 3) out.push_back(8), twos -= 3;
  for (; twos >= 2; twos -= 2) out.push_back(4);
  for (; n % 5 == 0; n /= 5) out.push_back(5);
  for (; n % 3 == 0; n /= 3) out.push_back(3);
  if (twos == 1) out.push_back(2);
  DGEN_ASSERT(n == 1);
  return out;
}

constexpr int longest_table = 2048, table_columns = 256;

// A table of e^(-2 pi i k step / n), k < count.
std::string table(const std::string& name, int n, int step, int count) {
  std::string text;
  for (const bool sine : {false, true}) {
    text += cat("DG_TABLE ", name, sine ? "_i" : "_r", "[", count, "] = {");
    for (int k = 0; k < count; ++k) {
      // exact at multiples of a quarter, and symmetric: reduce to an eighth of a turn first
      const std::int64_t turn = static_cast<std::int64_t>(k) * step % n;
      const double angle = 2 * 3.14159265358979323846 * static_cast<double>(turn) / n;
      double value = sine ? -std::sin(angle) : std::cos(angle);
      if (4 * turn % n == 0) value = std::round(value);
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(static_cast<float>(value)));
      std::string number = digits;
      if (number == "-0") number = "0";
      if (number.find_first_of(".e") == std::string::npos) number += ".0";
      text += number + (k + 1 == count ? "f" : k % 12 == 11 ? "f,\n" : "f,");
    }
    text += "};\n";
  }
  return text;
}

// The factors e^(-2 pi i k/n), k < count: global tables, and the statements that define `wr` and `wi` in a function.
struct Twiddles {
  std::string tables, locals;
  Twiddles(const std::string& name, int n, int count) {
    if (count <= longest_table) {
      tables = table(name, n, 1, std::max(count, 1));
      locals = cat("  DG_TABLE_TYPE *wr = ", name, "_r, *wi = ", name, "_i;\n");
      return;
    }
    const int rows = (count + table_columns - 1) / table_columns;
    tables = table(name + "_low", n, 1, table_columns) + table(name + "_high", n, table_columns, rows);
    locals = cat("  float wr[", rows * table_columns, "] DG_ALIGN, wi[", rows * table_columns,
                 "] DG_ALIGN;\n  dg_twiddles(", rows, ", ", table_columns, ", ", name, "_high_r, ", name, "_high_i, ",
                 name, "_low_r, ", name, "_low_i, wr, wi);\n");
  }
};

// dg_cfft_N(xr, xi, yr, yi): y must not overlap x.
std::string complex_core(int n) {
  const std::string head = cat("DG_TEMPLATE(typename X, typename Y)\nDG_FFT dg_cfft_", n,
                               "(DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) yr, DG_OUT(Y) yi) {\n");
  const std::vector<int> factors = radices(n);
  if (factors.empty()) return head + "  yr[0] = xr[0], yi[0] = xi[0];\n}\n";
  int count = 1;
  for (std::size_t i = 0; i + 1 < factors.size(); ++i) count = std::max(count, n / factors[i]);
  const Twiddles twiddles(cat("dg_w", n), n, count);
  std::string text = twiddles.tables + head + twiddles.locals;
  if (factors.size() > 1) text += cat("  float tr[", n, "] DG_ALIGN, ti[", n, "] DG_ALIGN;\n");
  std::string from = "x";
  for (std::size_t i = 0, s = 1; i < factors.size(); s *= static_cast<std::size_t>(factors[i++])) {
    const std::string to = (factors.size() - i) % 2 == 1 ? "y" : "t";
    const std::size_t m = static_cast<std::size_t>(n) / s / static_cast<std::size_t>(factors[i]);
    text +=
        cat("  dg_pass", factors[i], "(", m, ", ", s, ", ", from, "r, ", from, "i, ", to, "r, ", to, "i, wr, wi);\n");
    from = to;
  }
  return text + "}\n";
}

std::string scale_literal(int n) {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.9ef", static_cast<double>(static_cast<float>(1.0 / n)));
  return digits;
}

const char* kind_name(FftPlan::Kind kind) {
  const char* names[] = {"rfft", "irfft", "fft", "ifft"};
  return names[kind];
}

bool half_size(const FftPlan& plan) {
  return (plan.kind == FftPlan::rfft || plan.kind == FftPlan::irfft) && plan.n % 2 == 0;
}

std::string transform(const FftPlan& plan) {
  const int n = plan.n, h = n / 2, bins = h + 1;
  const std::string head =
      cat("DG_TEMPLATE(typename X, typename Y)\nDG_FFT dg_", kind_name(plan.kind), "_", n, "(DG_IN(X) in, DG_OUT(Y) out) {\n");
  const std::string scale = scale_literal(n);
  if (plan.kind == FftPlan::fft) return cat(head, "  dg_cfft_", n, "(in, in + ", n, ", out, out + ", n, ");\n}\n");
  if (plan.kind == FftPlan::ifft)
    return cat(head, "  dg_cfft_", n, "(in + ", n, ", in, out + ", n, ", out);\n  for (int i = 0; i < ", 2 * n,
               "; ++i) out[i] *= ", scale, ";\n}\n");
  const int size = half_size(plan) ? h : n;
  const std::string work = cat("  float ar[", size, "] DG_ALIGN, ai[", size, "] DG_ALIGN, br[", size, "] DG_ALIGN, bi[",
                               size, "] DG_ALIGN;\n");
  if (!half_size(plan)) {  // odd: a complex transform with zero imaginary part
    if (plan.kind == FftPlan::rfft)
      return cat(head, work, "  for (int i = 0; i < ", n, "; ++i) ar[i] = in[i], ai[i] = 0.0f;\n  dg_cfft_", n,
                 "(ar, ai, br, bi);\n  for (int i = 0; i < ", bins, "; ++i) out[i] = br[i], out[i + ", bins,
                 "] = bi[i];\n  out[", bins, "] = 0.0f;\n}\n");
    return cat(head, work, "  ar[0] = in[0], ai[0] = 0.0f;\n  for (int i = 1; i < ", bins, "; ++i) {\n    ar[i] = ar[",
               n, " - i] = in[i];\n    ai[i] = in[i + ", bins, "];\n    ai[", n, " - i] = -ai[i];\n  }\n  dg_cfft_", n,
               "(ai, ar, bi, br);\n  for (int i = 0; i < ", n, "; ++i) out[i] = br[i] * ", scale, ";\n}\n");
  }
  const std::string pairs = cat("  for (int i = 0; i < ", h, "; ++i) ");
  const std::string locals = Twiddles(cat("dg_u", n), n, (h + 1) / 2).locals;
  if (plan.kind == FftPlan::rfft)
    return cat(head, work, locals, pairs, "ar[i] = in[2 * i], ai[i] = in[2 * i + 1];\n  dg_cfft_", h,
               "(ar, ai, br, bi);\n  dg_untangle(", h, ", br, bi, out, out + ", bins, ", wr, wi);\n}\n");
  return cat(head, work, locals, "  dg_tangle(", h, ", ", scale, ", in, in + ", bins, ", ar, ai, wr, wi);\n  dg_cfft_",
             h, "(ai, ar, bi, br);\n", pairs, "out[2 * i] = br[i], out[2 * i + 1] = bi[i];\n}\n");
}

}  // namespace

std::string prelude_fft(Target target, std::span<const FftPlan> plans) {
  if (plans.empty()) return "";
  std::string text = target == Target::c ? header_c : target == Target::cuda ? header_cuda : header_metal;
  text += passes;
  std::set<std::pair<int, int>> done;
  std::set<int> cores, splits;
  for (const FftPlan& plan : plans) {
    DGEN_ASSERT(fft_size_ok(plan.n));
    if (!done.insert({plan.kind, plan.n}).second) continue;
    const int size = half_size(plan) ? plan.n / 2 : plan.n;
    if (cores.insert(size).second) text += complex_core(size);
    if (half_size(plan) && splits.insert(plan.n).second)
      text += Twiddles(cat("dg_u", plan.n), plan.n, (plan.n / 2 + 1) / 2).tables;
    text += transform(plan);
  }
  return text;
}

}  // namespace dgen::codegen
