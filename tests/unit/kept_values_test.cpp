// Static values are kept from run to run, and made again when something that they are made from is another.
#include "dgen/dgen.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

class KeptValues : public testing::Test {
 protected:
  ~KeptValues() override { config() = saved_; }

  // One block through process().
  static std::vector<float> block(Program& program, const std::vector<float>& in) {
    std::vector<float> out(in.size());
    const float* ins[] = {in.data()};
    float* outs[] = {out.data()};
    program.process(ins, outs, static_cast<int>(in.size()));
    return out;
  }
  static int64_t launches(const Program& program) { return program.stats().launches; }

 private:
  Config saved_ = config();
};

const std::vector<float> kOnes(16, 1.0f);

TEST_F(KeptValues, AreNotMadeAgain) {
  Program program = compile(Signal::input(0) * (exp(Signal::param(0.25f)) + sample_rate()));
  const std::vector<float> first = block(program, kOnes);
  const int64_t before = launches(program);
  EXPECT_EQ(block(program, kOnes), first);
  const int64_t second = launches(program) - before;
  EXPECT_LT(second, before);
  EXPECT_EQ(block(program, {1, 1, 1}), (std::vector<float>(3, first[0])));
  EXPECT_EQ(launches(program), before + 2 * second);
}

TEST_F(KeptValues, FollowParamsAndConstants) {
  Signal gain = Signal::param(0.25f);
  Tensor weights({1, 2, 3});
  Program program = compile(Signal::input(0) * (exp(gain) * 3.0f) + Signal::input(0) * (weights * weights).sum());
  float value = 0.25f;
  float squares = 14;
  for (int round = 0; round < 3; ++round) {
    EXPECT_FLOAT_EQ(block(program, kOnes)[15], std::exp(value) * 3 + squares);
    gain.assign(std::vector<float>{value = 0.5f * static_cast<float>(round)});
    EXPECT_FLOAT_EQ(block(program, kOnes)[0], std::exp(value) * 3 + squares);
    weights.assign(std::vector<float>{0, 0, static_cast<float>(round)});
    squares = static_cast<float>(round * round);
    // A longer block lays memory out anew.
    EXPECT_FLOAT_EQ(block(program, std::vector<float>(static_cast<size_t>(20 << round), 1.0f))[19], std::exp(value) * 3 + squares);
  }
}

// A knob makes again what follows from it, and not weights in panels beside it; what that reads and was not kept is there, too.
TEST_F(KeptValues, AreMadeAgainWhereTheyFollow) {
  Signal gain = Signal::param(0.25f);
  Tensor weights = Tensor::param(std::vector<float>(64 * 64, 0.5f), Shape{64, 64});
  Tensor a = Tensor::param(std::vector<float>(32 * 32, 0.1f), Shape{32, 32});
  const auto patch = [&] {
    const SignalTensor rows = Signal::input(0).buffer(64, 4).reshape(Shape{1, 64}).matmul(weights);
    return rows.sum() * exp(gain) + Signal::input(0) * (a.matmul(a) * exp(gain)).sum();
  };
  Program program = compile(patch());
  const auto expect_fresh = [&] {
    Program fresh = compile(patch());
    program.reset();
    EXPECT_EQ(block(program, kOnes), block(fresh, kOnes));
  };
  expect_fresh();
  expect_fresh();
  const auto launches_of_block = [&] {
    const int64_t before = launches(program);
    block(program, kOnes);
    return launches(program) - before;
  };
  const int64_t as_it_was = launches_of_block();
  gain.assign(std::vector<float>{0.5f});
  const int64_t with_knob = launches_of_block();
  EXPECT_GT(with_knob, as_it_was);
  gain.assign(std::vector<float>{0.75f});
  weights.assign(std::vector<float>(64 * 64, 0.25f));
  EXPECT_GT(launches_of_block(), with_knob);
  for (float value : {-0.5f, 0.5f}) {
    gain.assign(std::vector<float>{value});
    expect_fresh();
    a.assign(std::vector<float>(32 * 32, value));
    expect_fresh();
    weights.assign(std::vector<float>(64 * 64, value));
    expect_fresh();
  }
}

