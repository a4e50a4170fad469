// A ruler: a row times two variants of one job in turns, ours and a baseline (naive C unless it says otherwise), and shows
// the error of ours beside the times. Google Benchmark registers, filters, prints and writes JSON; since it can time only one thing at a
// time, one of its iterations is a round of both variants, and the medians over the rounds are its counters.
#pragma once
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/flush_denormals.h"
#include "dgen/dgen.h"
#include "naive/naive.h"
#include "targets.h"

namespace bench {

// Processor time of the process and of compilers it ran, so that other programs of the machine do not count.
inline double processor_seconds() {
  timespec own{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  rusage children{};
  getrusage(RUSAGE_CHILDREN, &children);
  const timeval &user = children.ru_utime, &system = children.ru_stime;
  return static_cast<double>(own.tv_sec + user.tv_sec + system.tv_sec) + 1e-9 * static_cast<double>(own.tv_nsec) +
         1e-6 * static_cast<double>(user.tv_usec + system.tv_usec);
}

inline double seconds_of(const std::function<void()>& job) {
  const dgen::FlushDenormals flush;  // for baselines, too
  const double start = processor_seconds();
  job();
  return processor_seconds() - start;
}

// By the clock, where what counts is how long somebody waits: compilers run side by side.
inline double waiting_seconds_of(const std::function<void()>& job) {
  const auto start = std::chrono::steady_clock::now();
  job();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Does a job and returns how long it took.
using Timed = std::function<double()>;

// A job as a sample of at least a millisecond: a short one is repeated, and the sample is the mean.
// What it holds is never copied: its memory stays warm from sample to sample.
inline Timed timed(std::function<void()> wanted) {
  const auto job = std::make_shared<std::function<void()>>(std::move(wanted));
  (*job)();
  const int repeats = static_cast<int>(std::clamp(1e-3 / seconds_of(*job), 1.0, 1e6));
  return [job, repeats] {
    const auto all = [&] {
      for (int i = 0; i < repeats; ++i) (*job)();
    };
    return seconds_of(std::ref(all)) / repeats;
  };
}

struct Pair {
  Timed ours, baseline;
  std::function<double()> error;  // of ours against float64; asked after the rounds
  std::string against = "naive C";
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

inline void measure(benchmark::State& state, const Target& must, const Pair& pair) {
  std::vector<double> ours, baseline, ratio;
  for (auto _ : state) {
    const bool ours_first = ours.size() % 2 == 0;
    if (!ours_first) baseline.push_back(pair.baseline());
    ours.push_back(pair.ours());
    if (ours_first) baseline.push_back(pair.baseline());
    ratio.push_back(baseline.back() / ours.back());
    state.SetIterationTime(ours.back());
  }
  state.counters["ours_s"] = median(ours);
  state.counters["baseline_s"] = median(baseline);
  state.counters["ratio"] = median(ratio);
  state.counters["error"] = pair.error();
  state.counters["must_ratio"] = must.ratio;
  state.counters["must_s"] = must.seconds;
  state.counters["must_error"] = must.error;
  state.SetLabel(pair.against);
}

// A row of the table. What it needs is made when it runs, so that filtered rows cost nothing.
inline void row(const std::string& name, const Target& must, std::function<Pair()> make, int rounds = 25) {
  auto run = [=](benchmark::State& state) {
    try {
      measure(state, must, make());
    } catch (const std::exception& e) {
      state.SkipWithError(e.what());
    }
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Iterations(rounds)->Unit(benchmark::kMicrosecond);
}

inline int run_rows(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

// Runs of a program of one output over the same inputs, from the stream's start, into the same memory, as a baseline does it.
// Copies share all of it.
class Runs {
 public:
  Runs(dgen::Program program, std::vector<std::vector<float>> inputs, dgen::RunOptions options)
      : all_(std::make_shared<All>(All{std::move(program), std::move(inputs), std::move(options), {}})) {
    all_->options.inputs.assign(all_->inputs.begin(), all_->inputs.end());
    all_->out = all_->program.run(all_->options).at(0);
  }
  const std::vector<float>& operator()() const {
    const std::span<float> into = all_->out;
    all_->program.run_into({&into, 1}, all_->options);
    return all_->out;
  }

 private:
  struct All {
    dgen::Program program;
    std::vector<std::vector<float>> inputs;
    dgen::RunOptions options;
    std::vector<float> out;
  };
  std::shared_ptr<All> all_;
};

// Uniform in [-1, 1).
inline std::vector<float> white_noise(int n, uint32_t seed = 1) {
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(seed >> 8) / 8388608.0f - 1;
  }
  return x;
}

inline std::vector<double> in_double(const std::vector<float>& x) { return {x.begin(), x.end()}; }

// Noise to signal, of amplitudes: 1e-4 is an SNR of 80 dB.
inline double rms_error(const std::vector<float>& x, const std::vector<double>& exact) {
  double noise = 0, signal = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    noise += (x.at(i) - exact[i]) * (x.at(i) - exact[i]);
    signal += exact[i] * exact[i];
  }
  return std::sqrt(noise / signal);
}

// The largest difference as a share of scale.
inline double peak_error(const std::vector<float>& x, const std::vector<double>& exact, double scale) {
  double worst = 0;
  for (size_t i = 0; i < exact.size(); ++i) worst = std::fmax(worst, std::abs(x.at(i) - exact[i]));
  return worst / scale;
}

}  // namespace bench
