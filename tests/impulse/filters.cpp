// Filters and the compressor against the formulas of their sources, in double and in another form than the library's.
#include "patches.h"

namespace dgen::test {
namespace {

struct Coefficients {
  double b[3], a[3];
};

// Direct form I.
Values filtered(const Coefficients& k, const Values& x) {
  Values y;
  for (int n = 0; n < static_cast<int>(x.size()); ++n) {
    double sum = k.b[0] * at(x, n) + k.b[1] * at(x, n - 1) + k.b[2] * at(x, n - 2);
    y.push_back((sum - k.a[1] * at(y, n - 1) - k.a[2] * at(y, n - 2)) / k.a[0]);
  }
  return y;
}

double radians(double cutoff) { return 2 * kPi * std::clamp(cutoff, 0.0, 0.49 * kRate) / kRate; }

// Audio EQ Cookbook, as printed.
Coefficients rbj(BiquadMode mode, double cutoff = 1000, double q = 0.7071f, double gain_db = 0) {
  double w = radians(cutoff), c = std::cos(w), s = std::sin(w), alpha = s / (2 * std::max(q, 1e-3));
  double A = std::pow(10, gain_db / 40), r = 2 * std::sqrt(A) * alpha;
  switch (mode) {
    case BiquadMode::lowpass: return {{(1 - c) / 2, 1 - c, (1 - c) / 2}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::highpass: return {{(1 + c) / 2, -(1 + c), (1 + c) / 2}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::bandpass: return {{alpha, 0, -alpha}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::bandpass_skirt: return {{s / 2, 0, -s / 2}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::notch: return {{1, -2 * c, 1}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::allpass: return {{1 - alpha, -2 * c, 1 + alpha}, {1 + alpha, -2 * c, 1 - alpha}};
    case BiquadMode::peaking: return {{1 + alpha * A, -2 * c, 1 - alpha * A}, {1 + alpha / A, -2 * c, 1 - alpha / A}};
    case BiquadMode::lowshelf:
      return {{A * ((A + 1) - (A - 1) * c + r), 2 * A * ((A - 1) - (A + 1) * c), A * ((A + 1) - (A - 1) * c - r)},
              {(A + 1) + (A - 1) * c + r, -2 * ((A - 1) + (A + 1) * c), (A + 1) + (A - 1) * c - r}};
    case BiquadMode::highshelf:
      return {{A * ((A + 1) + (A - 1) * c + r), -2 * A * ((A - 1) + (A + 1) * c), A * ((A + 1) + (A - 1) * c - r)},
              {(A + 1) - (A - 1) * c + r, 2 * ((A - 1) - (A + 1) * c), (A + 1) - (A - 1) * c - r}};
  }
  return {};
}

template <BiquadMode mode>
Value biquad_click() {
  return Signal::click().biquad({.cutoff = 1000, .q = .7071f, .mode = mode, .gain_db = 6});
}
template <BiquadMode mode>
Values biquad_response(int frames) {
  return filtered(rbj(mode, 1000, .7071f, 6), click_values(frames));
}

// Transposed direct form II, whose state is what the language page promises while coefficients move.
template <class F>
Values moving(const Values& x, F coefficients) {
  double s1 = 0, s2 = 0;
  return per_frame(static_cast<int>(x.size()), [&](int n) {
    Coefficients k = coefficients(n);
    double in = at(x, n), y = k.b[0] / k.a[0] * in + s1;
    s1 = (k.b[1] * in - k.a[1] * y) / k.a[0] + s2;
    s2 = (k.b[2] * in - k.a[2] * y) / k.a[0];
    return y;
  });
}

Values rising_response(int frames) {
  return moving(click_values(frames), [](int n) { return rbj(BiquadMode::lowpass, 1000 * (n + 1)); });
}
Values held_cutoff_response(int frames) {
  return moving(wild_values(frames), [](int n) { return rbj(BiquadMode::lowpass, 500 + 40 * (n / 8 * 8)); });
}

// Rows of several responses, frame by frame.
Values interleaved(const std::vector<Values>& columns) {
  Values rows;
  for (size_t n = 0; n < columns[0].size(); ++n)
    for (const Values& column : columns) rows.push_back(column[n]);
  return rows;
}

Values bank_response(int frames) {
  std::vector<Values> lanes;
  for (double cutoff : {300.0, 1000.0, 5000.0}) lanes.push_back(filtered(rbj(BiquadMode::lowpass, cutoff, 2), wild_values(frames)));
  return interleaved(lanes);
}

// ---- one-poles ----

Values onepole(const Values& x, double c) {
  double y = 0;
  return per_frame(static_cast<int>(x.size()), [&](int n) { return y = (1 - c) * at(x, n) + c * y; });
}
Values moving_onepole(int frames) {
  double y = 0;
  return per_frame(frames, [&](int n) {
    double c = n % 10 / 10.0;
    return y = (1 - c) * wild_at(n) + c * y;
  });
}
Values hop_onepole(int frames) {
  double y = 0;
  return per_frame(frames, [&](int n) { return n % 4 == 0 ? y = .25 * wild_at(n) + .75 * y : y; });
}

// ---- state-variable filter: the bilinear transform of 1, s, s^2 over s^2 + s/q + 1 ----

constexpr double kSvfQ = 1.5;

// The numerator is p s^2 + q s + r.
Coefficients bilinear(double p, double q, double r, double cutoff) {
  double g = std::tan(radians(cutoff) / 2), k = 1 / kSvfQ;
  return {{p + q * g + r * g * g, 2 * (r * g * g - p), p - q * g + r * g * g}, {1 + k * g + g * g, 2 * (g * g - 1), 1 - k * g + g * g}};
}

template <SvfMode mode>
Value svf_wild() {
  return wild().svf({.cutoff = 3000, .q = 1.5f, .mode = mode});
}
template <SvfMode mode>
Values svf_response(int frames) {
  const double k = 1 / kSvfQ;
  const double numerators[][3] = {{0, 0, 1}, {1, 0, 0}, {0, 1, 0}, {1, 0, 1}, {-1, 0, 1}, {1, -k, 1}};
  auto& c = numerators[static_cast<int>(mode)];
  return filtered(bilinear(c[0], c[1], c[2], 3000), wild_values(frames));
}

// With a moving cutoff: the implicit equations v1 = z1 + g (x - k v1 - v2), v2 = z2 + g v1 solved each frame.
Values moving_svf(int frames) {
  double z1 = 0, z2 = 0;
  return per_frame(frames, [&](int n) {
    double g = std::tan(radians(800 + 100 * (n % 20)) / 2), k = 1 / kSvfQ;
    double v1 = (z1 + g * (wild_at(n) - z2)) / (1 + g * k + g * g), v2 = z2 + g * v1;
    z1 = 2 * v1 - z1, z2 = 2 * v2 - z2;
    return v2;
  });
}

Values ladder_response(double cutoff, double resonance, double drive, int frames) {
  double g = 1 - std::exp(-radians(cutoff)), y[4] = {};
  return per_frame(frames, [&](int n) {
    double u = std::tanh(drive * wild_at(n) - 4 * resonance * y[3]);
    for (double& stage : y) stage += g * (u - std::tanh(stage)), u = std::tanh(stage);
    return y[3];
  });
}

// ---- compressor ----

struct Curve {
  double ratio, threshold, knee, attack, release;
};

Values compressed(const Values& x, const Values& side, const Curve& c) {
  double g = 0;
  return per_frame(static_cast<int>(x.size()), [&](int n) {
    double over = 20 * std::log10(std::max(std::abs(at(side, n)), 1e-5)) - c.threshold, bent = over;
    if (2 * over <= -c.knee) bent = 0;
    else if (2 * std::abs(over) < c.knee) bent = (over + c.knee / 2) * (over + c.knee / 2) / (2 * c.knee);
    double r = (1 - 1 / c.ratio) * bent, smooth = std::exp(std::log(.01) / ((r > g ? c.attack : c.release) * kRate));
    g = smooth * g + (1 - smooth) * r;
    return at(x, n) * std::pow(10, -g / 20);
  });
}

// Loud for 100 frames, then quiet.
double burst_at(int n) { return n < 100 ? .5 : .0625; }
Value compressor_burst() {
  Signal x = select(frame_index() < 100.0f, .5f, .0625f);
  return x.compressor({.ratio = 4, .threshold_db = -20, .knee_db = 6, .attack = .001f, .release = .004f});
}
Values compressor_burst_response(int frames) {
  Values x = per_frame(frames, burst_at);
  return compressed(x, x, {4, -20, 6, .001f, .004f});
}
Values compressor_ducking_response(int frames) {
  return compressed(wild_values(frames), per_frame(frames, burst_at), {8, -30, 12, .002f, .002f});
}

#define BIQUAD(mode) \
  { "biquad_" #mode, 64, biquad_click<BiquadMode::mode>, biquad_response<BiquadMode::mode>, true }
#define SVF(mode) \
  { "svf_" #mode, 64, svf_wild<SvfMode::mode>, svf_response<SvfMode::mode>, true }

const Patch patches[] = {
    BIQUAD(lowpass),
    BIQUAD(highpass),
    BIQUAD(bandpass),
    BIQUAD(bandpass_skirt),
    BIQUAD(notch),
    BIQUAD(allpass),
    BIQUAD(peaking),
    BIQUAD(lowshelf),
    BIQUAD(highshelf),
    {"biquad_step", 96, [] { return Value(Signal::constant(1).biquad({.cutoff = 2500})); },
     [](int n) { return filtered(rbj(BiquadMode::lowpass, 2500), Values(static_cast<size_t>(n), 1)); }, true},
    {"biquad_resonant", 64, [] { return Value(Signal::click().biquad({.cutoff = 4000, .q = 9})); },
     [](int n) { return filtered(rbj(BiquadMode::lowpass, 4000, 9), click_values(n)); }, true},
    {"biquad_rising_cutoff", 48, [] { return Value(Signal::click().biquad({.cutoff = 1000.0f * (frame_index() + 1.0f)})); },
     rising_response, true},
    {"biquad_held_cutoff", 96,
     [] { return Value(wild().biquad({.cutoff = (500.0f + 40.0f * frame_index()).every(8)})); }, held_cutoff_response, true},
    {"biquad_clamped_options", 40,
     [] { return Value(Signal::click().biquad({.cutoff = 30000, .q = 0, .mode = BiquadMode::highpass})); },
     [](int n) { return filtered(rbj(BiquadMode::highpass, 30000, 0), click_values(n)); }, true},
    {"biquad_bank", 64, [] { return Value(SignalTensor(wild()).biquad({.cutoff = Tensor({300, 1000, 5000}), .q = 2})); },
     bank_response, true},
    {"onepole", 64, [] { return Value(Signal::click().onepole(.9f)); },
     [](int n) { return per_frame(n, [](int i) { return (1 - double{.9f}) * std::pow(double{.9f}, i); }); }, true},
    {"onepole_step", 64, [] { return Value(Signal::constant(1).onepole(.75f)); },
     [](int n) { return per_frame(n, [](int i) { return 1 - std::pow(.75, i + 1); }); }, true},
    {"onepole_follower", 96, [] { return Value(abs(wild()).onepole(.875f)); },
     [](int n) { return onepole(per_frame(n, [](int i) { return std::abs(wild_at(i)); }), .875); }, true},
    {"onepole_moving", 64, [] { return Value(wild().onepole(mod(frame_index(), 10) / 10.0f)); }, moving_onepole, true},
    {"onepole_at_hop", 64, [] { return Value(wild().every(4).onepole(.75f)); }, hop_onepole, true},
    SVF(lowpass),
    SVF(highpass),
    SVF(bandpass),
    SVF(notch),
    SVF(peak),
    SVF(allpass),
    {"svf_moving_cutoff", 80,
     [] { return Value(wild().svf({.cutoff = 800.0f + 100.0f * mod(frame_index(), 20), .q = 1.5f})); }, moving_svf, true},
    {"ladder", 80, [] { return Value(wild().ladder({.cutoff = 2000})); },
     [](int n) { return ladder_response(2000, 0, 1, n); }, true},
    {"ladder_resonant", 80, [] { return Value(wild().ladder({.cutoff = 1500, .resonance = .75f, .drive = 2})); },
     [](int n) { return ladder_response(1500, .75, 2, n); }, true},
    {"compressor_burst", 256, compressor_burst, compressor_burst_response, true},
    {"compressor_sidechain", 200,
     [] {
       return Value(wild().compressor({.ratio = 8, .threshold_db = -30, .knee_db = 12, .attack = .002f, .release = .002f,
                                       .sidechain = select(frame_index() < 100.0f, .5f, .0625f)}));
     },
     compressor_ducking_response, true},
};

}  // namespace

std::span<const Patch> filter_patches() { return patches; }

}  // namespace dgen::test
