// The patch that the project began with: phasor, sine, one-pole in feedback, gain, and then a spectrum of it.
#include <numbers>

#include "dgen/dgen.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr int frames = 4096, size = 1024, hop = 256;
constexpr float freq = 440, c = 0.9f, gain = 0.5f, rate = 44100;

Signal patch() {
  Signal sine = sin(Signal::phasor(freq) * (2 * std::numbers::pi_v<float>));
  auto [prev, write] = Signal::history();
  return gain * write(mix(sine, prev, c));
}

bench::Pair forward() {
  Program program = compile(patch());
  std::vector<double> exact(frames);
  naive_seed_patch_f64(freq, c, gain, rate, exact.data(), frames);
  const bench::Runs run(program, {}, {.frames = frames});
  return {bench::timed(run),
          bench::timed([y = std::vector<float>(frames)]() mutable {
            naive_seed_patch_f32(freq, c, gain, rate, y.data(), frames);
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::rms_error(run(), exact); }};
}

bench::Pair spectrum() {
  constexpr int bins = frames / hop * (size / 2 + 1);
  Program program = compile(stft(patch(), {.size = size, .hop = hop}).magnitude());
  const RunOptions options{.frames = frames, .per_tick = true};
  std::vector<double> sound(frames), exact(bins);
  naive_seed_patch_f64(freq, c, gain, rate, sound.data(), frames);
  naive_stft_magnitude_f64(sound.data(), frames, size, hop, exact.data());
  const bench::Runs run(program, {}, options);
  return {bench::timed(run),
          bench::timed([x = std::vector<float>(frames), y = std::vector<float>(bins)]() mutable {
            naive_seed_patch_f32(freq, c, gain, rate, x.data(), frames);
            naive_stft_magnitude_f32(x.data(), frames, size, hop, y.data());
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::rms_error(run(), exact); }};
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  config().sample_rate = rate;
  bench::row("seed patch, 4096 frames", bench::must::seed_patch, forward);
  bench::row("seed patch and spectrum, 4096 frames", bench::must::value, spectrum);
  return bench::run_rows(argc, argv);
}
