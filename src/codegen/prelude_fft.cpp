// Text of Fourier transforms of fixed sizes: radices 8, 4, 5, 3, 2 by decimation in frequency. A level of radix r cuts blocks of
// n into r blocks of m = n/r: block k holds, for p < m, W_n^(p k) sum_j x[p + m j] W_r^(j k), W_n = e^(-2 pi i/n). Of one signal
// this is done in Stockham's order, on split real and imaginary arrays: sorted, and loops vectorise (over p in the first pass,
// over q, the blocks there are, in all others). Of DG_W signals in lanes it is done in place, innermost blocks first, so that
// all but the first level find their block in the cache; a table says where results lie. The butterflies are one text, so
// lanes have the bits of the single transform. Real transforms of even length pack pairs of samples as complex numbers.
// The inverse is the forward transform with both parts swapped.
#include "codegen/prelude.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>

#include "base/check.h"
#include "base/fft_size.h"
#include "codegen/prelude_text.h"

namespace dgen::codegen {
namespace {

constexpr const char* header_c = R"(
#define DG_FFT static __attribute__((unused, noinline)) void
#define DG_TABLE static const float
#define DG_TABLE_TYPE const float
#define DG_ALIGN __attribute__((aligned(64)))
#define DG_LOCAL
)";
constexpr const char* header_cuda = R"(
#define DG_FFT static __device__ void
#define DG_TABLE static __device__ const float
#define DG_TABLE_TYPE const float
#define DG_ALIGN
#define DG_LOCAL
)";
constexpr const char* header_metal = R"(
#define DG_FFT static void
#define DG_TABLE constant float
#define DG_TABLE_TYPE constant float
#define DG_ALIGN
#define DG_LOCAL thread
)";
constexpr const char* complex_type = "typedef struct { float r, i; } dg_complex;\n";

