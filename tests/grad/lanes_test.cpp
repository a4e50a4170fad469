// Threads that share the lanes of feedback: which programs they may, and that it shows nowhere else.
#include <regex>

#include "support/graphs.h"

namespace dgen::test {
namespace {

constexpr int64_t kFrames = 4000;  // enough work for several threads

Ex sum_of_rows(Ex x) { return ex("reshape", {ex("sum", {x}, {{"axes", Ints{1}}})}, {{"shape", Ints{x.shape()[0], 1}}}); }

// Long enough a chain that a tick's lanes are worth threads.
Ex chain(Ex x, int length) {
  for (int i = 0; i < length; ++i) x = fn("tanh", x * (1.1 + 0.01 * i));
  return x;
}

void voices(Patch& p, int64_t n) {
  Ex prev = p.cell({n}, 1, p.param(Shape{n}));
  p.output(p.write(prev, chain(prev * p.param(Shape{n}) + p.input(), 4)));
}
void even_voices(Patch& p) { voices(p, 128); }
// Groups of 64 leave 16 over.
void odd_voices(Patch& p) { voices(p, 208); }

// A row of the batch reads all of its own elements, and a weight that all rows share.
void batch(Patch& p) {
  Ex prev = p.cell({8, 16});
  Ex h = ex("matmul", {prev, p.param(Shape{16, 16}, -0.3, 0.3)}) + p.input({8, 16}) + sum_of_rows(prev) * 0.1;
  p.output(p.write(prev, chain(h, 4)));
}

// The same by calls: rows of a product are lanes, eight at least.
void layer(Patch& p) {
  Ex prev = p.cell({20, 64});
  Ex h = fn("tanh", ex("matmul", {prev, p.param(Shape{64, 64}, -0.2, 0.2)}) + p.input({64}));
  p.output(p.write(prev, h * p.param(Shape{64}) + fn("tanh", ex("matmul", {h, p.param(Shape{64, 64}, -0.2, 0.2)}))));
}

// Few lanes of one element, which fill no vector, each with a row of its own.
void rows_of_voices(Patch& p) {
  Ex prev = p.cell({8}), rows = p.cell({8, 64});
  Ex y = p.write(prev, fn("sin", fn("tanh", prev * p.param(Shape{8}) + p.input({8}))));
  Ex column = ex("expand", {ex("reshape", {y}, {{"shape", Ints{8, 1}}})}, {{"shape", Ints{8, 64}}});
  p.output(p.write(rows, chain(rows * 0.9 + column * p.param(Shape{64}), 2)));
}

// Each lane looks back by its own time, and has its own phase.
void lines(Patch& p) {
  Ex x = p.input({128}), time = fn("floor", p.input({128}, 1, 1, 9)), prev = p.cell({128});
  Ex late = ex("delay", {prev, time}, {{"max", int64_t{9}}});
  Ex phase = ex("phasor", {prev * 100.0 + p.param(Shape{128}, 50, 200), x > 0.9});
  p.output(p.write(prev, chain(late * p.param(Shape{128}) + x + phase, 4)));
}

// A slower clock's cells in the same loop.
void hops(Patch& p) {
  Ex slow = p.cell({128}, 3), fast = p.cell({128});
  Ex held = ex("hold", {slow}, {{"period", int64_t{1}}});
  Ex next = p.write(fast, chain(fast * 0.4 + held + p.input({128}), 4));
  p.output(p.write(slow, fn("tanh", slow * p.param(Shape{128}) + ex("decimate", {next}, {{"hop", int64_t{3}}}))));
  p.output(next);
}

// ---- what threads share if they meet -------------------------------------------------------------------------------------

constexpr int64_t kHop = 16;

Ex product(Patch& p, Ex x, int64_t columns) {
  return ex("matmul", {x, p.param(Shape{x.shape()[1], columns}, -0.08, 0.08)});
}

void recurrent(Patch& p) {
  Ex prev = p.cell({3, 512}, kHop);
  p.output(p.write(prev, fn("tanh", product(p, prev, 512) + p.input({3, 512}, kHop))));
}

// Products of different widths, the second of what the first makes, and a cell of one element between them.
void narrow_and_wide(Patch& p) {
  Ex prev = p.cell({4, 256}, kHop), level = p.cell({}, kHop);
  Ex wide = fn("tanh", product(p, prev, 768) * (level + 0.5) + p.input({768}, kHop));
  Ex next = p.write(prev, product(p, wide, 256) * 0.9 + p.input({4, 256}, kHop));
  p.write(level, fn("tanh", ex("sum", {next}, {{"axes", Ints{0, 1}}}) * 0.001));
  p.output(next);
}

// Ticks of two clocks in one loop, one of which has a product.
void at_hops(Patch& p) {
  Ex slow = p.cell({4, 384}, 3 * kHop), fast = p.cell({4, 384}, kHop);
  Ex next = p.write(fast, fn("tanh", fast * 0.4 + ex("hold", {slow}, {{"period", kHop}}) + p.input({4, 384}, kHop)));
  p.output(p.write(slow, fn("tanh", product(p, slow, 384) + ex("decimate", {next}, {{"hop", 3 * kHop}}))));
  p.output(next);
}

// A plane whose points read each other, scaled by what a cell of one element holds.
void plane(Patch& p) {
  Ex prev = p.cell({96, 160}, kHop), level = p.cell({}, kHop);
  Ex next = p.write(prev, chain(ex("flip", {prev}, {{"axes", Ints{0, 1}}}) * (level + 0.5) + p.input({160}, kHop), 6));
  p.write(level, fn("tanh", ex("sum", {next}, {{"axes", Ints{0, 1}}}) * 0.001));
  p.output(next);
}

// Fields that trade places, with a first and a last row of their own.
void membrane(Patch& p) {
  Ex u1 = p.cell({192, 192}, kHop), u2 = p.cell({192, 192}, kHop);
  Ex padded = ex("pad", {u1}, {{"pairs", Ints{1, 1, 1, 1}}, {"value", 0.0}});
  auto at = [&](int64_t y, int64_t x) {
    return ex("slice", {padded}, {{"starts", Ints{y, x}}, {"ends", Ints{y + 192, x + 192}}});
  };
  Ex bent = (at(0, 1) + at(2, 1)) + (at(1, 0) + at(1, 2)) - u1 * 4.0;
  p.output(p.write(u1, u1 * 1.99 - u2 * 0.995 + fn("tanh", bent * 0.2) + p.input({192}, kHop) * 0.01));
  p.write(u2, u1);
}

// A product at a slow clock between values of a fast one, where one thread waits long.
void slow_product(Patch& p) {
  Ex slow = p.cell({4, 512}, kHop), fast = p.cell();
  Ex sum = ex("sum", {ex("slice", {slow}, {{"starts", Ints{0, 0}}, {"ends", Ints{1, 4}}})}, {{"axes", Ints{0, 1}}});
  Ex next = p.write(fast, fn("tanh", fast * 0.5 + ex("hold", {sum}, {{"period", int64_t{1}}}) + p.input()));
  p.write(slow, fn("tanh", product(p, slow, 512) + ex("decimate", {next}, {{"hop", kHop}})));
  p.output(next);
}

// Outside of any ticks.
void weights(Patch& p) {
  Ex made = chain(p.param(Shape{640, 1024}), 3);
  p.output(made);
  p.output(p.input() * ex("sum", {made}, {{"axes", Ints{0, 1}}}));
}

// ---- what may not be shared --------------------------------------------------------------------------------------------

void neighbours(Patch& p) {
  Ex prev = p.cell({64});
  p.output(p.write(prev, chain(ex("flip", {prev}, {{"axes", Ints{0}}}) * 0.5 + p.input(), 4)));
}

void added_up(Patch& p) {
  Ex prev = p.cell({64});
  p.output(p.write(prev, chain(prev * 0.3 + ex("sum", {prev}, {{"axes", Ints{0}}}) * 0.01 + p.input(), 4)));
}

void one_for_all(Patch& p) {
  Ex prev = p.cell({64}), one = p.cell();
  Ex next = p.write(prev, chain(prev * 0.3 + one + p.input(), 4));
  p.write(one, ex("reshape", {ex("slice", {next}, {{"starts", Ints{5}}, {"ends", Ints{6}}})}, {{"shape", Ints{}}}));
  p.output(next);
}

// Columns are no rows.
void columns(Patch& p) {
  Ex prev = p.cell({8, 8});
  p.output(p.write(prev, chain(ex("permute", {prev}, {{"axes", Ints{1, 0}}}) * 0.3 + p.input(), 4)));
}

// One vector or four take as long; one too many would be computed alone.
void few(Patch& p) { voices(p, 64); }
void not_whole(Patch& p) { voices(p, 200); }

// ---- the tests -----------------------------------------------------------------------------------------------------------

using Make = void (*)(Patch&);

Patch with_gradients(Make make) {
  Patch p;
  make(p);
  Ex total = p.c(0);
  for (Id id : std::vector<Id>(p.g().outputs)) total = total + p.loss({&p.g(), id});
  for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(total, slot));
  return p;
}

driver::Options on_threads(int threads) {
  driver::Options options = fast_build();
  options.threads = threads;
  return options;
}

size_t shared_regions(const Patch& p, int threads, const std::string& how = "threads share its") {
  Player player(p, Backend::cpu, on_threads(threads));
  const std::string text = player.program().explain();
  const std::regex line(how);
  return static_cast<size_t>(std::distance(std::sregex_iterator(text.begin(), text.end(), line), {}));
}

class SharedLanes : public testing::TestWithParam<Make> {};
INSTANTIATE_TEST_SUITE_P(Patches, SharedLanes, testing::Values(even_voices, odd_voices, batch, layer, rows_of_voices, lines, hops));

TEST_P(SharedLanes, GiveTheSameBitsOnAnyNumberOfThreads) {
  if (on_cuda()) GTEST_SKIP() << "threads are the host's";
  const Patch p = with_gradients(GetParam());
  EXPECT_GE(shared_regions(p, 2), 2u) << "forward and backward";
  EXPECT_EQ(shared_regions(p, 1), 0u);
  const Rows want = run_fresh(p, Backend::cpu, kFrames, on_threads(1));
  for (int threads : {2, 3, 8}) {
    SCOPED_TRACE(testing::Message() << threads << " threads");
    expect_same_bits(run_fresh(p, Backend::cpu, kFrames, on_threads(threads)), want);
  }
}

TEST_P(SharedLanes, GiveTheSameBitsInTilesAndBlocks) {
  const Patch p = with_gradients(GetParam());
  driver::Options options = on_threads(3);
  options.chunk_frames = 12;
  const Rows want = run_fresh(p, Backend::cpu, kFrames, options);
  options.tile_frames = 3000, options.memory_budget = 1;
  expect_same_bits(run_fresh(p, Backend::cpu, kFrames, options), want);
  Patch forward;
  GetParam()(forward);
  Player player(forward, Backend::cpu, on_threads(3));
  Rows whole = player.play(kFrames, false), joined(whole.size());
  player.rewind();
  for (int64_t n : {3100, 7, 893})
    for (size_t o = 0; auto& block : player.play(n, false)) joined[o].insert(joined[o].end(), block.begin(), block.end()), ++o;
  expect_same_bits(joined, whole);
}

TEST_P(SharedLanes, GiveWhatTheInterpreterDoes) {
  const Patch p = with_gradients(GetParam());
  constexpr int64_t frames = 20;
  driver::Options options = on_threads(2);
  auto want = Oracle(p).run(frames);
  Rows got = run_fresh(p, Backend::cpu, frames, options);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 1e-3, 1e-4 * peak_of(want[o])), 1) << "output " << o;
}

