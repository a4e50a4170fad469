// Scalar float32 functions of generated code. One text for every target; only the macros on top differ. Everything is
// branch-free, so that it can be written again for vectors (prelude_vector.cpp) and loops calling it vectorise, and every fused
// multiply-add is spelled out, so that all compilers give the same bits. All coefficients are our own minimax fits: Remez exchange in
// 40-digit arithmetic, weighted for relative error, the coefficients then rounded to float32 one by one from the lowest degree up, the
// others refitted after each rounding. "fit 2^-27" is the largest relative error of the rounded polynomial.
#include "codegen/prelude.h"

#include "base/check.h"
#include "codegen/prelude_text.h"

namespace dgen::codegen {
namespace {

constexpr const char* header_c = R"(
#define DG_FN static inline __attribute__((always_inline, unused))
#define DG_TEMPLATE(...)
#define DG_IN(type) const float *__restrict__
#define DG_OUT(type) float *__restrict__
typedef int dg_i32;
typedef unsigned int dg_u32;
typedef unsigned long long dg_u64;
DG_FN float DG_AS_FLOAT(dg_u32 i) { float f; __builtin_memcpy(&f, &i, 4); return f; }
DG_FN dg_u32 DG_AS_UINT(float f) { dg_u32 i; __builtin_memcpy(&i, &f, 4); return i; }
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define DG_FMA(a, b, c) __builtin_fmaf(a, b, c)
#else /* the product of two floats is exact in double */
#define DG_FMA(a, b, c) ((float)((double)(a) * (double)(b) + (double)(c)))
#endif
#define DG_RINT(x) __builtin_rintf(x)
#define DG_RINT_DOUBLE(x) __builtin_rint(x)
#define DG_FLOOR(x) __builtin_floorf(x)
#define DG_CEIL(x) __builtin_ceilf(x)
#define DG_TRUNC(x) __builtin_truncf(x)
#define DG_SQRT(x) __builtin_sqrtf(x)
#define DG_FABS(x) __builtin_fabsf(x)
#define DG_COPYSIGN(x, s) __builtin_copysignf(x, s) /* of bits, gcc would take them through integer registers */
)";

// For NVRTC with --fmad=false: contraction on its own account would change bits.
constexpr const char* header_cuda = R"(
#define DG_FN static __device__ __forceinline__
#define DG_TEMPLATE(...)
#define DG_IN(type) const float *__restrict__
#define DG_OUT(type) float *__restrict__
typedef int dg_i32;
typedef unsigned int dg_u32;
typedef unsigned long long dg_u64;
#define DG_AS_FLOAT(i) __uint_as_float(i)
#define DG_AS_UINT(f) __float_as_uint(f)
#define DG_FMA(a, b, c) fmaf(a, b, c)
#define DG_RINT(x) rintf(x)
#define DG_RINT_DOUBLE(x) rint(x)
#define DG_FLOOR(x) floorf(x)
#define DG_CEIL(x) ceilf(x)
#define DG_TRUNC(x) truncf(x)
#define DG_SQRT(x) sqrtf(x)
#define DG_FABS(x) fabsf(x)
#define DG_COPYSIGN(x, s) copysignf(x, s)
)";

// A pointer's address space is part of its type here, so functions of pointers are templates. Division must be exact: no
// fast-math.
constexpr const char* header_metal = R"(
#include <metal_stdlib>
using namespace metal;
#define DG_FN static inline
#define DG_TEMPLATE(...) template <__VA_ARGS__>
#define DG_IN(type) type
#define DG_OUT(type) type
template <int count> struct dg_arrays { device char *at[count]; };
typedef int dg_i32;
typedef uint dg_u32;
typedef ulong dg_u64;
#define DG_AS_FLOAT(i) as_type<float>((dg_u32)(i))
#define DG_AS_UINT(f) as_type<dg_u32>(f)
#define DG_FMA(a, b, c) fma(a, b, c)
#define DG_RINT(x) rint(x)
#define DG_FLOOR(x) floor(x)
#define DG_CEIL(x) ceil(x)
#define DG_TRUNC(x) trunc(x)
#define DG_SQRT(x) sqrt(x)
#define DG_FABS(x) fabs(x)
#define DG_COPYSIGN(x, s) copysign(x, s)
)";

