// Program::process and Workspace runs: nothing is allocated once the memory is there.
#include <gtest/gtest.h>
#include <pthread.h>

#include "dgen/dgen.h"
#include "runtime/device.h"
#include "support/sanitized.h"

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

// Nor when the stream starts again or static values are made again. Long calls are cut into tiles, short ones are not.
TEST(RealTime, ProcessDoesNotAllocate) {
  for (int most : {512, 120000}) {
    Signal gain = Signal::param(1.0f);
    Program program = compile({voice() * exp(gain), Signal::phasor(100.0f)});
    const std::vector<float> half = {0.5f};
    auto size = static_cast<size_t>(most);
    std::vector<float> in(size), left(size), right(size);
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 17) / 17;
    const float* ins[] = {in.data()};
    float* outs[] = {left.data(), right.data()};
    program.process(ins, outs, most);
    EXPECT_EQ(program.stats().tiles > 1, most > 512);
    int64_t bytes = runtime::memory_bytes().peak;
    for (int frames : {most, 64, 1, most / 5, most - 1, most}) {
      counting_allocations = true, allocations = 0;
      program.process(ins, outs, frames);
      program.reset();
      gain.assign(half);
      program.process(ins, outs, frames);
      counting_allocations = false;
      EXPECT_EQ(allocations, 0) << frames << " frames";
    }
    EXPECT_EQ(runtime::memory_bytes().peak, bytes);
  }
}

// Of the last of so many frames; a second block allocates nothing.
float last_on_small_stack(const Signal& patch) {
  struct Job {
    Program program;
    std::vector<float> in = std::vector<float>(256, 1.0f), out = std::vector<float>(256, 1.0f);
  } job{compile(patch)};
  auto play = [](void* p) -> void* {
    Job& job = *static_cast<Job*>(p);
    const float* ins[] = {job.in.data()};
    float* outs[] = {job.out.data()};
    job.program.process(ins, outs, 256);
    counting_allocations = true, allocations = 0;
    job.program.process(ins, outs, 256);
    counting_allocations = false;
    return nullptr;
  };
  pthread_attr_t small;
  pthread_attr_init(&small);
  EXPECT_EQ(pthread_attr_setstacksize(&small, 512 << 10), 0);
  pthread_t thread;
  EXPECT_EQ(pthread_create(&thread, &small, play, &job), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&small);
  EXPECT_EQ(allocations, 0);
  return job.out[255];
}

// Threads of audio hosts may have 512 KiB of stack.
TEST(RealTime, FitsASmallStack) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers use more stack";
  const Signal x = Signal::input(0);
  EXPECT_EQ(last_on_small_stack((x * Tensor::linspace(-1, 1, 512)).reshape({1, 512}).matmul(Tensor::zeros({512, 512})).sum()), 0);
  auto [plane, write] = SignalTensor::history({300, 300});  // its pad is 360 KB
  const SignalTensor next = write(plane.conv2d(Tensor::full({3, 3}, 1.0f / 9), {.padding = 1}) * 0.5f + x);
  EXPECT_NEAR(last_on_small_stack(next[150][150].scalar()), 2, 1e-5);
  std::vector<SignalTensor> rows;  // 20 of 40 KB
  for (int i = 0; i < 20; ++i) {
    auto [before, to] = SignalTensor::history({10000});
    rows.push_back(to((before.flip({0}) + (i > 0 ? rows.back().flip({0}) : SignalTensor(x * Tensor::ones({10000})))) * 0.5f));
  }
  EXPECT_NEAR(last_on_small_stack(rows.back()[1].scalar()), 1, 1e-5);
}

// A second handle for the state's name, a static value and a stream that goes on are no reason to allocate either.
TEST(RealTime, RealizeIntoDoesNotAllocate) {
  Signal y = voice(), named = voice().named("a name longer than what a string holds in place");
  Tensor gain = Tensor::param({1, 2, 3}) * 2.0f;
  std::vector<float> in(512, 0.25f), out(512), three(3);
  RealizeOptions fresh{.frames = 512, .inputs = {in}}, more = fresh;
  more.preserve_state = true;
  auto all = [&] {
    y.realize_into(out, fresh);
    y.realize_into(out, more);
    named.realize_into(out, fresh);
    gain.realize_into(three, {});
  };
  all();
  all();
  std::vector<float> first = y.realize(fresh);
  for (int again = 0; again < 3; ++again) {
    counting_allocations = true, allocations = 0;
    all();
    counting_allocations = false;
    EXPECT_EQ(allocations, 0);
  }
  EXPECT_EQ(y.realize(fresh), first);
}

