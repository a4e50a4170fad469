// make_strategies: docs/strategies.md, what each strategy costs and how far its results lie from float64.
//   make_strategies FILE
// Each patch runs twice, in a process of its own: as it is and with DGEN_OPT=0, tick by tick.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file.h"
#include "base/noise.h"
#include "dgen/dgen.h"

namespace {

using namespace dgen;

constexpr int frames = 16384, voices = 16;
constexpr float two_pi = 2 * std::numbers::pi_v<float>;

// Channel 0 is noise, 1 a cutoff or frequency in Hz, 2 a coefficient, 3 a cutoff from 20 to 5000 Hz.
std::vector<std::vector<float>> channels() {
  std::vector<std::vector<float>> in(4, std::vector<float>(frames));
  for (size_t t = 0; t < frames; ++t) {
    in[0][t] = noise_value(1, 0, t);
    in[1][t] = 1000 + 700 * std::sin(1e-3f * static_cast<float>(t));
    in[2][t] = 0.3f + 0.2f * std::sin(2e-3f * static_cast<float>(t));
    in[3][t] = 20 * std::pow(250.0f, 0.5f + 0.5f * std::sin(2e-3f * static_cast<float>(t)));
  }
  return in;
}

template <class S>
S smooth(const S& x, const Signal& c) {
  auto [before, write] = S::history();
  return write(before + c * (x - before));
}

SignalTensor smooth_lanes() {
  auto [before, write] = SignalTensor::history({voices});
  const SignalTensor x = Signal::input(0) * Tensor::linspace(0.1f, 1, voices);
  return write(before + Signal::input(2) * (x - before));
}

// Each point takes from the 25 around it.
Signal plate() {
  constexpr int height = 16, width = 32;
  auto [before, write] = SignalTensor::history({height, width});
  const Tensor taps = Tensor::linspace(0.5f, -0.25f, 25).reshape({5, 5}) * 0.2f;
  const Tensor strength = Tensor::linspace(0, 1, height * width).reshape({height, width});
  const SignalTensor now = write(before.conv2d(taps, {.padding = 2}) + Signal::input(0) * strength);
  return now[5][7].scalar();
}

// One-poles in series around which the last one's output goes back: four cells that all read themselves.
Signal linear_ladder(const Signal& step) {
  SignalHistory cells[4] = {Signal::history(), Signal::history(), Signal::history(), Signal::history()};
  Signal y = Signal::input(0) - cells[3].prev;
  for (SignalHistory& cell : cells) y = cell.write(cell.prev + step * (y - cell.prev));
  return y;
}

// A Butterworth low pass of order 4 at 1 kHz in the direct form: its cells are the last four outputs, nearly alike.
Signal direct_form() {
  SignalHistory cells[4] = {Signal::history(), Signal::history(), Signal::history(), Signal::history()};
  Signal y = Signal::input(0);
  constexpr float a[] = {-3.62784478f, 4.95122513f, -3.01189241f, 0.68888758f};
  for (int i = 0; i < 4; ++i) y = y - a[i] * cells[i].prev;
  for (int i = 3; i > 0; --i) cells[i].write(cells[i - 1].prev);
  return cells[0].write(y);
}

struct Row {
  const char *strategy, *patch;
  std::function<Value()> make;
};

const std::vector<Row>& rows() {
  static const Signal x = Signal::input(0), hz = Signal::input(1), c = Signal::input(2);
  static const std::vector<Row> all = {
      {"closed-form", "sawtooth, 440 Hz", [] { return Signal::phasor(440); }},
      {"Sines", "sine, 440 Hz", [] { return sin(Signal::phasor(440) * two_pi); }},
      {"Sines", "sum of 64 sines of constant frequency",
       [] { return sin(Signal::phasor(Tensor::linspace(100, 6400, 64)) * two_pi).sum(); }},
      {"PhaseSum", "sine, frequency per frame", [] { return sin(Signal::phasor(hz) * two_pi); }},
      {"Scan, order 1, constant", "one-pole", [] { return smooth(x, Signal(0.1f)); }},
      {"Scan, order 1, varying", "one-pole, coefficient per frame", [] { return smooth(x, c); }},
      {"Scan, order 2, constant", "biquad, 1 kHz", [] { return x.biquad({.cutoff = 1000}); }},
      {"Scan, order 2, constant", "biquad, 20 Hz", [] { return x.biquad({.cutoff = 20}); }},
      {"Scan, order 2, varying", "biquad, cutoff per frame", [] { return x.biquad({.cutoff = hz}); }},
      {"Scan, order 2, varying", "biquad, cutoff per frame, 20 to 5000 Hz", [] { return x.biquad({.cutoff = Signal::input(3)}); }},
      {"Scan, order 2, constant", "biquad, two lanes", [] { return SignalTensor(x).biquad({.cutoff = Tensor({1000, 1500})}); }},
      {"Scan, order 2, varying", "state variable filter, cutoff per frame", [] { return x.svf({.cutoff = hz}); }},
      {"Scan, order 4, constant", "four one-poles with feedback", [] { return linear_ladder(Signal(0.1f)); }},
      {"OrderedFma, order 4, varying", "four one-poles with feedback, coefficient per frame", [] { return linear_ladder(c); }},
      {"OrderedFma, order 4, constant", "Butterworth of order 4, direct form, 1 kHz", [] { return direct_form(); }},
      {"DelayBlocks", "comb, 100 samples", [] { return x.comb({.time = 100.0f, .feedback = 0.7f}); }},
      {"Serial", "tanh ladder", [] { return x.ladder({.cutoff = 1000, .resonance = 0.5f}); }},
      {"SerialLanes", "16 one-poles, coefficient per frame", [] { return smooth_lanes(); }},
      {"SerialLanes", "plate of 16 x 32 points in feedback, 25 taps", [] { return plate(); }},
      {"Fft", "mean STFT magnitude, 1024 / 256", [] { return stft(x, {.size = 1024, .hop = 256}).magnitude().mean(); }},
      {"Gemm", "64 values a tick times 64 x 64",
       [] {
         return (x * Tensor::linspace(-1, 1, 64)).reshape({1, 64}).matmul(Tensor::randn({64, 64}, {.seed = 1}));
       }},
      {"Reduce", "sum of 64 sines of constant frequency, weights per frame",
       [] { return (sin(Signal::phasor(Tensor::linspace(100, 6400, 64)) * two_pi) * (c * Tensor::linspace(1, 0.1f, 64))).sum(); }},
  };
  return all;
}

struct Result {
  double error = 0, nanoseconds = 0;  // rms of the difference over that of the values; a tick
};

// A table that names another strategy than the one that ran would be worth nothing.
void check_strategy(const Row& row, const Value& patch) {
  const std::string strategy = row.strategy, name = strategy.substr(0, strategy.find(','));
  const std::string plan = compile({patch}).explain();
  if (plan.find(name) == std::string::npos) fail(row.patch, " has no strategy ", name, ":\n", plan);
}

Result measure(const Row& row, bool plain) {
  static const std::vector<std::vector<float>> in = channels();
  const RealizeOptions options{.frames = frames, .inputs = Inputs(in.begin(), in.end())};
  const Value patch = row.make();
  if (!plain) check_strategy(row, patch);
  config().backend = Backend::interpreter;
  const std::vector<float> exact = patch.realize(options);
  config().backend = Backend::cpu;
  std::vector<float> got(exact.size());
  double best = 1e30;
  for (int round = 0; round < 40; ++round) {
    const auto start = std::chrono::steady_clock::now();
    patch.realize_into(got, options);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  double difference = 0, size = 0;
  for (size_t i = 0; i < exact.size(); ++i) difference += std::pow(double(got[i]) - exact[i], 2), size += std::pow(exact[i], 2);
  return {std::sqrt(difference / size), best * 1e9 / frames};
}

// The environment is read once a process.
std::vector<Result> measure_all(bool plain) {
  int ends[2];
  if (pipe(ends) != 0) fail("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    if (plain) setenv("DGEN_OPT", "0", 1);
    config().threads = 1;
    for (const Row& row : rows()) {
      const Result result = measure(row, plain);
      if (write(ends[1], &result, sizeof result) != sizeof result) _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<Result> results(rows().size());
  for (Result& result : results)
    if (read(ends[0], &result, sizeof result) != sizeof result) fail("a measurement failed");
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return results;
}

std::string number(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string page() {
  std::string text =
      cat("# Strategies: errors and times\n\nWritten by `make_strategies docs/strategies.md`. ", frames,
          " frames on one core, the shortest of 40 runs. An error is the\nroot mean square of the difference to the interpreter (float64, "
          "given as float32) over that of the values; below\nsome 3e-8 it says how few roundings differ. \"In order\" is "
          "`DGEN_OPT=0`: no scans, no blocks, no vectors of ours,\neach tick as it is written, with the same compiler flags; transforms "
          "and products are the same functions, with vectors,\nin both. "
          "`program.explain()` says which strategy a region has and why. Against plain C\nand for other sizes: `scripts/bench`.\n\n"
          "| strategy | patch | error | in order | ns a tick | in order | times as fast |\n|---|---|---|---|---|---|---|\n");
  const std::vector<Result> ours = measure_all(false), plain = measure_all(true);
  for (size_t i = 0; i < rows().size(); ++i)
    text += cat("| ", rows()[i].strategy, " | ", rows()[i].patch, " | ", number("%.1e", ours[i].error), " | ",
                number("%.1e", plain[i].error), " | ", number("%.2f", ours[i].nanoseconds), " | ", number("%.2f", plain[i].nanoseconds),
                " | ", number("%.1f", plain[i].nanoseconds / ours[i].nanoseconds), " |\n");
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) fail("usage: make_strategies FILE");
    write_file_atomic(argv[1], page());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_strategies: %s\n", error.what());
    return 1;
  }
}