constexpr const char* words = R"(
#define DG_SEL(mask, a, b) ((mask) ? (a) : (b))
#define DG_LESSER(a, b) ((a) < (b) ? (a) : (b)) /* b for a NaN, as the instruction of x86 */
#define DG_GREATER(a, b) ((a) > (b) ? (a) : (b))
#define DG_MASK(truth) ((truth) ? 0xffffffffu : 0u)
#define DG_TO_FLOAT(i) ((float)(i))
#define DG_TO_INT(f) ((dg_i32)(f))
#define DG_TO_WORD(f) DG_TO_INT(DG_SEL((f) < 2147483648.0f, DG_RINT(f), -2147483648.0f)) /* the nearest, modulo 2^32 at 2^31 */
#define DG_U64(i) ((dg_u64)(i))
#define DG_INF DG_AS_FLOAT(0x7f800000u)
#define DG_NAN DG_AS_FLOAT(0x7fc00000u)
#define DG_MAGIC 12582912.0f /* 1.5 * 2^23: x + DG_MAGIC holds rint(x) in its low bits, for |x| < 2^22 */
#define DG_MAGIC_BITS 0x4b400000u
)";

constexpr const char* basics = R"(
DG_FN float dg_fma(float a, float b, float c) { return DG_FMA(a, b, c); }
DG_FN float dg_abs(float x) { return DG_FABS(x); }
DG_FN float dg_floor(float x) { return DG_FLOOR(x); }
DG_FN float dg_ceil(float x) { return DG_CEIL(x); }
DG_FN float dg_sqrt(float x) { return DG_SQRT(x); }
DG_FN float dg_rsqrt(float x) { return 1.0f / DG_SQRT(x); }
DG_FN float dg_min(float a, float b) { return DG_LESSER(b, a); }
DG_FN float dg_max(float a, float b) { return DG_GREATER(b, a); }
DG_FN float dg_max_or_nan(float a, float b) { return DG_SEL((b > a) | (b != b), b, a); }
DG_FN float dg_select(float c, float a, float b) { return DG_SEL(c > 0.0f, a, b); }
DG_FN float dg_lt(float a, float b) { return DG_SEL(a < b, 1.0f, 0.0f); }
DG_FN float dg_le(float a, float b) { return DG_SEL(a <= b, 1.0f, 0.0f); }
DG_FN float dg_gt(float a, float b) { return DG_SEL(a > b, 1.0f, 0.0f); }
DG_FN float dg_ge(float a, float b) { return DG_SEL(a >= b, 1.0f, 0.0f); }
DG_FN float dg_eq(float a, float b) { return DG_SEL(a == b, 1.0f, 0.0f); }
DG_FN float dg_ne(float a, float b) { return DG_SEL(a != b, 1.0f, 0.0f); }
DG_FN float dg_and(float a, float b) { return DG_SEL((a > 0.0f) & (b > 0.0f), 1.0f, 0.0f); }
DG_FN float dg_or(float a, float b) { return DG_SEL((a > 0.0f) | (b > 0.0f), 1.0f, 0.0f); }
DG_FN float dg_xor(float a, float b) { return DG_SEL((a > 0.0f) != (b > 0.0f), 1.0f, 0.0f); }
DG_FN float dg_not(float a) { return DG_SEL(a > 0.0f, 0.0f, 1.0f); }
/* A mask, not a branch: loops that call it stay vectorised. */
DG_FN float dg_mulz(float a, float b) { return DG_AS_FLOAT(DG_AS_UINT(a * b) & DG_MASK(a != 0.0f)); }
DG_FN float dg_madd(float a, float b, float c) { return DG_SEL((a == 0.0f) | (b == 0.0f), c, DG_FMA(a, b, c)); }
DG_FN float dg_sign(float x) { return DG_SEL(x > 0.0f, 1.0f, DG_SEL(x < 0.0f, -1.0f, x)); }
DG_FN float dg_copysign(float x, float s) { return DG_COPYSIGN(x, s); }
/* Half away from zero: the addend is the largest float below one half. */
DG_FN float dg_round(float x) { return DG_TRUNC(x + dg_copysign(0.49999997f, x)); }
/* Floored modulo. When a/b rounds up to an integer the remainder has the wrong sign: then one b is added. */
DG_FN float dg_mod(float a, float b) {
  float r = DG_FMA(-DG_FLOOR(a / b), b, a);
  return DG_SEL(DG_SEL(b > 0.0f, r, -r) < 0.0f, r + b, r);
}
)";

