// Elementwise functions made of others.
#include <numbers>

#include "dgen/operators.h"

namespace dgen::detail {
namespace {

using X = SignalTensor;
X arg(Args in, size_t i) { return as<X>(in.begin()[i]); }

}  // namespace

// Not max: a NaN must stay one.
Value relu(Args in, Loc loc) {
  CallSite site(loc);
  X x = arg(in, 0);
  return select(x <= 0.0f, 0.0f, x);
}

Value leaky_relu(Args in, Loc loc) {
  CallSite site(loc);
  X x = arg(in, 0);
  return select(x, x, x * arg(in, 1));
}

Value gelu(Args in, Loc loc) {
  CallSite site(loc);
  X x = arg(in, 0);
  return 0.5f * x * (1.0f + tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}

Value exp_sigmoid(Args in, Loc loc) {
  CallSite site(loc);
  return 2.0f * pow(sigmoid(arg(in, 0)), std::numbers::ln10_v<float>) + 1e-7f;
}

Value db_to_amp(Args in, Loc loc) {
  CallSite site(loc);
  return exp(arg(in, 0) * (std::numbers::ln10_v<float> / 20));
}

Value amp_to_db(Args in, Loc loc) {
  CallSite site(loc);
  return 20.0f * log10(max(abs(arg(in, 0)), 1e-5f));
}

Value hz_to_midi(Args in, Loc loc) {
  CallSite site(loc);
  return 69.0f + 12.0f * log2(arg(in, 0) / 440.0f);
}

Value midi_to_hz(Args in, Loc loc) {
  CallSite site(loc);
  return 440.0f * exp((arg(in, 0) - 69.0f) * (std::numbers::ln2_v<float> / 12));
}

Value clamp(Args in, Loc loc) {
  CallSite site(loc);
  return max(min(arg(in, 0), arg(in, 2)), arg(in, 1));
}

Value selector(Args in, Loc loc) {
  CallSite site(loc);
  X mode = arg(in, 0);
  X result = as<X>(number(0));
  for (size_t k = in.size() - 1; k > 0; --k) result = select(mode <= static_cast<float>(k), arg(in, k), result);
  return select(mode, result, 0.0f);
}

Value mix(Args in, Loc loc) {
  CallSite site(loc);
  X t = arg(in, 2);
  return arg(in, 0) * (1.0f - t) + arg(in, 1) * t;
}

Value wrap(Args in, Loc loc) {
  CallSite site(loc);
  X lo = arg(in, 1);
  return lo + mod(arg(in, 0) - lo, arg(in, 2) - lo);
}

Value triangle(Args in, Loc loc) {
  CallSite site(loc);
  X ramp = arg(in, 0), duty = arg(in, 1);
  return select(ramp < duty, ramp / duty, (1.0f - ramp) / (1.0f - duty));
}

Value scale(Args in, Loc loc) {
  CallSite site(loc);
  X inlo = arg(in, 1), outlo = arg(in, 3), exponent = arg(in, 5), range = arg(in, 2) - inlo;
  X t = select(range != 0.0f, (arg(in, 0) - inlo) / range, 0.0f);
  return outlo + (arg(in, 4) - outlo) * select(t != 0.0f, sign(t) * pow(abs(t), exponent), (exponent == 1.0f) * t);
}

}  // namespace dgen::detail
