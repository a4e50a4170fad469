// The spelling that code outside the repository relies on (language page, section 11).
#include <dgen/dgen.h>

#include <gtest/gtest.h>

namespace {

using dgen::Adam;
using dgen::BiquadMode;
using dgen::Reduction;
using dgen::Shape;
using dgen::Signal;
using dgen::SignalTensor;
using dgen::Tensor;

struct Spelling : testing::Test {
  void SetUp() override {
    saved = dgen::config();
    dgen::config().backend = dgen::Backend::interpreter;
  }
  void TearDown() override { dgen::config() = saved; }
  dgen::Config saved;
};

TEST_F(Spelling, Braces) {
  EXPECT_EQ(Tensor({1, 2, 3}).shape(), Shape({3}));
  EXPECT_EQ(Tensor({1.5f}).shape(), Shape({1}));
  EXPECT_EQ(Tensor({{1.0f}}).shape(), Shape({1, 1}));
  EXPECT_EQ(Tensor({{1}, {2}}).shape(), Shape({2, 1}));
  EXPECT_EQ(Tensor({{1, 2}, {3, 4}}).shape(), Shape({2, 2}));
  EXPECT_EQ(Tensor(std::vector<float>{1, 2, 3, 4}, Shape{2, 2}).shape(), Shape({2, 2}));
  EXPECT_EQ(Tensor::param(Shape{1, 4}).shape(), Shape({1, 4}));
  EXPECT_EQ(Tensor::param(Shape{1, 4}, {.seed = 3, .std = 0.5f}).shape(), Shape({1, 4}));
  EXPECT_EQ(Tensor::param({1, 4}).shape(), Shape({2}));
  EXPECT_EQ(Tensor::param({1, .5f, .25}).shape(), Shape({3}));
  EXPECT_EQ(Tensor({1, .5f, .25}).shape(), Shape({3}));
  EXPECT_EQ(Tensor::param({{1, 2}, {3, 4}}).shape(), Shape({2, 2}));
  EXPECT_TRUE(Tensor::zeros({3}, true).requires_grad());
  EXPECT_TRUE(Tensor({1, 2}, true).requires_grad());
  EXPECT_EQ(Tensor::randn({2, 3}, {.seed = 1, .std = 2}, true).size(), 6);
  EXPECT_EQ(Tensor::arange(4).realize(), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(Tensor::linspace(0, 1, 3).realize(), (std::vector<float>{0, 0.5f, 1}));
  EXPECT_EQ(Tensor::eye(2).realize(), (std::vector<float>{1, 0, 0, 1}));
}

TEST_F(Spelling, TypesByOverload) {
  Tensor t({1, 2});
  Signal s = Signal::constant(2);
  SignalTensor x = t * s;
  static_assert(std::is_same_v<decltype(t + 1.0f), Tensor>);
  static_assert(std::is_same_v<decltype(2 * s), Signal>);
  static_assert(std::is_same_v<decltype(s > 0.5), Signal>);
  static_assert(std::is_same_v<decltype(t * s), SignalTensor>);
  static_assert(std::is_same_v<decltype(s / t), SignalTensor>);
  static_assert(std::is_same_v<decltype(x + t), SignalTensor>);
  static_assert(std::is_same_v<decltype(-x), SignalTensor>);
  static_assert(std::is_same_v<decltype(x.sum()), Signal>);
  static_assert(std::is_same_v<decltype(t.sum()), Tensor>);
  static_assert(std::is_same_v<decltype(x.sum(0)), SignalTensor>);
  static_assert(std::is_same_v<decltype(t.scalar()), Signal>);
  static_assert(std::is_same_v<decltype(min(t, s)), SignalTensor>);
  static_assert(std::is_same_v<decltype(select(s, 1.0f, t)), SignalTensor>);
  static_assert(std::is_same_v<decltype(s.clamp(0, 1)), Signal>);
  static_assert(std::is_same_v<decltype(t.peek_row(s)), SignalTensor>);
  static_assert(std::is_same_v<decltype(Signal::phasor(t)), SignalTensor>);
  static_assert(std::is_same_v<decltype(Signal::phasor(s)), Signal>);
  EXPECT_TRUE(x.clock().is_static());
  EXPECT_TRUE(Signal::phasor(t).is_frame_varying());
  EXPECT_EQ(Signal::phasor(440).buffer(8, 4).clock().str(), "hop(4)");
  Signal back = x.sum();
  EXPECT_EQ(back.realize(2), (std::vector<float>{6, 6}));
}

TEST_F(Spelling, LoopOfTheReadme) {
  dgen::config().sample_rate = 44100;
  Tensor input({{1.0f}});
  Tensor weights = Tensor::param(std::vector<float>(4, 0.0f), Shape{1, 4});
  Tensor freqs({100, 200, 300, 400});
  Adam opt({weights}, {.lr = 0.05f});
  double first = 0, last = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    Tensor amps = input.matmul(weights);
    SignalTensor waves = sin(Signal::phasor(freqs) * 2.0 * M_PI) * amps.reshape({4});
    Signal output = waves.sum();
    Signal target = sin(Signal::phasor(100.0) * 2.0 * M_PI) + sin(Signal::phasor(300.0) * 2.0 * M_PI);
    last = mse(output, target).backward(256);
    if (epoch == 0) first = last;
    opt.step();
    opt.zero_grad();
  }
  EXPECT_LT(last, first);
  EXPECT_FALSE(weights.grad().has_value());
}

TEST_F(Spelling, BackwardGradAndOptimisers) {
  Signal c = Signal::param(0.5f, {.min = 0, .max = 1}).named("cutoff");
  Tensor w = Tensor::param({1, 2});
  Signal loss = (c * w).sum();
  double value = loss.backward({.frames = 128, .reduction = Reduction::sum});
  EXPECT_NEAR(value, 1.5, 1e-6);
  loss.backward(128);
  EXPECT_FLOAT_EQ(c.grad()->realize(1).at(0), 6);
  EXPECT_EQ(w.grad()->realize(), (std::vector<float>{1, 1}));
  Adam opt({c, w}, {.lr = 0.05f});
  opt.step();
  opt.zero_grad();
  EXPECT_FALSE(c.grad());
  EXPECT_NEAR(c.realize(1).at(0), 0.45f, 1e-5);
  EXPECT_EQ(c.name(), "cutoff");
}

TEST_F(Spelling, HistoryFiltersAndPrograms) {
  auto [prev, write] = Signal::history();
  Signal y = write(prev * 0.5f + Signal::click());
  EXPECT_EQ(y.realize({.frames = 3, .preserve_state = true}), (std::vector<float>{1, 0.5f, 0.25f}));
  EXPECT_EQ(y.realize({.frames = 2, .preserve_state = true}), (std::vector<float>{0.125f, 0.0625f}));
  reset_state(y);
  EXPECT_EQ(y.realize({.frames = 1, .preserve_state = true}), (std::vector<float>{1}));
  Signal c = Signal::constant(800);
  Tensor q({0.7f});
  Signal x = Signal::input(0);
  SignalTensor filtered = SignalTensor(x).biquad({.cutoff = c, .q = q, .mode = BiquadMode::bandpass});
  EXPECT_EQ(filtered.shape(), Shape({1}));
  std::vector<float> in(16, 1.0f);
  auto program = dgen::compile({x.biquad({.cutoff = c}), Signal::noise({.seed = 7}), Tensor({1, 2})});
  auto out = program.run({.frames = 16, .inputs = {in}});
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].size(), 16u);
  EXPECT_EQ(out[2], (std::vector<float>{1, 2}));
  EXPECT_FALSE(program.explain().empty());
}