// In place on v[0], v[1], ...; lanewise (prelude_text.h).
constexpr const char* butterflies = R"(
DG_FN dg_complex dg_c(float r, float i) { dg_complex c; c.r = r; c.i = i; return c; }
DG_FN dg_complex dg_cadd(dg_complex a, dg_complex b) { return dg_c(a.r + b.r, a.i + b.i); }
DG_FN dg_complex dg_csub(dg_complex a, dg_complex b) { return dg_c(a.r - b.r, a.i - b.i); }
DG_FN dg_complex dg_cmul(dg_complex a, dg_complex b) { return dg_c(DG_FMA(a.r, b.r, -(a.i * b.i)), DG_FMA(a.r, b.i, a.i * b.r)); }
DG_FN dg_complex dg_cscale(dg_complex a, float f) { return dg_c(a.r * f, a.i * f); }
DG_FN dg_complex dg_cfma(float f, dg_complex a, dg_complex b) { return dg_c(DG_FMA(f, a.r, b.r), DG_FMA(f, a.i, b.i)); }
DG_FN dg_complex dg_cdown(dg_complex a) { return dg_c(a.i, -a.r); }
DG_FN void dg_butterfly2(DG_LOCAL dg_complex *v) {
  dg_complex a = v[0], b = v[1];
  v[0] = dg_cadd(a, b), v[1] = dg_csub(a, b);
}
DG_FN void dg_butterfly3(DG_LOCAL dg_complex *v) {
  dg_complex t = dg_cadd(v[1], v[2]), u = dg_cfma(-0.5f, t, v[0]), w = dg_cdown(dg_cscale(dg_csub(v[1], v[2]), 0.866025404f));
  v[0] = dg_cadd(v[0], t), v[1] = dg_cadd(u, w), v[2] = dg_csub(u, w);
}
DG_FN void dg_butterfly4(DG_LOCAL dg_complex *v) {
  dg_complex t = dg_cadd(v[0], v[2]), u = dg_csub(v[0], v[2]), w = dg_cadd(v[1], v[3]), z = dg_cdown(dg_csub(v[1], v[3]));
  v[0] = dg_cadd(t, w), v[1] = dg_cadd(u, z), v[2] = dg_csub(t, w), v[3] = dg_csub(u, z);
}
DG_FN void dg_butterfly5(DG_LOCAL dg_complex *v) {
  const float c1 = 0.309016994f, c2 = -0.809016994f, s1 = 0.951056516f, s2 = 0.587785252f; /* of 72 and 144 degrees */
  dg_complex be = dg_cadd(v[1], v[4]), cd = dg_cadd(v[2], v[3]), eb = dg_csub(v[1], v[4]), dc = dg_csub(v[2], v[3]);
  dg_complex t = dg_cfma(c2, cd, dg_cfma(c1, be, v[0])), u = dg_cfma(c1, cd, dg_cfma(c2, be, v[0]));
  dg_complex w = dg_cdown(dg_cfma(s2, dc, dg_cscale(eb, s1))), z = dg_cdown(dg_cfma(-s1, dc, dg_cscale(eb, s2)));
  v[0] = dg_cadd(v[0], dg_cadd(be, cd));
  v[1] = dg_cadd(t, w), v[2] = dg_cadd(u, z), v[3] = dg_csub(u, z), v[4] = dg_csub(t, w);
}
DG_FN void dg_butterfly8(DG_LOCAL dg_complex *v) {
  const float h = 0.707106781f; /* sqrt(1/2) */
  dg_complex a = dg_cadd(v[0], v[4]), e = dg_csub(v[0], v[4]), b = dg_cadd(v[1], v[5]), f = dg_csub(v[1], v[5]);
  dg_complex c = dg_cadd(v[2], v[6]), g = dg_cdown(dg_csub(v[2], v[6])), d = dg_cadd(v[3], v[7]), k = dg_csub(v[3], v[7]);
  f = dg_cscale(dg_c(f.r + f.i, f.i - f.r), h); /* times e^(-i pi/4) */
  k = dg_cscale(dg_c(k.i - k.r, -k.r - k.i), h); /* times e^(-3 i pi/4) */
  dg_complex t = dg_cadd(a, c), u = dg_csub(a, c), w = dg_cadd(b, d), z = dg_cdown(dg_csub(b, d));
  v[0] = dg_cadd(t, w), v[2] = dg_cadd(u, z), v[4] = dg_csub(t, w), v[6] = dg_csub(u, z);
  t = dg_cadd(e, g), u = dg_csub(e, g), w = dg_cadd(f, k), z = dg_cdown(dg_csub(f, k));
  v[1] = dg_cadd(t, w), v[3] = dg_cadd(u, z), v[5] = dg_csub(t, w), v[7] = dg_csub(u, z);
}
/* The spectrum of 2h real samples at k and h - k from the transform of their pairs there, w = W_2h^k; */
DG_FN void dg_untangle_pair(DG_LOCAL dg_complex *v, dg_complex w) {
  float er = 0.5f * (v[0].r + v[1].r), ei = 0.5f * (v[0].i - v[1].i);
  dg_complex t = dg_cmul(dg_c(0.5f * (v[0].i + v[1].i), 0.5f * (v[1].r - v[0].r)), w);
  v[0] = dg_c(er + t.r, ei + t.i), v[1] = dg_c(er - t.r, t.i - ei);
}
/* and back, times 2f, with w = W_2h^-k. */
DG_FN void dg_tangle_pair(DG_LOCAL dg_complex *v, dg_complex w, float f) {
  float er = f * (v[0].r + v[1].r), ei = f * (v[0].i - v[1].i);
  dg_complex t = dg_cmul(dg_c(f * (v[0].r - v[1].r), f * (v[0].i + v[1].i)), w);
  v[0] = dg_c(er - t.i, ei + t.r), v[1] = dg_c(er + t.i, t.r - ei);
}
)";

constexpr const char* passes = R"(
#define DG_PASS(name) \
  DG_TEMPLATE(typename X, typename Y, typename W) \
  DG_FN void name(int m, int s, DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) yr, DG_OUT(Y) yi, DG_IN(W) wr, DG_IN(W) wi)
