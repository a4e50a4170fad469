#include "apps/ddsp/metrics.h"

#include <complex>

#include "apps/ddsp/fft.h"
#include "apps/ddsp/picture.h"
#include "base/file.h"
#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

TEST(RealFft, AgreesWithTheDefinition) {
  for (const int size : {4, 8, 64, 256}) {
    const std::vector<float> x = white_noise(static_cast<size_t>(size), 1);
    RealFft fft(size);
    std::vector<float> magnitude(static_cast<size_t>(fft.bins()));
    fft.magnitudes(x, magnitude);
    for (int k = 0; k < fft.bins(); ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < size; ++i)
        sum += static_cast<double>(x[i]) * std::polar(1.0, -6.283185307179586 * k * i / size);
      ASSERT_NEAR(magnitude[k], std::abs(sum), 1e-5 * size) << size << " " << k;
    }
  }
}

// Straight from the definition, with a slow transform.
double reference_loss(const std::vector<float>& a, const std::vector<float>& b, int size) {
  const auto magnitude = [&](const std::vector<float>& x, int tick, int k) {
    std::complex<double> sum = 0;
    for (int i = 0; i < size; ++i) {
      const int at = tick - size + 1 + i;
      const double w = 0.5 - 0.5 * std::cos(6.283185307179586 * i / size);
      if (at >= 0) sum += w * x[at] * std::polar(1.0, -6.283185307179586 * k * i / size);
    }
    return std::abs(sum);
  };
  double total = 0;
  int ticks = 0;
  for (int tick = 0; tick < static_cast<int>(a.size()); tick += size / 4, ++ticks)
    for (int k = 0; k <= size / 2; ++k) {
      const double ma = magnitude(a, tick, k), mb = magnitude(b, tick, k);
      total += (std::abs(ma - mb) + std::abs(std::log(ma + 1e-3) - std::log(mb + 1e-3))) / (size / 2 + 1);
    }
  return total / ticks;
}

TEST(SpectralLoss, AgreesWithTheDefinition) {
  const std::vector<float> a = white_noise(512, 0.5f), b = harmonic_tone(0.032, [](double) { return 500.0; });
  Config config;
  config.loss_sizes = {64};
  EXPECT_NEAR(multi_scale_spectral_loss(a, b, config), reference_loss(a, b, 64), 1e-4);
  config.loss_sizes = {128, 64};
  EXPECT_NEAR(multi_scale_spectral_loss(a, b, config), reference_loss(a, b, 64) + reference_loss(a, b, 128), 1e-4);
  EXPECT_EQ(multi_scale_spectral_loss(a, a, config), 0);
}

// 40 samples: ticks of hop 32 at 0 and 32; on the common clock of 16 they are held for two ticks and one.
TEST(SpectralLoss, SlowTicksAreHeld) {
  std::vector<float> a(40), silence(40);
  a[0] = 1;
  Config config;
  config.loss_log_weight = 0;
  config.loss_sizes = {128, 64};
  const double w128[] = {0.5 - 0.5 * std::cos(6.283185307179586 * 127 / 128),
                         0.5 - 0.5 * std::cos(6.283185307179586 * 95 / 128)};
  const double w64[] = {0.5 - 0.5 * std::cos(6.283185307179586 * 63 / 64),
                        0.5 - 0.5 * std::cos(6.283185307179586 * 47 / 64),
                        0.5 - 0.5 * std::cos(6.283185307179586 * 31 / 64)};
  EXPECT_NEAR(multi_scale_spectral_loss(a, silence, config),
              (2 * w128[0] + w128[1]) / 3 + (w64[0] + w64[1] + w64[2]) / 3, 1e-5);
}

TEST(LogSpectralDistance, OfAGainIsThatGain) {
  const std::vector<float> a = white_noise(16000, 0.5f);
  std::vector<float> b = a;
  for (float& v : b) v *= 0.5f;
  EXPECT_NEAR(log_spectral_distance(a, b), 6.02, 0.01);
  EXPECT_EQ(log_spectral_distance(a, a), 0);
}

TEST(LoudnessError, LeavesOutQuietTicks) {
  const std::vector<float> target = {-20, -30, -70}, output = {-22, -29, 0};
  EXPECT_DOUBLE_EQ(loudness_error(target, output), 1.5);
}

TEST(PitchError, CountsUnvoicedOutputsAsMissed) {
  Features target;
  target.f0 = {100, 100, 100, 100}, target.voiced = {1, 1, 1, 0};
  target.confidence.resize(4), target.loudness.resize(4);
  const float ten_cents = 100 * std::exp2(10.0f / 1200), octave = 200;
  PitchError e = pitch_error(target, {{ten_cents, 100, octave, octave}, {}, {1, 0, 1, 1}});
  EXPECT_NEAR(e.median_cents, 605, 0.1);
  EXPECT_NEAR(e.within_50, 1.0 / 3, 1e-9);
}

TEST(Measure, OfItselfIsPerfect) {
  Config config;
  const std::vector<float> x = harmonic_tone(1, [](double) { return 440.0; });
  const std::vector<float> whole(x.begin(), x.begin() + 250 * 64);
  const Metrics m = measure(whole, extract_features(whole, config), whole, config);
  EXPECT_EQ(m.loss, 0);
  EXPECT_GT(m.silence_loss, 1);
  EXPECT_EQ(m.pitch.median_cents, 0);
  EXPECT_EQ(m.pitch.within_50, 1);
}

class Pictures : public Folder {};

TEST_F(Pictures, ArePngFiles) {
  const std::vector<float> x = harmonic_tone(0.5, [](double) { return 440.0; });
  save_spectrograms(folder_ / "s.png", x, std::vector<float>(x.size()), 16000);
  save_loss_curves(folder_ / "l.png", {{"training", {0, 1, 2}, {3, std::nan(""), 1}}, {"nothing", {}, {}}});
  save_loss_curves(folder_ / "e.png", {});
  for (const char* name : {"s.png", "l.png", "e.png"}) EXPECT_EQ(read_file(folder_ / name).substr(1, 3), "PNG");
}

}  // namespace
}  // namespace dgen::ddsp
