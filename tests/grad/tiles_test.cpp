// How time and work are cut never shows: tiles, threads, memory budget and blocks give the same bits.
#include <thread>

#include "runtime/threads.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

Ex hold(Ex x) { return ex("hold", {x}, {{"period", int64_t{1}}}); }
Ex decimate(Ex x, int64_t hop) { return ex("decimate", {x}, {{"hop", hop}}); }
Ex sum(Ex x, Ints axes) { return ex("sum", {x}, {{"axes", std::move(axes)}}); }
Ex reshape(Ex x, const Shape& shape) { return ex("reshape", {x}, {{"shape", Ints(shape.sizes())}}); }

// conv2d of the same size by a 3x3 kernel, as windows.
Ex convolved(Ex x, Ex kernel) {
  auto windows = [](Ex v, int64_t axis) {
    return ex("windows", {v}, {{"axis", axis}, {"size", int64_t{3}}, {"stride", int64_t{1}}, {"dilation", int64_t{1}}});
  };
  Ex padded = ex("pad", {x}, {{"pairs", Ints{1, 1, 1, 1}}, {"value", 0.0}});
  return sum(windows(windows(padded, 0), 1) * kernel, {2, 3});
}

// A wave equation on n x n points, struck by the input.
Ex membrane(Patch& p, int64_t n) {
  Shape shape{n, n};
  Ex now = p.cell(shape, 1, p.param(shape, -0.01, 0.01)), before = p.cell(shape);
  Ex laplace = p.tensor({3, 3}, {0, 1, 0, 1, -4, 1, 0, 1, 0}) * p.number(0.2f);
  p.write(before, now);
  Ex next = now * 1.99 - before * 0.991 + convolved(now, laplace) + p.input() * p.param(shape, 0, 0.1);
  return p.write(now, next);
}

// Transposed direct form II with coefficients that vary.
Ex biquad(Patch& p, Ex x) {
  Ex s1 = p.cell(x.shape()), s2 = p.cell(x.shape()), w = p.input({}, 1, -0.1, 0.1) + p.number(0.3f);
  Ex y = x * 0.2 + s1;
  p.write(s1, x * 0.4 + y * w + s2);
  p.write(s2, x * 0.2 - y * 0.4);
  return y;
}

// ---- the patches -------------------------------------------------------------------------------------------------------

void drum(Patch& p) {
  Ex u = membrane(p, 64);
  p.output(sum(u, {0, 1}));
  p.output(decimate(u, 16));
}

void filtered_tensor(Patch& p) {
  Ex prev = p.cell({5}, 1, p.param(Shape{5}));
  Ex y = p.write(prev, fn("tanh", prev * 0.6 + biquad(p, p.input()) * p.param(Shape{5})));
  p.output(y);
}

void reduced_tensor(Patch& p) {
  Ex prev = p.cell(), bank = fn("sin", ex("phasor", {p.param(Shape{7}, 50, 300)}) * 6.283185307179586);
  Ex y = p.write(prev, prev * p.number(0.7f) + sum(bank * (prev * 0.1 + p.input()), {0}) * 0.1);
  p.output(y);
  p.output(bank);
}

// Hops that divide neither each other nor the blocks; everything that reads back in time.
void odd_hops(Patch& p) {
  Ex x = p.input({2}), slow = p.cell({2}, 5, p.param(Shape{2})), slower = p.cell({2}, 7);
  Ex new_slow = p.write(slow, decimate(x + hold(slower), 5) * 0.4 + slow * p.number(0.3f));
  Ex new_slower = p.write(slower, decimate(hold(slow) * p.number(0.8f), 7));
  Ex line = ex("delay", {hold(new_slow) + x, hold(p.input({2}, 3, 0, 9))}, {{"max", int64_t{9}}});
  Ex frames = ex("buffer", {line}, {{"size", int64_t{8}}, {"hop", int64_t{3}}});
  Ex s = ex("irfft", {ex("rfft", {frames}) * p.number(0.5f)}, {{"n", int64_t{8}}});
  p.output(ex("overlap_add", {s}, {{"hop", int64_t{3}}}) + hold(new_slower));
  p.output(new_slow);
  p.output(s);
  p.output(ex("phasor", {hold(p.input({}, 4, 100, 300)), p.input() > 0.8}));
  p.output(p.noise({2}, 3) + 0.0);
}