#define DG_LOAD(j) dg_c(xr[q + s * (p + m * (j))], xi[q + s * (p + m * (j))])
#define DG_STORE(radix, k) yr[q + s * (radix * p + k)] = v[k].r, yi[q + s * (radix * p + k)] = v[k].i;
#define DG_TWIST(k) v[k] = m > 1 ? dg_cmul(v[k], dg_c(wr[m * (k - 1) + p], wi[m * (k - 1) + p])) : v[k];
/* w[m (k - 1) + p] = W^(k p): for k = 1 from the powers at multiples of 256 and those below 256, then products. */
DG_TEMPLATE(typename X, typename Y)
DG_FN void dg_twiddles(int m, int most, DG_IN(X) hr, DG_IN(X) hi, DG_IN(X) lr, DG_IN(X) li, DG_OUT(Y) wr, DG_OUT(Y) wi) {
  for (int p = 0; p < m; ++p) {
    dg_complex w = dg_cmul(dg_c(hr[p / 256], hi[p / 256]), dg_c(lr[p % 256], li[p % 256]));
    wr[p] = w.r, wi[p] = w.i;
  }
  for (int k = 2; k <= most; ++k)
    for (int p = 0; p < m; ++p) {
      const int a = m * (k / 2 - 1) + p, b = m * (k - k / 2 - 1) + p;
      dg_complex w = dg_cmul(dg_c(wr[a], wi[a]), dg_c(wr[b], wi[b]));
      wr[m * (k - 1) + p] = w.r, wi[m * (k - 1) + p] = w.i;
    }
}
/* Spectrum of 2h real samples from the transform z of the pairs, and back (scaled by f). Index k and h - k together. */
DG_TEMPLATE(typename X, typename Y, typename W)
DG_FN void dg_untangle(int h, DG_IN(X) zr, DG_IN(X) zi, DG_OUT(Y) yr, DG_OUT(Y) yi, DG_IN(W) wr, DG_IN(W) wi) {
  yr[0] = zr[0] + zi[0], yi[0] = 0.0f;
  yr[h] = zr[0] - zi[0], yi[h] = 0.0f;
  for (int k = 1; k < (h + 1) / 2; ++k) {
    dg_complex v[2] = {dg_c(zr[k], zi[k]), dg_c(zr[h - k], zi[h - k])};
    dg_untangle_pair(v, dg_c(wr[k], wi[k]));
    yr[k] = v[0].r, yi[k] = v[0].i;
    yr[h - k] = v[1].r, yi[h - k] = v[1].i;
  }
  if (h % 2 == 0) yr[h / 2] = zr[h / 2], yi[h / 2] = -zi[h / 2];
}
DG_TEMPLATE(typename X, typename Y, typename W)
DG_FN void dg_tangle(int h, float f, DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) zr, DG_OUT(Y) zi, DG_IN(W) wr, DG_IN(W) wi) {
  zr[0] = f * (xr[0] + xr[h]), zi[0] = f * (xr[0] - xr[h]);
  for (int k = 1; k < (h + 1) / 2; ++k) {
    dg_complex v[2] = {dg_c(xr[k], xi[k]), dg_c(xr[h - k], xi[h - k])};
    dg_tangle_pair(v, dg_c(wr[k], -wi[k]), f);
    zr[k] = v[0].r, zi[k] = v[0].i;
    zr[h - k] = v[1].r, zi[h - k] = v[1].i;
  }
  if (h % 2 == 0) zr[h / 2] = 2.0f * f * xr[h / 2], zi[h / 2] = -2.0f * f * xi[h / 2];
}
)";

// Largest radix first: later passes then fill vectors.
std::vector<int> radices(int n) {
  std::vector<int> out;
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (; twos >= 3 && twos != 4; twos -= 3) out.push_back(8);
  for (; twos >= 2; twos -= 2) out.push_back(4);
  for (; n % 5 == 0; n /= 5) out.push_back(5);
  for (; n % 3 == 0; n /= 3) out.push_back(3);
  if (twos == 1) out.push_back(2);
  DGEN_ASSERT(n == 1);
  return out;
}

constexpr int longest_table = 2048, table_columns = 256;

// A table of e^(-2 pi i k p step / n), p < count, for k = 1 to most.
std::string table(const std::string& name, int n, int step, int count, int most = 1) {
  std::string text;
  const int size = count * most;
  for (const bool sine : {false, true}) {
    text += cat("DG_TABLE ", name, sine ? "_i" : "_r", "[", size, "] = {");
    for (int i = 0; i < size; ++i) {
      // exact at multiples of a quarter
      const std::int64_t turn = static_cast<std::int64_t>(1 + i / count) * (i % count) * step % n;
      const double angle = 2 * 3.14159265358979323846 * static_cast<double>(turn) / n;
      double value = sine ? -std::sin(angle) : std::cos(angle);
      if (4 * turn % n == 0) value = std::round(value);
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(static_cast<float>(value)));
      std::string number = digits;
      if (number == "-0") number = "0";
      if (number.find_first_of(".e") == std::string::npos) number += ".0";
      text += number + (i + 1 == size ? "f" : i % 12 == 11 ? "f,\n" : "f,");
    }
    text += "};\n";
  }
  return text;
}


