// Finds the cutoff and resonance of a low-pass filter by listening to its output: gradients through the recursion.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <random>

using namespace dgen;

int main() {
  config().sample_rate = 44100;
  const int frames = 1024;

  // What is learnt: an octave number, so that a step means the same everywhere, and q itself.
  Signal octaves = Signal::param(0, {.min = -4, .max = 4});
  Signal q = Signal::param(0.5f, {.min = 0.1f, .max = 10});
  Signal cutoff = 1000.0f * pow(2.0f, octaves);

  Signal filtered = Signal::input(0).biquad({.cutoff = cutoff, .q = q});
  Signal loss = mse(filtered, Signal::input(1));

  // The recording: noise through the filter we look for.
  std::vector<float> noise(frames);
  std::mt19937 random(1);
  for (float& x : noise) x = std::uniform_real_distribution<float>(-1, 1)(random);
  std::vector<float> target = Signal::input(0).biquad({.cutoff = 2500, .q = 2}).realize({.frames = frames, .inputs = {noise}});

  Adam opt({octaves, q}, {.lr = 0.02f});
  TrainingStep step = compile_training(loss, opt, {.frames = frames});
  for (int epoch = 0; epoch <= 400; ++epoch) {
    const double value = step.run({noise, target});
    if (epoch % 100 == 0)
      std::printf("epoch %3d  loss %.3e  cutoff %7.1f Hz  q %.3f\n", epoch, value, cutoff.realize(1)[0], q.realize(1)[0]);
  }

  std::vector<float> output = filtered.realize({.frames = frames, .inputs = {noise}});
  std::printf("sample 1000: %.5f, target %.5f\n", output[1000], target[1000]);
  return std::abs(cutoff.realize(1)[0] - 2500) < 5 && std::abs(q.realize(1)[0] - 2) < 0.01 ? 0 : 1;
}
