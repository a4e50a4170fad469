// In a training step, what follows from inputs and constants alone is kept until one of them is another; bits never change.
#include <functional>

#include "dgen/dgen.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

constexpr int kFrames = 512;

// A gain that learns to make one sound's spectrum another's. What is kept here: the target's magnitudes, some 20 KB.
struct Trainer {
  explicit Trainer(bool preserve = false, const SignalTensor& target = Signal::input(1), int frames = kFrames)
      : sgd({gain}, {.lr = 0.05f}),
        step(compile_training(multi_scale_spectral_loss(gain * Signal::input(0), target, {.sizes = {64, 32}}), sgd,
                              {.frames = frames, .preserve_state = preserve})) {}

  // The loss and the gain after the step.
  std::vector<float> run(const std::vector<float>& target, size_t from = 0) {
    const double loss = step.run({std::span(sound).subspan(from), std::span(target).subspan(from)});
    return {static_cast<float>(loss), gain.realize(1)[0]};
  }
  int64_t launches(const std::vector<float>& target) {
    const int64_t before = step.stats().launches;
    run(target);
    return step.stats().launches - before;
  }

  std::vector<float> sound = random_floats(2 * kFrames, 1);
  Tensor gain = Tensor::full(Shape{}, 0.5f, true);
  SGD sgd;
  TrainingStep step;
};

class KeptInputs : public testing::Test {
 protected:
  KeptInputs() { config().backend = on_cuda() ? dgen::Backend::cuda : dgen::Backend::cpu; }
  ~KeptInputs() override { config() = saved_; }

  // Losses and gains of steps without memory to keep anything.
  template <class... Of>
  static std::vector<std::vector<float>> made_anew(const std::vector<std::vector<float>>& targets, const Of&... of) {
    const Config saved = config();
    config().memory_budget = 1 << 15;
    Trainer trainer(of...);
    config() = saved;
    std::vector<std::vector<float>> results;
    for (const auto& target : targets) results.push_back(trainer.run(target));
    return results;
  }

  const std::vector<float> one = random_floats(2 * kFrames, 2), two = random_floats(2 * kFrames, 3);

 private:
  Config saved_ = config();
};

TEST_F(KeptInputs, AreSkippedWithTheSameBits) {
  Trainer trainer;
  const int64_t first = trainer.launches(one), second = trainer.launches(one);
  EXPECT_LT(second, first);
  EXPECT_EQ(trainer.launches(std::vector<float>(one)), second);  // elsewhere in memory
  const auto want = made_anew({one, one, one, one});
  EXPECT_EQ(trainer.run(one), want[3]);
  EXPECT_NE(trainer.step.explain().find("kept while inputs are the same"), std::string::npos);
  EXPECT_NE(trainer.step.explain().find("  kept: "), std::string::npos);
}

TEST_F(KeptInputs, FollowContents) {
  Trainer trainer;
  std::vector<float> target = one, changed = one;
  changed[kFrames - 1] += 0.25f;
  const auto want = made_anew({one, changed, changed, two, one, two, one});
  EXPECT_EQ(trainer.run(target), want[0]);
  const int64_t kept = trainer.launches(target);
  Trainer other;
  EXPECT_EQ(other.run(target), want[0]);
  target = changed;  // at the same address
  EXPECT_EQ(other.run(target), want[1]);
  EXPECT_EQ(other.run(target), want[2]);
  EXPECT_GT(other.launches(two), kept);
  EXPECT_EQ(other.run(one), want[4]);  // two batches in turns
  EXPECT_EQ(other.run(two), want[5]);
  EXPECT_EQ(other.run(one), want[6]);
}

// What a run does not read may change.
TEST_F(KeptInputs, AreOfTheRunOnly) {
  Trainer trainer;
  trainer.run(one);
  const int64_t kept = trainer.launches(one);
  std::vector<float> longer = one;
  longer[kFrames] += 1;
  EXPECT_EQ(trainer.launches(longer), kept);
}

// Steps of several lengths share a program and the memory of its runs.
TEST_F(KeptInputs, FollowTheFrames) {
  const SignalTensor target = Signal::input(1);
  Trainer whole, half(false, target, kFrames / 2);
  const auto want = made_anew({one, one, one}), want_half = made_anew({one, one, one}, false, target, kFrames / 2);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.run(one), want[i]);
    EXPECT_EQ(half.run(one), want_half[i]);
  }
}

