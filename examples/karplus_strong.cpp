// A plucked string after Karplus and Strong: a burst of noise in a delay loop that softens it. Writes pluck.wav.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>

using namespace dgen;

int main() {
  const int rate = 44100, frames = 2 * rate;
  const float f0 = 196, period = static_cast<float>(rate) / f0;

  // A loop of D samples is a history cell (1), an average of two samples (.5) and a delay of D - 1.5.
  auto [prev, write] = Signal::history();
  Signal back = prev.delay(period - 1.5f, 256);
  Signal average = 0.498f * (back + back.prev());
  Signal burst = Signal::noise({.seed = 1}) * (frame_index() < period);
  Signal string = write(burst + average);

  std::vector<float> sound = string.realize(frames);

  // The pitch of the first half second, by autocorrelation with parabolic interpolation.
  const auto similarity = [&](int lag) {
    double sum = 0;
    for (int n = 2000; n < 22050; ++n) sum += sound[static_cast<size_t>(n)] * sound[static_cast<size_t>(n + lag)];
    return sum;
  };
  int best = 100;
  for (int lag = 100; lag < 400; ++lag)
    if (similarity(lag) > similarity(best)) best = lag;
  const double a = similarity(best - 1), b = similarity(best), c = similarity(best + 1);
  const double hz = rate / (best + 0.5 * (a - c) / (a - 2 * b + c));
  const double cents = 1200 * std::log2(hz / f0);

  save_audio("pluck.wav", sound, rate);
  std::printf("pluck.wav: 2 s at %.2f Hz, %.1f cents from %g Hz\n", hz, cents, f0);
  return std::abs(cents) < 10 ? 0 : 1;
}
