// Assignments, in their params' memory or not, of random programs: whoever reads a param reads what it was before the run.
#include "support/graphs.h"

namespace dgen::test {
namespace {

constexpr int64_t kFrames = 48;

// Params of n by n, values made of them and of each other in all kinds of order, some of them over time, gradients through feedback,
// and assignments of a few.
Patch random_assignments(uint64_t seed) {
  std::mt19937_64 rng(seed);
  auto below = [&rng](uint64_t n) { return rng() % n; };
  const int64_t n = std::vector<int64_t>{1, 3, 16, 19}[below(4)];
  Patch p;
  std::vector<Ex> values;
  for (int i = 0; i < 4; ++i) values.push_back(p.param({n, n}));
  auto any = [&] { return values[below(values.size())]; };
  const Ex in = p.input({n});
  const Ex state = p.cell({n});
  const Ex sound = p.write(state, ex("tanh", {state * 0.5 + ex("sum", {values[0] * in}, {{"axes", Ints{0}}}) * 0.2}));
  for (size_t slot : {size_t{0}, size_t{1}})
    if (below(2)) values.push_back(p.grad(p.loss(sound * ex("sum", {values[1]}, {{"axes", Ints{0}}})), slot) * 0.02);
  const int made = 4 + static_cast<int>(below(8));
  for (int i = 0; i < made; ++i) {
    const Ex a = below(2) ? any() : values[below(4)], b = any();
    switch (below(8)) {
      case 0: values.push_back(ex("permute", {a}, {{"axes", Ints{1, 0}}}) * 0.5 + b * 0.25); break;
      case 1: values.push_back(a * ex("sum", {b}, {{"axes", Ints{0}}}) * 0.1); break;
      case 2: values.push_back(ex("matmul", {a, b}) * 0.2); break;
      case 3: values.push_back(ex("sum_time", {a * in * b}) * (1.0 / kFrames)); break;
      case 4: p.output(ex("sum", {a * in + b}, {{"axes", Ints{0, 1}}})); break;
      case 5: values.push_back(ex("flip", {a}, {{"axes", Ints{1}}})); break;
      default: values.push_back(ex("tanh", {a + b * 0.5}));
    }
  }
  for (int64_t slot : {0, 1, 2, 3}) {
    if (below(4) == 0) continue;
    const Ex own = values[static_cast<size_t>(slot)], now = below(3) ? own * 0.75 + ex("tanh", {any()}) * 0.25 : any();
    p.g().effects.push_back(apply(p.g(), "assign", {now.id}, {{"slot", slot}}));
  }
  p.output(ex("sum", {any() + any()}, {{"axes", Ints{0, 1}}}));
  return p;
}

TEST(Assign, WritesWhatTheInterpreterDoes) {
  int in_place = 0, copied = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Patch patches[2] = {random_assignments(seed), random_assignments(seed)};
    driver::Options options = fast_build();
    options.threads = 1 + static_cast<int>(seed % 3);
    if (seed % 2) options.chunk_frames = 12, options.tile_frames = 24, options.memory_budget = 1;  // computes tiles again
    Player want(patches[0], Backend::interpreter), got(patches[1], compiled_backends()[0], options);
    for (int run = 0; run < 3; ++run) {
      const Rows a = want.play(kFrames), b = got.play(kFrames);
      for (size_t o = 0; o < a.size(); ++o)
        EXPECT_LE(distance(b[o], a[o], 1e-4, 1e-4 * (1 + peak_of(a[o]))), 1) << "seed " << seed << " output " << o << " run " << run;
      const std::vector<Values> x = patches[0].param_values(), y = patches[1].param_values();
      for (size_t s = 0; s < x.size(); ++s)
        EXPECT_LE(distance(y[s], x[s], 1e-4, 1e-4 * (1 + peak_of(x[s]))), 1) << "seed " << seed << " slot " << s << " run " << run;
    }
    const schedule::Plan plan = driver::plan_program(patches[1].capture.graph, driver::Options{}, {});
    for (Id id : plan.graph.effects) ++(plan.store[static_cast<size_t>(id)] == schedule::Store::param ? in_place : copied);
  }
  EXPECT_GT(in_place, 20);
  EXPECT_GT(copied, 20);
}

// What is kept from run to run is not made again, but assigned.
TEST(Assign, HappensThoughNothingThatItReadsHasChanged) {
  for (Backend backend : graph_backends()) {
    Patch p;
    const Ex w = p.param({3}, {1, 2, 3}), v = p.param({3}, {4, 5, 6});
    p.g().effects.push_back(apply(p.g(), "assign", {(v * 2.0).id}, {{"slot", int64_t{0}}}));
    p.output(ex("sum", {w}, {{"axes", Ints{0}}}));
    Player player(p, backend);
    for (int run = 0; run < 3; ++run) {
      p.capture.params[0]->assign(std::vector<float>{1, 1, 1});
      player.play_alone(4);
      EXPECT_EQ(p.capture.params[0]->values(), (std::vector<float>{8, 10, 12})) << "run " << run;
    }
  }
}

}  // namespace
}  // namespace dgen::test
