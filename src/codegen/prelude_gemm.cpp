// Text of dg_gemm, C (+)= op(A) op(B), row-major. Every element of C is one chain of fused multiply-adds over k in
// rising order (starting from C or 0), in every code path; so a row does not depend on how many rows, columns or
// blocks there are. The one exception, a single column with A not transposed, sums in lanes, in an order fixed by k.
#include "base/check.h"
#include "codegen/prelude.h"
#include "ir/lower.h"

namespace dgen::codegen {
namespace {

constexpr const char* text_c = R"C(
#if DG_W == 16
#define DG_MR 8 /* rows and vectors of the register tile */
#define DG_NV 3
#define DG_NW 6 /* vectors of the tile for a single row */
#define DG_NP 6 /* vectors of the tile for four rows of a matrix in panels */
#define DG_AHEAD 12 /* rows of B to fetch ahead */
#elif DG_W == 8
#define DG_MR 6
#define DG_NV 2
#define DG_NW 8
#define DG_NP 3
#else
#define DG_MR 4
#define DG_NV 2
#define DG_NW 8
#define DG_NP 3
#endif
#ifdef __clang__
#define DG_GEMM static __attribute__((unused, noinline))
#else
#define DG_GEMM static __attribute__((unused, noinline, noclone))
#endif
#if defined(__x86_64__) /* gcc would load a vector anew for every row */
#define DG_HOLD(x) __asm__("" : "+v"(x))
#elif defined(__aarch64__)
#define DG_HOLD(x) __asm__("" : "+w"(x))
#else
#define DG_HOLD(x) (void)0
#endif
#ifndef DG_AHEAD
#define DG_AHEAD 0
#endif
#define DG_NR (DG_NV * DG_W)
#define DG_ROOM (512 * 192) /* floats of a block: 0.4 MiB of stack, since threads of audio hosts may have 0.5 */
/* out[j][i] = x[i][j] */
DG_GEMM void dg_transpose(long rows, long columns, const float *x, long ldx, float *out, long ldo) {
  long i = 0;
  for (; i + DG_W <= rows; i += DG_W) {
    const float *r = x + i * ldx;
    long j = 0;
    for (; j + 4 <= columns; j += 4) {
      dg_vf block[4];
      dg_take_rows_v(block, r + j, ldx);
      for (int l = 0; l < 4; ++l) dg_store_v(out + (j + l) * ldo + i, block[l]);
    }
    for (; j < columns; ++j) dg_store_v(out + j * ldo + i, dg_strided_v(r + j, ldx));
  }
  for (; i < rows; ++i)
    for (long j = 0; j < columns; ++j) out[j * ldo + i] = x[i * ldx + j];
}
/* What is added to the complete sums, a number a column, and what is done with a part of c after that; none if null. */
struct dg_gemm_ends {
  const float *bias;
  void (*after)(float *c, long m, long n, long ldc);
};
/* mr rows (distance as, their elements ap apart) of A times nv vectors (row stride bs) of B; c starts as zero or, with `load`,
   as it is, and takes the bias at last, if there is one. The rows of c that come next are fetched meanwhile. What is
   read of B goes to `copy`, row by row, if that is not null. */
DG_FN void dg_gemm_tile(const int mr, const int nv, long k, const float *a, long as, long ap, const float *b, long bs, float *c,
                        long ldc, int load, const float *bias, float *copy) {
  dg_vf sum[DG_MR][8];
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j)
      sum[i][j] = load ? dg_load_v(c + i * ldc + j * DG_W) : dg_splat(0.0f);
  for (int i = 0; mr == DG_MR && i < mr; ++i)
    for (int j = 0; j <= nv; ++j) __builtin_prefetch(c + (mr + i) * ldc + j * DG_W, 1); /* nv + 1 lines, unless c is aligned */
  DG_KEEP_LOOP
  for (long p = 0; p < k; ++p) {
    dg_vf row[8];
  DG_UNROLL
    for (int j = 0; j < nv; ++j) {
      row[j] = dg_load_v(b + p * bs + j * DG_W);
      if (DG_AHEAD) __builtin_prefetch(b + (p + DG_AHEAD) * bs + j * DG_W);
      if (copy) dg_store_v(copy + (p * nv + j) * DG_W, row[j]);
      if (mr > 1) DG_HOLD(row[j]);
    }
  DG_UNROLL
    for (int i = 0; i < mr; ++i) {
      dg_vf x = dg_splat(a[i * as + p * ap]);
  DG_UNROLL
      for (int j = 0; j < nv; ++j) sum[i][j] = DG_FMA_V(x, row[j], sum[i][j]);
    }
  }
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j) {
      if (bias) sum[i][j] += dg_load_v(bias + j * DG_W);
      dg_store_v(c + i * ldc + j * DG_W, sum[i][j]);
    }
}
/* Where the rows of a block of A lie: a tile's first number is `tile` behind that of the tile before. */
struct dg_gemm_left {
  const float *a;
  long tile, as, ap;
};
/* All rows of a panel of nv vectors. */
DG_FN void dg_gemm_rows(const int nv, long m, long k, struct dg_gemm_left l, const float *b, long bs, float *c, long ldc, int load,
                        const float *bias) {
  long i = 0, r = 0;
  for (; i + DG_MR <= m; i += DG_MR, l.a += l.tile) dg_gemm_tile(DG_MR, nv, k, l.a, l.as, l.ap, b, bs, c + i * ldc, ldc, load, bias, 0);
  c += i * ldc, m -= i;
  for (; r + 4 <= m; r += 4) dg_gemm_tile(4, nv, k, l.a + r * l.as, l.as, l.ap, b, bs, c + r * ldc, ldc, load, bias, 0);
  for (; r + 2 <= m; r += 2) dg_gemm_tile(2, nv, k, l.a + r * l.as, l.as, l.ap, b, bs, c + r * ldc, ldc, load, bias, 0);
  for (; r < m; ++r) dg_gemm_tile(1, nv, k, l.a + r * l.as, l.as, l.ap, b, bs, c + r * ldc, ldc, load, bias, 0);
}
DG_GEMM void dg_gemm_wide(long m, long k, struct dg_gemm_left l, const float *b, long bs, float *c, long ldc, int load, const float *bias) {
  dg_gemm_rows(DG_NV, m, k, l, b, bs, c, ldc, load, bias);
}
DG_GEMM void dg_gemm_narrow(long m, long k, struct dg_gemm_left l, const float *b, long bs, float *c, long ldc, int load,
                            const float *bias) {
  dg_gemm_rows(1, m, k, l, b, bs, c, ldc, load, bias);
}
#if DG_NV > 2 /* what is left of 512 columns */
DG_GEMM void dg_gemm_pair(long m, long k, struct dg_gemm_left l, const float *b, long bs, float *c, long ldc, int load, const float *bias) {
  dg_gemm_rows(2, m, k, l, b, bs, c, ldc, load, bias);
}
#else
#define dg_gemm_pair dg_gemm_wide
#endif
/* w <= DG_NR columns */
DG_GEMM void dg_gemm_panel(long m, long w, long k, struct dg_gemm_left l, const float *b, long bs, float *c, long ldc, int load,
                           const float *bias) {
  if (w == DG_NR) return dg_gemm_wide(m, k, l, b, bs, c, ldc, load, bias);
  if (w == 2 * DG_W) return dg_gemm_pair(m, k, l, b, bs, c, ldc, load, bias);
  if (w == DG_W) return dg_gemm_narrow(m, k, l, b, bs, c, ldc, load, bias);
  float edge[DG_MR * 8 * DG_NR];
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < w; ++j) edge[i * DG_NR + j] = load ? c[i * ldc + j] : 0.0f;
  if (w < DG_W) dg_gemm_narrow(m, k, l, b, bs, edge, DG_NR, load, 0);
  else if (w < 2 * DG_W) dg_gemm_pair(m, k, l, b, bs, edge, DG_NR, load, 0);
  else dg_gemm_wide(m, k, l, b, bs, edge, DG_NR, load, 0);
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < w; ++j) c[i * ldc + j] = bias ? edge[i * DG_NR + j] + bias[j] : edge[i * DG_NR + j];
}
/* m rows of A, k of their elements. Those of a transposed A are copied tile by tile: what a tile reads at a time lies together. Tiles
   are k + 2 terms apart, since those that are a power of two apart would share a set of the first-level cache. */