constexpr const char* exponentials = R"(
/* x 2^k for an integer k in [-252, 254], in two factors: the product rounds once, also where it is denormal. */
DG_FN float dg_scale2(float x, dg_i32 k) {
  dg_i32 k1 = k >> 1, k2 = k - k1;
  return x * DG_AS_FLOAT((dg_u32)(k1 + 127) << 23) * DG_AS_FLOAT((dg_u32)(k2 + 127) << 23);
}
/* e^x 2^shift. x = k ln2 + r, |r| <= ln2/2; e^r = 1 + r + r^2 P(r), fit 2^-28. */
DG_FN float dg_exp_shifted(float x, int shift) {
  float c = DG_GREATER(-105.0f, DG_LESSER(90.0f, x));
  float t = DG_FMA(c, 1.44269502f, DG_MAGIC), k = t - DG_MAGIC;
  float r = DG_FMA(k, -0.693147182f, c);
  r = DG_FMA(k, 1.90465421e-09f, r);
  float p = DG_FMA(0.00138364162f, r, 0.00836913101f);
  p = DG_FMA(p, r, 0.0416681059f);
  p = DG_FMA(p, r, 0.166665167f);
  p = DG_FMA(p, r, 0.49999994f);
  p = DG_FMA(p, r * r, r) + 1.0f;
  return dg_scale2(p, (dg_i32)(DG_AS_UINT(t) - DG_MAGIC_BITS + (unsigned int)shift));
}
DG_FN float dg_exp(float x) { return dg_exp_shifted(x, 0); }
/* 2^(k + r) for the float t = DG_MAGIC + k; 2^r = 1 + r P(r) on [-1/2, 1/2], fit 2^-26. */
DG_FN float dg_exp2_split(float t, float r) {
  float z = r * r, low = DG_FMA(0.240225941f, r, 0.693147182f), high = DG_FMA(0.0096254386f, r, 0.0555036627f);
  float p = DG_FMA(DG_FMA(DG_FMA(0.000133346752f, r, 0.00133878936f), z, high), z, low);
  return dg_scale2(DG_FMA(p, r, 1.0f), (dg_i32)(DG_AS_UINT(t) - DG_MAGIC_BITS));
}
DG_FN float dg_exp2(float x) {
  float c = DG_GREATER(-200.0f, DG_LESSER(200.0f, x));
  float t = c + DG_MAGIC;
  return dg_exp2_split(t, c - (t - DG_MAGIC));
}
DG_FN float dg_sigmoid(float x) { return 1.0f / (1.0f + dg_exp(-x)); }
/* max(x, 0) + log(1 + u), u = e^-|x|; log(1 + u) = 2 atanh(s), s = u/(2 + u), = 2 s + s^3 P(s^2), fit 2^-27. */
DG_FN float dg_softplus(float x) {
  float u = dg_exp(-DG_FABS(x)), s = u / (2.0f + u), z = s * s;
  float p = DG_FMA(0.280067861f, z, 0.280030251f);
  p = DG_FMA(p, z, 0.400214374f);
  p = DG_FMA(p, z, 0.666664183f);
  return DG_GREATER(x, 0.0f) + DG_FMA(p, s * z, 2.0f * s);
}
/* a + a^3 P(a^2) below 1 (fit 2^-31), else h - 1/(4h) with h = e^a / 2. */
DG_FN float dg_sinh(float x) {
  float a = DG_FABS(x), h = dg_exp_shifted(a, -1), z = a * a;
  float p = DG_FMA(2.78221319e-06f, z, 0.000198428956f);
  p = DG_FMA(p, z, 0.00833331048f);
  p = DG_FMA(p, z, 0.166666672f);
  return dg_copysign(DG_SEL(a < 1.0f, DG_FMA(p, z * a, a), h - 0.25f / h), x);
}
DG_FN float dg_cosh(float x) {
  float h = dg_exp_shifted(DG_FABS(x), -1);
  return h + 0.25f / h;
}
/* E/(E + 2) with E = e^2a - 1 = s - 1 + s r + s r^2 P(r), s = 2^k, r = 2a - k ln2, P as in dg_exp: E keeps its digits
   near 0. What does not wait for P stands beside it, since tanh is often waited for in feedback. At 9.02 tanh is 1. */
