// A sine at a learnable frequency: the graph is lazy, realize() compiles and runs it.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  Signal freq = Signal::param(440);
  Signal wave = sin(Signal::phasor(freq) * (2 * std::numbers::pi_v<float>));

  std::vector<float> samples = wave.realize(1024);

  double worst = 0;
  for (size_t n = 0; n < samples.size(); ++n) {
    const double exact = std::sin(2 * std::numbers::pi * 440 * static_cast<double>(n) / config().sample_rate);
    worst = std::max(worst, std::abs(samples[n] - exact));
  }
  std::printf("samples 0..4: %.5f %.5f %.5f %.5f %.5f\n", samples[0], samples[1], samples[2], samples[3], samples[4]);
  std::printf("largest difference from sin(2 pi 440 n / %g): %.1e\n", config().sample_rate, worst);
  return worst < 1e-5 ? 0 : 1;
}
