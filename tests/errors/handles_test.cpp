// Exact texts of what a user can do wrong with handles.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace dgen;

template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

struct Handles : testing::Test {
  void SetUp() override {
    saved = config();
    config().backend = Backend::interpreter;
  }
  void TearDown() override { config() = saved; }
  Config saved;
  std::string text;
};

// The line this is used on, as messages give it.
#define AT_LINE(n) (" at handles_test.cpp:" + std::to_string(n))

TEST_F(Handles, ShapesInOperators) {
  Tensor a(std::vector<float>(6, 1), Shape{2, 3}), b(std::vector<float>(20, 1), Shape{4, 5});
  EXPECT_EQ(message([&] { matmul(a, b); }), "[matmul] inner sizes differ: (2,3) x (4,5)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a + b; }), "[add] shapes do not broadcast: (2,3) x (4,5)" + AT_LINE(__LINE__));
  text = message([&] { a.named("weights").matmul(b.named("x")); });
  EXPECT_EQ(text, "[matmul] inner sizes differ: (2,3) x (4,5) (weights, x)" + AT_LINE(__LINE__ - 1));
  text = message([&] { matmul(Tensor::ones({2, 2, 3}), Tensor::ones({5, 3, 2})); });
  EXPECT_EQ(text, "[matmul] batch sizes differ: (2,2,3) x (5,3,2)" + AT_LINE(__LINE__ - 1));
  EXPECT_EQ(message([&] { mse(Tensor({1, 2}), Tensor({1, 2, 3})); }), "[mse] shapes do not broadcast: (2) x (3)" + AT_LINE(__LINE__));
}

TEST_F(Handles, AxesAndViews) {
  Tensor a(std::vector<float>(6, 1), Shape{2, 3});
  EXPECT_EQ(message([&] { a.sum(2); }), "[sum] axis 2 is out of range for (2,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.softmax(-3); }), "[softmax] axis -3 is out of range for (2,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.reshape({4}); }), "[reshape] sizes differ: (2,3) to (4)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.expand({3, 3}); }), "[expand] cannot expand (2,3) to (3,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.squeeze(0); }), "[squeeze] axis 0 of (2,3) is not of size 1" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { stack({a, a.transpose()}); }), "[stack] shapes differ: (2,3) x (3,2)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a[2]; }), "[index] index 2 is out of range for (2,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.split({1, 1}, 1); }), "[split] the sizes add up to 2, the axis has 3" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { SignalTensor(a).scalar(); }), "[scalar] a value of shape (2,3) is no single value" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.shrink({{-5, 1}}); }), "[shrink] range [-5,1) does not lie in axis 0 of (2,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.transpose({0, 0}); }), "[transpose] axis 0 is given twice for (2,3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a.conv2d(Tensor::ones({3, 3})); }), "[conv2d] the kernel is larger than the input: (2,3) x (3,3)" + AT_LINE(__LINE__));
}

TEST_F(Handles, LinesOfOperators) {
  Tensor t({1, 2}), u({1, 2, 3});
  Complex<Tensor> a{t, t}, b{u, u};
  const std::string add = "[add] shapes do not broadcast: (2) x (3)", mul = "[mul] shapes do not broadcast: (2) x (3)";
  EXPECT_EQ(message([&] { t += u; }), add + AT_LINE(__LINE__));
  Tensor none;
  Complex<Tensor> nothing;
  EXPECT_EQ(message([&] { none.sum(0); }), "[sum] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { none[0]; }), "[index] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal().every(2); }), "[every] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal().last(2); }), "[last] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal::noise({}).last(0); }), "[last] size must be at least 1, got 0" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { u.split({2, -1}, 0); }), "[split] sizes must be at least 1, got -1" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal::history({.init = u}); }), "[history] cannot expand (3) to ()" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { compile({}); }), "[compile] no outputs");
  EXPECT_EQ(message([&] { hann(0); }), "[window] the size must be at least 1, got 0");
  EXPECT_EQ(message([&] { window(Window::rect, 0); }), "[window] the size must be at least 1, got 0");
  EXPECT_EQ(message([&] { stft(Signal::noise({}), {.size = 16, .hop = 4}).irfft(0); }), "[irfft] size must be at least 1, got 0" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { istft(stft(Signal::noise({}), {.size = 16, .hop = 4}), {.size = 16, .hop = 0}); }), "[istft] size and hop must be at least 1, got 16 and 0" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { loudness(Signal::noise({}), {.size = 1}); }), "[loudness] size must be at least 2, got 1" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal::noise({}).allpass_delay({.time = .5f}); }), "[allpass_delay] the time must be at least 1 sample" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal::noise({}).comb({.time = 3, .max = -1}); }), "[comb] the time must be at least 1 sample" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { clip_grad_norm({}, -1); }), "[clip_grad_norm] the largest norm must not be negative, got -1");
  EXPECT_EQ(message([&] { clip_grad_value({}, -1); }), "[clip_grad_value] the largest value must not be negative, got -1");
  EXPECT_EQ(message([&] { gru(Signal::input(0), gru_weights(1, 2)); }), "[gru] an axis of features is needed, got shape ()" + AT_LINE(__LINE__));
  text = message([&] { gru(t, lstm_weights(2, 3)); });
  EXPECT_EQ(text, "[gru] the weights do not fit 2 features and 3 gates: input (2,12), hidden (3,12), bias (12), hidden_bias (12)" + AT_LINE(__LINE__ - 1));
  EXPECT_EQ(message([&] { gru_weights(1 << 30, 2); }), "[gru_weights] sizes must be at most 1048576, got 1073741824 and 2" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { none += 1; }), "[add] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { -nothing; }), "[neg] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { conj(nothing); }), "[conj] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { nothing.magnitude(); }), "[magnitude] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { nothing.phase(); }), "[phase] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { nothing.irfft(8); }), "[irfft] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { Signal::noise({}).delay(1e30f); }), "[delay] a time of 1e+30 samples is longer than 1073741824" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { t.expand({1 << 20, 1 << 20, 1 << 12, 2}).realize(); }), "[realize] not enough memory for 9007199254740992 values; ask for fewer frames at a time");
  EXPECT_EQ(message([&] { a + b; }), add + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a + u; }), add + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a* b; }), mul + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { a* u; }), mul + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { polar(t, u); }), "[polar] shapes do not broadcast: (2) x (3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { selector(t, u, u); }), "[selector] shapes do not broadcast: (2) x (3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { gru_weights(0, 2); }), "[gru_weights] sizes must be at least 1, got 0 and 2" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { gru(t, RecurrentWeights{}); }), "[gru] an empty handle among the weights" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { attention(t, t, t); }), "[attention] rows of vectors are needed, got (2) x (2) x (2)" + AT_LINE(__LINE__));
}