DG_FN float dg_tanh(float x) {
  float a = DG_LESSER(9.02f, DG_FABS(x));
  float t = DG_FMA(a, 2.88539004f, DG_MAGIC), k = t - DG_MAGIC;
  float r = DG_FMA(k, -0.693147182f, a + a), z = r * r;
  float s = DG_AS_FLOAT((DG_AS_UINT(t) << 23) + 0x3f800000u);
  float low = DG_FMA(0.166665167f, r, 0.49999994f), high = DG_FMA(0.00836913101f, r, 0.0416681059f);
  float p = DG_FMA(DG_FMA(0.00138364162f, z, high), z, low);
  float e = DG_FMA(p, s * z, DG_FMA(s, r, s - 1.0f));
  return dg_copysign(e / (e + 2.0f), x);
}
)";

constexpr const char* logarithms = R"(
/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); denormals are scaled up first. */
DG_FN dg_i32 dg_log_bits(float x) {
  return (dg_i32)(DG_AS_UINT(DG_SEL(x < 1.17549435e-38f, x * 8388608.0f, x)) - 0x3f3504f3u);
}
DG_FN float dg_log_fraction(dg_i32 b) { return DG_AS_FLOAT((dg_u32)(b & 0x7fffff) + 0x3f3504f3u); }
DG_FN float dg_log_exponent(float x, dg_i32 b) { return DG_TO_FLOAT(b >> 23) - DG_SEL(x < 1.17549435e-38f, 23.0f, 0.0f); }
/* log(1 + f) - f = -f^2/2 + f^3 P(f), fit 2^-26 */
DG_FN float dg_log_tail(float f) {
  float p = DG_FMA(-0.0763909444f, f, 0.127635479f);
  p = DG_FMA(p, f, -0.131588534f);
  p = DG_FMA(p, f, 0.142009646f);
  p = DG_FMA(p, f, -0.166233301f);
  p = DG_FMA(p, f, 0.200012609f);
  p = DG_FMA(p, f, -0.250008225f);
  p = DG_FMA(p, f, 0.333333313f);
  return f * f * DG_FMA(p, f, -0.5f);
}
DG_FN float dg_log_edges(float x, float y) {
  y = DG_SEL(x == 0.0f, -DG_INF, DG_SEL(x < DG_INF, y, x));
  return DG_SEL(x < 0.0f, DG_NAN, y);
}
DG_FN float dg_log(float x) {
  dg_i32 b = dg_log_bits(x);
  float f = dg_log_fraction(b) - 1.0f, e = dg_log_exponent(x, b);
  float y = f + DG_FMA(e, 3.19461849e-05f, dg_log_tail(f));
  return dg_log_edges(x, DG_FMA(e, 0.693115234f, y));
}
DG_FN float dg_log2(float x) {
  dg_i32 b = dg_log_bits(x);
  float f = dg_log_fraction(b) - 1.0f, e = dg_log_exponent(x, b);
  float y = DG_FMA(dg_log_tail(f), 1.44269502f, f * 1.92596303e-08f);
  return dg_log_edges(x, e + DG_FMA(f, 1.44269502f, y));
}
DG_FN float dg_log10(float x) {
  dg_i32 b = dg_log_bits(x);
  float f = dg_log_fraction(b) - 1.0f, e = dg_log_exponent(x, b);
  float y = DG_FMA(dg_log_tail(f), 0.434294492f, f * -1.010305e-08f);
  y = DG_FMA(f, 0.434294492f, DG_FMA(e, 4.60503898e-06f, y));
  return dg_log_edges(x, DG_FMA(e, 0.301025391f, y));
}
/* 2^(y log2|x|) with log2|x| = e + 2/ln2 atanh(s), s = (m-1)/(m+1), as a sum of two floats (error 2^-30; the series
   tail s^3 P(s^2) has fit 2^-36). Edges as C's pow. */
