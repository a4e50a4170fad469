// Text of the helper functions that generated kernels call: scalar maths, Fourier transforms, matrix products.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace dgen::codegen {

enum class Target { c, cuda, metal };
constexpr bool is_gpu(Target target) { return target != Target::c; }

struct FftPlan {
  enum Kind { rfft, irfft, fft, ifft } kind;
  int n;
};

// Scalar functions dg_sin, dg_exp, ... and the macros (DG_FN, DG_FMA, DG_AS_FLOAT) the other texts build on.
std::string prelude_math(Target target);
// Calls, in C, of those long scalar functions that are called often: a compiler takes milliseconds for each inlined one.
// calls: how often, by function. After prelude_math.
std::string prelude_calls(Target target, const std::map<std::string_view, int>& calls);
// One function a plan (dg_rfft_1024, ...), each with its tables; equal plans are emitted once. After prelude_math.
std::string prelude_fft(Target target, std::span<const FftPlan> plans);
// dg_matmul (and for C dg_gemm, which it calls). After prelude_math.
std::string prelude_gemm(Target target);

}  // namespace dgen::codegen
