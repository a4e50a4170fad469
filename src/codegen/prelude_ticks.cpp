// What kernels in C call that goes along ticks and is not made for a pattern: rows of segments for scans, values a tick late, sums
// of phases, sines by angle sums.
#include <algorithm>

#include "base/check.h"
#include "codegen/prelude.h"
#include "ir/lower.h"

namespace dgen::codegen {
namespace {

// Rows of 8 ticks in memory, one a segment, as 8 vectors, and back: rows [lo, hi), a part of them through a copy.
constexpr const char* segments = R"(
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define DG_FMA_DOUBLE(a, b, c) __builtin_fma(a, b, c)
#else
#define DG_FMA_DOUBLE(a, b, c) ((a) * (b) + (c))
#endif
#define DG_GROUP (8 * DG_W)
#define DG_MANY_GROUPS 4 /* at a time; few of those with coefficients that vary */
#define DG_FEW_GROUPS 2
#if DG_W == 16 /* the segments' order in which rows of 16 ticks turn into them with three shuffles a vector */
#define DG_LANE(segment) (((segment) & 8) | ((segment) & 1) << 2 | ((segment) >> 1 & 3))
#define DG_SEGMENT(i) (((i) & 8) | ((i) & 3) << 1 | ((i) >> 2 & 1))
#define DG_EVEN_QUADS(i) (((i) & 3) | ((i) & 4) << 1 | ((i) & 8) << 1)
#define DG_ODD_QUADS(i) (DG_EVEN_QUADS(i) + 4)
#define DG_FIRST_QUADS(i) (((i) & 3) | ((i) & 4) << 2 | ((i) & 8) >> 1)
#define DG_LAST_QUADS(i) (DG_FIRST_QUADS(i) + 8)
DG_FN dg_part dg_ticks_of(int segments, int i) { return (segments >> i & 1) * 0xff | (segments >> (i + 1) & 1) * 0xff00; }
DG_FN void dg_take_segments(dg_vf *x, const float *p, long lo, long hi) {
  dg_vf r[8];
  if (lo > 0 || hi < DG_W) {
    const int in = (1 << hi) - (1 << lo);
    DG_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = dg_load_v_part(p + DG_W * i, dg_ticks_of(in, 2 * i));
  } else {
    DG_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = dg_load_v(p + DG_W * i);
  }
  dg_turn_v(r), dg_turn_v(r + 4);
  DG_UNROLL
  for (int e = 0; e < 4; ++e) x[e] = DG_MIX(r[e], r[e + 4], DG_EVEN_QUADS), x[e + 4] = DG_MIX(r[e], r[e + 4], DG_ODD_QUADS);
}
DG_FN void dg_give_segments(float *p, const dg_vf *x, long lo, long hi) {
  dg_vf r[8];
  DG_UNROLL
  for (int e = 0; e < 4; ++e) r[e] = DG_MIX(x[e], x[e + 4], DG_FIRST_QUADS), r[e + 4] = DG_MIX(x[e], x[e + 4], DG_LAST_QUADS);
  dg_turn_v(r), dg_turn_v(r + 4);
  if (lo > 0 || hi < DG_W) {
    const int in = (1 << hi) - (1 << lo);
    DG_UNROLL
    for (int i = 0; i < 8; ++i) dg_store_v_part(p + DG_W * i, r[i], dg_ticks_of(in, 2 * i));
  } else {
    DG_UNROLL
    for (int i = 0; i < 8; ++i) dg_store_v(p + DG_W * i, r[i]);
  }
}
#else
#define DG_LANE(segment) (segment)
#define DG_SEGMENT(i) (i)
DG_FN void dg_copy_rows(float *to, const float *from, long lo, long hi) { /* as they are stored, so that loads need not wait */
  for (long i = 8 * lo; i < 8 * hi; i += 4) *(dg_quad *)(to + i) = *(const dg_quad *)(from + i);
}
DG_FN void dg_take_segments(dg_vf *x, const float *p, long lo, long hi) {
  float rows[DG_GROUP];
  if (lo > 0 || hi < DG_W) {
    for (int i = 0; i < DG_GROUP; i += DG_W) dg_store_v(rows + i, dg_splat(0.0f));
    dg_copy_rows(rows, p, lo, hi);
    p = rows;
  }
  dg_take_rows_v(x, p, 8), dg_take_rows_v(x + 4, p + 4, 8);
}
DG_FN void dg_give_segments(float *p, const dg_vf *x, long lo, long hi) {
  float rows[DG_GROUP];
  const int whole = lo == 0 && hi == DG_W;
  float *to = whole ? p : rows;
  dg_give_rows_v(to, x, 8), dg_give_rows_v(to + 4, x + 4, 8);
  if (!whole) dg_copy_rows(p, rows, lo, hi);
}
#endif
/* The lane of the segment before a lane's, by so many; lanes of a second vector where there is none. */
#define DG_SOONER(i, by) (DG_SEGMENT(i) < by ? (i) + DG_W : DG_LANE(DG_SEGMENT(i) - by))
#define DG_LATER(i, by) (DG_SEGMENT(i) + by < DG_W ? DG_LANE(DG_SEGMENT(i) + by) : (i) + DG_W)
#define DG_SOONER_1(i) DG_SOONER(i, 1)
#define DG_SOONER_2(i) DG_SOONER(i, 2)
#define DG_SOONER_4(i) DG_SOONER(i, 4)
#define DG_SOONER_8(i) DG_SOONER(i, 8)
#define DG_LATER_1(i) DG_LATER(i, 1)
#define DG_LATER_2(i) DG_LATER(i, 2)
#define DG_LATER_4(i) DG_LATER(i, 4)
#define DG_LATER_8(i) DG_LATER(i, 8)
DG_FN dg_vf dg_with_kept(float *kept, dg_vf x, long lo, long hi) { /* x in the lanes of segments [lo, hi), which are kept then */
  const dg_vi segment = {DG_EACH(DG_SEGMENT)};
  x = DG_SEL_V((segment >= (int)lo) & (segment < (int)hi), x, dg_load_v(kept));
  dg_store_v(kept, x);
  return x;
}
DG_FN int dg_all_below(dg_vf x, float most) { /* in size; a NaN is not */
#if DG_W == 16
  return __builtin_ia32_cmpps512_mask(DG_FABS_V(x), dg_splat(most), 5, (unsigned short)-1, 4) == 0;
#else
  const dg_vi not_below = ~(DG_FABS_V(x) < dg_splat(most));
#if defined(__AVX2__)
  return __builtin_ia32_movmskps256((dg_vf)not_below) == 0;
#elif defined(__SSE2__)
  return __builtin_ia32_movmskps((dg_vf)not_below) == 0;
#else
  return (not_below[0] | not_below[1] | not_below[2] | not_below[3]) == 0;
#endif
#endif
}
DG_FN double dg_scan_plain(double a, double s, double c) { return a * s + c; }
DG_FN double dg_scan_term(double a, double s, double c) { return a == 0 ? c : a * s + c; }
DG_FN double dg_scan_term_r(double a, double s, double c) { return (a == 0) | (s == 0) ? c : a * s + c; }
)";

// Every value one tick late; `size` elements a tick.
constexpr const char* shift = R"(
DG_FN void dg_shift(float *to, const float *from, float *cell, long n, long size) {
  __builtin_memcpy(to, cell, 4 * size);
  __builtin_memcpy(to + size, from, 4 * (n - 1) * size);
  __builtin_memcpy(cell, from + (n - 1) * size, 4 * size);
}
DG_FN void dg_shift_r(float *to, const float *from, float *cell, long n, long size) {
  __builtin_memcpy(to + (n - 1) * size, cell, 4 * size);
  __builtin_memcpy(to, from + size, 4 * (n - 1) * size);
  __builtin_memcpy(cell, from, 4 * size);
}
)";

