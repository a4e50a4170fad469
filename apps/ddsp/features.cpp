#include "features.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fft.h"

namespace dgen::ddsp {
namespace {

constexpr int kLoudnessWindow = 1024;

// The A curve as a factor on power.
double a_weight(double f) {
  const double f2 = f * f;
  const double a =
      12194.0 * 12194.0 * f2 * f2 /
      ((f2 + 20.6 * 20.6) * std::sqrt((f2 + 107.7 * 107.7) * (f2 + 737.9 * 737.9)) * (f2 + 12194.0 * 12194.0) + 1e-20);
  return std::pow(10, (20 * std::log10(a + 1e-12) + 2) / 10);
}

}  // namespace

Features Features::slice(size_t first, size_t count) const {
  const auto part = [&](const auto& v) {
    return std::decay_t<decltype(v)>(v.begin() + first, v.begin() + first + count);
  };
  return {part(f0), part(confidence), part(loudness), part(voiced)};
}

std::vector<float> loudness(std::span<const float> x, int sample_rate, int hop) {
  RealFft fft(kLoudnessWindow);
  const std::vector<float> window = hann_window(kLoudnessWindow);
  std::vector<double> weight(fft.bins());
  for (int k = 0; k < fft.bins(); ++k) weight[k] = a_weight(static_cast<double>(k) * sample_rate / kLoudnessWindow);
  std::vector<float> out(x.size() / hop), frame(kLoudnessWindow), magnitude(fft.bins());
  for (size_t tick = 0; tick < out.size(); ++tick) {
    for (int i = 0; i < kLoudnessWindow; ++i) {
      const int64_t at = static_cast<int64_t>(tick * hop) - kLoudnessWindow / 2 + i;
      frame[i] = at >= 0 && at < static_cast<int64_t>(x.size()) ? x[at] * window[i] : 0;
    }
    fft.magnitudes(frame, magnitude);
    double power = 0;
    for (int k = 0; k < fft.bins(); ++k) power += static_cast<double>(magnitude[k]) * magnitude[k] * weight[k];
    out[tick] = std::max(kLoudnessFloor, static_cast<float>(10 * std::log10(power / fft.bins() + 1e-10)));
  }
  return out;
}

Features extract_features(std::span<const float> x, const Config& config) {
  Pitch pitch = track_pitch(
      x, {.sample_rate = config.sample_rate, .hop = config.hop, .f0_min = config.f0_min, .f0_max = config.f0_max});
  return {std::move(pitch.f0), std::move(pitch.confidence), loudness(x, config.sample_rate, config.hop),
          std::move(pitch.voiced)};
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace dgen::ddsp