// The factors e^(-2 pi i k p / n), p < m, 1 <= k <= most: in tables, or made by statements in the function that uses them.
struct Factors {
  std::string name;
  int n, m, most;
  bool in_tables() const { return m * most <= longest_table; }
  std::string tables() const {
    if (in_tables()) return table(name, n, 1, m, most);
    return table(name + "_low", n, 1, table_columns) + table(name + "_high", n, table_columns, (m - 1) / table_columns + 1);
  }
  std::string locals() const {
    if (in_tables()) return "";
    std::string size = cat("[", m * most, "] DG_ALIGN");
    return cat("  float ", name, "_r", size, ", ", name, "_i", size, ";\n  dg_twiddles(", m, ", ", most, ", ", name, "_high_r, ", name,
               "_high_i, ", name, "_low_r, ", name, "_low_i, ", both(), ");\n");
  }
  std::string both() const { return cat(name, "_r, ", name, "_i"); }
};

// A level cuts blocks of n by a radix.
struct Level {
  int n, radix;
  int m() const { return n / radix; }
  Factors factors() const { return {cat("dg_w", n, "_", radix), n, m(), radix - 1}; }
};
std::vector<Level> levels(int n) {
  std::vector<Level> out;
  for (int radix : radices(n)) out.push_back({n, radix}), n /= radix;
  return out;
}
Factors untangling(int n) { return {cat("dg_u", n), n, (n / 2 + 1) / 2, 1}; }

std::string pass(int radix) {
  std::string text = cat("DG_PASS(dg_pass", radix,
                         ") {\n  for (int p = 0; p < m; ++p)\n    for (int q = 0; q < s; ++q) {\n      dg_complex v[", radix, "] = {");
  for (int j = 0; j < radix; ++j) text += cat(j ? ", " : "", "DG_LOAD(", j, ")");
  text += cat("};\n      dg_butterfly", radix, "(v);\n     ");
  for (int k = 1; k < radix; ++k) text += cat(" DG_TWIST(", k, ")");
  text += "\n     ";
  for (int k = 0; k < radix; ++k) text += cat(" DG_STORE(", radix, ", ", k, ")");
  return text + "\n    }\n}\n";
}

