// Vectors of DG_W floats in plain C with GNU vector extensions. The vector functions are the scalar ones of
// prelude_math.cpp with other types: dg_sin becomes dg_sin_v, float becomes dg_vf, so every lane has the scalar bits.
// Integers of 64 bit come in two halves (dg_vu), since compilers keep vectors wider than the machine's in memory.
#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "codegen/prelude.h"
#include "codegen/prelude_text.h"

namespace dgen::codegen {
namespace {

constexpr const char* header = R"C(
#define DG_4(f, i) f(i), f(i + 1), f(i + 2), f(i + 3)
#if defined(__AVX512F__)
#define DG_W 16
#define DG_EACH(f) DG_4(f, 0), DG_4(f, 4), DG_4(f, 8), DG_4(f, 12)
#define DG_EACH_HALF(f) DG_4(f, 0), DG_4(f, 4)
#define DG_C(c) ((dg_vf){c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c})
#elif defined(__AVX2__)
#define DG_W 8
#define DG_EACH(f) DG_4(f, 0), DG_4(f, 4)
#define DG_EACH_HALF(f) DG_4(f, 0)
#define DG_C(c) ((dg_vf){c, c, c, c, c, c, c, c})
#else
#define DG_W 4
#define DG_EACH(f) DG_4(f, 0)
#define DG_EACH_HALF(f) f(0), f(1)
#define DG_C(c) ((dg_vf){c, c, c, c})
#endif
typedef float dg_vf __attribute__((vector_size(DG_W * 4), may_alias));
typedef dg_i32 dg_vi __attribute__((vector_size(DG_W * 4), may_alias));
typedef dg_u32 dg_vw __attribute__((vector_size(DG_W * 4), may_alias));
typedef dg_u64 dg_vq __attribute__((vector_size(DG_W * 4), may_alias)); /* half as many lanes, as all that follow */
typedef long long dg_vs __attribute__((vector_size(DG_W * 4)));
typedef double dg_vd __attribute__((vector_size(DG_W * 4)));
typedef float dg_quad __attribute__((vector_size(16), aligned(4), may_alias)), dg_pair_of_quads __attribute__((vector_size(32)));
typedef float dg_vf_half __attribute__((vector_size(DG_W * 2)));
typedef struct { dg_vq lo, hi; } dg_vu;
#if defined(__AVX512F__) /* lanes that are there: a bit a lane, or how many */
typedef unsigned short dg_part;
#define DG_WHOLE(part) ((part) == 0xffff)
#define DG_COUNT(part) __builtin_popcount(part)
#else
typedef long dg_part;
#define DG_WHOLE(part) __builtin_expect((part) >= DG_W, 1)
#define DG_COUNT(part) (part)
#endif
typedef float dg_vf_any __attribute__((vector_size(DG_W * 4), aligned(4), may_alias)); /* anywhere in memory */
typedef dg_u64 dg_vq_any __attribute__((vector_size(DG_W * 4), aligned(8), may_alias));
#define DG_AS_FLOAT_V(i) ((dg_vf)(i))
#define DG_AS_UINT_V(f) ((dg_vw)(f))
#define DG_TO_FLOAT_V(i) __builtin_convertvector(i, dg_vf)
#define DG_TO_INT_V(f) __builtin_convertvector(f, dg_vi)
#define DG_MASK_V(truth) ((dg_vw)(truth))
#define DG_INF_V DG_C(__builtin_inff())
#define DG_NAN_V DG_C(__builtin_nanf(""))
#define DG_MAGIC_V DG_C(12582912.0f)
#define DG_FABS_V(x) ((dg_vf)((dg_vw)(x) & 0x7fffffffu))
#define DG_COPYSIGN_V(x, s) ((dg_vf)(((dg_vw)(x) & 0x7fffffffu) | ((dg_vw)(s) & 0x80000000u)))
#ifdef __clang__
#define DG_UNROLL _Pragma("clang loop unroll(full)")
#define DG_KEEP_LOOP _Pragma("clang loop unroll(disable)") /* unrolled, it spills */
#else
#define DG_UNROLL _Pragma("GCC unroll 16")
#define DG_KEEP_LOOP
#endif
#if defined(__AVX512F__) && defined(__clang__)
#define DG_LESSER_V(a, b) __builtin_ia32_minps512(a, b, 4)
#define DG_GREATER_V(a, b) __builtin_ia32_maxps512(a, b, 4)
#define DG_SQRT_UNIT_V(x) __builtin_ia32_sqrtps512(x, 4)
#define DG_PERMUTE_V(x, at) __builtin_ia32_permvarsf512(x, at)
#elif defined(__AVX512F__) /* a comparison and a choice would take two instructions each */
#define DG_LESSER_V(a, b) ((dg_vf)__builtin_ia32_minps512_mask(a, b, (dg_vf){0}, (unsigned short)-1, 4))
#define DG_GREATER_V(a, b) ((dg_vf)__builtin_ia32_maxps512_mask(a, b, (dg_vf){0}, (unsigned short)-1, 4))
#define DG_SQRT_UNIT_V(x) __builtin_ia32_sqrtps512_mask(x, x, (unsigned short)-1, 4)
#define DG_PERMUTE_V(x, at) __builtin_ia32_permvarsf512_mask(x, at, x, (unsigned short)-1)
#elif defined(__AVX2__)
#define DG_SEL_V(mask, a, b) __builtin_ia32_blendvps256(b, a, (dg_vf)(mask))
#define DG_PERMUTE_V(x, at) __builtin_ia32_permvarsf256(x, at)
#define DG_LESSER_V(a, b) __builtin_ia32_minps256(a, b)
#define DG_GREATER_V(a, b) __builtin_ia32_maxps256(a, b)
#elif defined(__SSE2__)
#ifdef __SSE4_1__
#define DG_SEL_V(mask, a, b) __builtin_ia32_blendvps(b, a, (dg_vf)(mask))
#endif
#define DG_LESSER_V(a, b) __builtin_ia32_minps(a, b)
#define DG_GREATER_V(a, b) __builtin_ia32_maxps(a, b)
#else
#define DG_LESSER_V(a, b) DG_SEL_V((a) < (b), a, b)
#define DG_GREATER_V(a, b) DG_SEL_V((a) > (b), a, b)
#endif
#ifndef DG_SEL_V
#define DG_SEL_V(mask, a, b) dg_blend(mask, a, b)
#endif
#define DG_MOVE static __attribute__((unused, noinline)) void
#define DG_RARE static __attribute__((unused, noinline, cold))
#define DG_EVEN(i) 2 * (i)
#define DG_ODD(i) 2 * (i) + 1
#define DG_WOVEN(i) ((i) / 2 + (i) % 2 * DG_W)
#define DG_WOVEN_HIGH(i) (DG_WOVEN(i) + DG_W / 2)
#define DG_LOWER(i) (i)
#define DG_UPPER(i) (i) + DG_W / 2
#define DG_BELOW(i) ((i) & 1 ? (i) / 2 + DG_W : 0)
#define DG_ABOVE(i) ((i) & 1 ? (i) / 2 + DG_W + DG_W / 2 : 0)
#define DG_STEP(i) dg_phase_step_static(f[i], rate[i])
#define DG_STEP_UPPER(i) DG_STEP((i) + DG_W / 2)
#define DG_GET(i) p[(i) * stride]
#define DG_PUT(i) p[(i) * stride] = x[i]
#define DG_PICK(i) p[at[i]]
#define DG_EIGHT_ON(i) ((i) + 8) % DG_W
#define DG_FOUR_ON(i) ((i) + 4) % DG_W
#define DG_TWO_ON(i) ((i) + 2) % DG_W
#define DG_ONE_ON(i) ((i) + 1) % DG_W
#define DG_FOLD(x, fold, on) x = fold(x, (dg_vf)__builtin_shufflevector(x, x, DG_EACH(on)))
#if DG_W == 16
#define DG_FOLD_LANES(x, f) DG_FOLD(x, f, DG_EIGHT_ON), DG_FOLD(x, f, DG_FOUR_ON), DG_FOLD(x, f, DG_TWO_ON), DG_FOLD(x, f, DG_ONE_ON)
#elif DG_W == 8
#define DG_FOLD_LANES(x, fold) DG_FOLD(x, fold, DG_FOUR_ON), DG_FOLD(x, fold, DG_TWO_ON), DG_FOLD(x, fold, DG_ONE_ON)
#else
#define DG_FOLD_LANES(x, fold) DG_FOLD(x, fold, DG_TWO_ON), DG_FOLD(x, fold, DG_ONE_ON)
#endif
#define DG_PLUS(a, b) ((a) + (b))
#define DG_TIMES(a, b) ((a) * (b))
#define DG_MIX(a, b, at) __builtin_shufflevector(a, b, DG_EACH(at))
#define DG_QUAD(i) (((i) & ~3) + ((i) & 2) / 2 + ((i) & 1) * DG_W)
#define DG_QUAD_HIGH(i) (DG_QUAD(i) + 2)
#define DG_PAIR(i) (((i) & ~3) + ((i) & 1) + ((i) & 2) / 2 * DG_W)
#define DG_PAIR_HIGH(i) (DG_PAIR(i) + 2)
#define DG_SAME(i) i
DG_FN dg_vf dg_blend(dg_vi mask, dg_vf a, dg_vf b) { return (dg_vf)(((dg_vi)a & mask) | ((dg_vi)b & ~mask)); }
)C";

// Instructions that have no spelling in GNU C.
constexpr const char* instructions = R"(
DG_FN dg_vf DG_FMA_V(dg_vf a, dg_vf b, dg_vf c) {
#if defined(__AVX512F__)
  return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
#elif defined(__AVX2__) && defined(__FMA__)
  return __builtin_ia32_vfmaddps256(a, b, c);
#elif defined(__FMA__)
  return __builtin_ia32_vfmaddps(a, b, c);
#elif defined(__aarch64__) && !defined(__clang__)
  return __builtin_aarch64_fmav4sf(a, b, c);
#else
#define DG_FMA_LANE(i) DG_FMA(a[i], b[i], c[i])
  return (dg_vf){DG_EACH(DG_FMA_LANE)};
#endif
}
/* AVX-512: an estimate of 1/sqrt(x) to 14 bits and two steps of Newton, the last one from the exact remainder, which rounds as the
   unit does (Markstein, IA-64 and Elementary Functions, 2000) in 2/3 of its time; where the remainder could underflow, the unit. */
DG_FN dg_vf DG_SQRT_V(dg_vf x) {
#if defined(__AVX512F__)
  const dg_vw least = (dg_vw){0} + 0x0d800000u, many = (dg_vw){0} + (0x7f800000u - 0x0d800000u);
  const int any = __builtin_ia32_ucmpd512_mask((dg_vi)((dg_vw)x - least), (dg_vi)many, 5, (unsigned short)-1);
  if (__builtin_expect(any, 0)) return DG_SQRT_UNIT_V(x);
  const dg_vf r = __builtin_ia32_rsqrt14ps512_mask(x, x, (unsigned short)-1), y = x * r, h = 0.5f * r;
  const dg_vf e = DG_FMA_V(-y, h, DG_C(0.5f)), near = DG_FMA_V(y, e, y);
  return DG_FMA_V(DG_FMA_V(-near, near, x), DG_FMA_V(h, e, h), near);
#elif defined(__AVX2__)
  return __builtin_ia32_sqrtps256(x);
#elif defined(__SSE2__)
  return __builtin_ia32_sqrtps(x);
#else
#define DG_SQRT_LANE(i) DG_SQRT(x[i])
  return (dg_vf){DG_EACH(DG_SQRT_LANE)};
#endif
}
DG_FN dg_vf DG_RINT_V(dg_vf x) {
#if defined(__AVX512F__)
  return __builtin_ia32_rndscaleps_mask(x, 4, x, (unsigned short)-1, 4);
#elif defined(__AVX2__)
  return __builtin_ia32_roundps256(x, 4);
#elif defined(__SSE4_1__)
  return __builtin_ia32_roundps(x, 4);
#else /* where floats have fractions, adding 2^23 rounds them away */
  dg_vf a = DG_FABS_V(x), r = (a + DG_C(8388608.0f)) - DG_C(8388608.0f);
  return DG_COPYSIGN_V(DG_SEL_V(a < DG_C(8388608.0f), r, a), x);
#endif
}
DG_FN dg_vi DG_TO_WORD_V(dg_vf x) { /* 2^31 is no int, for which x86 gives -2^31 */
#if defined(__AVX512F__)
  return (dg_vi)__builtin_ia32_cvtps2dq512_mask(x, (dg_vi){0}, (unsigned short)-1, 4);
#elif defined(__AVX2__)
  return (dg_vi)__builtin_ia32_cvtps2dq256(x);
#elif defined(__SSE2__)
  return (dg_vi)__builtin_ia32_cvtps2dq(x);
#else
  return DG_TO_INT_V(DG_SEL_V(x < 2147483648.0f, DG_RINT_V(x), DG_C(-2147483648.0f)));
#endif
}
DG_FN dg_vf DG_FLOOR_V(dg_vf x) {
#if defined(__AVX512F__)
  return __builtin_ia32_rndscaleps_mask(x, 9, x, (unsigned short)-1, 4);
#elif defined(__AVX2__)
  return __builtin_ia32_roundps256(x, 9);
#elif defined(__SSE4_1__)
  return __builtin_ia32_roundps(x, 9);
#else
  dg_vf r = DG_RINT_V(x);
  return r - DG_SEL_V(r > x, DG_C(1.0f), DG_C(0.0f));
#endif
}
DG_FN dg_vf DG_CEIL_V(dg_vf x) { return -DG_FLOOR_V(-x); }
DG_FN dg_vf DG_TRUNC_V(dg_vf x) { return DG_COPYSIGN_V(DG_FLOOR_V(DG_FABS_V(x)), x); }
)";

