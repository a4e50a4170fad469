// Text of the helper functions that generated kernels call: scalar maths, Fourier transforms, matrix products.
#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace dgen::codegen {

enum class Target { c, cuda, metal };
constexpr bool is_gpu(Target target) { return target != Target::c; }

struct FftPlan {
  enum Kind { rfft, irfft, fft, ifft } kind;
  int n;
  bool lanes = false;  // also dg_rfft_1024_v(const dg_vf* in, dg_vf* out), DG_W transforms at once; then prelude_vector comes first
};

// Scalar functions dg_sin, dg_exp, ... and the macros (DG_FN, DG_FMA, DG_AS_FLOAT) the other texts build on.
std::string prelude_math(Target target);
// Calls, in C, of those long scalar functions that are called often: a compiler takes milliseconds for each inlined one.
// calls: how often, by function. After prelude_math.
std::string prelude_calls(Target target, const std::map<std::string_view, int>& calls);
// For C, the vector types dg_vf (floats), dg_vi (int32), dg_vu (uint64) of DG_W lanes, and of their functions those that `text`
// calls. Each scalar function has its twin of vectors, dg_sin_v(dg_vf) of dg_sin, with the scalar bits in every lane; and
//   dg_splat(x), dg_splat_i, dg_splat_u     all lanes equal; dg_lanes_v(), dg_lanes_u(): 0, 1, 2, ...
//   dg_float_v(i), dg_float_from_v(i, x)    (float)i and (float)((double)i + x); dg_to_int_v back
//   dg_widen_v(i)                           dg_vi to dg_vu
//   dg_phase_lanes_v(step)                  what dg_phase_after adds to that of lane 0, its argument a plain number
//   dg_load_v(p), dg_store_v(p, x)          anywhere; dg_load_u, dg_store_u
//   dg_strided_v(p, stride), dg_store_strided_v(p, stride, x), dg_gather_v(p, i)
//   dg_load_v_part(p, there) and so on      of the lanes that are there = dg_part_of(n); others are 0, or what the first reads
//   dg_blend_part(a, b, there)              a in lanes that are there
//   dg_sum_v, dg_prod_v, dg_peak_v          of the lanes, halves folded: x[j] with x[j + h], h = DG_W / 2, ..., 1
//   dg_pack_v(to, p, stride, n)             to[e] = {p[e], p[stride + e], ...}; dg_unpack_v(p, from, stride, n) back
// After prelude_math; `text` is all that comes after.
std::string prelude_vector(Target target, std::string_view text);
// One function a plan (dg_rfft_1024, ...), each with its tables; equal plans are emitted once. After prelude_math.
std::string prelude_fft(Target target, std::span<const FftPlan> plans);
// dg_shift and one function a linear recurrence (dg_scan_2_s1s0_tt_bn, ...), for C. After prelude_math.
std::string prelude_scan(const std::set<std::string>& names);
// What those share; it comes with them.
std::string prelude_ticks(const std::set<std::string>& names);
// dg_matmul (and for C dg_gemm, which it calls), and in C those of names: dg_matmul_bias, dg_matmul_bias_tanh, ... After prelude_math.
std::string prelude_gemm(Target target, const std::set<std::string>& names = {});

}  // namespace dgen::codegen