DG_FN float dg_pow(float x, float y) {
  float a = DG_FABS(x);
  dg_i32 b = dg_log_bits(a);
  float m = dg_log_fraction(b), e = dg_log_exponent(a, b);
  float d = m + 1.0f, d_lo = m - (d - 1.0f), f = m - 1.0f, inverse = 1.0f / d;
  float s = f * inverse, s_lo = DG_FMA(-s, d_lo, DG_FMA(-s, d, f)) * inverse, z = s * s;
  float p = DG_FMA(0.336487263f, z, 0.411927342f);
  p = DG_FMA(p, z, 0.577078819f);
  p = DG_FMA(p, z, 0.961796701f);
  float h = s * 2.88539004f, l = DG_FMA(s, 2.88539004f, -h);
  l = l + DG_FMA(s_lo, 2.88539004f, s * 3.85192607e-08f);
  l = DG_FMA(s * z, p, l);
  float g = e + h;
  l = ((e - g) + h) + l;
  float log_hi = g + l, log_lo = (g - log_hi) + l;
  log_hi = DG_SEL(a == 0.0f, -DG_INF, DG_SEL(a < DG_INF, log_hi, a));
  float t = y * log_hi, t_lo = DG_FMA(y, log_lo, DG_FMA(y, log_hi, -t));
  t_lo = DG_SEL(DG_FABS(t) < 200.0f, t_lo, 0.0f);
  t = DG_GREATER(-200.0f, DG_LESSER(200.0f, t));
  float k = t + DG_MAGIC;
  float r = dg_exp2_split(k, (t - (k - DG_MAGIC)) + t_lo);
  r = DG_SEL(a == 1.0f, 1.0f, r);
  float half = y * 0.5f;
  dg_u32 whole = DG_MASK(DG_FLOOR(y) == y), odd = whole & DG_MASK(DG_FLOOR(half) != half);
  /* a negative base with a fraction for exponent, unless infinite */
  dg_u32 invalid = DG_MASK(x < 0.0f) & DG_MASK(a < DG_INF) & ~whole;
  r = DG_AS_FLOAT((DG_AS_UINT(r) ^ (DG_AS_UINT(x) & 0x80000000u & odd)) | invalid);
  return DG_SEL(y == 0.0f, 1.0f, r);
}
)";

constexpr const char* trigonometry = R"(
/* x - k pi in three parts (Cody and Waite); with fma each step is exact or rounds relative to the small result. */
DG_FN float dg_minus_pi(float x, float k) {
  float r = DG_FMA(k, -3.14159274f, x);
  r = DG_FMA(k, 8.74227766e-08f, r);
  return DG_FMA(k, 3.43024902e-15f, r);
}
/* sin r = sin(pi - r) brings what k was rounded past back to [-pi/2, pi/2]; beyond |x| = 1e7, where x hardly has a phase, no
   more than that range is kept. */
DG_FN float dg_within_pi(float r) {
  r = DG_LESSER(3.14159274f - r, r);
  r = DG_GREATER(-3.14159274f - r, r);
  return DG_GREATER(-1.6f, DG_LESSER(1.6f, r));
}
/* sin r = r + r^3 P(r^2) on [-pi/2, pi/2], fit 2^-30; last bits chosen by a random search so that |result| <= 1 */
DG_FN float dg_sin_reduced(float r) {
  float z = r * r;
  float p = DG_FMA(-2.55045904e-08f, z, 2.76274932e-06f);
  p = DG_FMA(p, z, -0.000198429567f);
  p = DG_FMA(p, z, 0.00833335239f);
  p = DG_FMA(p, z, -0.166666687f);
  return DG_FMA(p, z * r, r);
}
DG_FN float dg_sin(float x) {
  float t = DG_FMA(x, 0.318309873f, DG_MAGIC);
  float s = dg_sin_reduced(dg_within_pi(dg_minus_pi(x, t - DG_MAGIC)));
  return DG_AS_FLOAT(DG_AS_UINT(s) ^ (DG_AS_UINT(t) << 31));
}
/* |x| = (k + 1/2) pi + r: cos x = -(-1)^k sin r */
DG_FN float dg_cos(float x) {
  float a = DG_FABS(x), t = DG_FMA(a, 0.318309873f, -0.5f) + DG_MAGIC;
  float s = dg_sin_reduced(dg_within_pi(dg_minus_pi(a, (t - DG_MAGIC) + 0.5f)));
  return DG_AS_FLOAT(DG_AS_UINT(s) ^ (~DG_AS_UINT(t) << 31));
}
/* x = k pi/2 + r: tan x = tan r or -1/tan r; tan r = r + r^3 P(r^2), fit 2^-25 up to 0.7895, which is
   past pi/4 since k is rounded from a product; for large x once more */
