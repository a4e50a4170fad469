// Random graphs, forward and gradient: C against the interpreter, the interpreter against differences.
//   graph_fuzz --seed 7 --graphs 1000 [--seconds 600]
#include <chrono>
#include <cstdio>

#include "fuzz/shrink.h"

namespace dgen::fuzz {
namespace {

struct Settings {
  uint64_t seed = 1;
  int64_t graphs = 250;
  double seconds = 1e9;
  bool shrink = true;
};

struct Figures {
  int64_t graphs = 0, nodes = 0, chaotic = 0, forgiven = 0, measured = 0, wrong = 0;
  double forward = 0, backward = 0, slope = 0;
};

Trial trial_of(uint64_t seed) {
  Random r(seed + 99);
  Trial t;
  t.frames = 17 + r.below(60);
  t.chunk = r.pick(std::vector<int64_t>{1, 8, 16});
  t.tile = r.pick(std::vector<int64_t>{1, 16, 32});
  t.blocks = seed % 3 == 0;
  t.optimize = seed % 8 == 0 ? 3 : 0;
  t.seed = seed;
  return t;
}

void report(uint64_t seed, Patch& patch, const Trial& trial, const Verdict& verdict, bool shrink) {
  std::printf("seed %llu: %s (%lld frames, chunk %lld, tile %lld)\n", static_cast<unsigned long long>(seed), verdict.what.c_str(),
              static_cast<long long>(trial.frames), static_cast<long long>(trial.chunk), static_cast<long long>(trial.tile));
  std::fflush(stdout);  // shrinking may take long
  if (!shrink) return;
  auto kind = [](const Verdict& v) { return v.what.substr(0, v.what.find(' ')); };
  Verdict last = verdict;
  auto fails = [&](Patch& p) {
    Verdict v = check(p, trial);
    bool same = v.kind == Verdict::wrong && kind(v) == kind(verdict);
    if (same) last = v;
    return same;
  };
  Patch small = Shrinker(patch, fails).run();
  std::printf("%s\n%s", last.what.c_str(), print(small.g()).c_str());
}

int run(const Settings& settings) {
  Figures f;
  auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  for (uint64_t seed = settings.seed; f.graphs < settings.graphs && elapsed() < settings.seconds; ++seed) {
    Patch patch = RandomGraph(seed, 5 + static_cast<int64_t>(seed % 23)).take();
    Trial trial = trial_of(seed);
    Verdict v = check(patch, trial);
    ++f.graphs, f.nodes += v.kind == Verdict::wrong ? 0 : driver::prepare(patch.capture.graph).size();
    f.chaotic += v.kind == Verdict::chaotic, f.forgiven += v.kind == Verdict::forgiven, f.measured += v.measured,
        f.wrong += v.kind == Verdict::wrong;
    if (v.kind == Verdict::fine) {
      f.forward = std::max(f.forward, v.forward), f.backward = std::max(f.backward, v.backward);
      if (v.measured) f.slope = std::max(f.slope, v.slope);
    }
    if (v.kind == Verdict::forgiven) std::printf("seed %llu forgiven: %s\n", static_cast<unsigned long long>(seed), v.what.c_str());
    if (v.kind == Verdict::wrong) report(seed, patch, trial, v, settings.shrink);
    std::fflush(stdout);
  }
  std::printf(
      "%lld graphs, %lld nodes with gradients, %lld chaotic, %lld forgiven, %lld wrong; worst error against the interpreter %.2f (forward) "
      "and %.2f "
      "(gradient) tolerances; %lld gradients measured, worst %.1e; %.0f s\n",
      static_cast<long long>(f.graphs), static_cast<long long>(f.nodes), static_cast<long long>(f.chaotic),
      static_cast<long long>(f.forgiven), static_cast<long long>(f.wrong), f.forward, f.backward, static_cast<long long>(f.measured),
      f.slope, elapsed());
  bool tame = f.chaotic * 10 <= f.graphs || f.graphs < 20;
  if (!tame) std::printf("more than one graph in ten is chaotic\n");
  bool strict = f.forgiven * 50 <= f.graphs;
  if (!strict) std::printf("more than one graph in fifty is forgiven\n");
  return f.wrong == 0 && tame && strict ? 0 : 1;
}

}  // namespace
}  // namespace dgen::fuzz

int main(int argc, char** argv) {
  dgen::fuzz::Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--seed")) settings.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (!std::strcmp(argv[i], "--graphs")) settings.graphs = std::atoll(argv[i + 1]);
    if (!std::strcmp(argv[i], "--seconds")) settings.seconds = std::atof(argv[i + 1]);
    if (!std::strcmp(argv[i], "--shrink")) settings.shrink = std::atoi(argv[i + 1]) != 0;
  }
  return dgen::fuzz::run(settings);
}
