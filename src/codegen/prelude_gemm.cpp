// Text of dg_gemm, C (+)= op(A) op(B), row-major. Every element of C is one chain of fused multiply-adds over k in
// rising order (starting from C or 0), in every code path; so a row does not depend on how many rows, columns or
// blocks there are. The one exception, a single column with A not transposed, sums in lanes, in an order fixed by k.
#include "codegen/prelude.h"

namespace dgen::codegen {
namespace {

constexpr const char* text_c = R"C(
#if defined(__AVX512F__)
#define DG_LANES 16
#define DG_MR 8 /* rows and vectors of the register tile */
#define DG_NV 3
#define DG_NW 6 /* vectors of the tile for a single row, a multiple of DG_NV */
#elif defined(__AVX2__) && defined(__FMA__)
#define DG_LANES 8
#define DG_MR 6
#define DG_NV 2
#define DG_NW 8
#else
#define DG_LANES 4
#define DG_MR 4
#define DG_NV 2
#define DG_NW 8
#endif
#ifdef __clang__
#define DG_UNROLL _Pragma("clang loop unroll(full)")
#define DG_GEMM static __attribute__((unused, noinline))
#define DG_KEEP_LOOP _Pragma("clang loop unroll(disable)") /* unrolled, it spills */
#define DG_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define DG_UNROLL _Pragma("GCC unroll 16")
#define DG_GEMM static __attribute__((unused, noinline, noclone))
#define DG_KEEP_LOOP
#define DG_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (dg_int4){i, j, k, l})
#endif
#define DG_NR (DG_NV * DG_LANES)
#define DG_KC 256 /* a block of B, DG_KC x DG_NC, stays in the second-level cache */
#define DG_NC 192 /* a multiple of DG_NR for every width; some 250 KiB of stack in all */
#define DG_MC (DG_MR * 8)
#define DG_AS (DG_KC + 16) /* row distance of packed A: not a power of two, for the first-level cache */
typedef float dg_vec __attribute__((vector_size(DG_LANES * 4)));
typedef float dg_vec_any __attribute__((vector_size(DG_LANES * 4), aligned(4), may_alias)); /* in memory */
DG_FN dg_vec dg_vec_fma(dg_vec a, dg_vec b, dg_vec c) {
#if defined(__AVX512F__)
  return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
#elif defined(__AVX2__) && defined(__FMA__)
  return __builtin_ia32_vfmaddps256(a, b, c);
#else
  for (int i = 0; i < DG_LANES; ++i) c[i] = DG_FMA(a[i], b[i], c[i]);
  return c;
#endif
}
/* out[j][i] = x[i][j], in blocks of 4 by 4 */
typedef int dg_int4 __attribute__((vector_size(16)));
typedef float dg_vec4 __attribute__((vector_size(16)));
typedef float dg_vec4_any __attribute__((vector_size(16), aligned(4), may_alias));
DG_GEMM void dg_transpose(long rows, long columns, const float *x, long ldx, float *out, long ldo) {
  long i = 0;
  for (; i + 4 <= rows; i += 4) {
    const float *r = x + i * ldx;
    float *o = out + i;
    long j = 0;
    for (; j + 4 <= columns; j += 4) {
      dg_vec4 a = *(const dg_vec4_any *)(r + j), b = *(const dg_vec4_any *)(r + ldx + j);
      dg_vec4 c = *(const dg_vec4_any *)(r + 2 * ldx + j), d = *(const dg_vec4_any *)(r + 3 * ldx + j);
      dg_vec4 e = DG_SHUFFLE(a, b, 0, 4, 1, 5), f = DG_SHUFFLE(c, d, 0, 4, 1, 5);
      dg_vec4 g = DG_SHUFFLE(a, b, 2, 6, 3, 7), h = DG_SHUFFLE(c, d, 2, 6, 3, 7);
      *(dg_vec4_any *)(o + j * ldo) = DG_SHUFFLE(e, f, 0, 1, 4, 5);
      *(dg_vec4_any *)(o + (j + 1) * ldo) = DG_SHUFFLE(e, f, 2, 3, 6, 7);
      *(dg_vec4_any *)(o + (j + 2) * ldo) = DG_SHUFFLE(g, h, 0, 1, 4, 5);
      *(dg_vec4_any *)(o + (j + 3) * ldo) = DG_SHUFFLE(g, h, 2, 3, 6, 7);
    }
    for (; j < columns; ++j)
      for (long l = 0; l < 4; ++l) o[j * ldo + l] = r[l * ldx + j];
  }
  for (; i < rows; ++i)
    for (long j = 0; j < columns; ++j) out[j * ldo + i] = x[i * ldx + j];
}
/* mr rows (stride as) of A times nv vectors (row stride bs) of B; c starts as zero or, with `load`, as it is. */
DG_FN void dg_gemm_tile(const int mr, const int nv, long k, const float *a, long as, const float *b, long bs, float *c,
                        long ldc, int load) {
  dg_vec sum[DG_MR][8];
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j)
      sum[i][j] = load ? (dg_vec)*(const dg_vec_any *)(c + i * ldc + j * DG_LANES) : (dg_vec){0};
  DG_KEEP_LOOP
  for (long p = 0; p < k; ++p) {
    dg_vec row[8];
  DG_UNROLL
    for (int j = 0; j < nv; ++j) row[j] = *(const dg_vec_any *)(b + p * bs + j * DG_LANES);
  DG_UNROLL
    for (int i = 0; i < mr; ++i) {
      dg_vec x = a[i * as + p] - (dg_vec){0};
  DG_UNROLL
      for (int j = 0; j < nv; ++j) sum[i][j] = dg_vec_fma(x, row[j], sum[i][j]);
    }
  }
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j) *(dg_vec_any *)(c + i * ldc + j * DG_LANES) = sum[i][j];
}
/* All rows of a panel of nv vectors. */
DG_FN void dg_gemm_rows(const int nv, long m, long k, const float *a, long as, const float *b, long bs, float *c,
                        long ldc, int load) {
  long i = 0;
  for (; i + DG_MR <= m; i += DG_MR) dg_gemm_tile(DG_MR, nv, k, a + i * as, as, b, bs, c + i * ldc, ldc, load);
  for (; i + 4 <= m; i += 4) dg_gemm_tile(4, nv, k, a + i * as, as, b, bs, c + i * ldc, ldc, load);
  for (; i + 2 <= m; i += 2) dg_gemm_tile(2, nv, k, a + i * as, as, b, bs, c + i * ldc, ldc, load);
  for (; i < m; ++i) dg_gemm_tile(1, nv, k, a + i * as, as, b, bs, c + i * ldc, ldc, load);
}
DG_GEMM void dg_gemm_wide(long m, long k, const float *a, long as, const float *b, long bs, float *c, long ldc, int load) {
  dg_gemm_rows(DG_NV, m, k, a, as, b, bs, c, ldc, load);
}
DG_GEMM void dg_gemm_narrow(long m, long k, const float *a, long as, const float *b, long bs, float *c, long ldc,
                            int load) {
  dg_gemm_rows(1, m, k, a, as, b, bs, c, ldc, load);
}
/* w <= DG_NR columns */
DG_GEMM void dg_gemm_panel(long m, long w, long k, const float *a, long as, const float *b, long bs, float *c,
                           long ldc, int load) {
  if (w == DG_NR) {
    dg_gemm_wide(m, k, a, as, b, bs, c, ldc, load);
    return;
  }
  float edge[DG_MC * DG_NR];
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < w; ++j) edge[i * DG_NR + j] = load ? c[i * ldc + j] : 0.0f;
  if (w <= DG_LANES)
    dg_gemm_narrow(m, k, a, as, b, bs, edge, DG_NR, load);
  else
    dg_gemm_wide(m, k, a, as, b, bs, edge, DG_NR, load);
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < w; ++j) c[i * ldc + j] = edge[i * DG_NR + j];
}
/* k rows of w columns of op(B), filled up with zeros to DG_NR columns. */
DG_GEMM void dg_gemm_pack(int tb, long k, long w, const float *b, long ldb, float *out) {
  if (!tb && w == DG_NR) {
    for (long p = 0; p < k; ++p)
      for (long j = 0; j < DG_NR; ++j) out[p * DG_NR + j] = b[p * ldb + j];
    return;
  }
  for (long j = w; j < DG_NR; ++j)
    for (long p = 0; p < k; ++p) out[p * DG_NR + j] = 0.0f;
  if (tb) {
    dg_transpose(w, k, b, ldb, out, DG_NR);
    return;
  }
  for (long p = 0; p < k; ++p)
    for (long j = 0; j < w; ++j) out[p * DG_NR + j] = b[p * ldb + j];
}
DG_GEMM void dg_gemm_blocks(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb,
                            float *c, long ldc, int accumulate) {
  float pb[DG_KC * DG_NC] __attribute__((aligned(64))), pa[DG_MC * DG_AS] __attribute__((aligned(64)));
  int direct = !tb && m <= 2 * DG_MR; /* few rows: B is read where it lies */
  for (long jc = 0; jc < n; jc += DG_NC) {
    long nc = n - jc < DG_NC ? n - jc : DG_NC;
    for (long pc = 0; pc < k; pc += DG_KC) {
      long kc = k - pc < DG_KC ? k - pc : DG_KC;
      int load = accumulate || pc > 0;
      for (long j = 0; j < nc; j += DG_NR) {
        long w = nc - j < DG_NR ? nc - j : DG_NR;
        if (!direct || w < DG_NR)
          dg_gemm_pack(tb, kc, w, tb ? b + (jc + j) * ldb + pc : b + pc * ldb + jc + j, ldb, pb + j * DG_KC);
      }
      for (long ic = 0; ic < m; ic += DG_MC) {
        long mc = m - ic < DG_MC ? m - ic : DG_MC, as = lda, j = 0;
        const float *rows = a + ic * lda + pc;
        if (ta) {
          dg_transpose(kc, mc, a + pc * lda + ic, lda, pa, DG_AS);
          rows = pa, as = DG_AS;
        }
        if (direct && m == 1) /* enough independent sums for one row */
          for (; j + DG_NW * DG_LANES <= nc; j += DG_NW * DG_LANES)
            dg_gemm_tile(1, DG_NW, kc, rows, as, b + pc * ldb + jc + j, ldb, c + jc + j, ldc, load);
        for (; j < nc; j += DG_NR) {
          long w = nc - j < DG_NR ? nc - j : DG_NR;
          int there = direct && w == DG_NR;
          dg_gemm_panel(mc, w, kc, rows, as, there ? b + pc * ldb + jc + j : pb + j * DG_KC, there ? ldb : DG_NR,
                        c + ic * ldc + jc + j, ldc, load);
        }
      }
    }
  }
}
/* The sum of x[p] y[p] in 4 vectors of lanes, then pairwise. */
DG_FN float dg_dot(long k, const float *x, const float *y) {
  dg_vec sum[4] = {{0}, {0}, {0}, {0}};
  long p = 0;
  for (; p + 4 * DG_LANES <= k; p += 4 * DG_LANES)
    for (int j = 0; j < 4; ++j)
      sum[j] = dg_vec_fma(*(const dg_vec_any *)(x + p + j * DG_LANES), *(const dg_vec_any *)(y + p + j * DG_LANES),
                          sum[j]);
  dg_vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  float lanes[DG_LANES], tail = 0.0f;
  for (int j = 0; j < DG_LANES; ++j) lanes[j] = all[j];
  for (int h = DG_LANES / 2; h > 0; h /= 2)
    for (int j = 0; j < h; ++j) lanes[j] += lanes[j + h];
  for (; p < k; ++p) tail = DG_FMA(x[p], y[p], tail);
  return lanes[0] + tail;
}
DG_GEMM void dg_gemm(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb,
                     float *c, long ldc, int accumulate) {
  if (k <= 0 && !accumulate)
    for (long i = 0; i < m; ++i)
      for (long j = 0; j < n; ++j) c[i * ldc + j] = 0.0f;
  if (n != 1) {
    dg_gemm_blocks(ta, tb, m, n, k, a, lda, b, ldb, c, ldc, accumulate);
    return;
  }
  float line[1024]; /* one column: a chunk of x as a row, or of c */
  if (!ta) {
    for (long pc = 0; pc < k; pc += 1024) {
      long kc = k - pc < 1024 ? k - pc : 1024;
      for (long p = 0; p < kc; ++p) line[p] = tb ? b[pc + p] : b[(pc + p) * ldb];
      for (long i = 0; i < m; ++i)
        c[i * ldc] = (accumulate || pc > 0 ? c[i * ldc] : 0.0f) + dg_dot(kc, a + i * lda + pc, line);
    }
    return;
  }
  for (long ic = 0; ic < m; ic += 1024) { /* c' = b' a, a row times a matrix */
    long mc = m - ic < 1024 ? m - ic : 1024;
    for (long i = 0; i < mc; ++i) line[i] = accumulate ? c[(ic + i) * ldc] : 0.0f;
    dg_gemm_blocks(!tb, 0, 1, mc, k, b, ldb, a + ic, lda, line, mc, 1);
    for (long i = 0; i < mc; ++i) c[(ic + i) * ldc] = line[i];
  }
}
)C";