DG_FN float dg_tan(float x) {
  float t = DG_FMA(x, 0.636619747f, DG_MAGIC), far = DG_GREATER(-1.6f, DG_LESSER(1.6f, dg_minus_pi(x, (t - DG_MAGIC) * 0.5f)));
  float u = DG_FMA(far, 0.636619747f, DG_MAGIC);
  float r = dg_minus_pi(far, (u - DG_MAGIC) * 0.5f), z = r * r;
  float p = DG_FMA(0.00949168764f, z, 0.00294285594f);
  p = DG_FMA(p, z, 0.0245388076f);
  p = DG_FMA(p, z, 0.0533813722f);
  p = DG_FMA(p, z, 0.133391529f);
  p = DG_FMA(p, z, 0.333331436f);
  float y = DG_FMA(p, z * r, r), inverse = -1.0f / y;
  return DG_SEL(((DG_AS_UINT(t) ^ DG_AS_UINT(u)) & 1u) != 0u, inverse, y);
}
/* sin(2 pi r) = r (r^2 - 1/4) Q(r^2) on [-1/2, 1/2]: exact zeros, fit 2^-25 */
DG_FN float dg_sin_turns_reduced(float r) {
  float z = r * r;
  float q = DG_FMA(3.41005707f, z, -14.2128716f);
  q = DG_FMA(q, z, 38.5339203f);
  q = DG_FMA(q, z, -67.0803223f);
  q = DG_FMA(q, z, 64.8359528f);
  q = DG_FMA(q, z, -25.1327419f);
  return r * DG_FMA(r, r, -0.25f) * q;
}
/* The sine of a quarter turn is r P(r^2) for r = 0.529753029: so scaled, P is below 2 near the peak and rounds less. Fit 2^-26,
   last bits chosen by a random search so that |result| <= 1. */
DG_FN float dg_sin_quarter(float r) {
  float z = r * r;
  float p = DG_FMA(0.0459366627f, z, -0.399108529f);
  p = DG_FMA(p, z, 1.91000795f);
  p = DG_FMA(p, z, -4.34498167f);
  return DG_FMA(p, z, 2.96514845f) * r;
}
/* sin and cos of 2 pi phase */
DG_FN float dg_sin_turns(float phase) { return dg_sin_turns_reduced(phase - DG_RINT(phase)); }
DG_FN float dg_cos_turns(float phase) { return dg_sin_turns_reduced(0.25f - DG_FABS(phase - DG_RINT(phase))); }

/* asin r = r + r P(r^2) r^2 on [0, 1/2], fit 2^-27; this is P(z) z */
DG_FN float dg_asin_tail(float z) {
  float p = DG_FMA(0.0421582982f, z, 0.0241847802f);
  p = DG_FMA(p, z, 0.0454691499f);
  p = DG_FMA(p, z, 0.0749530941f);
  return DG_FMA(p, z, 0.166667521f) * z;
}
/* above 1/2: asin a = pi/2 - 2 asin(sqrt((1 - a)/2)) */
DG_FN float dg_asin(float x) {
  float a = DG_FABS(x), z = DG_SEL(a > 0.5f, 0.5f - 0.5f * a, a * a), s = DG_SEL(a > 0.5f, DG_SQRT(z), a);
  float r = DG_FMA(dg_asin_tail(z), s, s);
  return dg_copysign(DG_SEL(a > 0.5f, 1.57079637f - DG_FMA(2.0f, r, 4.37113883e-08f), r), x);
}
DG_FN float dg_acos(float x) {
  float a = DG_FABS(x), z = DG_SEL(a > 0.5f, 0.5f - 0.5f * a, a * a), s = DG_SEL(a > 0.5f, DG_SQRT(z), x);
  float r = DG_FMA(dg_asin_tail(z), s, s);
  float far = DG_SEL(x < 0.0f, 3.14159274f - DG_FMA(2.0f, r, 8.74227766e-08f), 2.0f * r);
  return DG_SEL(a > 0.5f, far, 1.57079637f - (r + 4.37113883e-08f));
}
/* atan t = t + t^3 P(t^2) on [0, 1], fit 2^-28 */
DG_FN float dg_atan_unit(float t) {
  float z = t * t;
  float p = DG_FMA(-0.00178250833f, z, 0.0108676823f);
  p = DG_FMA(p, z, -0.0310957432f);
  p = DG_FMA(p, z, 0.0578806512f);
  p = DG_FMA(p, z, -0.0839928538f);
  p = DG_FMA(p, z, 0.109508783f);
  p = DG_FMA(p, z, -0.142640159f);
  p = DG_FMA(p, z, 0.199985296f);
  p = DG_FMA(p, z, -0.333332986f);
  return DG_FMA(p, z * t, t);
}
DG_FN float dg_atan(float x) {
  float a = DG_FABS(x), r = dg_atan_unit(DG_LESSER(1.0f, a) / DG_GREATER(a, 1.0f));
  r = DG_SEL(a > 1.0f, 1.57079637f - (r + 4.37113883e-08f), r);
  return dg_copysign(DG_SEL(x == x, r, x), x);
}
DG_FN float dg_atan2(float y, float x) {
  float ax = DG_FABS(x), ay = DG_FABS(y);
  float big = DG_GREATER(ay, ax), small = DG_SEL(ay > ax, ax, ay), t = small / big;
  t = DG_SEL(big > 0.0f, t, 0.0f);
  t = DG_SEL(small < DG_INF, t, 1.0f);
  float r = dg_atan_unit(t);
  r = DG_SEL(ay > ax, 1.57079637f - (r + 4.37113883e-08f), r);
  r = DG_SEL((DG_AS_UINT(x) >> 31) != 0u, 3.14159274f - (r + 8.74227766e-08f), r);
  r = dg_copysign(r, y);
  r = DG_SEL(x == x, r, x);
  return DG_SEL(y == y, r, y);
}
)";

