// Feedback that comes back late is computed in vectors of ticks, with the bits of the ticks one after another.
#include <cstring>

#include "support/graphs.h"

namespace dgen::test {
namespace {

constexpr int64_t kLine = 120, kFrames = 700;

Ex line(Ex x, Ex time) { return ex("delay", {x, {x.g, broadcast_to(*x.g, time.id, x.shape())}}, {{"max", kLine}}); }
Ex gain(Patch& p) { return p.param(Shape{}, 0.2, 0.8); }

// Each gets an input, the time of its line and another input; the loops are those of programs.
void comb(Patch& p, Ex x, Ex time, Ex) {
  Ex prev = p.cell();
  p.output(p.write(prev, x + line(prev, time) * gain(p)));
}

void from_a_start(Patch& p, Ex x, Ex time, Ex) {
  Ex prev = p.cell({}, 1, p.number(0.75f)), late = line(prev, time);
  p.output(p.write(prev, fn("tanh", x + late * gain(p))));
  p.output(prev), p.output(late);
}

void allpass(Patch& p, Ex x, Ex time, Ex) {
  Ex prev = p.cell(), g = gain(p), late = line(prev, time), in = p.write(prev, x + late * g);
  p.output(late - g * in);
}

// The gain stands before the line, and varies.
void scaled_before(Patch& p, Ex x, Ex time, Ex y) {
  Ex prev = p.cell({}, 1, p.number(0.5f));
  p.output(p.write(prev, x + line(prev * (y * 0.3 + 0.5), time)));
}

void two_taps(Patch& p, Ex x, Ex time, Ex) {
  Ex prev = p.cell({1});
  p.output(p.write(prev, x + line(prev, time) * gain(p) - line(prev, time * 0.5 + 20.0) * 0.3));
}

// Two cells whose values cross, and one that keeps a value for one more tick.
void crossed(Patch& p, Ex x, Ex time, Ex y) {
  Ex left = p.cell(), right = p.cell(), more = p.cell({}, 1, p.number(-0.5f));
  p.output(p.write(left, x + line(more, time) * gain(p)));
  p.output(p.write(right, y + line(left, time + 3.5) * gain(p)));
  p.write(more, right);
}

void in_turn(Patch& p, Ex x, Ex time, Ex y) {
  comb(p, x, time, y);
  comb(p, {&p.g(), p.g().outputs.back()}, time + 7.0, y);
  comb(p, y, time, x);
}

// The line's time is static, but a shorter way leads around it.
void damped(Patch& p, Ex x, Ex time, Ex) {
  Ex prev = p.cell(), low = p.cell();
  Ex late = p.write(low, fn("tanh", line(prev, time) * 0.7 + low * 0.3));
  p.output(p.write(prev, x + late * gain(p)));
}

void varying(Patch& p, Ex x, Ex time, Ex y) { comb(p, x, ex("hold", {time}, {{"period", int64_t{1}}}) + y, y); }

using Make = void (*)(Patch&, Ex x, Ex time, Ex y);
struct Loop {
  const char* name;
  Make make;
  int blocks;  // regions of that strategy: forward, with gradients
};
constexpr Loop kLoops[] = {{"comb", comb, 1},
                           {"from a start", from_a_start, 1},
                           {"allpass", allpass, 1},
                           {"two taps", two_taps, 1},
                           {"scaled before", scaled_before, 1},
                           {"crossed", crossed, 1},
                           {"in turn", in_turn, 3},
                           {"damped", damped, 0},
                           {"varying", varying, 0}};

// Param 0 is the line's time.
Patch built(const Loop& loop, bool gradients) {
  Patch p;
  Ex time = p.number(50);
  loop.make(p, p.input() * p.param(Shape{}, 0.5, 1), time, p.input());
  if (!gradients) return p;
  Ex total = p.c(0);
  for (Id id : std::vector<Id>(p.g().outputs)) total = total + p.loss({&p.g(), id});
  p.output(total);
  for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(total, slot));
  return p;
}

int blocks(const Patch& p, bool plain) {
  driver::Options options = fast_build();
  options.plain = plain;
  schedule::Plan plan = driver::plan_program(p.capture.graph, options);
  return static_cast<int>(
      std::count_if(plan.regions.begin(), plan.regions.end(), [](auto& r) { return r.strategy == schedule::Strategy::blocks; }));
}

TEST(LateFeedback, IsFound) {
  for (const Loop& loop : kLoops) {
    EXPECT_EQ(blocks(built(loop, false), false), loop.blocks) << loop.name;
    EXPECT_EQ(blocks(built(loop, true), false), 2 * loop.blocks) << loop.name << " with gradients";
    EXPECT_EQ(blocks(built(loop, true), true), 0) << loop.name << ", plain";
  }
}

void expect_same_bits(const Rows& a, const Rows& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t o = 0; o < a.size(); ++o)
    EXPECT_TRUE(a[o].size() == b[o].size() && std::memcmp(a[o].data(), b[o].data(), a[o].size() * sizeof(float)) == 0) << "output " << o;
}

constexpr float kTimes[] = {0, 1, 14, 15, 16, 17, 31, 99.25f, kLine, kLine + 5, std::numeric_limits<float>::quiet_NaN()};

TEST(LateFeedback, HasTheBitsOfTicksInOrder) {
  if (on_cuda()) GTEST_SKIP() << "blocks of ticks are the host's";
  for (const Loop& loop : kLoops)
    for (bool gradients : {false, true}) {
      Patch p = built(loop, gradients);
      driver::Options options = fast_build(), plain = options, tiled = options;
      options.chunk_frames = plain.chunk_frames = tiled.chunk_frames = 16;
      plain.plain = true, tiled.tile_frames = 48;
      for (float time : kTimes) {
        SCOPED_TRACE(testing::Message() << loop.name << ", " << time << (gradients ? ", gradients" : ""));
        p.capture.params[0]->assign(std::vector<float>{time});
        Rows want = run_fresh(p, Backend::cpu, kFrames, plain);
        expect_same_bits(run_fresh(p, Backend::cpu, kFrames, options), want);
        expect_same_bits(run_fresh(p, Backend::cpu, kFrames, tiled), want);
      }
    }
}

// Blocks that fill no vector, while the time changes between them from long to short and back.
TEST(LateFeedback, GoesOnInBlocksOfAnyLength) {
  for (const Loop& loop : kLoops) {
    SCOPED_TRACE(loop.name);
    Patch p = built(loop, false);
    auto stream = [&](bool one_by_one) {
      Player player(p, Backend::cpu);
      Rows all;
      for (int64_t block : {33, 16, 129, 1, 47, 5, 200, 15, 31, 64, 150}) {
        p.capture.params[0]->assign(std::vector<float>{kTimes[static_cast<size_t>(block) % std::size(kTimes)]});
        for (int64_t done = 0; done < block; done += one_by_one ? 1 : block) {
          Rows more = player.play(one_by_one ? 1 : block);
          all.resize(more.size());
          for (size_t o = 0; o < more.size(); ++o) all[o].insert(all[o].end(), more[o].begin(), more[o].end());
        }
      }
      return all;
    };
    expect_same_bits(stream(false), stream(true));
  }
}

}  // namespace
}  // namespace dgen::test