// A phasor of varying frequency. Its steps are multiples of 2^-32 turns, and sums of integers are the same in any order.
constexpr const char* phase_sum = R"(
#define DG_BACK_1(i) ((i) < 1 ? (i) + DG_W : (i) - 1)
#define DG_BACK_2(i) ((i) < 2 ? (i) + DG_W : (i) - 2)
#define DG_BACK_4(i) ((i) < 4 ? (i) + DG_W : (i) - 4)
#define DG_BACK_8(i) ((i) < 8 ? (i) + DG_W : (i) - 8)
#define DG_LAST(i) (DG_W - 1)
#define DG_SUM_BACK(x, back) x += __builtin_shufflevector(x, zero, DG_EACH(back))
DG_FN dg_vw dg_sum_back(dg_vw sum) {
  const dg_vw zero = {0};
  DG_SUM_BACK(sum, DG_BACK_1);
  DG_SUM_BACK(sum, DG_BACK_2);
#if DG_W > 4
  DG_SUM_BACK(sum, DG_BACK_4);
#endif
#if DG_W > 8
  DG_SUM_BACK(sum, DG_BACK_8);
#endif
  return sum;
}
DG_FN void dg_phase_sum(float *to, const float *f, dg_u64 *phase, const float *scalars, long n) {
  const float rate = scalars[0], scale = 4294967296.0f / rate;
  dg_u64 now = *phase;
  dg_vw high = (dg_vw){0} + (dg_u32)(now >> 32); /* steps leave the lower half as it is */
  long t = 0;
  for (; t + DG_W <= n; t += DG_W) {
    const dg_vf x = dg_load_v(f + t), v = x * dg_splat(scale);
    dg_vf none = {0};
    dg_vw step = (dg_vw)DG_TO_WORD_V(v);
    if (!dg_all_below(v, 2147483648.0f)) step = (dg_vw)dg_phase_word_v(x, dg_splat(scale)), none = x * 0.0f;
    const dg_vw sum = dg_sum_back(step), word = sum - step + high;
    dg_store_v(to + t, dg_phase_turns_v((dg_vi)(word >> 8), none));
    high += __builtin_shufflevector(sum, sum, DG_EACH(DG_LAST));
  }
  now = (dg_u64)high[0] << 32 | (dg_u32)now;
  for (; t < n; ++t) {
    to[t] = dg_phase_out(now, f[t] * 0.0f);
    now += dg_phase_step(f[t], rate);
  }
  *phase = now;
}
)";