// Nor does run_into, which gives what run() does.
TEST(RealTime, RunIntoDoesNotAllocate) {
  Program program = compile({voice(), Signal::phasor(100.0f)});
  std::vector<float> in(512, 0.25f), left(512), right(512);
  const std::vector<std::span<float>> outs = {left, right};
  const RunOptions options{.frames = 512, .inputs = {in}};
  const auto want = program.run(options);
  for (int again = 0; again < 3; ++again) {
    counting_allocations = again > 0, allocations = 0;
    program.run_into(outs, options);
    counting_allocations = false;
    EXPECT_EQ(allocations, 0);
    EXPECT_EQ(left, want[0]);
    EXPECT_EQ(right, want[1]);
  }
}

// A tail below float32's normal numbers is 0, however it is run and whatever its host has set.
TEST(RealTime, DenormalsAreZeros) {
  const Signal tail = (Signal::click() * 1e-37f).onepole(0.5f);
  Program program = compile(tail);
  std::vector<float> streamed(64);
  float* out[] = {streamed.data()};
  program.process(nullptr, out, 64);
  for (const std::vector<float>& y : {program.run({.frames = 64})[0], tail.realize(64), streamed}) {
    EXPECT_GT(y[0], 0);
    for (float v : y) EXPECT_TRUE(v == 0 || std::fabs(v) >= std::numeric_limits<float>::min()) << v;
    EXPECT_EQ(y, streamed);
  }
}

// What is realized follows labels given and cells written since.
TEST(RealTime, RealizeSeesEditsSince) {
  auto [before, write] = Signal::history();
  Signal y = before + 1.0f;
  EXPECT_EQ(y.realize(3), (std::vector<float>{1, 1, 1}));
  Signal x = write(y);
  EXPECT_EQ(y.realize(3), (std::vector<float>{1, 2, 3}));
  y.realize({.frames = 2});
  EXPECT_EQ(y.realize({.frames = 2, .preserve_state = true}), (std::vector<float>{3, 4}));
  y.named("y");
  EXPECT_EQ(y.realize({.frames = 2, .preserve_state = true}), (std::vector<float>{1, 2}));
}

// A call that is refused takes nothing with it.
TEST(RealTime, RefusedRunsKeepTheState) {
  Signal y = Signal::accum(1.0f);
  EXPECT_EQ(y.realize(2), (std::vector<float>{0, 1}));
  std::vector<float> small(1);
  EXPECT_THROW(y.realize_into(small, {.frames = 2, .preserve_state = true}), Error);
  EXPECT_THROW(y.realize_into(small, {.frames = 2}), Error);
  EXPECT_EQ(y.realize({.frames = 2, .preserve_state = true}), (std::vector<float>{2, 3}));
}

// Powers of the coefficient leave float's range before the values do.
TEST(RealTime, UnstableScans) {
  for (float a : {300.0f, 1000.0f, -300.0f}) {
    auto [before, write] = Signal::history();
    Signal y = write(before * Signal::param(a) + Signal::input(0));
    std::vector<float> click(20, 0), want(20, 0), silence(20, 0);
    click[14] = 1, want[14] = 1;
    for (size_t i = 15; i < 20; ++i) want[i] = want[i - 1] * a;
    std::vector<float> got = y.realize({.frames = 20, .inputs = {click}});
    for (size_t i = 0; i < 20; ++i) EXPECT_FLOAT_EQ(got[i], want[i]) << i;
    std::vector<float> head = y.realize({.frames = 5, .inputs = {std::span<const float>(click).first(5)}});
    std::vector<float> tail = y.realize({.frames = 15, .inputs = {std::span<const float>(click).subspan(5)}, .preserve_state = true});
    head.insert(head.end(), tail.begin(), tail.end());
    EXPECT_EQ(head, got);
    EXPECT_EQ(y.realize({.frames = 20, .inputs = {silence}}), silence);
  }
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

// Outputs that are asked for in one place: the last of them is what it holds, made of the others all the same.
TEST(RealTime, OutputsThatShareABuffer) {
  Signal a = Signal::phasor(100.0f), b = a * 2.0f + Signal::input(0);
  Program program = compile({a, b});
  std::vector<float> in(64, 0.5f), one(64), want = b.realize({.frames = 64, .inputs = {in}});
  const float* ins[] = {in.data()};
  float* outs[] = {one.data(), one.data()};
  program.process(ins, outs, 64);
  EXPECT_EQ(one, want);
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