// dg_matmul: c = a b, row-major; ta, tb: a or b is stored transposed. zero = 1 or 2: zeros of a or b, an adjoint, stay zero beside
// infinite values; only elements that came out infinite or NaN are made again with that rule.
constexpr const char* text_product_at = R"(
DG_TEMPLATE(typename A, typename B)
DG_FN float dg_product_at(DG_IN(A) a, DG_IN(B) b, long long ta, long long tb, long long m, long long n, long long k, long long zero, long long i, long long j) {
  float sum = 0.0f;
  for (long long p = 0; p < k; ++p) {
    const float x = a[ta ? p * m + i : i * k + p], y = b[tb ? j * k + p : p * n + j];
    sum += (zero == 1 ? x : y) == 0.0f ? 0.0f : x * y;
  }
  return sum;
}
)";
constexpr const char* text_matmul_c = R"(
DG_GEMM void dg_matmul(const float* a, const float* b, float* c, long ta, long tb, long m, long n, long k,
                       long zero) {
  dg_gemm((int)ta, (int)tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n, 0);
  int wild = 0;
  for (long e = 0; zero && e < m * n; ++e) wild |= !(c[e] - c[e] == 0.0f);
  for (long e = 0; wild && e < m * n; ++e)
    if (!(c[e] - c[e] == 0.0f)) c[e] = dg_product_at(a, b, ta, tb, m, n, k, zero, e / n, e % n);
}
)";
// On a GPU a thread makes every step-th element from `first` on; the chain over k is the one of the C text.
constexpr const char* text_matmul_gpu = R"(
DG_TEMPLATE(typename A, typename B, typename C)
DG_FN void dg_matmul(DG_IN(A) a, DG_IN(B) b, DG_OUT(C) c, long long ta, long long tb, long long m, long long n, long long k, long long zero, long long first,
                     long long step) {
  for (long long e = first; e < m * n; e += step) {
    const long long i = e / n, j = e % n;
    float sum = 0.0f;
    for (long long p = 0; p < k; ++p) sum = DG_FMA(a[ta ? p * m + i : i * k + p], b[tb ? j * k + p : p * n + j], sum);
    c[e] = zero && !(sum - sum == 0.0f) ? dg_product_at(a, b, ta, tb, m, n, k, zero, i, j) : sum;
  }
}
)";

}  // namespace

std::string prelude_gemm(Target target) {
  if (target == Target::c) return std::string(text_c) + text_product_at + text_matmul_c;
  std::string text = std::string(text_product_at) + text_matmul_gpu;
  if (target == Target::metal)  // which has no long long
    for (size_t at; (at = text.find("long long")) != std::string::npos;) text.replace(at, 9, "long");
  return text;
}

}  // namespace dgen::codegen