// Bit for bit what a program says that has never seen another cutoff or rate.
TEST_F(KeptValues, FollowTheSampleRate) {
  Signal cutoff = Signal::param(1000);
  auto patch = [&] { return Signal::input(0).biquad({.cutoff = cutoff}); };
  Program program = compile(patch());
  std::vector<float> in(300);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>((i * 7) % 23) / 23;
  for (float hz : {1000.0f, 300.0f}) {
    cutoff.assign(std::vector<float>{hz});
    for (double rate : {48000.0, 96000.0, 96000.0, 8000.0}) {
      config().sample_rate = rate;
      program.reset();
      std::vector<float> got;
      for (size_t at = 0, size = 1; at < in.size(); at += size, size = std::min(size * 3, in.size() - at)) {
        const std::vector<float> part = block(program, {in.begin() + static_cast<long>(at), in.begin() + static_cast<long>(at + size)});
        got.insert(got.end(), part.begin(), part.end());
      }
      Program fresh = compile(patch());
      EXPECT_EQ(got, block(fresh, in)) << rate << " Hz, cutoff " << hz;
    }
  }
}

// Graphs of one structure share a program and the memory of its runs.
TEST_F(KeptValues, FollowWhatTheProgramIsBoundTo) {
  Signal one = Signal::param(1), two = Signal::param(2);
  for (int round = 0; round < 3; ++round)
    for (const Signal& gain : {one, two}) {
      const float want = std::exp(gain.realize(1)[0]);
      EXPECT_FLOAT_EQ((Signal::input(0) * exp(gain)).realize({.frames = 16, .inputs = {kOnes}})[3], want);
    }
  // The sign of zero counts too.
  Signal x = Signal::param(0.5f);
  for (float number : {3.0f, 4.0f, 5.0f, 0.0f, -0.0f, 0.0f, 5.0f})
    EXPECT_FLOAT_EQ((Signal::input(0) * exp(min(max(x / number, -1), 1))).realize({.frames = 2, .inputs = {kOnes}})[1],
                    std::exp(std::clamp(0.5f / number, -1.0f, 1.0f)))
        << number;
}

// A stream that starts again or goes back takes its cells' initial values from what was kept.
TEST_F(KeptValues, ServeFreshStates) {
  Patch p;
  Ex start = ex("exp", {p.number(0.5f)}), prev = p.cell({}, 1, start * start);
  p.output(p.write(prev, prev * start + p.input()));
  Player player(p, Backend::cpu);
  const Rows first = player.play(40);
  player.play(40);
  player.rewind();
  EXPECT_EQ(player.play(40), first);
}

// Static noise is another at each training step.
TEST_F(KeptValues, FollowTheStep) {
  Patch p;
  p.output(p.noise({3}, 0) * p.number(2));
  auto program = [&](Backend backend) { return driver::get_program(p.capture, [&] {
    driver::Options options = fast_build();
    options.backend = backend;
    return options;
  }()); };
  auto compiled = program(compiled_backends()[0]), interpreter = program(Backend::interpreter);
  std::set<float> seen;
  for (uint64_t step : {0, 1, 1, 5, 0}) {
    driver::RunArgs args;
    args.frames = 8, args.step = step, args.per_tick = true;
    const Rows got = compiled->run(driver::Bindings(p.capture), args, nullptr),
               want = interpreter->run(driver::Bindings(p.capture), args, nullptr);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(got[0][i], want[0][i], 1e-6) << "step " << step;
    seen.insert(got[0][0]);
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST(StorageVersion, IsAnotherAfterEachWrite) {
  driver::Storage a(Shape{2}, {1, 2}), b(Shape{2}, {1, 2});
  std::set<uint64_t> versions{a.version(), b.version()};
  a.assign(std::vector<float>{1, 2});
  versions.insert(a.version());
  a.assign(runtime::host_device(), b.values().data());
  versions.insert(a.version());
  EXPECT_EQ(versions.size(), 4u);
  EXPECT_EQ(a.version(), (a.on(runtime::host_device()), a.values(), a.version()));
}

}  // namespace
}  // namespace dgen::test
