// Delay lines, in feedback and not, and convolution, against arrays indexed back in time.
#include "patches.h"

namespace dgen::test {
namespace {

// x at n - time between samples, time clamped; no number reads as 0.
double tap(const Values& x, int n, double time, double max) {
  double t = std::isnan(time) ? 0 : std::clamp(time, 0.0, max);
  int whole = static_cast<int>(t);
  return at(x, n - whole) * (1 - (t - whole)) + at(x, n - whole - 1) * (t - whole);
}

template <class F>
Values delayed(int frames, double max, F time) {
  Values x = wild_values(frames);
  return per_frame(frames, [&](int n) { return tap(x, n, time(n), max); });
}

// Beyond both ends, and no number at every 7th frame.
Value odd_times() {
  Signal n = frame_index();
  Signal time = select(mod(n, 7) == 3.0f, std::nanf(""), mod(n, 11) * 1.5f - 4.0f);
  return wild().delay(time, 9);
}
Values odd_times_response(int frames) {
  return delayed(frames, 9, [](int n) { return n % 7 == 3 ? std::nan("") : n % 11 * 1.5 - 4; });
}

Values ramp_after(int frames, double time) {
  return per_frame(frames, [=](int n) { return std::max(0.0, n - time); });
}

// y = x + feedback * y[n - samples] with an explicit cell.
Value loop_of(int samples, float feedback) {
  auto [prev, write] = Signal::history();
  return write(wild() + feedback * prev.delay(static_cast<float>(samples - 1)));
}

Values looped(const Values& x, double time, double feedback, double damping = 0) {
  Values y;
  double low = 0;
  for (int n = 0; n < static_cast<int>(x.size()); ++n) {
    low = (1 - damping) * tap(y, n, time, 1e9) + damping * low;
    y.push_back(at(x, n) + feedback * low);
  }
  return y;
}

// A string: y = x + (y[n - 20] + y[n - 21]) / 2 * 0.99.
Value string_loop() {
  auto [prev, write] = Signal::history();
  Signal late = prev.delay(19);
  return write(Signal::click() + 0.495f * (late + late.prev()));
}
Values string_response(int frames) {
  Values y;
  for (int n = 0; n < frames; ++n) y.push_back((n == 0) + double{.495f} * (at(y, n - 20) + at(y, n - 21)));
  return y;
}

// v = x + g v[n - time], y = v[n - time] - g v.
Values schroeder(const Values& x, double time, double g) {
  Values v;
  return per_frame(static_cast<int>(x.size()), [&](int n) {
    double late = tap(v, n, time, 1e9);
    v.push_back(at(x, n) + g * late);
    return late - g * v.back();
  });
}

Values chorus_response(int frames) {
  Values x = wild_values(frames);
  return per_frame(frames, [&](int n) {
    double time = 6 + 5 * std::sin(2 * kPi * (n * 13 % 1024) / 1024.0);
    return at(x, n) + .5 * tap(x, n, time, 12);
  });
}

Values network_response(int frames) {
  const int times[] = {3, 5, 8, 13};
  const double decay = double{.01f}, damping = .25;
  Values lines[4];
  double low[4] = {};
  return per_frame(frames, [&](int n) {
    double out[4], sum = 0;
    for (int i = 0; i < 4; ++i) {
      low[i] = (1 - damping) * at(lines[i], n - times[i]) + damping * low[i];
      out[i] = low[i] * std::pow(10, -3 * times[i] / (decay * kRate));
      sum += out[i] / 4;
    }
    // H = [[1, 1], [1, -1]] twice, over 2.
    double a = out[0] + out[1], b = out[0] - out[1], c = out[2] + out[3], d = out[2] - out[3];
    const double mixed[] = {a + c, b + d, a - c, b - d};
    for (int i = 0; i < 4; ++i) lines[i].push_back((n == 0) + mixed[i] / 2);
    return sum;
  });
}

// ---- convolution ----

double response_tap(int k) { return wild_at(k + 5) * std::exp2(-k / 64 * 0.5); }
Tensor impulse_response(int taps) {
  std::vector<float> ir;
  for (int k = 0; k < taps; ++k) ir.push_back(static_cast<float>(response_tap(k)));
  return Tensor(ir);
}

// The response at frame 0 and, inverted and halved, at frame 75.
template <int taps>
Value two_clicks() {
  Signal x = Signal::click() - 0.5f * (frame_index() == 75.0f);
  return x.convolve(impulse_response(taps));
}
template <int taps>
Values two_responses(int frames) {
  auto h = [](int k) { return k < 0 || k >= taps ? 0 : static_cast<double>(static_cast<float>(response_tap(k))); };
  return per_frame(frames, [&](int n) { return h(n) - .5 * h(n - 75); });
}

const Patch patches[] = {
    {"delay_integer", 48, [] { return Value(frame_index().delay(10)); }, [](int n) { return ramp_after(n, 10); }},
    {"delay_fractional", 48, [] { return Value(wild().delay(10.25f)); },
     [](int n) { return delayed(n, 11, [](int) { return 10.25; }); }},
    {"delay_zero", 32, [] { return Value(wild().delay(0.0f, 5)); }, wild_values},
    {"delay_moving", 96, [] { return Value(wild().delay(mod(frame_index() * 5.0f, 23) * 0.5f, 12)); },
     [](int n) { return delayed(n, 12, [](int i) { return i * 5 % 23 * .5; }); }},
    {"delay_odd_times", 64, odd_times, odd_times_response},
    {"delay_time_at_hop", 64, [] { return Value(wild().delay((frame_index() * 0.25f).every(8), 20)); },
     [](int n) { return delayed(n, 20, [](int i) { return i / 8 * 8 * .25; }); }},
    {"delay_bank", 40, [] { return Value(SignalTensor(frame_index()).delay(Tensor({0, 3, 7.5f}), 10)); },
     [](int n) {
       Values rows;
       for (int i = 0; i < n; ++i)
         for (double time : {0.0, 3.0, 7.5}) rows.push_back(i < time ? 0 : i - time);
       return rows;
     }},
    {"chorus", 128,
     [] {
       Signal lfo = sin(Signal::phasor(static_cast<float>(kRate * 13 / 1024)) * static_cast<float>(2 * kPi));
       return Value(wild() + 0.5f * wild().delay(6.0f + 5.0f * lfo, 12));
     },
     chorus_response},
    {"loop_of_12", 128, [] { return loop_of(12, .75f); }, [](int n) { return looped(wild_values(n), 12, .75); }, true},
    {"loop_of_1", 64, [] { return loop_of(1, -.5f); }, [](int n) { return looped(wild_values(n), 1, -.5); }, true},
    {"string", 128, string_loop, string_response, true},
    {"comb", 64, [] { return Value(Signal::click().comb({.time = 5, .feedback = .5f})); },
     [](int n) { return per_frame(n, [](int i) { return i % 5 == 0 ? std::pow(.5, i / 5) : 0.0; }); }, true},
    {"comb_damped", 96, [] { return Value(wild().comb({.time = 7.5f, .feedback = .75f, .damping = .25f})); },
     [](int n) { return looped(wild_values(n), 7.5, .75, .25); }, true},
    {"allpass_delay", 64, [] { return Value(Signal::click().allpass_delay({.time = 3, .gain = .5f})); },
     [](int n) { return schroeder(click_values(n), 3, .5); }, true},
    {"allpass_delay_fractional", 96, [] { return Value(wild().allpass_delay({.time = 4.25f, .gain = -.625f})); },
     [](int n) { return schroeder(wild_values(n), 4.25, -.625); }, true},
    {"fdn", 160, [] { return Value(fdn(Signal::click(), {.times = {3, 5, 8, 13}, .decay = .01f, .damping = .25f})); },
     network_response, true},
    {"convolve_short", 128, two_clicks<9>, two_responses<9>},
    {"convolve_long", 900, two_clicks<700>, two_responses<700>},
};

}  // namespace

std::span<const Patch> delay_patches() { return patches; }

}  // namespace dgen::test