TEST_F(KeptInputs, FollowConstants) {
  Tensor weight({1.0f});
  auto target = [](const Tensor& by) { return SignalTensor(by.reshape({}) * Signal::input(1)); };
  Trainer trainer(false, target(weight));
  const auto before = trainer.run(one);
  const int64_t kept = trainer.launches(one);
  weight.assign(std::vector<float>{0.5f});
  trainer.gain.assign(std::vector<float>{0.5f});
  const auto after = trainer.run(one);
  EXPECT_NE(after, before);
  EXPECT_EQ(trainer.launches(one), kept);
  Trainer fresh(false, target(Tensor({0.5f})));
  EXPECT_EQ(fresh.run(one), after);
}

TEST_F(KeptInputs, FollowTheSampleRate) {
  auto target = [] { return SignalTensor(Signal::input(1) * (sample_rate() / 48000.0f)); };
  Trainer trainer(false, target());
  std::vector<std::vector<float>> results;
  for (double rate : {48000.0, 48000.0, 24000.0, 48000.0}) {
    config().sample_rate = rate;
    trainer.gain.assign(std::vector<float>{0.5f});
    results.push_back(trainer.run(one));
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_NE(results[2], results[0]);
  EXPECT_EQ(results[3], results[0]);
}

// Each step's noise is its own, whatever it is added to.
TEST_F(KeptInputs, AreNotNoise) {
  Trainer trainer(false, Signal::input(1) + Signal::noise({.seed = 4}));
  std::set<float> losses;
  for (int i = 0; i < 4; ++i) {
    trainer.gain.assign(std::vector<float>{0.5f});
    losses.insert(trainer.run(one)[0]);
  }
  EXPECT_EQ(losses.size(), 4u);
}

// A stream that goes on is at another place at each step.
TEST_F(KeptInputs, AreOfFreshStreams) {
  Trainer stream(true);
  const auto want = made_anew({one, one, one, one}, true);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(stream.run(one), want[i]) << i;
  const int64_t all = stream.launches(one);
  EXPECT_EQ(stream.launches(one), all);
}

// Filtered and delayed targets: their state is nobody's after the step. One is read through a cell alone.
TEST_F(KeptInputs, HaveState) {
  const std::vector<std::function<SignalTensor()>> made = {
      [] { return Signal::input(1).biquad({.cutoff = 1000.0f}) + Signal::input(1).delay(100); }, [] { return Signal::input(1).prev(); }};
  for (const auto& target : made) {
    const std::vector<std::vector<float>> targets = {one, one, two, one};
    const auto want = made_anew(targets, false, target());
    Trainer trainer(false, target());
    for (size_t i = 0; i < targets.size(); ++i) EXPECT_EQ(trainer.run(targets[i]), want[i]) << i;
    const int64_t kept = trainer.launches(one);
    EXPECT_GT(trainer.launches(two), kept);
  }
}

TEST_F(KeptInputs, StayWithinTheBudget) {
  Trainer rich;
  rich.run(one);
  const int64_t all = rich.step.stats().peak_bytes;
  config().memory_budget = all - 1;
  Trainer poor;
  poor.run(one);
  EXPECT_LT(poor.step.stats().peak_bytes, all);
  const int64_t first = poor.launches(one);
  EXPECT_EQ(poor.launches(one), first);
}

// What costs less to compute than to read is not kept: sines of a kept phase.
TEST_F(KeptInputs, AreFew) {
  const Signal turns = Signal::phasor(Signal::input(0));
  const SignalTensor sines = sin(turns * (Tensor::arange(40) + 1.0f) * 6.2831853f);
  const Tensor gain = Tensor::full(Shape{40}, 1, true);
  SGD sgd({gain}, {.lr = 0.01f});
  const Signal sound = (sines * gain).sum(-1);
  TrainingStep step = compile_training((sound * sound).mean(), sgd, {.frames = kFrames});
  const std::vector<float> hertz(kFrames, 440.0f);
  step.run({hertz});
  const std::string text = step.explain();
  const size_t at = text.find("  kept: ");
  ASSERT_NE(at, std::string::npos) << text;
  int values = 0;
  long bytes = 0;
  ASSERT_EQ(std::sscanf(text.c_str() + at, "  kept: %d values, %ld bytes", &values, &bytes), 2);
  EXPECT_LT(bytes, 3 * kFrames * 4);
}

}  // namespace
}  // namespace dgen::test
