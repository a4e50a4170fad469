// Small memories: the previous value, running sums, sample and hold, one-pole smoothing, interpolation between ticks.
#include <numbers>
#include <numeric>

#include "dgen/dsp.h"

namespace dgen::detail {
namespace {

using X = SignalTensor;
X handle(const Value& v) { return as<X>(v); }

// Ticks of a history cell that follows these values: the fastest of their clocks, frame where all are static.
int64_t period_of(std::initializer_list<Value> in) {
  int64_t period = 0;
  for (const Value& v : in) period = std::gcd(period, v.clock().period);
  return std::max<int64_t>(period, 1);
}

// 1 at the stream's first tick, then 0.
X first_tick(int hop) {
  auto [before, write] = SignalTensor::history({}, {.init = 1.0f, .hop = hop});
  write(before * 0.0f);
  return before;
}

X option(const Operand& o) { return handle(o.value()); }

}  // namespace

Value prev(const Value& x, Loc loc) {
  CallSite site(loc);
  auto [prev, write] = SignalTensor::history(x.shape(), {.hop = static_cast<int>(period_of({x}))});
  write(handle(x));
  return prev;
}

Value accum(const Value& increment, const AccumOptions& o, Loc loc) {
  CallSite site(loc);
  X x = handle(increment);
  X zero = handle(number(0));
  X start = o.min.is_set() ? option(o.min).detach() : zero, stop = o.max.is_set() ? option(o.max).detach() : zero;
  X reset = o.reset.is_set() ? option(o.reset) : zero;
  X sample = x + start + stop + reset;  // its shape and clock are those of the sum
  const int hop = static_cast<int>(period_of({sample}));
  // A cell's initial value is static: one that moves is taken at the first tick.
  const bool moves = !start.clock().is_static();
  Operand init;
  if (o.min.is_set() && !moves) init = start;
  auto [y, write] = SignalTensor::history(sample.shape(), {.init = init, .hop = hop});
  X now = moves ? select(first_tick(hop), start, y) : y;
  X next = now + x;
  if (o.min.is_set() && o.max.is_set()) next = wrap(next, start, stop);
  if (o.reset.is_set()) next = select(reset, start, next);
  write(next);
  return now;
}

Value latch(const Value& x, const Value& trigger, Loc loc) {
  CallSite site(loc);
  X shape = handle(x) + handle(trigger);
  auto [held, write] = SignalTensor::history(shape.shape(), {.hop = static_cast<int>(period_of({x, trigger}))});
  return write(select(handle(trigger), handle(x), held));
}

Value onepole(const Value& x, const Operand& coefficient, Loc loc) {
  CallSite site(loc);
  X c = option(coefficient);
  X shape = handle(x) + c;
  auto [y1, write] = SignalTensor::history(shape.shape(), {.hop = static_cast<int>(period_of({x, c}))});
  return write((1.0f - c) * handle(x) + c * y1);
}

// The ramp 0 .. h-1 repeats as the overlap-add of one window without overlap: exact for ever, and no feedback.
Value interpolate(const Value& v, const InterpolateOptions& o, Loc loc) {
  CallSite site(loc);
  X x = handle(v);
  int64_t h = x.clock().period;
  if (h <= 1) return x;
  Tensor t = iota(h) * (1.0f / static_cast<float>(h));
  if (o.kind == Interpolation::hann) t = 0.5f - 0.5f * cos(t * std::numbers::pi_v<float>);
  X ramp = t.overlap_add(static_cast<int>(h));
  X first = frame_index().every(static_cast<int>(h)) == 0.0f;
  X before = select(first, x, handle(prev(x, loc)));
  return before.hold() + (x.hold() - before.hold()) * ramp;
}

}  // namespace dgen::detail
