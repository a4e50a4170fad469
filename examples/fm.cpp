// An FM bell after Chowning: one sine bends the phase of another by an index that decays. Writes bell.wav.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

namespace {

constexpr float two_pi = 2 * std::numbers::pi_v<float>;

// The amplitude of one frequency over a tenth of a second.
double amplitude(const std::vector<float>& x, int from, double hz) {
  double re = 0, im = 0;
  for (int n = 0; n < 4410; ++n) {
    re += x[static_cast<size_t>(from + n)] * std::cos(2 * std::numbers::pi * hz * n / 44100);
    im += x[static_cast<size_t>(from + n)] * std::sin(2 * std::numbers::pi * hz * n / 44100);
  }
  return 2 * std::hypot(re, im) / 4410;
}

}  // namespace

int main() {
  const int frames = 3 * 44100;
  const float carrier = 200, ratio = 1.4f;

  Signal seconds = frame_index() / sample_rate();
  Signal envelope = exp(-1.5f * seconds);
  Signal modulator = sin(Signal::phasor(carrier * ratio) * two_pi) * (5.0f * envelope);
  Signal bell = sin(Signal::phasor(carrier) * two_pi + modulator) * envelope * 0.8f;

  std::vector<float> sound = bell.realize(frames);
  save_audio("bell.wav", sound, 44100);

  // Sidebands lie at carrier + k * 280 Hz; they close in on the carrier as the index decays.
  std::printf("          200 Hz   480 Hz   760 Hz  1040 Hz  1320 Hz\n");
  for (const int tenth : {0, 20}) {
    std::printf("%4.1f s ", tenth / 10.0);
    for (int k = 0; k < 5; ++k) std::printf("%9.4f", amplitude(sound, tenth * 4410, 200 + 280 * k));
    std::printf("\n");
  }
  const auto brightness = [&](int from) { return amplitude(sound, from, 1040) / amplitude(sound, from, 200); };
  return brightness(0) > 10 * brightness(20 * 4410) ? 0 : 1;
}
