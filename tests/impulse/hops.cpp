// Clock changes, windows, overlap-add and short-time spectra.
#include "patches.h"

namespace dgen::test {
namespace {

double wild_before(int n) { return n < 0 ? 0 : wild_at(n); }

// The newest tick at or before a frame.
int tick_frame(int n, int hop) { return n / hop * hop; }

// From the tick before the last to the last one, t in [0, 1) from one tick to the next.
template <class F>
Values interpolated(int frames, int hop, F t) {
  return per_frame(frames, [&](int n) {
    int now = tick_frame(n, hop), before = std::max(0, now - hop);
    return wild_at(before) + (wild_at(now) - wild_at(before)) * t(n % hop / static_cast<double>(hop));
  });
}

Values windows_response(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n)
    for (int j = 0; j < 6; ++j) rows.push_back(wild_before(tick_frame(n, 4) - 5 + j));
  return rows;
}

// out[n] = sum over ticks k of window(k, n - k hop).
template <class F>
Values overlapped(int frames, int size, int hop, F window) {
  return per_frame(frames, [&](int n) {
    double sum = 0;
    for (int k = 0; k * hop <= n; ++k)
      if (n - k * hop < size) sum += window(k, n - k * hop);
    return sum;
  });
}

// Windows of the input with a slope on them, back at frame rate.
template <int size, int hop>
Value sloped_windows() {
  return (wild().buffer(size, hop) * Tensor::arange(size)).overlap_add(hop);
}
template <int size, int hop>
Values sloped_windows_response(int frames) {
  return overlapped(frames, size, hop, [](int k, int j) { return j * wild_before(k * hop - size + 1 + j); });
}

template <int size, int hop>
Values late_input(int frames) {
  return per_frame(frames, [](int n) { return wild_before(n - size + 1); });
}
Value resynthesis(const StftOptions& options) { return istft(stft(wild(), options), options); }

// The magnitudes of the windows of a click: 1 as long as it is inside, rows of 5 bins.
Values click_spectrum(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n) rows.insert(rows.end(), 5, tick_frame(n, 3) < 8 ? 1.0 : 0.0);
  return rows;
}

// One bin of a slow Fourier transform of the last 12 samples.
Values third_bin(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n) {
    double re = 0, im = 0;
    for (int j = 0; j < 12; ++j) {
      double x = wild_before(tick_frame(n, 5) - 11 + j), angle = -2 * kPi * 3 * j / 12;
      re += x * std::cos(angle), im += x * std::sin(angle);
    }
    rows.insert(rows.end(), {re, im});
  }
  return rows;
}

// ---- filter_hops: at every tick the zero-phase response of 5 magnitudes, 8 taps in a Hann window ----

constexpr int kHop = 10, kTaps = 8;

double magnitude(int bin, int tick) { return 1 / (1.0 + bin) + .25 * tick; }
double hop_filter(int tap, int tick) {
  double h = magnitude(0, tick) + magnitude(4, tick) * ((tap - kTaps / 2) % 2 == 0 ? 1 : -1);
  for (int bin = 1; bin < 4; ++bin) h += 2 * magnitude(bin, tick) * std::cos(2 * kPi * bin * (tap - kTaps / 2) / kTaps);
  return h / kTaps * (.5 - .5 * std::cos(2 * kPi * tap / kTaps));
}
Value moving_hop_filter() {
  SignalTensor magnitudes = Tensor({1.f, 1 / 2.f, 1 / 3.f, 1 / 4.f, 1 / 5.f}) + (frame_index() * (0.25f / kHop)).every(kHop);
  return wild().filter_hops(magnitudes, {.hop = kHop});
}
Values moving_hop_filter_response(int frames) {
  return overlapped(frames, kHop + kTaps - 1, kHop, [](int k, int j) {
    double sum = 0;
    for (int tap = 0; tap < kTaps; ++tap)
      if (j - tap >= 0 && j - tap < kHop) sum += hop_filter(tap, k) * wild_before(k * kHop - kHop + 1 + j - tap);
    return sum;
  });
}

const Patch patches[] = {
    {"hold", 40, [] { return Value(wild().every(7).hold()); },
     [](int n) { return per_frame(n, [](int i) { return wild_at(tick_frame(i, 7)); }); }},
    {"every", 40, [] { return Value(wild().every(6)); },
     [](int n) { return per_frame(n, [](int i) { return wild_at(tick_frame(i, 6)); }); }},
    {"every_of_every", 60, [] { return Value(wild().every(4).every(6)); },
     [](int n) { return per_frame(n, [](int i) { return wild_at(tick_frame(tick_frame(i, 6), 4)); }); }},
    {"hops_meet", 60, [] { return Value(wild().every(6) + wild().every(4) * 2.0f); },
     [](int n) { return per_frame(n, [](int i) { return wild_at(tick_frame(i, 6)) + 2 * wild_at(tick_frame(i, 4)); }); }},
    {"interpolate_linear", 60, [] { return Value(wild().every(8).interpolate()); },
     [](int n) { return interpolated(n, 8, [](double t) { return t; }); }},
    {"interpolate_hann", 60, [] { return Value(wild().every(8).interpolate({.kind = Interpolation::hann})); },
     [](int n) { return interpolated(n, 8, [](double t) { return .5 - .5 * std::cos(kPi * t); }); }},
    {"buffer", 40, [] { return Value(wild().buffer(6, 4)); }, windows_response},
    {"overlap_add_of_ones", 32, [] { return Value(Tensor::ones({8}).overlap_add(4)); },
     [](int n) { return per_frame(n, [](int i) { return i < 4 ? 1 : 2; }); }},
    {"overlap_add_8_4", 64, sloped_windows<8, 4>, sloped_windows_response<8, 4>},
    {"overlap_add_10_4", 64, sloped_windows<10, 4>, sloped_windows_response<10, 4>},
    {"overlap_add_3_8", 64, sloped_windows<3, 8>, sloped_windows_response<3, 8>},
    {"overlap_add_20_1", 64, sloped_windows<20, 1>, sloped_windows_response<20, 1>},
    {"spectrum_of_click", 24, [] { return Value(rfft(Signal::click().buffer(8, 3)).magnitude()); }, click_spectrum},
    {"spectrum_of_12", 48,
     [] {
       auto bins = rfft(wild().buffer(12, 5));
       return Value(stack({bins.re[3], bins.im[3]}));
     },
     third_bin},
    {"istft_of_stft", 256, [] { return resynthesis({.size = 64, .hop = 16}); }, late_input<64, 16>},
    {"istft_of_stft_hamming", 192, [] { return resynthesis({.size = 48, .hop = 12, .window = Window::hamming}); },
     late_input<48, 12>},
    {"istft_of_stft_odd_hop", 192, [] { return resynthesis({.size = 40, .hop = 12, .window = Window::blackman}); },
     late_input<40, 12>},
    {"filter_hops", 96, moving_hop_filter, moving_hop_filter_response},
};

}  // namespace

std::span<const Patch> hop_patches() { return patches; }

}  // namespace dgen::test
