// A carrier times an LFO, and how its loss would change with both frequencies: gradients through two oscillators.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <numeric>

using namespace dgen;

int main() {
  constexpr float two_pi = 2 * std::numbers::pi_v<float>;
  Signal freq = Signal::param(300).named("freq");
  Signal lfo_freq = Signal::param(5).named("lfo");

  Signal carrier = sin(Signal::phasor(freq) * two_pi);
  Signal lfo = Signal::phasor(lfo_freq);
  Signal output = carrier * lfo;

  Signal target = sin(Signal::phasor(440) * two_pi) * Signal::phasor(10);

  Signal loss = mse(output, target);
  const double value = loss.backward(4096);
  const float d_freq = freq.grad()->realize(1).at(0), d_lfo = lfo_freq.grad()->realize(1).at(0);
  std::printf("loss %.6f, d/dfreq %.6g, d/dlfo %.6g\n", value, d_freq, d_lfo);

  // The same by small changes: a parameter may get new values, which compiles nothing.
  const auto difference = [&](const Signal& param, float at, float step) {
    const auto loss_at = [&](float v) {
      param.assign(v);
      const std::vector<float> values = loss.realize(4096);
      return std::accumulate(values.begin(), values.end(), 0.0) / 4096;
    };
    const double slope = (loss_at(at + step) - loss_at(at - step)) / (2.0 * step);
    param.assign(at);
    return slope;
  };
  const double by_freq = difference(freq, 300, 0.05f), by_lfo = difference(lfo_freq, 5, 0.01f);
  std::printf("by differences: d/dfreq %.6g, d/dlfo %.6g\n", by_freq, by_lfo);
  return std::abs(by_freq / d_freq - 1) < 0.01 && std::abs(by_lfo / d_lfo - 1) < 0.01 ? 0 : 1;
}
