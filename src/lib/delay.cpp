// Delay lines in feedback: comb, Schroeder's allpass, feedback delay network.
#include <numeric>

#include "dgen/dsp.h"

namespace dgen {
namespace detail {
namespace {

using X = SignalTensor;
X handle(const Value& v) { return as<X>(v); }
X option(const Operand& o) { return handle(o.value()); }

// A delay of time samples as feedback: the cell is one of them, so the line holds time - 1.
int longest(const char* op, const Operand& time, int max) {
  if (max == 0 && !time.number()) raise(op, "a time that varies needs .max", {});
  const double samples = max != 0 ? max : std::ceil(*time.number());
  if (!(samples >= 1) || (time.number() && !(*time.number() >= 1))) raise(op, "the time must be at least 1 sample", {});
  return static_cast<int>(samples) - 1;
}

Operand less_one(const Operand& time) {
  if (time.number()) return *time.number() - 1;
  return option(time) - 1.0f;
}

}  // namespace

Value comb(const Value& v, const CombOptions& o, Loc loc) {
  CallSite site(loc);
  X x = handle(v), feedback = option(o.feedback), damping = option(o.damping), time = option(o.time);
  int line = longest("comb", o.time, o.max);
  auto [prev, write] = SignalTensor::history((x + feedback + damping + time).shape());
  X late = prev.delay(less_one(o.time), line);
  if (o.damping.number() != 0.0) late = late.onepole(damping);
  return write(x + feedback * late);
}

Value allpass_delay(const Value& v, const AllpassDelayOptions& o, Loc loc) {
  CallSite site(loc);
  X x = handle(v), g = option(o.gain), time = option(o.time);
  int line = longest("allpass_delay", o.time, o.max);
  auto [prev, write] = SignalTensor::history((x + g + time).shape());
  X late = prev.delay(less_one(o.time), line);
  X in = write(x + g * late);
  return late - g * in;
}

}  // namespace detail

namespace {

// Sylvester's Hadamard matrix over sqrt(n), which is orthogonal.
Tensor hadamard(size_t n) {
  std::vector<float> m(n * n);
  float scale = 1 / std::sqrt(static_cast<float>(n));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) m[i * n + j] = __builtin_parityll(i & j) ? -scale : scale;
  return Tensor(std::move(m), Shape{static_cast<int64_t>(n), static_cast<int64_t>(n)});
}

}  // namespace

Signal fdn(const Signal& x, const FdnOptions& o, Loc loc) {
  detail::CallSite site(loc);
  size_t n = o.times.size();
  if (n == 0 || (n & (n - 1)) != 0)
    detail::raise("fdn", "the number of lines is no power of two: " + std::to_string(n), {x});
  std::vector<float> lengths(o.times.begin(), o.times.end());
  int longest = *std::max_element(o.times.begin(), o.times.end());
  if (*std::min_element(o.times.begin(), o.times.end()) < 1)
    detail::raise("fdn", "the time must be at least 1 sample", {x});
  Tensor time(lengths);
  SignalTensor decay = detail::as<SignalTensor>(o.decay.value()), damping = detail::as<SignalTensor>(o.damping.value());
  // A line of d samples loses 60 dB in decay seconds: gain 10^(-3 d / (decay rate)).
  SignalTensor gain = exp(-6.907755279f * time / (decay * sample_rate()));
  auto [prev, write] = SignalTensor::history(Shape{static_cast<int64_t>(n)});
  SignalTensor out = prev.delay(time - 1.0f, longest - 1).onepole(damping) * gain;
  write(x + hadamard(n).matmul(out));
  return out.mean();
}

}  // namespace dgen
