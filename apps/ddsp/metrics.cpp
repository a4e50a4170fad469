#include "metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "fft.h"

namespace dgen::ddsp {
namespace {

// Magnitude spectra of windows that end at given samples.
class Spectra {
 public:
  explicit Spectra(int size) : fft_(size), window_(hann_window(size)), frame_(size), magnitude_(fft_.bins()) {}

  // The window whose last sample is x[last]; what lies outside x is zero.
  const std::vector<float>& ending_at(std::span<const float> x, int64_t last) {
    const int64_t first = last - fft_.size() + 1;
    for (int i = 0; i < fft_.size(); ++i) {
      const int64_t at = first + i;
      frame_[i] = at >= 0 && at < static_cast<int64_t>(x.size()) ? x[at] * window_[i] : 0.0f;
    }
    fft_.magnitudes(frame_, magnitude_);
    return magnitude_;
  }

 private:
  RealFft fft_;
  std::vector<float> window_, frame_, magnitude_;
};

int hop_of(int size, const Config& c) { return std::max(1, static_cast<int>(size * (1 - c.loss_overlap) + 0.5)); }

double spectral_loss(std::span<const float> a, std::span<const float> b, int size, int clock, const Config& c) {
  Spectra of_a(size), of_b(size);
  const int64_t frames = static_cast<int64_t>(a.size()), hop = hop_of(size, c);
  double total = 0, weights = 0;
  for (int64_t tick = 0; tick < frames; tick += hop) {
    const std::vector<float>&ma = of_a.ending_at(a, tick), &mb = of_b.ending_at(b, tick);
    double linear = 0, logarithmic = 0;
    for (size_t k = 0; k < ma.size(); ++k) {
      linear += std::abs(static_cast<double>(ma[k]) - mb[k]);
      logarithmic += std::abs(std::log((ma[k] + c.loss_log_eps) / (mb[k] + c.loss_log_eps)));
    }
    // The number of ticks of the common clock for which this value is held.
    const double held = std::ceil(static_cast<double>(std::min(hop, frames - tick)) / clock);
    total += held * (linear + c.loss_log_weight * logarithmic) / static_cast<double>(ma.size());
    weights += held;
  }
  return total / weights;
}

}  // namespace

double multi_scale_spectral_loss(std::span<const float> a, std::span<const float> b, const Config& config) {
  DGEN_ASSERT(a.size() == b.size() && !a.empty());
  int clock = 0;
  for (const int size : config.loss_sizes) clock = std::gcd(clock, hop_of(size, config));
  double sum = 0;
  for (const int size : config.loss_sizes) sum += spectral_loss(a, b, size, clock, config);
  return sum;
}

double log_spectral_distance(std::span<const float> a, std::span<const float> b) {
  DGEN_ASSERT(a.size() == b.size());
  constexpr int size = 1024, hop = 256;
  constexpr float floor = 1e-3f;
  Spectra of_a(size), of_b(size);
  double sum = 0;
  int frames = 0;
  for (int64_t middle = 0; middle < static_cast<int64_t>(a.size()); middle += hop, ++frames) {
    const std::vector<float>&ma = of_a.ending_at(a, middle + size / 2), &mb = of_b.ending_at(b, middle + size / 2);
    double squares = 0;
    for (size_t k = 0; k < ma.size(); ++k) {
      const double d = 20 * std::log10(std::max(ma[k], floor) / std::max(mb[k], floor));
      squares += d * d;
    }
    sum += std::sqrt(squares / static_cast<double>(ma.size()));
  }
  return frames ? sum / frames : 0;
}

double loudness_error(std::span<const float> target, std::span<const float> output) {
  DGEN_ASSERT(target.size() == output.size());
  double sum = 0;
  int counted = 0;
  for (size_t t = 0; t < target.size(); ++t) {
    if (target[t] <= -60) continue;
    sum += std::abs(static_cast<double>(target[t]) - output[t]);
    ++counted;
  }
  return counted ? sum / counted : 0;
}

PitchError pitch_error(const Features& target, const Pitch& output) {
  DGEN_ASSERT(target.size() == output.f0.size());
  std::vector<double> cents;
  size_t voiced = 0, near = 0;
  for (size_t t = 0; t < target.size(); ++t) {
    if (!target.voiced[t]) continue;
    ++voiced;
    if (!output.voiced[t]) continue;
    cents.push_back(std::abs(1200 * std::log2(static_cast<double>(output.f0[t]) / target.f0[t])));
    near += cents.back() <= 50;
  }
  return {median(std::move(cents)), static_cast<double>(near) / static_cast<double>(voiced)};
}

Metrics measure(std::span<const float> target, const Features& features, std::span<const float> output,
                const Config& config) {
  const std::vector<float> silence(target.size());
  const Features tracked = extract_features(output, config);
  return {multi_scale_spectral_loss(output, target, config), multi_scale_spectral_loss(silence, target, config),
          log_spectral_distance(output, target), loudness_error(features.loudness, tracked.loudness),
          pitch_error(features, {tracked.f0, tracked.confidence, tracked.voiced})};
}

}  // namespace dgen::ddsp