DG_FN struct dg_gemm_left dg_gemm_left_of(int ta, long m, long k, const float *a, long lda, float *out) {
  if (!ta) return (struct dg_gemm_left){a, DG_MR * lda, lda, 1};
  const long whole = m / DG_MR * DG_MR, apart = k + 2;
  for (long i = 0; i < whole; i += 2 * DG_MR) /* two tiles share a line */
    for (long p = 0; p < k; ++p) {
      __builtin_prefetch(a + (p + 8) * lda + i); /* rows of a wide matrix are on pages of their own */
      for (long j = i; j < whole && j < i + 2 * DG_MR; j += DG_MR)
        __builtin_memcpy(out + j * apart + p * DG_MR, a + p * lda + j, DG_MR * sizeof(float));
    }
  for (long p = 0; p < k; ++p)
    for (long i = whole; i < m; ++i) out[whole * apart + p * DG_MR + i - whole] = a[p * lda + i];
  return (struct dg_gemm_left){out, DG_MR * apart, 1, DG_MR};
}
/* Is an element infinite or NaN? */
DG_GEMM int dg_wild(long m, long n, const float *c, long ldc) {
  dg_vf sum = dg_splat(0.0f);
  float rest = 0.0f;
  for (long i = 0; i < m; ++i, c += ldc) {
    long j = 0;
    for (; j + DG_W <= n; j += DG_W) sum += dg_load_v(c + j) - dg_load_v(c + j);
    for (; j < n; ++j) rest += c[j] - c[j];
  }
  return !(dg_sum_v(sum) + rest == 0.0f);
}
/* k rows of w columns of op(B) in panels of DG_NR columns, one after the other, the last filled up with zeros. */
DG_GEMM void dg_gemm_pack(int tb, long k, long w, const float *b, long ldb, float *out) {
  const long whole = w / DG_NR * DG_NR;
  for (long p = 0; p < k && !tb; ++p)
    for (long j = 0; j < whole; j += DG_NR)
  DG_UNROLL
      for (long l = 0; l < DG_NR; l += DG_W) dg_store_v(out + j * k + p * DG_NR + l, dg_load_v(b + p * ldb + j + l));
  for (long j = 0; j < whole && tb; j += DG_NR) dg_transpose(DG_NR, k, b + j * ldb, ldb, out + j * k, DG_NR);
  if (whole == w) return;
  out += whole * k;
  for (long p = 0; p < k; ++p)
    for (long j = w - whole; j < DG_NR; ++j) out[p * DG_NR + j] = 0.0f;
  if (tb) dg_transpose(w - whole, k, b + whole * ldb, ldb, out, DG_NR);
  for (long p = 0; p < k && !tb; ++p)
    for (long j = whole; j < w; ++j) out[p * DG_NR + j - whole] = b[p * ldb + j];
}
/* How many rows, terms and columns a block has. That of B stays in the second-level cache, and few rows at a time go through all its
   columns, so that lines of A and C come and go once. Rows of a transposed A share its lines, so many are copied at a time, of fewer
   terms; these suit the first-level cache, too, where two tiles at most read a panel. */