// Integers of 64 bit, and conversions between lanes of different width.
constexpr const char* wide = R"(
DG_FN dg_vf dg_splat(float x) { return DG_C(x); }
DG_FN dg_vi dg_splat_i(int x) { return (dg_vi){0} + x; }
DG_FN dg_vu dg_splat_u(dg_u64 x) { dg_vu r = {(dg_vq){0} + x, (dg_vq){0} + x}; return r; }
DG_FN dg_vi dg_lanes_v(void) { return (dg_vi){DG_EACH(DG_LOWER)}; }
DG_FN dg_vu dg_lanes_u(void) { dg_vu r = {{DG_EACH_HALF(DG_LOWER)}, {DG_EACH_HALF(DG_UPPER)}}; return r; }
DG_FN dg_vi dg_high_words(dg_vu x) {
#if defined(__AVX2__) && !defined(__AVX512F__) /* gcc would take three instructions */
  return (dg_vi)__builtin_ia32_permdi256((dg_vs)__builtin_ia32_shufps256((dg_vf)x.lo, (dg_vf)x.hi, 0xdd), 0xd8);
#else
  return __builtin_shufflevector((dg_vi)x.lo, (dg_vi)x.hi, DG_EACH(DG_ODD));
#endif
}
DG_FN dg_vi dg_low_words(dg_vu x) { return __builtin_shufflevector((dg_vi)x.lo, (dg_vi)x.hi, DG_EACH(DG_EVEN)); }
DG_FN dg_vu dg_widen_v(dg_vi x) {
  dg_vs lo = __builtin_convertvector(__builtin_shufflevector(x, x, DG_EACH_HALF(DG_LOWER)), dg_vs);
  dg_vs hi = __builtin_convertvector(__builtin_shufflevector(x, x, DG_EACH_HALF(DG_UPPER)), dg_vs);
  dg_vu r = {(dg_vq)lo, (dg_vq)hi};
  return r;
}
DG_FN dg_vf dg_float_v(dg_vi x) { return DG_TO_FLOAT_V(x); }
DG_FN dg_vf dg_float_from_v(dg_vi x, double first) {
  dg_vd lo = __builtin_convertvector(__builtin_shufflevector(x, x, DG_EACH_HALF(DG_LOWER)), dg_vd) + first;
  dg_vd hi = __builtin_convertvector(__builtin_shufflevector(x, x, DG_EACH_HALF(DG_UPPER)), dg_vd) + first;
  return __builtin_shufflevector(__builtin_convertvector(lo, dg_vf_half), __builtin_convertvector(hi, dg_vf_half), DG_EACH(DG_LOWER));
}
DG_FN dg_vi dg_to_int_v(dg_vf x) { return dg_to_i32_v(x); }
DG_FN dg_vu dg_noise_key_v(dg_vu seed, dg_vu element) {
  dg_vu r = {dg_noise_key_half(seed.lo, element.lo), dg_noise_key_half(seed.hi, element.hi)};
  return r;
}
DG_FN dg_vf dg_noise_keyed_v(dg_vu key, dg_vu tick) {
  dg_vu top = {dg_noise_top_half(key.lo, tick.lo), dg_noise_top_half(key.hi, tick.hi)};
  return dg_noise_value_v(dg_low_words(top));
}
DG_FN dg_vf dg_noise_v(dg_vu seed, dg_vu element, dg_vu tick) { return dg_noise_keyed_v(dg_noise_key_v(seed, element), tick); }
DG_FN dg_vu dg_phase_inc_v(dg_vf f, dg_vf scale) {
  dg_vi word = dg_phase_word_v(f, scale), zero = {0};
  dg_vu r = {(dg_vq)__builtin_shufflevector(zero, word, DG_EACH(DG_BELOW)), (dg_vq)__builtin_shufflevector(zero, word, DG_EACH(DG_ABOVE))};
  return r;
}
DG_FN dg_vu dg_phase_step_v(dg_vf f, dg_vf rate) { return dg_phase_inc_v(f, 4294967296.0f / rate); }
DG_FN dg_vu dg_phase_step_static_v(dg_vf f, dg_vf rate) { dg_vu r = {{DG_EACH_HALF(DG_STEP)}, {DG_EACH_HALF(DG_STEP_UPPER)}}; return r; }
DG_FN dg_vu dg_phase_after_v(dg_vu phase, dg_vu step, dg_vu ticks) {
  dg_vu r = {phase.lo + step.lo * ticks.lo, phase.hi + step.hi * ticks.hi};
  return r;
}
DG_FN dg_vu dg_phase_lanes_v(dg_u64 step) { /* step times a lane's number, bit by bit of it */
  dg_vq n = dg_lanes_u().lo, by = (dg_vq){0} + step, lanes = (by & -(n & 1)) + (by << 1 & -(n >> 1 & 1)) + (by << 2 & -(n >> 2));
  dg_vu r = {lanes, lanes + step * (DG_W / 2)};
  return r;
}
DG_FN dg_vu dg_phase_plus_v(dg_vu a, dg_vu b) { dg_vu r = {a.lo + b.lo, a.hi + b.hi}; return r; }
DG_FN dg_vu dg_phase_reset_v(dg_vf reset, dg_vu phase) {
  dg_vu keep = dg_widen_v(~(reset > 0.0f)), r = {phase.lo & keep.lo, phase.hi & keep.hi};
  return r;
}
DG_FN dg_vf dg_phase_out_v(dg_vu phase, dg_vf none) { return dg_phase_turns_v((dg_vi)((dg_vw)dg_high_words(phase) >> 8), none); }
DG_FN dg_vu dg_phase_back_v(dg_vu phase) { dg_vu r = {phase.lo - ((dg_u64)1 << 62), phase.hi - ((dg_u64)1 << 62)}; return r; }
DG_FN dg_vf dg_cos_phase_v(dg_vu phase, dg_vf none) { return dg_cos_word_v(dg_high_words(phase), none); }
)";

