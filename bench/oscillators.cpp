// Phasors and banks of sines at 48 kHz.
#include <numbers>
#include <numeric>

#include "dgen/dgen.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr float rate = 48000;

bench::Pair sine_bank(int voices, int frames) {
  std::vector<float> freq, weight;
  for (int k = 0; k < voices; ++k) {
    freq.push_back(50 + 12000 * std::fmod(0.618034f * static_cast<float>(k), 1.0f));
    weight.push_back(1 / std::sqrt(static_cast<float>(k + 1)));
  }
  Program program =
      compile((sin(Signal::phasor(Tensor(freq)) * (2 * std::numbers::pi_v<float>)) * Tensor(weight)).sum());
  const std::vector<double> exact_freq = bench::in_double(freq), exact_weight = bench::in_double(weight);
  std::vector<double> exact(static_cast<size_t>(frames));
  naive_sine_bank_f64(exact_freq.data(), exact_weight.data(), voices, rate, exact.data(), frames);
  const double scale = std::accumulate(weight.begin(), weight.end(), 0.0);
  const bench::Runs run(program, {}, {.frames = frames});
  return {bench::timed(run),
          bench::timed([=, y = std::vector<float>(exact.size())]() mutable {
            naive_sine_bank_f32(freq.data(), weight.data(), voices, rate, y.data(), frames);
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::peak_error(run(), exact, scale); }};
}

// The distance of two phases in cycles.
double cycles_apart(double a, double b) { return std::abs(a - b - std::round(a - b)); }

// A stream of ten minutes, checked after ten seconds and at the end; the time is that of a second.
bench::Pair long_phasor() {
  constexpr int second = 48000;
  const float freq = 440.1f;
  Program program = compile(Signal::phasor(freq));
  std::vector<float> y(second);
  std::vector<double> exact(second);
  double phase = 0, worst = 0;
  for (int s = 0; s < 600; ++s) {
    float* out[] = {y.data()};
    program.process(nullptr, out, second);
    naive_phasor_f64(static_cast<double>(freq), rate, &phase, exact.data(), second);
    if (s == 9 || s == 599)
      for (size_t i = 0; i < exact.size(); ++i) worst = std::fmax(worst, cycles_apart(y[i], exact[i]));
  }
  return {bench::timed([=]() mutable {
            float* out[] = {y.data()};
            program.process(nullptr, out, second);
          }),
          bench::timed([=, at = 0.0f]() mutable {
            naive_phasor_f32(freq, rate, &at, y.data(), second);
            benchmark::DoNotOptimize(y.data());
          }),
          [worst] { return worst; }};
}

// The wrapped phase of a frequency that changes every frame.
bench::Pair modulated_phasor() {
  constexpr int frames = 4096;
  std::vector<float> freq = bench::white_noise(frames);
  for (float& f : freq) f = 440 + 100 * f;
  Program program = compile(Signal::phasor(Signal::input(0)));
  const std::vector<double> exact_freq = bench::in_double(freq);
  std::vector<double> exact(frames);
  naive_phasor_frames_f64(exact_freq.data(), rate, exact.data(), frames);
  return {bench::timed([=, y = std::vector<float>(frames)]() mutable {
            const float* in[] = {freq.data()};
            float* out[] = {y.data()};
            program.process(in, out, frames);
          }),
          bench::timed([=, y = std::vector<float>(frames)]() mutable {
            naive_phasor_frames_f32(freq.data(), rate, y.data(), frames);
            benchmark::DoNotOptimize(y.data());
          }),
          [=]() mutable {
            program.reset();
            const std::vector<float> y = program.run({.frames = frames, .inputs = {freq}})[0];
            double worst = 0;
            for (size_t i = 0; i < exact.size(); ++i) worst = std::fmax(worst, cycles_apart(y[i], exact[i]));
            return worst;
          }};
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  config().sample_rate = rate;
  using namespace bench;
  row("phasor + sin, 1 voice, 4096 frames", must::sine_1, [] { return sine_bank(1, 4096); });
  row("phasor + sin, 16 voices, 4096 frames", must::sine_16, [] { return sine_bank(16, 4096); });
  row("phasor + sin, 100 voices, 4096 frames", must::sine_100, [] { return sine_bank(100, 4096); });
  row("sine bank, 1000 voices, 512 frames", must::sine_1000, [] { return sine_bank(1000, 512); });
  row("phasor, a second after 10 minutes", must::phase_of_long_runs, long_phasor);
  row("phasor, frequency per frame, 4096 frames", must::phasor_frames, modulated_phasor);
  return run_rows(argc, argv);
}