// A small network over windows: products over all ticks, weights' gradients as products over time.
void network(Patch& p) {
  Ex frames = ex("buffer", {p.input()}, {{"size", int64_t{16}}, {"hop", int64_t{4}}});
  Ex hidden = fn("tanh", ex("matmul", {reshape(frames, {1, 16}), p.param(Shape{16, 9})}) + p.param(Shape{9}));
  Ex out = ex("matmul", {hidden, p.param(Shape{9, 3})});
  p.output(out);
  p.output(ex("overlap_add", {reshape(out, {3})}, {{"hop", int64_t{4}}}));
}

// Gradients that are sums over time of single elements, more than one loop adds up, of frames and of hops.
void gains(Patch& p) {
  Ex x = p.input({}, 1), slow = decimate(x, 5), y = x, z = slow;
  for (int k = 0; k < 8; ++k) y = y * p.number(0.3f) + x, z = z * p.number(0.2f) + slow;
  p.output(y);
  p.output(z);
}

using Make = void (*)(Patch&);
constexpr Make kPatches[] = {drum, filtered_tensor, reduced_tensor, odd_hops, network, gains};
constexpr Make kSmallPatches[] = {filtered_tensor, reduced_tensor, odd_hops, network, gains};

Patch built(Make make) {
  Patch p;
  make(p);
  return p;
}

// With the gradients of a loss over all outputs.
Patch with_gradients(Make make) {
  Patch p = built(make);
  Ex total = p.c(0);
  for (Id id : std::vector<Id>(p.g().outputs)) total = total + p.loss({&p.g(), id});
  p.output(total);
  for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(total, slot));
  return p;
}

// ---- tiles, threads, budget ----------------------------------------------------------------------------------------------

TEST(Tiles, GiveTheSameBits) {
  for (Make make : kSmallPatches) {
    Patch p = with_gradients(make);
    driver::Options options = fast_build();
    options.chunk_frames = 4;
    for (int64_t frames : {1, 41, 250, 1300}) {  // hops of 3, 4, 5 and 7 meet after 420
      options.tile_frames = 0, options.memory_budget = 0;
      Rows want = run_fresh(p, Backend::cpu, frames, options);
      for (int64_t budget : {0, 1})
        for (int64_t tile : {4, 12, 28, 64, 140, 430}) {
          SCOPED_TRACE(testing::Message() << frames << " frames, tiles of " << tile << ", budget " << budget);
          options.tile_frames = tile, options.memory_budget = budget;
          expect_same_bits(run_fresh(p, Backend::cpu, frames, options), want);
        }
    }
  }
}

// A cell's gradient with respect to its start is what its scan ends with, here or there in a segment.
TEST(Tiles, GiveTheSameGradientsOfTheStart) {
  Patch p;
  Ex prev = p.cell({}, 1, p.number(0.6f));
  p.write(prev, fn("sin", prev * 0.9));
  p.output(p.grad(p.loss(prev), 0));
  driver::Options options = fast_build();
  options.chunk_frames = 1;
  for (int64_t frames = 10; frames < 60; ++frames) {
    options.tile_frames = 0;
    Rows want = run_fresh(p, Backend::cpu, frames, options);
    for (int64_t tile : {1, 5, 16, 20}) {
      SCOPED_TRACE(testing::Message() << frames << " frames, tiles of " << tile);
      options.tile_frames = tile;
      expect_same_bits(run_fresh(p, Backend::cpu, frames, options), want);
    }
  }
}

TEST(Tiles, OfTheDrumGiveTheSameBits) {
  Patch p = with_gradients(drum);
  driver::Options options = fast_build();
  options.chunk_frames = 16;
  Rows want = run_fresh(p, Backend::cpu, 100, options);
  for (int64_t budget : {0, 1}) {
    options.tile_frames = 32, options.memory_budget = budget;
    expect_same_bits(run_fresh(p, Backend::cpu, 100, options), want);
  }
}