TEST_F(Handles, Data) {
  EXPECT_EQ(message([] { Tensor(std::vector<float>{1, 2, 3}, Shape{2, 2}); }), "[tensor] 3 values for shape (2,2)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Tensor({{1, 2}, {3}}); }), "[tensor] rows of 2 and of 1 values" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Tensor::zeros({2, 0}); }), "[tensor] an axis of size 0 in (2,0)" + AT_LINE(__LINE__));
  text = message([] { Tensor::zeros({1 << 20, 1 << 20}); });
  EXPECT_EQ(text, "[tensor] not enough memory for shape (1048576,1048576)" + AT_LINE(__LINE__ - 1));
  text = message([] { Tensor::ones({int64_t{1} << 62, 4}); });
  EXPECT_EQ(text, "[tensor] not enough memory for shape (4611686018427387904,4)" + AT_LINE(__LINE__ - 1));
  EXPECT_EQ(message([] { Tensor::eye(-1); }), "[tensor] an axis of size -1 in (-1,-1)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Tensor({1, 2}).assign({1, 2, 3}); }), "[assign] 3 values for shape (2)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Signal::phasor(1).assign(3); }), "[assign] only a constant or a param has values of its own" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Signal() + 1.0f; }), "[add] an empty handle" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Signal().realize(); }), "[realize] an empty handle");
}

TEST_F(Handles, Histories) {
  auto [prev, write] = SignalTensor::history({3});
  text = message([&, w = write] { w(Tensor({1, 2})); });
  EXPECT_EQ(text, "[write] a value of shape (2) for a history of shape (3)" + AT_LINE(__LINE__ - 1));
  write(Tensor({1, 2, 3}));
  EXPECT_EQ(message([&, w = write] { w(Tensor({1, 2, 3})); }), "[write] a second write of one history" + AT_LINE(__LINE__));
  text = message([] { Signal::history({.init = Signal::phasor(1)}); });
  EXPECT_EQ(text, "[history] the initial value must be static, this one is at frame" + AT_LINE(__LINE__ - 1));
}

TEST_F(Handles, Signals) {
  Signal x = Signal::phasor(1);
  EXPECT_EQ(message([&] { x.biquad({.cutoff = Tensor({1, 2})}); }), "[biquad] a value of shape (2) where a Signal has one element; SignalTensor(x) takes part in banks" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { x.comb({.time = x}); }), "[comb] a time that varies needs .max" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { x.buffer(0, 4); }), "[buffer] size must be at least 1, got 0" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { x.delay(INFINITY); }), "[delay] a time of inf samples is longer than 1073741824" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { SignalTensor::noise({2, 0}); }), "[noise] an axis of size 0 in (2,0)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { SignalTensor::history({-3}); }), "[history] an axis of size -3 in (-3)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { SignalTensor::input(0, {-1}); }), "[input] an axis of size -1 in (-1)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { x.every(0); }), "[every] hop 0 is not positive" + AT_LINE(__LINE__));
  EXPECT_EQ(message([] { Signal::param(1, {.min = 2, .max = 1}); }), "[param] min 2 is not below max 1" + AT_LINE(__LINE__));
  std::string overlap = message([&] { multi_scale_spectral_loss(x, x, {.overlap = 1}); });
  EXPECT_EQ(overlap, "[multi_scale_spectral_loss] overlap must be at least 0 and below 1, got 1" + AT_LINE(__LINE__ - 1));
  text = message([&] { rfft(x.buffer(14)); });
  EXPECT_EQ(text, "[rfft] size 14 has a prime factor other than 2, 3 and 5; the nearest good size is 15" + AT_LINE(__LINE__ - 1));
}