// dg_cfft_N(xr, xi, yr, yi): y must not overlap x.
std::string complex_core(int n) {
  std::string text =
      cat("DG_TEMPLATE(typename X, typename Y)\nDG_FFT dg_cfft_", n, "(DG_IN(X) xr, DG_IN(X) xi, DG_OUT(Y) yr, DG_OUT(Y) yi) {\n");
  const std::vector<Level> all = levels(n);
  if (all.empty()) return text + "  yr[0] = xr[0], yi[0] = xi[0];\n}\n";
  for (const Level& l : all) text += l.factors().locals();
  if (all.size() > 1) text += cat("  float tr[", n, "] DG_ALIGN, ti[", n, "] DG_ALIGN;\n");
  std::string from = "x";
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string to = (all.size() - i) % 2 == 1 ? "y" : "t";
    text += cat("  dg_pass", all[i].radix, "(", all[i].m(), ", ", n / all[i].n, ", ", from, "r, ", from, "i, ", to, "r, ", to, "i, ",
                all[i].factors().both(), ");\n");
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

bool half_size(const FftPlan& plan) { return (plan.kind == FftPlan::rfft || plan.kind == FftPlan::irfft) && plan.n % 2 == 0; }

std::string transform(const FftPlan& plan) {
  const int n = plan.n, h = n / 2, bins = h + 1;
  const std::string head =
      cat("DG_TEMPLATE(typename X, typename Y)\nDG_FFT dg_", kind_name(plan.kind), "_", n, "(DG_IN(X) in, DG_OUT(Y) out) {\n");
  const std::string scale = scale_literal(n);
  if (plan.kind == FftPlan::fft) return cat(head, "  dg_cfft_", n, "(in, in + ", n, ", out, out + ", n, ");\n}\n");
  if (plan.kind == FftPlan::ifft)
    return cat(head, "  dg_cfft_", n, "(in + ", n, ", in, out + ", n, ", out);\n  for (int i = 0; i < ", 2 * n, "; ++i) out[i] *= ", scale,
               ";\n}\n");
  const int size = half_size(plan) ? h : n;
  const std::string work =
      cat("  float ar[", size, "] DG_ALIGN, ai[", size, "] DG_ALIGN, br[", size, "] DG_ALIGN, bi[", size, "] DG_ALIGN;\n");
  if (!half_size(plan)) {  // odd: a complex transform with zero imaginary part
    if (plan.kind == FftPlan::rfft)
      return cat(head, work, "  for (int i = 0; i < ", n, "; ++i) ar[i] = in[i], ai[i] = 0.0f;\n  dg_cfft_", n,
                 "(ar, ai, br, bi);\n  for (int i = 0; i < ", bins, "; ++i) out[i] = br[i], out[i + ", bins, "] = bi[i];\n  out[", bins,
                 "] = 0.0f;\n}\n");
    return cat(head, work, "  ar[0] = in[0], ai[0] = 0.0f;\n  for (int i = 1; i < ", bins, "; ++i) {\n    ar[i] = ar[", n,
               " - i] = in[i];\n    ai[i] = in[i + ", bins, "];\n    ai[", n, " - i] = -ai[i];\n  }\n  dg_cfft_", n,
               "(ai, ar, bi, br);\n  for (int i = 0; i < ", n, "; ++i) out[i] = br[i] * ", scale, ";\n}\n");
  }
  const Factors factors = untangling(n);
  const std::string pairs = cat("  for (int i = 0; i < ", h, "; ++i) "), last = cat(", ", factors.both(), ");\n");
  if (plan.kind == FftPlan::rfft)
    return cat(head, work, factors.locals(), pairs, "ar[i] = in[2 * i], ai[i] = in[2 * i + 1];\n  dg_cfft_", h,
               "(ar, ai, br, bi);\n  dg_untangle(", h, ", br, bi, out, out + ", bins, last, "}\n");
  return cat(head, work, factors.locals(), "  dg_tangle(", h, ", ", scale, ", in, in + ", bins, ", ar, ai", last, "  dg_cfft_", h,
             "(ai, ar, bi, br);\n", pairs, "out[2 * i] = br[i], out[2 * i + 1] = bi[i];\n}\n");
}

// ---- signals in lanes: complex numbers of vectors, each in one piece, so that every access is a cache line or two

constexpr const char* lanes_header = R"(
typedef struct { dg_vf r, i; } dg_complex_v;
#define DG_TWIST_V(k) dg_cmul_v(v[k], dg_c_v(dg_splat(wr[m * (k - 1) + p]), dg_splat(wi[m * (k - 1) + p])))
)";
constexpr const char* lanes_ends = R"(
DG_FFT dg_join_v(long n, const dg_vf *xr, const dg_vf *xi, dg_complex_v *z) {
  for (long k = 0; k < n; ++k) z[k].r = xr[k], z[k].i = xi[k];
}
DG_FFT dg_split_v(long n, const dg_complex_v *z, const unsigned short *at, float f, dg_vf *yr, dg_vf *yi, long step) {
  for (long k = 0; k < n; ++k) yr[k * step] = z[at[k]].r * f, yi[k * step] = z[at[k]].i * f;
}
DG_FFT dg_untangle_v(long h, const dg_complex_v *z, const unsigned short *at, dg_vf *yr, dg_vf *yi, const float *wr, const float *wi) {
  yr[0] = z[0].r + z[0].i, yi[0] = dg_splat(0.0f);
  yr[h] = z[0].r - z[0].i, yi[h] = dg_splat(0.0f);
  DG_KEEP_LOOP
  for (long k = 1; k < (h + 1) / 2; ++k) {
    dg_complex_v v[2] = {z[at[k]], z[at[h - k]]};
    dg_untangle_pair_v(v, dg_c_v(dg_splat(wr[k]), dg_splat(wi[k])));
    yr[k] = v[0].r, yi[k] = v[0].i;
    yr[h - k] = v[1].r, yi[h - k] = v[1].i;
  }
  if (h % 2 == 0) yr[h / 2] = z[at[h / 2]].r, yi[h / 2] = -z[at[h / 2]].i;
}
/* with its parts swapped, for the inverse */
DG_FFT dg_tangle_v(long h, float f, const dg_vf *xr, const dg_vf *xi, dg_complex_v *z, const float *wr, const float *wi) {
  z[0].i = f * (xr[0] + xr[h]), z[0].r = f * (xr[0] - xr[h]);
  DG_KEEP_LOOP
  for (long k = 1; k < (h + 1) / 2; ++k) {
    dg_complex_v v[2] = {{xr[k], xi[k]}, {xr[h - k], xi[h - k]}};
    dg_tangle_pair_v(v, dg_c_v(dg_splat(wr[k]), -dg_splat(wi[k])), dg_splat(f));
    z[k].i = v[0].r, z[k].r = v[0].i;
    z[h - k].i = v[1].r, z[h - k].r = v[1].i;
  }
  if (h % 2 == 0) z[h / 2].i = 2.0f * f * xr[h / 2], z[h / 2].r = -2.0f * f * xi[h / 2];
}
)";