constexpr const char* integers = R"(
/* Counter-based noise: the function of base/noise.h. dg_noise_key does the part that does not depend on the tick. */
DG_FN dg_u64 dg_noise_mix(dg_u64 z) {
  z = (z ^ (z >> 30)) * DG_U64(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * DG_U64(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
DG_FN dg_u64 dg_noise_key(dg_u64 seed, dg_u64 element) {
  return dg_noise_mix(dg_noise_mix(seed + DG_U64(0x9e3779b97f4a7c15)) + element * DG_U64(0xd1342543de82ef95));
}
DG_FN dg_u64 dg_noise_top(dg_u64 key, dg_u64 tick) { return dg_noise_mix(key + tick * DG_U64(0x9e3779b97f4a7c15)) >> 40; }
/* Uniform over the odd multiples of 2^-24 in (-1, 1). */
DG_FN float dg_noise_value(dg_i32 top) { return DG_TO_FLOAT(2 * top + 1 - 16777216) * 5.9604644775390625e-08f; }

/* Phases are integers modulo 2^64. f * scale, scale = (float)(2^32/sr), rounded to 2^-32 of a turn; not finite: 0. */
DG_FN dg_i32 dg_phase_word(float f, float scale) {
  float v = f * scale;
  v = v - DG_RINT(v * 2.3283064365386963e-10f) * 4294967296.0f; /* exact; in [-2^31, 2^31] */
  return DG_TO_WORD(DG_SEL(v == v, v, 0.0f));
}
/* Towards zero, the nearest int where there is none; 0 for NaN. */
DG_FN dg_i32 dg_to_i32(float x) { return DG_TO_INT(DG_LESSER(2147483520.0f, DG_GREATER(-2147483520.0f, DG_SEL(x == x, x, 0.0f)))); }
/* The top 24 bits of a phase: exact in float, never 1. none: 0, or NaN where there is no frequency. */
DG_FN float dg_phase_turns(dg_i32 top, float none) { return DG_FMA(DG_TO_FLOAT(top), 5.9604644775390625e-08f, none); }
/* cos of a phase's top 32 bits, a turn less in its second half: it is the sine of 1/4 less their size. */
DG_FN float dg_cos_word(dg_i32 word, float none) {
  return dg_sin_quarter(DG_FMA(DG_FABS(DG_TO_FLOAT(word)), -4.93370955e-10f, 0.529753029f + none));
}
)";

constexpr const char* mixed = R"(
DG_FN float dg_noise_keyed(dg_u64 key, dg_u64 tick) { return dg_noise_value((dg_i32)dg_noise_top(key, tick)); }
DG_FN float dg_noise(dg_u64 seed, dg_u64 element, dg_u64 tick) { return dg_noise_keyed(dg_noise_key(seed, element), tick); }
DG_FN dg_u64 dg_phase_inc(float f, float scale) { return (dg_u64)(dg_u32)dg_phase_word(f, scale) << 32; }
DG_FN dg_u64 dg_phase_step(float f, float rate) { return dg_phase_inc(f, 4294967296.0f / rate); }
DG_FN float dg_phase_out(dg_u64 phase, float none) { return dg_phase_turns((dg_i32)(phase >> 40), none); }
DG_FN dg_u64 dg_phase_back(dg_u64 phase) { return phase - (DG_U64(1) << 62); } /* a quarter turn: sin is cos of it */
DG_FN float dg_cos_phase(dg_u64 phase, float none) { return dg_cos_word((dg_i32)(phase >> 32), none); }
)";

constexpr const char* static_phase = R"(
/* f/sr in double, rounded to 2^-64 of a turn; not finite: 0. */
DG_FN dg_u64 dg_phase_inc_static(double f_over_sr) {
  double v = DG_RINT_DOUBLE((f_over_sr - DG_RINT_DOUBLE(f_over_sr)) * 18446744073709551616.0);
  v = v == v ? v : 0.0;
  v = v < 9223372036854775808.0 ? v : -9223372036854775808.0;
  return (dg_u64)(long long)v;
}
DG_FN dg_u64 dg_phase_step_static(float f, float rate) { return dg_phase_inc_static((double)f / (double)rate); }
)";

