// Phasors, sums, sample and hold, the value before: what each keeps, frame by frame.
#include "patches.h"

namespace dgen::test {
namespace {

// Frequencies whose fraction of the rate float holds exactly, so that a wrap is no question of rounding.
constexpr float kFrequency = static_cast<float>(kRate * 37 / 1024);
double fraction(double x) { return x - std::floor(x); }

Values swept_phase(int frames) {
  double phase = 0;
  return per_frame(frames, [&](int n) {
    double now = phase;
    phase = fraction(phase + (200 + 30.5 * (n % 50)) / kRate);
    return now;
  });
}

Values restarted_phase(int frames) {
  int since = 0;
  return per_frame(frames, [&](int n) {
    double now = fraction(since * 37 / 1024.0);
    since = n % 41 == 13 ? 0 : since + 1;
    return now;
  });
}

Values bank_phase(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n)
    for (int k : {37, 5, -1}) rows.push_back(fraction(n * k / 1024.0));
  return rows;
}

// ---- sums: exact in float, so that any order of additions gives the same ----

template <class F>
Values summed(int frames, double start, F next) {
  double y = start;
  return per_frame(frames, [&](int n) {
    double now = y;
    y = next(y, n);
    return now;
  });
}

double wrapped(double x, double lo, double hi) { return lo + (x - lo) - std::floor((x - lo) / (hi - lo)) * (hi - lo); }

bool every_17th(int n) { return n % 17 == 9; }
Signal every_17th() { return mod(frame_index(), 17) == 9.0f; }

Values latched(int frames) {
  double held = 0;
  return per_frame(frames, [&](int n) { return held = n % 6 == 2 || n % 6 == 3 ? wild_at(n) : held; });
}

Values last_of_hops(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n)
    for (int back : {2, 1, 0}) {
      int tick = n / 5 - back;
      rows.push_back(tick < 0 ? 0 : wild_at(5 * tick));
    }
  return rows;
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

const Patch patches[] = {
    {"phasor", 200, [] { return Value(Signal::phasor(kFrequency)); },
     [](int n) { return per_frame(n, [](int i) { return fraction(i * 37 / 1024.0); }); }},
    {"phasor_down", 200, [] { return Value(Signal::phasor(-kFrequency)); },
     [](int n) { return per_frame(n, [](int i) { return fraction(i * -37 / 1024.0); }); }},
    {"phasor_swept", 200, [] { return Value(Signal::phasor(200.0f + 30.5f * mod(frame_index(), 50))); }, swept_phase},
    {"phasor_reset", 200, [] { return Value(Signal::phasor(kFrequency, {.reset = mod(frame_index(), 41) == 13.0f})); },
     restarted_phase},
    {"phasor_bank", 100,
     [] {
       float unit = static_cast<float>(kRate / 1024);
       return Value(Signal::phasor(Tensor({37 * unit, 5 * unit, -unit})));
     },
     bank_phase},
    {"frame_index", 100, [] { return Value(frame_index()); }, [](int n) { return per_frame(n, [](int i) { return i; }); }},
    {"click", 100, [] { return Value(Signal::click()); }, click_values},
    {"accum", 100, [] { return Value(wild().accum()); },
     [](int n) { return summed(n, 0, [](double y, int i) { return y + wild_at(i); }); }, true},
    {"accum_bounded", 100, [] { return Value(Signal::accum(.75f, {.min = -1, .max = 2})); },
     [](int n) { return summed(n, -1, [](double y, int) { return wrapped(y + .75, -1, 2); }); }, true},
    {"accum_down", 100, [] { return Value(Signal::accum(-.625f, {.min = 1, .max = 3})); },
     [](int n) { return summed(n, 1, [](double y, int) { return wrapped(y - .625, 1, 3); }); }, true},
    {"accum_reset", 100, [] { return Value(wild().accum({.reset = every_17th()})); },
     [](int n) { return summed(n, 0, [](double y, int i) { return every_17th(i) ? 0 : y + wild_at(i); }); }, true},
    {"accum_bounded_reset", 100, [] { return Value(Signal::accum(.5f, {.reset = every_17th(), .min = 2, .max = 5})); },
     [](int n) { return summed(n, 2, [](double y, int i) { return every_17th(i) ? 2 : wrapped(y + .5, 2, 5); }); }, true},
    {"accum_at_hop", 60, [] { return Value(wild().every(5).accum()); },
     [](int n) {
       double y = 0, now = 0;
       return per_frame(n, [&](int i) {
         if (i % 5 == 0) now = y, y += wild_at(i);
         return now;
       });
     }, true},
    {"latch", 80, [] { return Value(wild().latch(abs(mod(frame_index(), 6) - 2.5f) < 1.0f)); }, latched},
    {"prev", 40, [] { return Value(wild().prev()); },
     [](int n) { return per_frame(n, [](int i) { return i == 0 ? 0 : wild_at(i - 1); }); }},
    {"prev_at_hop", 40, [] { return Value(wild().every(6).prev()); },
     [](int n) { return per_frame(n, [](int i) { return i < 6 ? 0 : wild_at((i / 6 - 1) * 6); }); }},
    {"delta", 40, [] { return Value(wild().delta()); },
     [](int n) { return per_frame(n, [](int i) { return wild_at(i) - (i == 0 ? 0 : wild_at(i - 1)); }); }},
    {"change", 40, [] { return Value(wild().change()); },
     [](int n) { return per_frame(n, [](int i) { return sign(wild_at(i) - (i == 0 ? 0 : wild_at(i - 1))); }); }},
    {"last", 40, [] { return Value(wild().last(3)); },
     [](int n) {
       Values rows;
       for (int i = 0; i < n; ++i)
         for (int back : {2, 1, 0}) rows.push_back(i < back ? 0 : wild_at(i - back));
       return rows;
     }},
    {"last_at_hop", 40, [] { return Value(wild().every(5).last(3)); }, last_of_hops},
};

}  // namespace

std::span<const Patch> memory_patches() { return patches; }

}  // namespace dgen::test