// Angle sums (loop/sines.h): groups of DG_TURNED ticks, each its row of anchors times the table, [rows][DG_TURNED]. Group g begins
// at to[from + DG_TURNED g], and no tick is written before to[0] or from to[end]. Four groups share what is loaded of the table.
constexpr const char* sines = R"(
#if DG_W == 16
#define DG_ABREAST 4
#else
#define DG_ABREAST 2
#endif
#define DG_SPAN (DG_ABREAST * DG_W)
/* A single sine never goes beyond its weight, top: what is smaller, with the sign of x. Where x may be NaN, top is, too. */
#if defined(__AVX512DQ__)
#define DG_WITHIN_V(x, top) ((dg_vf)__builtin_ia32_rangeps512_mask(x, top, 2, (dg_vf){0}, (unsigned short)-1, 4))
#else
#define DG_WITHIN_V(x, top) ((dg_vf)DG_LESSER_V(top, DG_GREATER_V(-(top), x)))
#endif
DG_FN dg_vf dg_top(float most, float a, float b) { return dg_splat(most + (a * 0.0f + b * 0.0f)); }
DG_FN void dg_turn_ticks(int groups, float *to, const float *a, const float *table, int single, float most, long rows, long by_group,
                         long by_row) {
  dg_vf sum[4][DG_ABREAST] = {{{0}}};
  const float *const first = a;
  for (long r = 0; r < rows; ++r, a += by_row, table += DG_TURNED) {
    DG_UNROLL
    for (int g = 0; g < groups; ++g)
      DG_UNROLL
      for (int v = 0; v < DG_ABREAST; ++v) sum[g][v] = DG_FMA_V(dg_splat(a[g * by_group]), dg_load_v(table + v * DG_W), sum[g][v]);
  }
  DG_UNROLL
  for (int g = 0; g < groups; ++g) {
    const dg_vf top = single ? dg_top(most, first[g], first[g + by_row]) : dg_splat(0.0f);
    DG_UNROLL
    for (int v = 0; v < DG_ABREAST; ++v) dg_store_v(to + g * DG_TURNED + v * DG_W, single ? DG_WITHIN_V(sum[g][v], top) : sum[g][v]);
  }
}
DG_FN void dg_turn_groups(float *to, const float *a, const float *table, int single, float most, long rows, long groups, long by_group,
                          long by_row, long from, long end) {
  for (long g = 0, many; g < groups; g += many, from += many * DG_TURNED, a += many * by_group) {
    many = groups - g >= 4 && from >= 0 && from + 4 * DG_TURNED <= end ? 4 : 1;
    for (long t = 0; t < DG_TURNED; t += DG_SPAN) {
      const long at = from + t, lo = at < 0 ? -at : 0, hi = end - at < DG_SPAN ? end - at : DG_SPAN;
      float part[DG_SPAN];
      if (lo >= hi) continue;
      if (many == 4) dg_turn_ticks(4, to + at, a, table + t, single, most, rows, by_group, by_row);
      else dg_turn_ticks(1, lo == 0 && hi == DG_SPAN ? to + at : part, a, table + t, single, most, rows, by_group, by_row);
      if (lo > 0 || hi < DG_SPAN) __builtin_memcpy(to + at + lo, part + lo, 4 * (hi - lo));
    }
  }
}
static void dg_sines(float *to, const float *a, const float *table, long rows, long groups, long by_group, long by_row, long from,
                     long end) {
  dg_turn_groups(to, a, table, 0, 0, rows, groups, by_group, by_row, from, end);
}
/* A single sine: two rows, whose groups lie side by side. */
static void dg_sine(float *to, const float *a, const float *table, const float *weight, long groups, long by_row, long from, long end) {
  dg_turn_groups(to, a, table, 1, DG_FABS(*weight), 2, groups, 1, by_row, from, end);
}
)";