TEST(Tiles, GiveTheGradientsOfTheInterpreter) {
  for (Make make : kSmallPatches) {
    Patch p = with_gradients(make);
    driver::Options options = fast_build();
    options.chunk_frames = 4, options.tile_frames = 12;
    const int64_t frames = make == odd_hops ? 900 : 90;
    auto want = Oracle(p).run(frames);
    Rows got = run_fresh(p, Backend::cpu, frames, options);
    for (size_t o = 0; o < want.size(); ++o)
      EXPECT_LE(distance(got[o], want[o], 1e-4, 2e-5 * peak_of(want[o]) + 1e-6), 1) << "output " << o;
  }
}

struct Threads {
  explicit Threads(int n) { runtime::set_thread_count(n); }
  ~Threads() { runtime::set_thread_count(0); }
};

TEST(ThreadCounts, GiveTheSameBits) {
  Patch wide;  // enough elements a tick for several threads
  Ex x = fn("sin", wide.input({64}) * wide.param(Shape{2048, 1}) + wide.param(Shape{64}));
  Ex prev = wide.cell({2048, 64});
  Ex y = wide.write(prev, prev * 0.5 + x);
  wide.output(sum(y * y, {0}));
  Ex loss = wide.loss(sum(y, {0, 1}));
  wide.output(loss), wide.output(wide.grad(loss, 0)), wide.output(wide.grad(loss, 1));
  Patch net = with_gradients(network), summed = with_gradients(gains);
  Patch* patches[] = {&wide, &net, &summed};
  for (Patch* p : patches) {
    int64_t frames = p == &wide ? 64 : Patch::kMostFrames;
    Rows want;
    for (int n : {1, 2, 3, 5}) {
      Threads threads(n);
      Rows got = run_fresh(*p, Backend::cpu, frames);
      if (n == 1) want = got;
      expect_same_bits(got, want);
    }
  }
}

TEST(ThreadCounts, AreAsked) {
  if (on_cuda()) GTEST_SKIP() << "threads are the host's";
  Patch p = with_gradients(network);
  driver::Options options = fast_build();
  for (int n : {3, 1}) {
    options.threads = n;
    run_fresh(p, Backend::cpu, 10, options);
    EXPECT_EQ(runtime::thread_count(), n);
  }
  options.threads = 0;
  run_fresh(p, Backend::cpu, 10, options);
  EXPECT_EQ(runtime::thread_count(), std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

// ---- blocks ----------------------------------------------------------------------------------------------------------------

// One run against the same frames in blocks, with state kept.
void expect_blocks(const Patch& p, Backend backend, int64_t frames, const std::vector<int64_t>& blocks) {
  Player player(p, backend, fast_build());
  Rows whole = player.play(frames, false);
  player.rewind();
  Rows joined(whole.size());
  int64_t done = 0;
  for (size_t b = 0; done < frames; ++b) {
    int64_t n = std::min(frames - done, blocks[b % blocks.size()]);
    Rows block = player.play(n, false);
    for (size_t o = 0; o < block.size(); ++o) joined[o].insert(joined[o].end(), block[o].begin(), block[o].end());
    done += n;
  }
  expect_same_bits(joined, whole);
}

const std::vector<std::vector<int64_t>> kSplits = {{1}, {2}, {4}, {8}, {128}, {3}, {7}, {16}, {1, 31, 5, 64, 2}};

class Blocks : public testing::TestWithParam<std::tuple<Make, std::vector<int64_t>>> {};
INSTANTIATE_TEST_SUITE_P(Patches, Blocks, testing::Combine(testing::ValuesIn(kPatches), testing::ValuesIn(kSplits)));

TEST_P(Blocks, GiveTheSameBits) {
  auto& [make, split] = GetParam();
  const bool large = make == drum;
  Patch p = built(make);
  expect_blocks(p, Backend::cpu, large ? 150 : 300, split);
  if (!large) expect_blocks(p, Backend::interpreter, 300, split);
}

TEST(BlocksOfTheInterpreter, GiveTheSameBits) {
  Patch p;
  p.output(membrane(p, 8));
  for (auto& split : kSplits) expect_blocks(p, Backend::interpreter, 150, split);
}

}  // namespace
}  // namespace dgen::test