constexpr const char* memory = R"(
DG_FN dg_vf dg_load_v(const float *p) { return *(const dg_vf_any *)p; }
DG_FN void dg_store_v(float *p, dg_vf x) { *(dg_vf_any *)p = x; }
DG_FN dg_vu dg_load_u(const dg_u64 *p) { dg_vu r = {*(const dg_vq_any *)p, *(const dg_vq_any *)(p + DG_W / 2)}; return r; }
DG_FN void dg_store_u(dg_u64 *p, dg_vu x) { *(dg_vq_any *)p = x.lo, *(dg_vq_any *)(p + DG_W / 2) = x.hi; }
DG_FN dg_vf dg_strided_v(const float *p, long stride) { return (dg_vf){DG_EACH(DG_GET)}; }
DG_FN void dg_store_strided_v(float *p, long stride, dg_vf x) { (void)(DG_EACH(DG_PUT)); }
DG_FN dg_vf dg_gather_v(const float *p, dg_vi at) { return (dg_vf){DG_EACH(DG_PICK)}; }
DG_FN dg_vi dg_clamp_lanes(long at, long least, long most) {
  const dg_vi lane = dg_lanes_v() + dg_splat_i((int)at), first = dg_splat_i((int)least), last = dg_splat_i((int)most);
  const dg_vi below = lane < first, above = lane > last;
  return (first & below) | (last & above) | (lane & ~(below | above));
}
DG_FN dg_vf dg_clamped_v(const float *p, long at, long least, long most) { /* p[at + lane], that index brought into [least, most] */
  if (least <= at && at + DG_W - 1 <= most) return dg_load_v(p + at);
#if defined(__AVX2__)
  if (most - least >= DG_W - 1) { /* the nearest vector, whose ends lanes beyond it repeat */
    const long from = at < least ? least : most - (DG_W - 1);
    return DG_PERMUTE_V(dg_load_v(p + from), dg_clamp_lanes(at - from, 0, DG_W - 1));
  }
#endif
  return dg_gather_v(p, dg_clamp_lanes(at, least, most));
}
DG_FN dg_part dg_part_of(long n) { /* of at least one lane, the first */
  n = n < DG_W ? n : DG_W;
#if defined(__AVX512F__)
  return (1u << n) - 1;
#else
  return n;
#endif
}
DG_FN dg_vi dg_lanes_there(dg_part there) { return dg_lanes_v() < dg_splat_i(DG_COUNT(there)); }
DG_RARE dg_vf dg_some_v(const float *p, long stride, long n) {
  dg_vf x = {0};
  for (long i = 0; i < n; ++i) x[i] = p[i * stride];
  return x;
}
DG_RARE void dg_store_some_v(float *p, long stride, dg_vf x, long n) {
  for (long i = 0; i < n; ++i) p[i * stride] = x[i];
}
DG_RARE void dg_some_u(dg_u64 *to, const dg_u64 *from, long n) {
  for (long i = 0; i < n; ++i) to[i] = from[i];
}
DG_FN dg_vf dg_load_v_part(const float *p, dg_part there) {
#if defined(__AVX512F__)
  return __builtin_ia32_loadups512_mask((const void *)p, (dg_vf){0}, there);
#elif defined(__AVX2__)
  return __builtin_ia32_maskloadps256((const void *)p, dg_lanes_there(there));
#else
  return DG_WHOLE(there) ? dg_load_v(p) : dg_some_v(p, 1, there);
#endif
}
DG_FN void dg_store_v_part(float *p, dg_vf x, dg_part there) {
#if defined(__AVX512F__)
  __builtin_ia32_storeups512_mask((void *)p, x, there);
#else /* AVX2 has masked stores, which take dozens of cycles on some processors */
  if (DG_WHOLE(there)) return dg_store_v(p, x);
#if DG_W == 8
  if (there & 4) {
    *(dg_quad *)p = __builtin_shufflevector(x, x, 0, 1, 2, 3), p += 4;
    x = __builtin_shufflevector(x, x, 4, 5, 6, 7, 4, 5, 6, 7);
  }
#endif
  if (there & 2) p[0] = x[0], p[1] = x[1], p += 2, x = DG_MIX(x, x, DG_TWO_ON);
  if (there & 1) p[0] = x[0];
#endif
}
DG_FN dg_vu dg_load_u_part(const dg_u64 *p, dg_part there) {
  if (DG_WHOLE(there)) return dg_load_u(p);
  dg_u64 some[DG_W] = {0};
  dg_some_u(some, p, DG_COUNT(there));
  return dg_load_u(some);
}
DG_FN void dg_store_u_part(dg_u64 *p, dg_vu x, dg_part there) {
  if (DG_WHOLE(there)) return dg_store_u(p, x);
  dg_u64 all[DG_W];
  dg_store_u(all, x), dg_some_u(p, all, DG_COUNT(there));
}
DG_FN dg_vf dg_strided_v_part(const float *p, long stride, dg_part there) {
  return DG_WHOLE(there) ? dg_strided_v(p, stride) : dg_some_v(p, stride, DG_COUNT(there));
}
DG_FN void dg_store_strided_v_part(float *p, long stride, dg_vf x, dg_part there) {
  if (DG_WHOLE(there)) dg_store_strided_v(p, stride, x);
  else dg_store_some_v(p, stride, x, DG_COUNT(there));
}
DG_FN dg_vf dg_blend_part(dg_vf a, dg_vf b, dg_part there) { return DG_WHOLE(there) ? a : (dg_vf)DG_SEL_V(dg_lanes_there(there), a, b); }
DG_FN dg_vf dg_gather_v_part(const float *p, dg_vi at, dg_part there) { /* lanes that are not there take what the first takes */
  return dg_gather_v(p, DG_WHOLE(there) ? at : (dg_vi)DG_SEL_V(dg_lanes_there(there), (dg_vf)at, (dg_vf)dg_splat_i(at[0])));
}
DG_FN float dg_sum_v(dg_vf x) { DG_FOLD_LANES(x, DG_PLUS); return x[0]; }
DG_FN float dg_prod_v(dg_vf x) { DG_FOLD_LANES(x, DG_TIMES); return x[0]; }
DG_FN float dg_peak_v(dg_vf x) { DG_FOLD_LANES(x, dg_max_or_nan_v); return x[0]; }
DG_FN dg_vf dg_quads_v(const float *p, long step) { /* four floats from p, four from p + step, ... */
#if DG_W == 4
  return dg_load_v(p);
#elif DG_W == 8
  return (dg_vf)__builtin_shufflevector(*(const dg_quad *)p, *(const dg_quad *)(p + step), DG_EACH(DG_SAME));
#elif defined(__clang__)
  dg_pair_of_quads a = __builtin_shufflevector(*(const dg_quad *)p, *(const dg_quad *)(p + step), 0, 1, 2, 3, 4, 5, 6, 7);
  dg_pair_of_quads b = __builtin_shufflevector(*(const dg_quad *)(p + 2 * step), *(const dg_quad *)(p + 3 * step), 0, 1, 2, 3, 4, 5, 6, 7);
  return (dg_vf)__builtin_shufflevector(a, b, DG_EACH(DG_SAME));
#else /* as shuffles, all would wait for one port */
#define DG_TAKE_QUAD(x, i) __builtin_ia32_insertf32x4_mask(x, *(const dg_quad *)(p + i * step), i, x, (unsigned short)-1)
  dg_vf x = __builtin_ia32_broadcastf32x4_512(*(const dg_quad *)p, (dg_vf){0}, (unsigned short)-1);
  return DG_TAKE_QUAD(DG_TAKE_QUAD(DG_TAKE_QUAD(x, 1), 2), 3);
#endif
}
DG_FN void dg_store_quads_v(float *p, long step, dg_vf x) {
#if DG_W == 4
  dg_store_v(p, x);
#else
  *(dg_quad *)p = __builtin_shufflevector(x, x, 0, 1, 2, 3), *(dg_quad *)(p + step) = __builtin_shufflevector(x, x, 4, 5, 6, 7);
#if DG_W == 16
  *(dg_quad *)(p + 2 * step) = __builtin_shufflevector(x, x, 8, 9, 10, 11);
  *(dg_quad *)(p + 3 * step) = __builtin_shufflevector(x, x, 12, 13, 14, 15);
#endif
#endif
}
DG_FN void dg_turn_v(dg_vf *r) { /* 4 by 4 in every 128 bits */
  dg_vf a = DG_MIX(r[0], r[1], DG_QUAD), b = DG_MIX(r[0], r[1], DG_QUAD_HIGH);
  dg_vf c = DG_MIX(r[2], r[3], DG_QUAD), d = DG_MIX(r[2], r[3], DG_QUAD_HIGH);
  r[0] = DG_MIX(a, c, DG_PAIR), r[1] = DG_MIX(a, c, DG_PAIR_HIGH);
  r[2] = DG_MIX(b, d, DG_PAIR), r[3] = DG_MIX(b, d, DG_PAIR_HIGH);
}
DG_FN void dg_take_rows_v(dg_vf *to, const float *from, long stride) { /* four columns of DG_W rows */
  const long rows = 4 * stride;
  dg_vf r[4] = {dg_quads_v(from, rows), dg_quads_v(from + stride, rows), dg_quads_v(from + 2 * stride, rows),
                dg_quads_v(from + 3 * stride, rows)};
  dg_turn_v(r);
  to[0] = r[0], to[1] = r[1], to[2] = r[2], to[3] = r[3];
}
DG_FN void dg_give_rows_v(float *to, const dg_vf *from, long stride) {
  dg_vf r[4] = {from[0], from[1], from[2], from[3]};
  dg_turn_v(r);
  dg_store_quads_v(to, 4 * stride, r[0]), dg_store_quads_v(to + stride, 4 * stride, r[1]);
  dg_store_quads_v(to + 2 * stride, 4 * stride, r[2]), dg_store_quads_v(to + 3 * stride, 4 * stride, r[3]);
}
DG_MOVE dg_pack_v(dg_vf *to, const float *from, long stride, long n) {
  long e = 0;
  if (n == 2 && stride == 2) { /* pairs, such as stereo */
    const dg_vf a = dg_load_v(from), b = dg_load_v(from + DG_W);
    to[0] = DG_MIX(a, b, DG_EVEN), to[1] = DG_MIX(a, b, DG_ODD);
    return;
  }
  for (; e + 4 <= n; e += 4) dg_take_rows_v(to + e, from + e, stride);
  for (; e < n; ++e) to[e] = dg_strided_v(from + e, stride);
}
DG_MOVE dg_unpack_v(float *to, const dg_vf *from, long stride, long n) {
  long e = 0;
  if (n == 2 && stride == 2) {
    dg_store_v(to, DG_MIX(from[0], from[1], DG_WOVEN)), dg_store_v(to + DG_W, DG_MIX(from[0], from[1], DG_WOVEN_HIGH));
    return;
  }
  for (; e + 4 <= n; e += 4) dg_give_rows_v(to + e, from + e, stride);
  for (; e < n; ++e) dg_store_strided_v(to + e, stride, from[e]);
}
)";