// A single sine for a scan, which makes each value where it needs it: the table lies as segments lie in lanes.
constexpr const char* wave = R"(
typedef struct { dg_vf table[2][DG_TURNED / DG_W]; const float *anchors; long by_row, early; float most; } dg_wave;
static void dg_make_wave(dg_wave *f, const float *anchors, long by_row, const float *table, float weight, long first) {
  for (long i = 0; i < DG_TURNED; i += DG_GROUP)
    for (int r = 0; r < 2; ++r) dg_take_segments(f->table[r] + i / DG_W, table + r * DG_TURNED + i, 0, DG_W);
  f->anchors = anchors, f->by_row = by_row, f->early = first & (DG_TURNED - 1), f->most = DG_FABS(weight);
}
DG_FN void dg_take_wave(dg_vf *x, const dg_wave *f, long at) { /* the group of ticks that begins at `at` */
  const unsigned long from = at + f->early;
  const float *const anchor = f->anchors + from / DG_TURNED;
  const dg_vf *const u = f->table[0] + from % DG_TURNED / DG_W, *const v = f->table[1] + from % DG_TURNED / DG_W;
  const dg_vf a = dg_splat(anchor[0]), b = dg_splat(anchor[f->by_row]), top = dg_top(f->most, anchor[0], anchor[f->by_row]), zero = {0};
  DG_UNROLL
  for (int e = 0; e < 8; ++e) {
    const dg_vf sum = DG_FMA_V(b, v[e], DG_FMA_V(a, u[e], zero));
    x[e] = DG_WITHIN_V(sum, top);
  }
}
DG_FN float dg_wave_at(const dg_wave *f, long t) {
  const unsigned long from = t + f->early, in = from % DG_TURNED, at = in / DG_GROUP * 8 + in % 8, segment = in % DG_GROUP / 8;
  const float *const anchor = f->anchors + from / DG_TURNED;
  const float u = f->table[0][at][DG_LANE(segment)], v = f->table[1][at][DG_LANE(segment)];
  const float sum = DG_FMA(anchor[f->by_row], v, DG_FMA(anchor[0], u, 0.0f));
  return DG_LESSER(f->most, DG_GREATER(-f->most, sum));
}
)";

}  // namespace

std::string prelude_ticks(const std::set<std::string>& names) {
  std::string text = cat(segments, shift);
  if (names.count("dg_phase_sum")) text += phase_sum;
  const bool waves = std::any_of(names.begin(), names.end(), [](auto& name) { return name.ends_with("_w"); });
  if (names.count("dg_sines") || names.count("dg_sine") || waves) text += cat("#define DG_TURNED ", ir::kSineGroup, sines);
  if (waves) text += wave;
  return text;
}

}  // namespace dgen::codegen