TEST_F(Handles, Running) {
  Signal x = Signal::input(1).named("voice") + Signal::input(0);
  std::string made = " (voice)" + AT_LINE(__LINE__ - 1);
  std::vector<float> in(10, 0);
  EXPECT_EQ(message([&] { x.realize({.frames = 16, .inputs = {in}}); }), "[input] channel 1 is missing, 16 values are needed" + made);
  EXPECT_EQ(message([&] { x.realize({.frames = 16, .inputs = {in, in}}); }), "[input] channel 1 has 10 values, 16 are needed" + made);
  EXPECT_EQ(message([&] { x.realize(0); }), "[realize] frames must be at least 1, got 0");
  std::vector<float> room(3);
  EXPECT_EQ(message([&] { Signal::phasor(1).realize_into(room, {.frames = 4}); }), "[realize_into] room for 3 values, there are 4");
  Program two = compile({Signal::phasor(1), Signal::phasor(2)});
  const std::span<float> into[] = {std::span(in).first(4), room};
  EXPECT_EQ(message([&] { two.run_into({into, 1}, {.frames = 4}); }), "[run_into] room for 1 outputs, there are 2");
  EXPECT_EQ(message([&] { two.run_into(into, {.frames = 4}); }), "[run_into] output 1: room for 3 values, there are 4");
}

TEST_F(Handles, Settings) {
  auto with = [](auto set) {
    const Config before = config();
    set(config());
    const std::string text = message([] { Signal::phasor(1).realize(4); });
    config() = before;
    return text;
  };
  EXPECT_EQ(with([](Config& c) { c.threads = -3; }), "[config] threads must be at least 0, which is all, got -3");
  EXPECT_EQ(with([](Config& c) { c.threads = 100000; }), "[config] threads must be at most 1024, got 100000");
  EXPECT_EQ(with([](Config& c) { c.memory_budget = -1; }),
            "[config] memory_budget must be at least 0, which is a quarter of the memory, got -1");
  EXPECT_EQ(with([](Config& c) { c.sample_rate = 0; }), "[config] sample_rate must be a number above 0 Hz, got 0");
}

TEST_F(Handles, Training) {
  Tensor w = Tensor::param({1, 2});
  SGD opt({w});
  EXPECT_EQ(message([&] { opt.step(); }), "[step] no parameter has a gradient: call backward() first");
  EXPECT_EQ(message([&] { (w * 2.0f).backward(4); }), "[backward] a loss has one element, this one has shape (2)" + AT_LINE(__LINE__));
  EXPECT_EQ(message([&] { SGD other({Tensor({1, 2})}); }), "[optimizer] a handle that is not learnable");
  EXPECT_EQ(message([&] { compile_training(Signal::phasor(1), opt, {.frames = 4}); }),
            "[compile_training] the loss depends on no parameter of the optimiser");
  EXPECT_EQ(message([&] { Adam other({w}, {.lr = NAN}); }), "[optimizer] lr must be finite and not negative, got nan");
  EXPECT_EQ(message([&] { Adam other({w}, {.beta1 = 1}); }), "[optimizer] beta1 must be at least 0 and below 1, got 1");
  text = message([&] { spectral_loss(w, w, {.window_size = 2, .magnitude = Magnitude::log, .log_eps = 0}); });
  EXPECT_EQ(text, "[spectral_loss] log_eps must be above 0, got 0" + AT_LINE(__LINE__ - 1));
  EXPECT_EQ(message([&] { opt.set_lr(-1); }), "[optimizer] lr must be finite and not negative, got -1");
  opt.set_schedule([](int64_t) { return INFINITY; });
  (w * w).sum().backward();
  EXPECT_EQ(message([&] { opt.step(); }), "[optimizer] lr must be finite and not negative, got inf");
}

TEST_F(Handles, Checkpoints) {
  std::string path = (std::filesystem::temp_directory_path() / "dgen_handles_test.safetensors").string();
  Tensor w = Tensor::param({1, 2});
  Adam adam({w});
  SGD sgd({w}, {.lr = 0.5f}), heavy({w}, {.momentum = 0.9f});
  save(path, {{"w", w}}, adam);
  EXPECT_EQ(message([&] { load(path, {{"w", w}}, sgd); }),
            "[load] " + path + " has the state of Adam, not of SGD: load the params alone or use Adam");
  EXPECT_EQ(message([&] { load(path, {{"w", w}}); }), "no error");
  save(path, {{"w", w}}, heavy);
  EXPECT_EQ(message([&] { load(path, {{"w", w}}, sgd); }),
            "[load] " + path + " has an unknown 'optimizer.v.0': the optimiser was made with other options or params");
  EXPECT_EQ(sgd.lr(), 0.5);
  save(path, {{"w", w}});
  EXPECT_EQ(message([&] { load(path, {{"w", w}}, sgd); }),
            "[load] " + path + " was saved without an optimiser: load the params alone");
  std::filesystem::remove(path);
}

}  // namespace
