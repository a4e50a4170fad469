// BPTT through a minute of audio within a memory budget: biquad, delay and multi-scale spectral loss at 44.1 kHz.
//   long_gradient [seconds = 60] [budget in MiB = 256, 0: store everything]
// Prints the loss, the gradients bit by bit, time and the peak memory of the process.
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "dgen/dgen.h"

using namespace dgen;

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 60;
  const long budget = argc > 2 ? std::atol(argv[2]) : 256;
  config().memory_budget = budget > 0 ? budget << 20 : int64_t{1} << 50;
  const int frames = static_cast<int>(seconds * config().sample_rate);
  std::vector<float> noise(static_cast<size_t>(frames)), target(noise.size());
  uint32_t state = 1;
  for (size_t i = 0; i < noise.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    noise[i] = static_cast<float>(state >> 8) / 8388608.0f - 1;
    target[i] = 0.5f * std::sin(0.05f * static_cast<float>(i % 100000));
  }

  Signal cutoff = Signal::param(1200).named("cutoff"), q = Signal::param(2).named("q"), time = Signal::param(300.25f).named("time");
  Signal gain = Signal::param(0.6f).named("gain");
  Signal filtered = Signal::input(0).biquad({.cutoff = cutoff, .q = q});
  Signal out = filtered + gain * filtered.delay(time, 44100);
  Signal loss = multi_scale_spectral_loss(out, Signal::input(1));

  auto start = std::chrono::steady_clock::now();
  const double value = loss.backward({.frames = frames, .inputs = {noise, target}});
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.0f s of audio, loss %.6f, %.1f s\n", seconds, value, took);
  for (const Signal& p : {cutoff, q, time, gain}) {
    const float g = p.grad()->realize(1).at(0);
    uint32_t bits;
    std::memcpy(&bits, &g, 4);
    std::printf("  d/d %-7s %.9g  %08x\n", p.name().c_str(), static_cast<double>(g), bits);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory of the process %.0f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
}