// Calls word(name) for each identifier, number(text) for each literal, other(c) for what stands between.
template <class Word, class Number, class Other>
void scan(std::string_view text, Word&& word, Number&& number, Other&& other) {
  for (size_t i = 0, end; i < text.size(); i = end) {
    end = i + 1;
    if (starts_word(text[i])) {
      while (end < text.size() && in_word(text[end])) ++end;
      word(text.substr(i, end - i));
    } else if (is_digit(text[i])) {
      while (end < text.size() && (in_word(text[end]) || text[end] == '.' || (text[end] == '-' && text[end - 1] == 'e'))) ++end;
      number(text.substr(i, end - i));
    } else {
      other(text[i]);
    }
  }
}

struct Function {
  std::string name;
  std::string_view text;
  bool lanewise = false;  // a scalar function's text, to be written for vectors
};
using Names = std::unordered_map<std::string_view, std::string>;

// A text of nothing but functions and comments before them, cut into the functions.
std::vector<Function> cut(std::string_view text) {
  std::vector<Function> out;
  for (size_t at = 0; (at = text.find("\nDG_", at)) != std::string_view::npos;) {
    size_t open = text.find('(', ++at), name = open, end = text.find('\n', at);
    while (in_word(text[name - 1])) --name;
    if (text[end - 1] != '}') end = text.find("\n}\n", at) + 2;
    out.push_back({std::string(text.substr(name, open - name)), text.substr(at, end + 1 - at)});
    at = end;
  }
  return out;
}