struct dg_gemm_block {
  long m, k, n;
};
DG_FN struct dg_gemm_block dg_gemm_block_of(int few_terms) {
  return few_terms ? (struct dg_gemm_block){DG_MR * 8, 256, 288} : (struct dg_gemm_block){DG_MR * 4, 512, 192};
}
/* Returns whether an element came out infinite or NaN, if that is asked. */
DG_GEMM int dg_gemm_blocks(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb,
                           float *c, long ldc, int accumulate, int ask, struct dg_gemm_ends ends) {
  float pb[DG_ROOM] __attribute__((aligned(64)));
  int direct = !tb && m <= 2 * DG_MR, wild = 0; /* few rows: B is read where it lies */
  const struct dg_gemm_block most = dg_gemm_block_of(ta || direct);
  for (long jc = 0; jc < n; jc += most.n) {
    long nc = n - jc < most.n ? n - jc : most.n;
    for (long pc = 0; pc < k; pc += most.k) {
      long kc = k - pc < most.k ? k - pc : most.k;
      int load = accumulate || pc > 0;
      const float *bias = pc + kc < k || !ends.bias ? 0 : ends.bias + jc;
      long first = !direct ? 0 : nc % DG_W == 0 ? nc : nc / DG_NR * DG_NR; /* column to be packed */
      dg_gemm_pack(tb, kc, nc - first, tb ? b + (jc + first) * ldb + pc : b + pc * ldb + jc + first, ldb, pb);
      for (long ic = 0; ic < m; ic += most.m) {
        long mc = m - ic < most.m ? m - ic : most.m, j = 0;
        struct dg_gemm_left l = dg_gemm_left_of(ta, mc, kc, ta ? a + pc * lda + ic : a + ic * lda + pc, lda, pb + most.k * most.n);
        if (direct && m == 1) /* enough independent sums for one row */
          for (; j + DG_NW * DG_W <= nc; j += DG_NW * DG_W)
            dg_gemm_tile(1, DG_NW, kc, l.a, l.as, l.ap, b + pc * ldb + jc + j, ldb, c + jc + j, ldc, load, bias ? bias + j : 0, 0);
        if (direct && m == 2)
          for (; j + DG_NW / 2 * DG_W <= nc; j += DG_NW / 2 * DG_W)
            dg_gemm_tile(2, DG_NW / 2, kc, l.a, l.as, l.ap, b + pc * ldb + jc + j, ldb, c + jc + j, ldc, load, bias ? bias + j : 0, 0);
        for (; j < nc; j += DG_NR) {
          long w = nc - j < DG_NR ? nc - j : DG_NR;
          int there = j < first;
          const float *panel = there ? b + pc * ldb + jc + j : pb + (j - first) * kc;
          dg_gemm_panel(mc, w, kc, l, panel, there ? ldb : DG_NR, c + ic * ldc + jc + j, ldc, load, bias ? bias + j : 0);
        }
        if (ask && pc + kc == k) wild |= dg_wild(mc, nc, c + ic * ldc + jc, ldc);
        if (ends.after && pc + kc == k) ends.after(c + ic * ldc + jc, mc, nc, ldc);
      }
    }
  }
  return wild;
}
/* mr rows of A times nv vectors of columns, each somewhere in the panels. */
DG_FN void dg_gemm_panel_tile(const int mr, const int nv, long k, const float *a, long as, const float *const *b, float *c, long ldc,
                              const float *bias) {
  dg_vf sum[DG_MR][8];
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j) sum[i][j] = dg_splat(0.0f);
  DG_KEEP_LOOP
  for (long p = 0; p < k; ++p) {
    dg_vf row[8];
  DG_UNROLL
    for (int j = 0; j < nv; ++j) {
      row[j] = dg_load_v(b[j] + p * DG_PANEL);
      __builtin_prefetch(b[j] + (p + 32) * DG_PANEL);
      if (mr > 1) DG_HOLD(row[j]);
    }
  DG_UNROLL
    for (int i = 0; i < mr; ++i) {
      dg_vf x = dg_splat(a[i * as + p]);
  DG_UNROLL
      for (int j = 0; j < nv; ++j) sum[i][j] = DG_FMA_V(x, row[j], sum[i][j]);
    }
  }
  DG_UNROLL
  for (int i = 0; i < mr; ++i)
  DG_UNROLL
    for (int j = 0; j < nv; ++j) {
      if (bias) sum[i][j] += dg_load_v(bias + j * DG_W);
      dg_store_v(c + i * ldc + j * DG_W, sum[i][j]);
    }
}
/* nv vectors of columns from vector v on, all rows. */
DG_FN void dg_gemm_panel_columns(const int nv, long v, long m, long k, const float *a, long lda, const float *b, float *c, long ldc,
                                 const float *bias) {
  const float *from[8];
  DG_UNROLL
  for (int j = 0; j < nv; ++j) from[j] = b + (v + j) * DG_W / DG_PANEL * DG_PANEL * k + (v + j) * DG_W % DG_PANEL;
  long i = 0;
  c += v * DG_W, bias = bias ? bias + v * DG_W : 0;
  for (; nv <= DG_NV && i + DG_MR <= m; i += DG_MR) dg_gemm_panel_tile(DG_MR, nv, k, a + i * lda, lda, from, c + i * ldc, ldc, bias);
  for (; i + 4 <= m; i += 4) dg_gemm_panel_tile(4, nv, k, a + i * lda, lda, from, c + i * ldc, ldc, bias);
  for (; i + 2 <= m; i += 2) dg_gemm_panel_tile(2, nv, k, a + i * lda, lda, from, c + i * ldc, ldc, bias);
  for (; i < m; ++i) dg_gemm_panel_tile(1, nv, k, a + i * lda, lda, from, c + i * ldc, ldc, bias);
}
/* All columns, nv vectors at a time, then what is left. */
DG_FN void dg_gemm_all_panels(const int nv, long turn, long m, long n, long k, const float *a, long lda, const float *b, float *c,
                              long ldc, const float *bias) {
  const long all = n / DG_W, groups = all / nv;
  long v = groups * nv;
  for (long g = 0; g < groups; ++g) dg_gemm_panel_columns(nv, (turn & 1 ? groups - 1 - g : g) * nv, m, k, a, lda, b, c, ldc, bias);
  for (; v + 2 <= all; v += 2) dg_gemm_panel_columns(2, v, m, k, a, lda, b, c, ldc, bias);
  for (; v < all; ++v) dg_gemm_panel_columns(1, v, m, k, a, lda, b, c, ldc, bias);
}
/* B in panels of columns, each as rows one after the other: what lies in no near cache is read in order. Eight sums or more at a
   time: a fused multiply-add is awaited for four cycles, and two begin in each. Odd turns begin with the columns that were the last
   of even ones: what a cache has kept of a matrix larger than it. Of many rows, a few tiles at a time go through all columns. Returns
   whether an element came out infinite or NaN, if that is asked. */
