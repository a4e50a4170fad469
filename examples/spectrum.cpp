// Oscillator, one-pole filter with feedback, spectrum: what must be serial is serial, the transforms run once a hop.
#include <dgen/dgen.h>

#include <algorithm>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  Signal freq = Signal::param(440).named("freq");
  Signal coeff = Signal::param(0.9f).named("coeff");

  Signal osc = sin(Signal::phasor(freq) * (2 * std::numbers::pi_v<float>));
  auto [prev, write] = Signal::history();
  Signal filtered = write(mix(osc, prev, coeff));
  SignalTensor spectrum = filtered.buffer(1024, 256).rfft().magnitude();

  const int frames = 5000;
  Program program = compile(spectrum);
  const std::vector<float> rows = program.run({.frames = frames, .per_tick = true})[0];
  std::printf("%s\n", program.explain().c_str());

  const auto last = rows.end() - 513;
  const auto bin = std::max_element(last, rows.end()) - last;
  std::printf("loudest bin %d: %.0f to %.0f Hz\n", static_cast<int>(bin), (static_cast<double>(bin) - .5) * 44100 / 1024,
              (static_cast<double>(bin) + .5) * 44100 / 1024);
  const long long ffts = program.stats().ffts, wanted = (frames + 255) / 256;
  std::printf("%d frames: %lld transforms, ceil(%d / 256) = %lld\n", frames, ffts, frames, wanted);

  // And the way back: the loss of a spectrum, differentiated through the feedback.
  spectrum.mean().backward(frames);
  std::printf("d mean magnitude / d coeff = %.4f\n", coeff.grad()->realize(1)[0]);
  return ffts == wanted && bin == 10 ? 0 : 1;
}