constexpr int longest_in_lanes = 2048;  // of a core: 128 KiB of stack with AVX2

// One level over a block of any size, and the last one over all blocks together, which has no factors.
std::string lanes_level(int radix) {
  std::string text;
  for (const bool last : {false, true}) {
    text += cat("DG_FFT dg_", last ? "last" : "level", radix, "_v(long m, const dg_complex_v *x, dg_complex_v *y",
                last ? "" : ", const float *wr, const float *wi",
                ") {\n  DG_KEEP_LOOP\n  for (long p = 0; p < m; ++p) {\n    dg_complex_v v[", radix, "] = {");
    auto place = [&](int j) { return last ? cat("[", radix, " * p + ", j, "]") : cat("[", j, " * m + p]"); };
    for (int j = 0; j < radix; ++j) text += cat(j ? ", " : "", "x", place(j));
    text += cat("};\n    dg_butterfly", radix, "_v(v);\n");
    for (int k = 0; k < radix; ++k)
      text += cat("    y", place(k), " = ", last || k == 0 ? cat("v[", k, "]") : cat("DG_TWIST_V(", k, ")"), ";\n");
    text += "  }\n}\n";
  }
  return text;
}

// dg_cfft_N_v(x, y), in place if x = y; element k of the result is y[dg_at_N[k]].
std::string lanes_core(int n) {
  const std::vector<Level> all = levels(n);
  std::vector<int> at = {0};
  std::string from = "x", indent = "  ", close;
  std::string text = cat("DG_FFT dg_cfft_", n, "_v(const dg_complex_v *x, dg_complex_v *y) {\n");
  if (all.empty()) text += "  y[0] = x[0];\n";
  for (const Level& l : all) {
    for (size_t k = 0, old = at.size(); k < old * static_cast<size_t>(l.radix - 1); ++k) at.push_back(at[k] + l.m());
    const bool last = &l == &all.back();
    if (l.n < n && !last) {
      text += cat(indent, "for (long b", l.n, " = 0; b", l.n, " < ", (&l)[-1].n, "; b", l.n, " += ", l.n, ") {\n");
      close = indent + "}\n" + close, indent += "  ";
      from += cat(" + b", l.n);
    }
    std::string to = from;
    to[0] = 'y';
    text += last ? cat(indent, "dg_last", l.radix, "_v(", (all.size() > 1 ? (&l)[-1].n : n) / l.radix, ", ", from, ", ", to, ");\n")
                 : cat(indent, "dg_level", l.radix, "_v(", l.m(), ", ", from, ", ", to, ", ", l.factors().both(), ");\n");
    from = to;
  }
  std::string places;
  for (int place : at) places += cat(places.empty() ? "" : ",", place);
  return cat("static const unsigned short dg_at_", n, "[", n, "] = {", places, "};\n", text, close, "}\n");
}

