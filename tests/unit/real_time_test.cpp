// Program::process and Workspace runs: nothing is allocated once the memory is there.
#include <gtest/gtest.h>

#include "dgen/dgen.h"
#include "runtime/device.h"

extern thread_local bool counting_allocations;
extern thread_local int allocations;

namespace dgen {
namespace {

Signal voice() {
  Signal in = Signal::input(0);
  Signal cutoff = (sin(Signal::phasor(3.0f) * 6.2831853f) + 1.5f) * 500.0f;
  Signal filtered = in.biquad({.cutoff = cutoff}).delay(20.5f, 64);
  return filtered + (filtered.buffer(16, 8) * 0.5f).overlap_add(8);
}

TEST(RealTime, ProcessDoesNotAllocate) {
  Program program = compile({voice(), Signal::phasor(100.0f)});
  std::vector<float> in(512), left(512), right(512);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 17) / 17;
  const float* ins[] = {in.data()};
  float* outs[] = {left.data(), right.data()};
  program.process(ins, outs, 512);
  int64_t bytes = runtime::memory_bytes().peak;
  for (int frames : {512, 64, 1, 100, 512}) {
    counting_allocations = true, allocations = 0;
    program.process(ins, outs, frames);
    counting_allocations = false;
    EXPECT_EQ(allocations, 0) << frames << " frames";
  }
  EXPECT_EQ(runtime::memory_bytes().peak, bytes);
}

TEST(RealTime, ProcessContinuesTheStream) {
  std::vector<float> in(300), want;
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>((i * 7) % 23) / 23;
  want = voice().realize({.frames = 300, .inputs = {in}});
  Program program = compile(voice());
  std::vector<float> got(300);
  int at = 0;
  for (int frames : {48, 1, 7, 128, 16, 100}) {
    const float* ins[] = {in.data() + at};
    float* outs[] = {got.data() + at};
    program.process(ins, outs, frames);
    at += frames;
  }
  ASSERT_EQ(at, 300);
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-6) << i;
}

// A host may hand in one buffer for both.
TEST(RealTime, ProcessInPlace) {
  std::vector<float> in(300), want;
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>((i * 7) % 23) / 23;
  Signal y = voice() + Signal::input(0).delay(3) + Signal::input(0).buffer(16, 8).sum();
  want = y.realize({.frames = 300, .inputs = {in}});
  Program program = compile(y);
  std::vector<float> got = in;
  int at = 0;
  for (int frames : {48, 1, 7, 128, 16, 100}) {
    float* both[] = {got.data() + at};
    program.process(both, both, frames);
    at += frames;
  }
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-6) << i;
}

}  // namespace
}  // namespace dgen