class WorkOfThreadsThatMeet : public testing::TestWithParam<Make> {};
INSTANTIATE_TEST_SUITE_P(Patches, WorkOfThreadsThatMeet,
                         testing::Values(recurrent, narrow_and_wide, at_hops, plane, membrane, slow_product, weights));

constexpr int64_t kTicks = 24;

TEST_P(WorkOfThreadsThatMeet, GiveTheSameBitsOnAnyNumberOfThreads) {
  if (on_cuda()) GTEST_SKIP() << "threads are the host's";
  const Patch p = with_gradients(GetParam());
  EXPECT_GE(shared_regions(p, 2, "threads that meet share"), 1u);
  EXPECT_EQ(shared_regions(p, 1, "threads that meet share"), 0u);
  const Rows want = run_fresh(p, Backend::cpu, kTicks * kHop, on_threads(1));
  for (int threads : {2, 3, 8}) {
    SCOPED_TRACE(testing::Message() << threads << " threads");
    expect_same_bits(run_fresh(p, Backend::cpu, kTicks * kHop, on_threads(threads)), want);
  }
}

TEST_P(WorkOfThreadsThatMeet, GiveWhatTheInterpreterDoes) {
  const Patch p = with_gradients(GetParam());
  constexpr int64_t frames = 10 * kHop;  // four ticks are worth two threads
  const Rows got = run_fresh(p, Backend::cpu, frames, on_threads(2));
  const auto want = Oracle(p).run(frames);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 1e-3, 1e-4 * peak_of(want[o])), 1) << "output " << o;
}

