#include "apps/ddsp/features.h"

#include <algorithm>

#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

double cents(double a, double b) { return 1200 * std::log2(a / b); }

// Share of the ticks, away from both ends, that are voiced and within so many cents of the truth.
double share_within(const Pitch& p, const std::function<double(double)>& hz, double limit) {
  size_t good = 0, all = 0;
  for (size_t t = 12; t + 12 < p.f0.size(); ++t, ++all)
    good += p.voiced[t] && std::abs(cents(p.f0[t], hz(static_cast<double>(t) / 250))) <= limit;
  return static_cast<double>(good) / static_cast<double>(all);
}

TEST(PitchTracker, SinesOverTheWholeRange) {
  for (const double hz : {55.0, 110.0, 196.0, 440.0, 987.77, 1567.98, 1900.0}) {
    const auto at = [hz](double) { return hz; };
    EXPECT_EQ(share_within(track_pitch(harmonic_tone(1, at, 1), {}), at, 3), 1) << hz;
  }
}

TEST(PitchTracker, HarmonicTonesGlideAndVibrato) {
  const auto glide = [](double t) { return 200 * std::exp2(t); };
  const auto vibrato = [](double t) { return 440 * std::exp2(0.5 / 12 * std::sin(6.283185307179586 * 5.5 * t)); };
  EXPECT_GE(share_within(track_pitch(harmonic_tone(2, glide), {}), glide, 10), 0.99);
  EXPECT_GE(share_within(track_pitch(harmonic_tone(2, vibrato), {}), vibrato, 10), 0.99);
}

TEST(PitchTracker, WeakFundamentalKeepsItsOctave) {
  const auto at = [](double) { return 220.0; };
  std::vector<float> x = harmonic_tone(1, at, 10);
  const std::vector<float> fundamental = harmonic_tone(1, at, 1);
  for (size_t i = 0; i < x.size(); ++i) x[i] -= 0.9f * fundamental[i];
  EXPECT_GE(share_within(track_pitch(x, {}), at, 5), 0.99);
}

TEST(PitchTracker, TonesUnderNoise) {
  const auto at = [](double) { return 330.0; };
  std::vector<float> x = harmonic_tone(1, at);
  const std::vector<float> noise = white_noise(x.size(), 0.12f);
  for (size_t i = 0; i < x.size(); ++i) x[i] += noise[i];
  EXPECT_GE(share_within(track_pitch(x, {}), at, 15), 0.95);
}

TEST(PitchTracker, SilenceAndNoiseAreUnvoiced) {
  const Pitch silent = track_pitch(std::vector<float>(16000), {});
  EXPECT_EQ(silent.f0.size(), 250u);
  EXPECT_EQ(std::count(silent.voiced.begin(), silent.voiced.end(), 1), 0);
  EXPECT_EQ(*std::max_element(silent.confidence.begin(), silent.confidence.end()), 0);
  for (const float f : silent.f0) EXPECT_NEAR(f, std::sqrt(50.0 * 2000), 0.01);
  const Pitch noisy = track_pitch(white_noise(16000, 0.5f), {});
  EXPECT_LE(std::count(noisy.voiced.begin(), noisy.voiced.end(), 1), 12);
  EXPECT_TRUE(track_pitch({}, {}).f0.empty());
}

TEST(PitchTracker, GapsContinueTheirNeighbours) {
  std::vector<float> x = harmonic_tone(0.5, [](double) { return 200.0; });
  x.resize(16000);
  const std::vector<float> high = harmonic_tone(0.5, [](double) { return 400.0; });
  x.insert(x.end(), high.begin(), high.end());
  const Pitch p = track_pitch(x, {});
  EXPECT_EQ(p.voiced[187], 0);
  EXPECT_NEAR(cents(p.f0[187], 200 * std::sqrt(2)), 0, 100);
  for (size_t t = 135; t < 240; ++t) EXPECT_LE(std::abs(cents(p.f0[t], p.f0[t - 1])), 60) << t;
}

TEST(PitchTracker, IsFastEnough) {
  const std::vector<float> x = harmonic_tone(20, [](double) { return 300.0; });
  const std::clock_t start = std::clock();
  track_pitch(x, {});
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 5) << "four minutes must take less than one";
}

TEST(Loudness, FollowsLevelAndTheEar) {
  std::vector<float> x = harmonic_tone(
      1, [](double) { return 1000.0; }, 1);
  const float loud = loudness(x, 16000, 64)[125];
  for (float& v : x) v *= 0.1f;
  EXPECT_NEAR(loudness(x, 16000, 64)[125], loud - 20, 0.01);
  // At 1 kHz the curve is 0 dB; the Hann window puts .3 * 1024 / 4 into the sine's bin and half of it into each
  // neighbour.
  EXPECT_NEAR(loud, 10 * std::log10(76.8 * 76.8 * 1.5 / 513), 0.1);
  const std::vector<float> low = harmonic_tone(
      1, [](double) { return 100.0; }, 1);
  EXPECT_NEAR(loudness(low, 16000, 64)[125], loud - 19.1, 0.5);
  for (const float v : loudness(std::vector<float>(3200), 16000, 64)) EXPECT_EQ(v, -80);
}

TEST(Features, SliceAndLength) {
  Config config;
  const std::vector<float> x = harmonic_tone(1.001, [](double) { return 300.0; });
  const Features f = extract_features(x, config);
  EXPECT_EQ(f.size(), 250u);
  const Features part = f.slice(100, 20);
  ASSERT_EQ(part.size(), 20u);
  EXPECT_EQ(part.f0[0], f.f0[100]);
  EXPECT_EQ(part.loudness.size(), 20u);
  EXPECT_EQ(part.voiced.size(), 20u);
}

TEST(Median, OddEvenAndNone) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_TRUE(std::isnan(median({})));
}

}  // namespace
}  // namespace dgen::ddsp