// What the functions of a scalar text are called when they are written for vectors.
Names vector_names(const std::vector<Function>& scalar) {
  Names names;
  for (const Function& f : scalar)
    names.emplace(f.text.substr(f.text.find(f.name), f.name.size()),
                  f.name + (f.text.find("dg_u64") == std::string_view::npos ? "_v" : "_half"));
  return names;
}

// A scalar function for vectors.
std::string for_vectors(std::string_view scalar, const Names& renamed) {
  static const Names types = {{"float", "dg_vf"},  {"dg_i32", "dg_vi"},           {"dg_u32", "dg_vw"},
                              {"dg_u64", "dg_vq"}, {"dg_complex", "dg_complex_v"}};
  static const std::set<std::string_view> macros = {
      "DG_SEL",  "DG_LESSER", "DG_GREATER", "DG_MASK",  "DG_TO_FLOAT", "DG_TO_INT", "DG_TO_WORD",  "DG_AS_FLOAT", "DG_AS_UINT", "DG_FMA",
      "DG_RINT", "DG_FLOOR",  "DG_CEIL",    "DG_TRUNC", "DG_SQRT",     "DG_FABS",   "DG_COPYSIGN", "DG_INF",      "DG_NAN",     "DG_MAGIC"};
  std::string out;
  out.reserve(2 * scalar.size());
  scan(scalar,
       [&](std::string_view word) {
         if (auto type = types.find(word); type != types.end()) out += type->second;
         else if (auto name = renamed.find(word); name != renamed.end()) out += name->second;
         else (out += word) += word.starts_with("DG_") && macros.count(word) ? "_V" : "";
       },
       [&](std::string_view literal) {
         bool real = literal.back() == 'f' && literal.substr(0, 2) != "0x";
         ((out += real ? "DG_C(" : "") += literal) += real ? ")" : "";
       },
       [&](char c) { out += c; });
  return out;
}