DG_GEMM int dg_gemm_panels(long turn, long m, long n, long k, const float *a, long lda, const float *b, float *c, long ldc, int ask,
                           struct dg_gemm_ends ends) {
  int wild = 0;
  for (long i = 0, rows; i < m; i += rows, a += rows * lda, c += rows * ldc) {
    rows = m - i < 4 * DG_MR ? m - i : 4 * DG_MR;
    if (m == 1) dg_gemm_all_panels(8, turn, 1, n, k, a, lda, b, c, ldc, ends.bias);
    else if (m < DG_MR) dg_gemm_all_panels(DG_NP, turn, rows, n, k, a, lda, b, c, ldc, ends.bias);
    else dg_gemm_all_panels(DG_NV, turn, rows, n, k, a, lda, b, c, ldc, ends.bias);
    if (ask) wild |= dg_wild(rows, n, c, ldc);
    if (ends.after) ends.after(c, rows, n, ldc);
  }
  return wild;
}
/* The sum of x[p] y[p] in 4 vectors of lanes, then pairwise. */
DG_FN float dg_dot(long k, const float *x, const float *y) {
  dg_vf sum[4] = {{0}, {0}, {0}, {0}};
  long p = 0;
  for (; p + 4 * DG_W <= k; p += 4 * DG_W)
  DG_UNROLL
    for (int j = 0; j < 4; ++j) sum[j] = DG_FMA_V(dg_load_v(x + p + j * DG_W), dg_load_v(y + p + j * DG_W), sum[j]);
  float tail = 0.0f;
  for (; p < k; ++p) tail = DG_FMA(x[p], y[p], tail);
  return dg_sum_v((sum[0] + sum[1]) + (sum[2] + sum[3])) + tail;
}
DG_GEMM int dg_gemm(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb, float *c, long ldc,
                    int accumulate, int ask, struct dg_gemm_ends ends) {
  if (n != 1 && k > 0) return dg_gemm_blocks(ta, tb, m, n, k, a, lda, b, ldb, c, ldc, accumulate, ask, ends);
  const struct dg_gemm_ends none = {0, 0};
  float line[1024]; /* one column: a chunk of x as a row, or of c */
  if (!accumulate)
    for (long i = 0; i < m; ++i)
      for (long j = 0; j < n; ++j) c[i * ldc + j] = 0.0f;
  if (!ta) {
    for (long pc = 0; pc < k; pc += 1024) {
      long kc = k - pc < 1024 ? k - pc : 1024;
      for (long p = 0; p < kc; ++p) line[p] = tb ? b[pc + p] : b[(pc + p) * ldb];
      for (long i = 0; i < m; ++i) c[i * ldc] += dg_dot(kc, a + i * lda + pc, line);
    }
  } else {
    for (long ic = 0; ic < m && k > 0; ic += 1024) { /* c' = b' a, a row times a matrix */
      long mc = m - ic < 1024 ? m - ic : 1024;
      for (long i = 0; i < mc; ++i) line[i] = c[(ic + i) * ldc];
      dg_gemm_blocks(!tb, 0, 1, mc, k, b, ldb, a + ic, lda, line, mc, 1, 0, none);
      for (long i = 0; i < mc; ++i) c[(ic + i) * ldc] = line[i];
    }
  }
  const int wild = ask && dg_wild(m, n, c, ldc);
  for (long i = 0; i < m && ends.bias; ++i)
    for (long j = 0; j < n; ++j) c[i * ldc + j] += ends.bias[j];
  if (ends.after) ends.after(c, m, n, ldc);
  return wild;
}
)C";