// Without double: the quotient as a sum of three floats, each remainder being exact.
constexpr const char* static_phase_metal = R"(
DG_FN dg_u64 dg_phase_part(float turns) {
  float v = DG_RINT((turns - DG_RINT(turns)) * 18446744073709551616.0f);
  v = v == v ? v : 0.0f;
  v = v < 9223372036854775808.0f ? v : -9223372036854775808.0f;
  return (dg_u64)(long)v;
}
DG_FN dg_u64 dg_phase_step_static(float f, float rate) {
  float a = f / rate, rest = DG_FMA(-a, rate, f), b = rest / rate, c = DG_FMA(-b, rate, rest) / rate;
  return dg_phase_part(a) + dg_phase_part(b) + dg_phase_part(c);
}
)";

// For operators in double.
constexpr const char* exact_c = R"(
DG_FN double sin_turns(double a) {
  double r = a - __builtin_round(a);
  if (__builtin_fabs(r) > .25) r = __builtin_copysign(.5, r) - r;
  return __builtin_sin(6.283185307179586 * r);
}
DG_FN double cos_turns(double a) { return sin_turns(.25 - __builtin_fabs(a - __builtin_round(a))); }
)";

// gcc makes vector versions of such a function, so that loops which call it stay vectorised; clang cannot.
constexpr const char* call_c = R"(
#if defined(__GNUC__) && !defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#define DG_CALLED static __attribute__((noinline, const, simd("notinbranch")))
)";
constexpr LongFunction long_ones[] = {{"dg_exp", 1},  {"dg_sigmoid", 1}, {"dg_softplus", 1},  {"dg_sinh", 1},     {"dg_cosh", 1},
                                      {"dg_tanh", 1}, {"dg_log", 1},     {"dg_log2", 1},      {"dg_log10", 1},    {"dg_sin", 1},
                                      {"dg_cos", 1},  {"dg_tan", 1},     {"dg_asin", 1},      {"dg_acos", 1},     {"dg_atan", 1},
                                      {"dg_pow", 2},  {"dg_atan2", 2},   {"dg_sin_turns", 1}, {"dg_cos_turns", 1}};

}  // namespace

std::span<const LongFunction> long_functions() { return long_ones; }

std::string call_text(const LongFunction& f, const std::string& name, const std::string& type) {
  return cat(type, " ", name, "_call(", type, f.arguments == 2 ? cat(" a, ", type, " b") : " a", ") { return ", name,
             f.arguments == 2 ? "(a, b)" : "(a)", "; }\n", "#define ", name, " ", name, "_call\n");
}

std::string prelude_calls(Target target, const std::map<std::string_view, int>& calls) {
  std::string text;
  for (const LongFunction& f : long_ones)
    if (auto uses = calls.find(f.name); target == Target::c && uses != calls.end() && uses->second > most_inlined)
      text += "DG_CALLED " + call_text(f, std::string(f.name), "float");
  return text.empty() ? text : call_c + text + "#endif\n";
}

std::string lanewise_text() { return std::string(basics) + exponentials + logarithms + trigonometry + integers; }

std::string prelude_math(Target target) {
  const char* header = target == Target::c ? header_c : target == Target::cuda ? header_cuda : header_metal;
  return std::string(header) + words + lanewise_text() + mixed + (target == Target::metal ? static_phase_metal : static_phase) +
         (target == Target::c ? exact_c : "");
}

}  // namespace dgen::codegen