// The functions that there are for vectors, each after those it calls; their texts are made when they are wanted.
class Library {
 public:
  Library() {
    add(cut(instructions));
    std::vector<Function> scalar = cut(lanewise_);
    names_ = vector_names(scalar);
    for (Function& f : scalar) f.name = names_.find(f.name)->second, f.lanewise = true;
    add(std::move(scalar));
    add(cut(wide));
    add(cut(memory));
    for (size_t i = 0; i < all_.size(); ++i) number_.emplace(all_[i].name, i);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Those that a text calls and those that they call.
  std::string called_by(std::string_view text) const {
    std::vector<bool> wanted(all_.size(), false);
    want(text, wanted);
    std::vector<std::string> texts;
    for (size_t i = all_.size(); i-- > 0;) {
      if (!wanted[i]) continue;
      texts.push_back(all_[i].lanewise ? for_vectors(all_[i].text, names_) : std::string(all_[i].text));
      want(texts.back(), wanted);
    }
    std::string out;
    for (auto f = texts.rbegin(); f != texts.rend(); ++f) out += *f;
    return out;
  }

 private:
  void add(std::vector<Function> functions) { std::ranges::move(functions, std::back_inserter(all_)); }
  void want(std::string_view text, std::vector<bool>& wanted) const {
    for (std::string_view start : {"dg_", "DG_"})
      for (size_t at = 0, end = 0; (at = text.find(start, end)) != std::string_view::npos;) {
        for (end = at; end < text.size() && in_word(text[end]);) ++end;
        if (auto known = number_.find(text.substr(at, end - at)); known != number_.end()) wanted[known->second] = true;
      }
  }

  const std::string lanewise_ = lanewise_text();
  std::vector<Function> all_;
  Names names_;  // of the lanewise ones
  std::unordered_map<std::string_view, size_t> number_;
};

// Of vectors side by side, which render.cpp numbers, the second and later ones.
bool is_copy(std::string_view argument) {
  return argument.size() > 2 && argument[argument.size() - 2] == '_' && argument.back() >= '1' && argument.back() <= '3';
}

// How many statements call each function for vectors. Those of vectors side by side count once: most of the loops that render.cpp writes
// for them have no vectors on any one machine.
std::unordered_map<std::string_view, int> count_statements(std::string_view text) {
  std::unordered_map<std::string_view, int> calls;
  for (size_t at = 0; (at = text.find("_v(", at)) != std::string_view::npos;) {
    size_t name = at, first = at += 3;
    while (name > 0 && in_word(text[name - 1])) --name;
    calls[text.substr(name, first - 1 - name)] += !is_copy(text.substr(first, text.find_first_of(",)", first) - first));
  }
  return calls;
}

}  // namespace

std::string for_vectors(std::string_view text) {
  const std::vector<Function> scalar = cut(text);
  const Names names = vector_names(scalar);
  std::string out;
  for (const Function& f : scalar) out += for_vectors(f.text, names);
  return out;
}

std::string prelude_vector(Target target, std::string_view text) {
  static const Library library;
  auto has = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (target != Target::c || !(has("dg_v") || has("_v(") || has("DG_W"))) return "";
  std::string out = header + library.called_by(text);
  const auto statements = count_statements(text);
  for (const LongFunction& f : long_functions()) {
    const std::string name = cat(f.name, "_v");
    if (auto calls = statements.find(name); calls != statements.end() && calls->second > most_inlined)
      out += "static __attribute__((noinline, const)) " + call_text(f, name, "dg_vf");
  }
  return out;
}

}  // namespace dgen::codegen