// dg_matmul: c = a b, row-major; ta, tb: a or b is stored transposed; tb = 2: b lies in panels of DG_PANEL columns, and turn counts
// the products with it. zero = 1 or 2: zeros of a or b, an adjoint, stay zero beside infinite values; only elements that came out
// infinite or NaN are made again with that rule.
// dg_matmul_onto: c += a' b, c in double; sums of DG_TERMS terms are made as dg_matmul makes them. lda, ldb: from a term's row of a or b
// to the next; row, column: from a row of c to the next, and from a column.
constexpr const char* text_product_at = R"(
DG_FN long long dg_right_at(long long tb, long long n, long long k, long long p, long long j) {
  return tb == 2 ? (j / DG_PANEL * k + p) * DG_PANEL + j % DG_PANEL : tb ? j * k + p : p * n + j;
}
DG_TEMPLATE(typename A, typename B)
DG_FN float dg_product_at(DG_IN(A) a, DG_IN(B) b, long long ta, long long tb, long long m, long long n, long long k, long long zero,
                          long long i, long long j) {
  float sum = 0.0f;
  for (long long p = 0; p < k; ++p) {
    const float x = a[ta ? p * m + i : i * k + p], y = b[dg_right_at(tb, n, k, p, j)];
    sum += (zero == 1 ? x : y) == 0.0f ? 0.0f : x * y;
  }
  return sum;
}
)";
// Inline, so that what a program's calls do not need is not compiled.
constexpr const char* text_matmul_c = R"(
#define DG_TERMS 256 /* of a sum in float32 that is added to one in double */
#define DG_ONTO (DG_MR * 40) /* rows of A whose copy stays in the second-level cache while all columns of B go by */
DG_FN void dg_add_part(const float* part, long m, long n, double* c, long row, long column) {
  for (long i = 0; i < m && column == 1 && n == DG_NR; ++i)
    for (long j = 0; j < DG_NR; ++j) c[i * row + j] += part[i * DG_NR + j];
  for (long i = 0; i < m && (column != 1 || n != DG_NR); ++i)
    for (long j = 0; j < n; ++j) c[i * row + j * column] += part[i * DG_NR + j];
}
/* The first tile of a whole panel, which it copies. */
DG_GEMM void dg_gemm_first_tile(long k, struct dg_gemm_left l, const float* b, long ldb, float* part, float* copy) {
  dg_gemm_tile(DG_MR, DG_NV, k, l.a, l.as, l.ap, b, ldb, part, DG_NR, 0, 0, copy);
}
/* c += a' b. A and a panel of B are copied once for many tiles, the panel by the first; meanwhile what the next tile
   adds to, and the next panel, are fetched. */
