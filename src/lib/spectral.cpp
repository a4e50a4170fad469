// Windows, short-time spectra, mel bands, levels, and filters made in the frequency domain.
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "dgen/dsp.h"

namespace dgen {
namespace {

using X = SignalTensor;
using detail::CallSite;
constexpr float pi = std::numbers::pi_v<float>;

void check_window(int64_t n) {
  if (n < 1) detail::raise("window", "the size must be at least 1, got " + std::to_string(n), {});
}

// 2 pi i / n
Tensor turns(int64_t n) {
  check_window(n);
  return detail::iota(n) * (2 * pi / static_cast<float>(n));
}

X untyped(const Value& v) { return detail::as<X>(v); }

// Pads the last axis with zeros.
template <class T>
T padded(const T& x, int64_t before, int64_t after) {
  std::vector<std::pair<int, int>> pairs(static_cast<size_t>(x.rank()), {0, 0});
  pairs.back() = {static_cast<int>(before), static_cast<int>(after)};
  return x.pad(pairs);
}

template <class T>
T last_axis(const T& x, int64_t begin, int64_t end) {
  return detail::as<T>(detail::slice_axis(x, -1, {begin, end}, Loc{}));
}

// The smallest even size >= n with prime factors 2, 3 and 5.
int64_t good_size(int64_t n) {
  for (n += n % 2;; n += 2) {
    int64_t rest = n;
    for (int64_t p : {2, 3, 5})
      while (rest % p == 0) rest /= p;
    if (rest == 1) return n;
  }
}

}  // namespace

Tensor hann(int64_t n) { return 0.5f - 0.5f * cos(turns(n)); }
Tensor hamming(int64_t n) { return 0.54f - 0.46f * cos(turns(n)); }
Tensor blackman(int64_t n) { return 0.42f - 0.5f * cos(turns(n)) + 0.08f * cos(2.0f * turns(n)); }

Tensor window(Window kind, int64_t n) {
  check_window(n);
  switch (kind) {
    case Window::hann:
      return hann(n);
    case Window::hamming:
      return hamming(n);
    case Window::blackman:
      return blackman(n);
    case Window::rect:
      return detail::as<Tensor>(detail::expand(detail::number(1), Shape{n}, Loc{}));
  }
  detail::raise("window", "unknown kind", {});
}

Complex<SignalTensor> stft(const SignalTensor& x, const StftOptions& o, Loc loc) {
  CallSite site(loc);
  X frames = x.buffer(o.size, o.hop);
  return rfft(o.window == Window::rect ? frames : frames * window(o.window, o.size));
}

namespace {

// The sum of window^2 over all ticks that reach a sample, which depends on the sample modulo hop: [size].
Tensor steady_power(const Tensor& w, int64_t hop) {
  int64_t size = w.size(), ticks = (size + hop - 1) / hop;
  Tensor once = padded(w * w, 0, ticks * hop - size).reshape({ticks, hop}).sum(0);
  return last_axis(once.repeat({static_cast<int>(ticks)}), 0, size);
}

}  // namespace

SignalTensor istft(const Complex<SignalTensor>& x, const StftOptions& o, Loc loc) {
  CallSite site(loc);
  if (o.size < 1 || o.hop < 1) detail::raise("istft", cat("size and hop must be at least 1, got ", o.size, " and ", o.hop), {}, loc);
  Tensor w = window(o.window, o.size), power = steady_power(w, o.hop);
  // A sample that no window reaches is 0.
  return (x.irfft(o.size) * select(power > 1e-8f, w / power, 0.0f)).overlap_add(o.hop);
}

Value detail::mel(const Value& v, int n, Loc loc) {
  CallSite site(loc);
  X magnitudes = untyped(v);
  if (n < 1 || magnitudes.rank() == 0 || magnitudes.size(-1) < 2)
    raise("mel", "needs at least one band and two bins, got " + std::to_string(n) + " of " + magnitudes.shape().str(),
          {v});
  int64_t bins = magnitudes.size(-1);
  Signal top = 0.5f * sample_rate();
  X f = detail::iota(bins).reshape({bins, 1}) * (top * (1 / static_cast<float>(bins - 1)));
  Signal top_mel = 2595.0f * log10(1.0f + top / 700.0f);
  X edges =
      700.0f *
      (exp(detail::iota(n + 2) * (top_mel * (std::numbers::ln10_v<float> / 2595 / static_cast<float>(n + 1)))) - 1.0f);
  X lo = last_axis(edges, 0, n), mid = last_axis(edges, 1, n + 1), hi = last_axis(edges, 2, n + 2);
  X weights = relu(min((f - lo) / (mid - lo), (hi - f) / (hi - mid)));
  return magnitudes.matmul(weights);
}

namespace {

// Squared A-weighting of IEC 61672 at frequencies f, 1 at 1 kHz.
X a_weight_power(const X& f) {
  X f2 = f * f;
  X ratio = (1.48693636e8f * f2 / (f2 + 424.36f)) * (f2 / (f2 + 1.48693636e8f));
  X weight = 1.258925f * ratio * rsqrt(f2 + 11599.29f) * rsqrt(f2 + 544496.41f);
  return weight * weight;
}

}  // namespace

SignalTensor loudness(const SignalTensor& x, const LoudnessOptions& o, Loc loc) {
  CallSite site(loc);
  if (o.size < 2) detail::raise("loudness", "size must be at least 2, got " + std::to_string(o.size), {x}, loc);
  int64_t bins = o.size / 2 + 1;
  X f = detail::iota(bins) * (sample_rate() * (1 / static_cast<float>(o.size)));
  Tensor w = hann(o.size);
  // Bins stand for both halves of the spectrum; Parseval turns their sum into the mean square.
  X weights = a_weight_power(f) * (2.0f / (static_cast<float>(o.size) * (w * w).sum()));
  X power = (stft(x, {.size = o.size, .hop = o.hop}).power() * weights).sum(-1);
  return 10.0f * log10(max(power, 1e-10f));
}

namespace detail {

namespace {

// The first taps directly: windows of the last samples times the reversed response.
X direct(const X& x, const Tensor& ir) { return x.buffer(static_cast<int>(ir.size()), 1).matmul(ir.flip({0})); }

// Taps from block on, in parts of block: what a block of input adds to later blocks, as spectra of 2 block samples.
// A part's taps stand one sample late because the newest sample of a block is the tick's own.
X tail(const X& x, const Tensor& ir, int64_t block) {
  int64_t parts = (ir.size() - 1) / block;
  Tensor taps = padded(last_axis(ir, block, ir.size()), 0, (parts + 1) * block - ir.size()).reshape({parts, block});
  Complex<Tensor> response = rfft(padded(taps, 1, block - 1));
  int hop = static_cast<int>(block);
  Complex<X> input = rfft(padded(x.buffer(hop, hop), 0, block));
  input = {input.re.last(static_cast<int>(parts)), input.im.last(static_cast<int>(parts))};
  // The newest input meets the first part.
  Complex<Tensor> newest_last{response.re.flip({0}).transpose(), response.im.flip({0}).transpose()};
  Complex<X> product = input * newest_last;
  return Complex<X>{product.re.sum(-1), product.im.sum(-1)}.irfft(2 * block).overlap_add(hop);
}

}  // namespace

// Short responses directly, long ones with a direct head and a partitioned tail (Gardner 1995): no latency.
Value convolve(const Value& v, const Value& response, Loc loc) {
  CallSite site(loc);
  X x = untyped(v);
  Tensor ir = as<Tensor>(response);
  if (ir.rank() != 1) raise("convolve", "the response needs shape (K), got " + ir.shape().str(), {ir});
  int64_t block = 64;
  while (block * block < 4 * ir.size()) block *= 2;
  if (ir.size() <= 4 * block) return direct(x, ir);
  return direct(x, last_axis(ir, 0, block)) + tail(x, ir, block);
}

// Engel et al. 2020 (DDSP): the zero-phase response of the magnitudes, centred and windowed, applied to each block.
Value filter_hops(const Value& v, const Value& magnitudes, const FilterHopsOptions& o, Loc loc) {
  CallSite site(loc);
  X x = untyped(v), m = untyped(magnitudes);
  int64_t taps = 2 * (m.size(-1) - 1), half = taps / 2;
  if (o.hop < 1) raise("filter_hops", cat("hop must be at least 1, got ", o.hop), {});
  if (half < 1) raise("filter_hops", "needs at least 2 magnitudes, got shape " + m.shape().str(), {m});
  X zero_phase = untyped(spectrum("irfft", real_planes(m, loc), taps, loc));
  X centred = untyped(concat({last_axis(zero_phase, half, taps), last_axis(zero_phase, 0, half)}, -1, loc));
  int64_t size = good_size(o.hop + taps - 1);
  Complex<X> filter = rfft(padded(centred * hann(taps), 0, size - taps));
  Complex<X> block = rfft(padded(x.buffer(o.hop, o.hop), 0, size - o.hop));
  return (block * filter).irfft(size).overlap_add(o.hop);
}

}  // namespace detail
}  // namespace dgen
