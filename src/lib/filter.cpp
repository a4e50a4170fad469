// Filters at frame clock, element by element; coefficients may change every frame.
#include <numbers>

#include "dgen/dsp.h"

namespace dgen::detail {
namespace {

using X = SignalTensor;
X handle(const Value& v) { return as<X>(v); }
X option(const Operand& o) { return handle(o.value()); }

// A cell of the shape of x, zero at the start.
SignalTensorHistory cell(const X& x) { return SignalTensor::history(x.shape()); }

// Frequency in radians a sample, clamped to [0, .49 of the rate].
X radians(const Operand& cutoff) {
  X rate = sample_rate();
  return clamp(option(cutoff), 0.0f, 0.49f * rate) * (1.0f / rate) * (2 * std::numbers::pi_v<float>);
}

struct Coefficients {
  X b0, b1, b2, a0, a1, a2;
};

// RBJ's Audio EQ Cookbook. 1 - cos w is written 2 sin^2(w/2), which keeps its digits at low frequencies.
Coefficients cookbook(const BiquadOptions& o) {
  X w = radians(o.cutoff), q = max(option(o.q), 1e-3f);
  X sine = sin(w), half = sin(0.5f * w), s2 = half * half;  // cos w = 1 - 2 s2
  X cosine = 1.0f - 2.0f * s2, alpha = sine * (0.5f / q);
  X one_plus = 2.0f - 2.0f * s2, one_minus = 2.0f * s2;  // 1 + cos w, 1 - cos w
  X A = exp(option(o.gain_db) * (std::numbers::ln10_v<float> / 40));
  Coefficients plain{{}, {}, {}, 1.0f + alpha, -2.0f * cosine, 1.0f - alpha};
  auto numerator = [&](const X& b0, const X& b1, const X& b2) {
    return Coefficients{b0, b1, b2, plain.a0, plain.a1, plain.a2};
  };
  X slope = 2.0f * sqrt(A) * alpha, zero = handle(number(0));
  X up = 2.0f * s2 * (A + 1.0f), down = 2.0f * s2 * (A - 1.0f);
  switch (o.mode) {
    case BiquadMode::lowpass:
      return numerator(s2, one_minus, s2);
    case BiquadMode::highpass:
      return numerator(0.5f * one_plus, -one_plus, 0.5f * one_plus);
    case BiquadMode::bandpass:
      return numerator(alpha, zero, -alpha);
    case BiquadMode::bandpass_skirt:
      return numerator(0.5f * sine, zero, -0.5f * sine);
    case BiquadMode::notch:
      return numerator(handle(number(1)), plain.a1, handle(number(1)));
    case BiquadMode::allpass:
      return numerator(1.0f - alpha, plain.a1, 1.0f + alpha);
    case BiquadMode::peaking:
      return {1.0f + alpha * A, plain.a1, 1.0f - alpha * A, 1.0f + alpha / A, plain.a1, 1.0f - alpha / A};
    case BiquadMode::lowshelf:
      return {A * (2.0f + down + slope), 2.0f * A * (up - 2.0f), A * (2.0f + down - slope),
              2.0f * A - down + slope,   2.0f * (up - 2.0f * A), 2.0f * A - down - slope};
    case BiquadMode::highshelf:
      return {A * (2.0f * A - down + slope), 2.0f * A * (up - 2.0f * A), A * (2.0f * A - down - slope),
              2.0f + down + slope,           2.0f * (up - 2.0f),         2.0f + down - slope};
  }
  raise("biquad", "unknown mode", {});
}

}  // namespace

// Transposed direct form II: y = b0 x + s1, s1 = b1 x - a1 y + s2, s2 = b2 x - a2 y.
Value biquad(const Value& v, const BiquadOptions& o, Loc loc) {
  CallSite site(loc);
  Coefficients k = cookbook(o);
  X gain = 1.0f / k.a0, x = handle(v);
  X b0 = k.b0 * gain, b1 = k.b1 * gain, b2 = k.b2 * gain, a1 = k.a1 * gain, a2 = k.a2 * gain;
  X feed = b0 * x;
  auto [s1, write1] = cell(feed);
  auto [s2, write2] = cell(feed);
  X y = feed + s1;
  write1(b1 * x - a1 * y + s2);
  write2(b2 * x - a2 * y);
  return y;
}

// Simper 2013, "Solving the continuous SVF equations using trapezoidal integration and equivalent currents".
Value svf(const Value& v, const SvfOptions& o, Loc loc) {
  CallSite site(loc);
  X g = tan(0.5f * radians(o.cutoff)), k = 1.0f / max(option(o.q), 1e-3f), x = handle(v);
  X a1 = 1.0f / (1.0f + g * (g + k)), a2 = g * a1, a3 = g * a2;
  auto [ic1, write1] = cell(a1 * x);
  auto [ic2, write2] = cell(a1 * x);
  X v3 = x - ic2;
  X v1 = a1 * ic1 + a2 * v3;
  X v2 = ic2 + a2 * ic1 + a3 * v3;
  write1(2.0f * v1 - ic1);
  write2(2.0f * v2 - ic2);
  switch (o.mode) {
    case SvfMode::lowpass:
      return v2;
    case SvfMode::bandpass:
      return v1;
    case SvfMode::highpass:
      return x - k * v1 - v2;
    case SvfMode::notch:
      return x - k * v1;
    case SvfMode::peak:
      return 2.0f * v2 - x + k * v1;
    case SvfMode::allpass:
      return x - 2.0f * k * v1;
  }
  raise("svf", "unknown mode", {});
}

// Four one-poles in series, each g (tanh u - tanh y), with the last output of the frame before fed back (Huovilainen
// 2004).
Value ladder(const Value& v, const LadderOptions& o, Loc loc) {
  CallSite site(loc);
  X g = 1.0f - exp(-radians(o.cutoff)), x = handle(v);
  X shape = g * x * option(o.resonance) * option(o.drive);
  // A stage's tanh is the next one's input; kept until the next frame, it need not be computed again.
  SignalTensorHistory stages[] = {cell(shape), cell(shape), cell(shape), cell(shape)};
  SignalTensorHistory bent[] = {cell(shape), cell(shape), cell(shape)};
  X u = tanh(option(o.drive) * x - 4.0f * option(o.resonance) * stages[3].prev);
  for (int i = 0; i < 3; ++i) u = bent[i].write(tanh(stages[i].write(stages[i].prev + g * (u - bent[i].prev))));
  return stages[3].write(stages[3].prev + g * (u - tanh(stages[3].prev)));
}

// Giannoulis, Massberg and Reiss 2012: gain computer in decibels with a soft knee, smoothed in the log domain.
Value compressor(const Value& v, const CompressorOptions& o, Loc loc) {
  CallSite site(loc);
  X x = handle(v), side = o.sidechain.is_set() ? option(o.sidechain) : x;
  X knee = option(o.knee_db);
  X over = amp_to_db(side) - option(o.threshold_db);
  X soft = (over + 0.5f * knee) * (over + 0.5f * knee) / (2.0f * knee);
  X bent = select(2.0f * over <= -knee, 0.0f, select(2.0f * abs(over) < knee, soft, over));
  X reduction = (1.0f - 1.0f / option(o.ratio)) * bent;
  auto [g1, write] = SignalTensor::history((reduction + x + option(o.attack) + option(o.release)).shape());
  X time = select(reduction > g1, option(o.attack), option(o.release));
  X c = exp(std::log(0.01f) / (time * sample_rate()));
  X g = write(c * g1 + (1.0f - c) * reduction);
  return x * db_to_amp(-g);
}

}  // namespace dgen::detail