DG_GEMM void dg_gemm_onto(const float* a, long lda, const float* b, long ldb, double* c, long row, long column, long zero, long m, long n,
                          long k) {
  float copy[DG_ROOM] __attribute__((aligned(64))), part[DG_MR * DG_NR] __attribute__((aligned(64)));
  for (long first = 0; first < m; first += DG_ONTO)
    for (long p = 0; p < k; p += DG_TERMS) {
      const long mc = m - first < DG_ONTO ? m - first : DG_ONTO, kc = k - p < DG_TERMS ? k - p : DG_TERMS;
      const float *ap = a + p * lda, *bp = b + p * ldb;
      const struct dg_gemm_left left = dg_gemm_left_of(1, mc, kc, ap + first, lda, copy + DG_TERMS * DG_NR);
      for (long j = 0, w; j < n; j += w) {
        w = n - j < DG_NR ? n - j : DG_NR;
        const int whole = w == DG_NR && mc >= DG_MR;
        if (!whole) dg_gemm_pack(0, kc, w, bp + j, ldb, copy);
        struct dg_gemm_left l = left;
        for (long i = first, mt, next = 0; i < first + mc; i += mt, l.a += l.tile) {
          mt = first + mc - i < DG_MR ? first + mc - i : DG_MR;
          double* to = c + i * row + j * column;
          for (long r = 0; r < mt && column == 1; ++r)
            for (long e = 0; e < w + 8; e += 8) __builtin_prefetch(to + r * row + e, 1);
          for (const long upto = (i + mt - first) * kc / mc; next < upto && j + w < n; ++next)
            for (long e = 0; e < DG_NR; e += 16) __builtin_prefetch(bp + next * ldb + j + DG_NR + e, 0, 2);
          if (whole && i == first) dg_gemm_first_tile(kc, l, bp + j, ldb, part, copy);
          else dg_gemm_panel(mt, w, kc, l, copy, DG_NR, part, DG_NR, 0, 0);
          for (long r = 0; zero && r < mt && dg_wild(mt, w, part, DG_NR); ++r)
            for (long e = 0; e < w; ++e)
              if (!(part[r * DG_NR + e] - part[r * DG_NR + e] == 0.0f))
                part[r * DG_NR + e] = dg_product_at(ap, bp, 1, 0, lda, ldb, kc, zero, i + r, j + e);
          dg_add_part(part, mt, w, to, row, column);
        }
      }
    }
}
/* Few columns are taken for rows: a tile has few rows. */
DG_FN void dg_matmul_onto(const float* a, const float* b, double* c, long lda, long ldb, long m, long n, long k, long row, long column,
                          long zero) {
  if (n < 2 * DG_MR && n < m) dg_gemm_onto(b, ldb, a, lda, c, column, row, zero ? 3 - zero : 0, n, m, k);
  else dg_gemm_onto(a, lda, b, ldb, c, row, column, zero, m, n, k);
}
DG_GEMM void dg_keep_zeros(const float* a, const float* b, float* c, long ta, long tb, long m, long n, long k, long zero, long first,
                           long end) {
  for (long i = 0; i < m; ++i)
    for (long j = first; j < end; ++j)
      if (!(c[i * n + j] - c[i * n + j] == 0.0f)) c[i * n + j] = dg_product_at(a, b, ta, tb, m, n, k, zero, i, j);
}
/* Columns [first, end) of a product with b in panels, which they begin and end with. */
DG_FN void dg_matmul_columns(const float* a, const float* b, float* c, long ta, long tb, long m, long n, long k, long zero, long turn,
                             long first, long end) {
  const struct dg_gemm_ends none = {0, 0};
  const int wild = dg_gemm_panels(turn, m, end - first, k, a, k, b + first * k, c + first, n, zero != 0, none);
  if (wild) dg_keep_zeros(a, b, c, ta, tb, m, n, k, zero, first, end);
}
DG_FN void dg_matmul(const float* a, const float* b, float* c, long ta, long tb, long m, long n, long k, long zero,
                     long turn) {
  if (tb == 2) {
    dg_matmul_columns(a, b, c, ta, tb, m, n, k, zero, turn, 0, n);
  } else {
    const struct dg_gemm_ends none = {0, 0};
    const int wild = dg_gemm((int)ta, (int)tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n, 0, zero != 0, none);
    if (wild) dg_keep_zeros(a, b, c, ta, tb, m, n, k, zero, 0, n);
  }
}
)";
// dg_matmul_bias[_FUNCTION]: a b plus a bias a column, then a function of every element while it is near.
std::string with_bias(const std::string& name) {
  const std::string function = name.substr(std::min(name.size(), std::string("dg_matmul_bias_").size()));
  std::string text;
  if (function == "relu")
    text = "DG_FN float dg_relu(float x) { return x <= 0.0f ? 0.0f : x; }\n"
           "DG_FN dg_vf dg_relu_v(dg_vf x) { return DG_SEL_V(x <= dg_splat(0.0f), dg_splat(0.0f), x); }\n";
  if (!function.empty())
    text += cat("DG_GEMM void dg_after_", function, "(float *c, long m, long n, long ldc) {\n  for (long i = 0; i < m; ++i, c += ldc) {\n",
               "    long j = 0;\n    for (; j + DG_W <= n; j += DG_W) dg_store_v(c + j, dg_", function, "_v(dg_load_v(c + j)));\n",
               "    for (; j < n; ++j) c[j] = dg_", function, "(c[j]);\n  }\n}\n");
  return text + cat("DG_FN void ", name, "(const float* a, const float* b, const float* bias, float* c, long ta, long tb, long m, long n, ",
                    "long k) {\n  const struct dg_gemm_ends ends = {bias, ", function.empty() ? "0" : "dg_after_" + function,
                    "};\n  if (tb == 2) dg_gemm_panels(0, m, n, k, a, k, b, c, n, 0, ends);\n",
                    "  else dg_gemm((int)ta, (int)tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n, 0, 0, ends);\n}\n");
}
// On a GPU a thread makes every step-th element from `first` on; the chain over k is the one of the C text.
constexpr const char* text_matmul_gpu = R"(
DG_TEMPLATE(typename A, typename B, typename C)
DG_FN void dg_matmul(DG_IN(A) a, DG_IN(B) b, DG_OUT(C) c, long long ta, long long tb, long long m, long long n, long long k,
                     long long zero, long long, long long first, long long step) {
  for (long long e = first; e < m * n; e += step) {
    const long long i = e / n, j = e % n;
    float sum = 0.0f;
    for (long long p = 0; p < k; ++p) sum = DG_FMA(a[ta ? p * m + i : i * k + p], b[dg_right_at(tb, n, k, p, j)], sum);
    c[e] = zero && !(sum - sum == 0.0f) ? dg_product_at(a, b, ta, tb, m, n, k, zero, i, j) : sum;
  }
}
)";

}  // namespace

std::string prelude_gemm(Target target, const std::set<std::string>& names) {
  const std::string panel = cat("#define DG_PANEL ", ir::kPanel, "\n");
  if (target == Target::c) {
    std::string text = panel + text_c + text_product_at + text_matmul_c;
    for (const std::string& name : names)
      if (name.starts_with("dg_matmul_bias")) text += with_bias(name);
    return text;
  }
  std::string text = panel + text_product_at + text_matmul_gpu;
  if (target == Target::metal)  // which has no long long
    for (size_t at; (at = text.find("long long")) != std::string::npos;) text.replace(at, 9, "long");
  return text;
}

}  // namespace dgen::codegen