// Loops over rows with arrays too large for a stack: each thread's own, though others lie in memory of all.
void rows_in_feedback(Patch& p) {
  Ex prev = p.cell({24, 4096}, kHop);
  Ex spectrum = fn("tanh", ex("rfft", {ex("flip", {prev}, {{"axes", Ints{0}}}) + p.input({24, 1}, kHop)}));
  p.output(p.write(prev, ex("irfft", {spectrum}, {{"n", int64_t{4096}}})));
}
void static_rows(Patch& p) {
  p.output(ex("rfft", {p.param(Shape{512, 4096})}));
  p.output(p.input());
}

TEST(ThreadsThatMeet, HaveMemoryOfTheirOwnForRows) {
  if (on_cuda()) GTEST_SKIP() << "threads are the host's";
  for (const Make make : {rows_in_feedback, static_rows}) {
    Patch p;
    make(p);
    EXPECT_EQ(shared_regions(p, 3, "threads that meet share"), 1u);
    const Rows want = run_fresh(p, Backend::cpu, 6 * kHop, on_threads(1));
    for (int threads : {2, 3}) expect_same_bits(run_fresh(p, Backend::cpu, 6 * kHop, on_threads(threads)), want);
  }
}

class LanesThatMeet : public testing::TestWithParam<Make> {};
INSTANTIATE_TEST_SUITE_P(Patches, LanesThatMeet, testing::Values(neighbours, added_up, one_for_all, columns, few, not_whole));

TEST_P(LanesThatMeet, AreNotShared) {
  if (on_cuda()) GTEST_SKIP() << "threads are the host's";
  const Patch p = with_gradients(GetParam());
  EXPECT_EQ(shared_regions(p, 4, "in order: .*threads share its"), 0u);  // sums over time may be
  expect_same_bits(run_fresh(p, Backend::cpu, 300, on_threads(4)), run_fresh(p, Backend::cpu, 300, on_threads(1)));
}

}  // namespace
}  // namespace dgen::test