TEST_F(Spelling, SpectraAndOptions) {
  Signal x = sin(Signal::phasor(440) * 6.2831853f);
  dgen::Complex c = rfft(x.buffer(64, 16) * dgen::hann(64));
  static_assert(std::is_same_v<decltype(c), dgen::Complex<SignalTensor>>);
  dgen::Complex turned = polar(1.0f, Tensor({0, .5f})), flipped = 2.0f - -turned;
  EXPECT_NEAR((flipped.re + flipped.im).realize()[1], 2 + std::cos(.5f) + std::sin(.5f), 1e-6f);
  EXPECT_EQ(Tensor({0, 1, 2}).selector(5.0f, 7.0f).realize(), (std::vector<float>{0, 5, 7}));
  auto out = irfft(c, 64).overlap_add(16);
  EXPECT_EQ(out.realize(32).size(), 32u);
  Signal loss = dgen::spectral_loss(x, 0.5f * x,
                                    {.window_size = 64,
                                     .hop = 16,
                                     .window = dgen::Window::rect,
                                     .magnitude = dgen::Magnitude::both,
                                     .distance = dgen::Distance::l1});
  EXPECT_EQ(loss.clock().period, 16);
  Tensor spectrum = Tensor({1, 0, 0, 0, 0, 0, 0, 0}).fft().re;
  EXPECT_EQ(spectrum.realize(), std::vector<float>(8, 1.0f));
  Signal row = Tensor({{0, 1}, {2, 3}}).peek_row(Signal::constant(0.5f), {.edge = dgen::Edge::clamp}).sum();
  EXPECT_EQ(row.realize(1), (std::vector<float>{3}));
}

TEST_F(Spelling, TrainingStep) {
  Signal a = Signal::param(0.2f);
  Signal loss = mse(a * Signal::phasor(100), 0.7f * Signal::phasor(100));
  Adam opt({a}, {.lr = 0.05f});
  auto step = dgen::compile_training(loss, opt, {.frames = 64});
  double first = step.run(), last = first;
  for (int i = 0; i < 20; ++i) last = step.run();
  EXPECT_LT(last, 0.2 * first);
  EXPECT_EQ(opt.steps(), 21);
}

}  // namespace