std::string lanes_transform(const FftPlan& plan) {
  const int n = plan.n, h = n / 2, bins = h + 1, size = half_size(plan) ? h : n;
  const bool inverse = plan.kind == FftPlan::irfft || plan.kind == FftPlan::ifft;
  const std::string name = cat("dg_", kind_name(plan.kind), "_", n), head = cat("DG_FFT ", name, "_v(const dg_vf *in, dg_vf *out) {\n");
  if (size > longest_in_lanes) {  // one after the other
    const int ins = plan.kind == FftPlan::rfft    ? n
                    : plan.kind == FftPlan::irfft ? 2 * bins
                                                  : 2 * n,
              outs = plan.kind == FftPlan::irfft  ? n
                     : plan.kind == FftPlan::rfft ? 2 * bins
                                                  : 2 * n;
    return cat(head, "  float x[", ins, "] DG_ALIGN, y[", outs, "] DG_ALIGN;\n  for (int l = 0; l < DG_W; ++l) {\n    for (int i = 0; i < ",
               ins, "; ++i) x[i] = ((const float *)(in + i))[l];\n    ", name, "(x, y);\n    for (int i = 0; i < ", outs,
               "; ++i) ((float *)(out + i))[l] = y[i];\n  }\n}\n");
  }
  const std::string work = cat("  dg_complex_v z[", size, "];\n"), core = cat("  dg_cfft_", size, "_v(z, z);\n"), scale = scale_literal(n);
  const std::string split = cat("  dg_split_v(", size, ", z, dg_at_", size, ", ", inverse ? scale : "1.0f");
  if (plan.kind == FftPlan::fft)
    return cat(head, work, "  dg_join_v(", n, ", in, in + ", n, ", z);\n", core, split, ", out, out + ", n, ", 1);\n}\n");
  if (plan.kind == FftPlan::ifft)
    return cat(head, work, "  dg_join_v(", n, ", in + ", n, ", in, z);\n", core, split, ", out + ", n, ", out, 1);\n}\n");
  if (!half_size(plan)) {
    const std::string loop = cat("  for (long i = 0; i < ", n, "; ++i) ");
    if (plan.kind == FftPlan::rfft)
      return cat(head, work, loop, "z[i].r = in[i], z[i].i = dg_splat(0.0f);\n", core, "  for (long i = 0; i < ", bins,
                 "; ++i) out[i] = z[dg_at_", n, "[i]].r, out[i + ", bins, "] = z[dg_at_", n, "[i]].i;\n  out[", bins,
                 "] = dg_splat(0.0f);\n}\n");
    return cat(head, work, "  z[0].i = in[0], z[0].r = dg_splat(0.0f);\n  for (long i = 1; i < ", bins, "; ++i) {\n    z[i].i = z[", n,
               " - i].i = in[i];\n    z[i].r = in[i + ", bins, "];\n    z[", n, " - i].r = -z[i].r;\n  }\n", core, loop,
               "out[i] = z[dg_at_", n, "[i]].i * ", scale, ";\n}\n");
  }
  const std::string factors = untangling(n).both();
  if (plan.kind == FftPlan::rfft)
    return cat(head, work, "  dg_cfft_", h, "_v((const dg_complex_v *)in, z);\n  dg_untangle_v(", h, ", z, dg_at_", h, ", out, out + ",
               bins, ", ", factors, ");\n}\n");
  return cat(head, work, "  dg_tangle_v(", h, ", ", scale, ", in, in + ", bins, ", z, ", factors, ");\n", core, "  dg_split_v(", h,
             ", z, dg_at_", h, ", 1.0f, out + 1, out, 2);\n}\n");
}

}  // namespace

std::string prelude_fft(Target target, std::span<const FftPlan> plans) {
  if (plans.empty()) return "";
  std::string text, lanes;
  std::set<std::string> names;
  std::set<int> used;
  auto once = [&](const std::string& name) { return names.insert(name).second; };
  auto tables = [&](const Factors& factors) { text += once(factors.name) ? factors.tables() : ""; };
  for (const FftPlan& plan : plans) {
    DGEN_ASSERT(fft_size_ok(plan.n));
    const int size = half_size(plan) ? plan.n / 2 : plan.n;
    const std::string name = cat(kind_name(plan.kind), plan.n);
    for (const Level& l : levels(size)) used.insert(l.radix), tables(l.factors());
    if (half_size(plan)) tables(untangling(plan.n));
    if (once(cat("core", size))) text += complex_core(size);
    if (once(name)) text += transform(plan);
    if (!plan.lanes || target != Target::c) continue;
    if (size <= longest_in_lanes && once(cat("lanes", size))) lanes += lanes_core(size);
    if (once(name + "_v")) lanes += lanes_transform(plan);
  }
  std::string before = cat(target == Target::c      ? header_c
                           : target == Target::cuda ? header_cuda
                                                    : header_metal,
                           complex_type, butterflies, passes);
  for (int radix : used) before += pass(radix);
  if (lanes.empty()) return before + text;
  std::string levels_text;
  for (int radix : used) levels_text += lanes_level(radix);
  return cat(before, text, lanes_header, for_vectors(butterflies), lanes_ends, levels_text, lanes);
}

}  // namespace dgen::codegen
