// A bank of oscillators is one oscillator over a tensor of frequencies.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  Tensor frequencies({440, 880, 1320, 1760});
  SignalTensor phases = Signal::phasor(frequencies);
  SignalTensor waves = sin(phases * (2 * std::numbers::pi_v<float>));
  Signal mix = waves.sum();  // to mono

  const int frames = 44100;
  std::vector<float> samples = mix.realize(frames);

  // How much of each frequency is there: one term of a Fourier sum over a second.
  bool ok = true;
  for (const int hz : {440, 660, 880, 1320, 1760}) {
    double re = 0, im = 0;
    for (int n = 0; n < frames; ++n) {
      const double w = 2 * std::numbers::pi * hz * n / frames;
      re += samples[static_cast<size_t>(n)] * std::cos(w);
      im += samples[static_cast<size_t>(n)] * std::sin(w);
    }
    const double amplitude = 2 * std::hypot(re, im) / frames;
    std::printf("%4d Hz: amplitude %.3f\n", hz, amplitude);
    ok = ok && std::abs(amplitude - (hz == 660 ? 0 : 1)) < 1e-3;
  }
  return ok ? 0 : 1;
}
