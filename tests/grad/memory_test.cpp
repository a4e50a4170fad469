// Memory plans: every one is played by the independent verifier, which must also find faults that are put in.
#include "driver/run.h"
#include "ir/parse.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

// A filter in feedback, a delay, a transform at hop rate, a sum over time that feeds a signal, gradients.
Patch patch() {
  Patch p;
  Ex x = p.input(), cutoff = p.number(0.3f), prev = p.cell({}, 1, p.number(0.1f));
  Ex y = p.write(prev, x * cutoff + prev * (p.c(1) - cutoff));
  Ex d = ex("delay", {y, p.number(2.5f)}, {{"max", int64_t{6}}});
  Ex w = ex("buffer", {d}, {{"size", int64_t{8}}, {"hop", int64_t{4}}, {"period", int64_t{1}}});
  Ex loss = p.loss(w * w);
  Ex again = p.loss(y * loss);
  p.output(d);
  p.output(loss + again);
  for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(loss + again, slot));
  return p;
}

struct Planned {
  explicit Planned(int64_t frames, int64_t tile, int64_t budget) : p(patch()), compiled(p.capture.graph, options()) {
    schedule::MemoryLimits limits;
    limits.tile_frames = tile, limits.budget = budget;
    memory = compiled.planner.plan(frames, limits);
  }
  static driver::Options options() {
    driver::Options o = fast_build();
    o.chunk_frames = 4;
    return o;
  }
  Patch p;
  driver::Compiled compiled;
  schedule::MemoryPlan memory;
};

const std::vector<std::tuple<int64_t, int64_t, int64_t>> kRuns = {
    {1, 0, 1 << 30}, {40, 0, 1 << 30}, {41, 8, 1 << 30}, {41, 8, 1}, {400, 12, 1}};

TEST(MemoryPlan, IsVerified) {
  for (auto [frames, tile, budget] : kRuns) {
    Planned planned(frames, tile, budget);
    EXPECT_NO_THROW(driver::check_memory(planned.compiled, planned.memory));
  }
}

// Kernels count the elements of a stream in 32 bits.
TEST(MemoryPlan, RefusesAStreamTooLong) {
  try {
    Planned planned(int64_t{1} << 31, int64_t{1} << 31, int64_t{1} << 50);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("GiB; run fewer frames at a time, or lower the memory budget"), std::string::npos) << e.what();
  }
}

TEST(MemoryPlan, SharesMemory) {
  Planned planned(400, 0, 1 << 30);
  int64_t apart = 0;
  for (auto& place : planned.memory.places) apart += place.bytes;
  EXPECT_LT(planned.memory.bytes, apart * 9 / 10);
}

// A phasor's phase goes on at the end of its sweep, from a frequency that nothing else reads by then.
TEST(MemoryPlan, KeepsFrequencies) {
  ir::Graph g = ir::parse(R"(
%0 = param {slot=0,shape=[17]} : (17)@static
%1 = sum %0 {axes=[0]} : ()@static
%2 = phasor %1 : ()@frame
%3 = sin %2 : ()@frame
%4 = param {slot=1,shape=[]} : ()@static
%5 = delay %3, %4 {max=8} : ()@frame
output %5
)");
  driver::Compiled compiled(g, fast_build());
  EXPECT_NO_THROW(driver::check_memory(compiled, compiled.planner.plan(67, {})));
}

// Two values that are alive together are moved onto each other: the verifier must see it. (Those that only meet at a
// sweep's end, and what lies before or after the ticks, are kept apart by caution alone.)
TEST(MemoryPlan, FaultsAreFound) {
  for (auto [frames, tile, budget] : kRuns) {
    Planned planned(frames, tile, budget);
    size_t faults = 0;
    for (size_t i = 0; i < planned.memory.places.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        schedule::MemoryPlan wrong = planned.memory;
        auto &a = wrong.places[i], &b = wrong.places[j];
        if (a.last <= b.first || b.last <= a.first || a.pad + b.pad > 0) continue;
        if (planned.compiled.plan.graph[b.id].op->name == "state_write") continue;  // read back from the cell
        if (a.kind != schedule::Place::stream || b.kind != schedule::Place::stream) continue;
        a.offset = b.offset;
        wrong.bytes = std::max(wrong.bytes, a.offset + a.bytes);
        ++faults;
        EXPECT_THROW(driver::check_memory(planned.compiled, wrong), InternalError)
            << "%" << a.id << " [" << a.first << ", " << a.last << "] on %" << b.id << " [" << b.first << ", " << b.last << "]";
      }
    EXPECT_GT(faults, 10u);
  }
}

}  // namespace
}  // namespace dgen::test
