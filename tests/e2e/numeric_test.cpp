// The numeric cases every backend must meet (language page, section 10).
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include <functional>

#include "driver/driver.h"
#include "support/backends.h"
#include "support/serial_error.h"

namespace {

using namespace dgen;

class Numeric : public test::EachBackend {};
INSTANTIATE_TEST_SUITE_P(Backends, Numeric, testing::ValuesIn(test::backends()), test::backend_test);

using Values = std::vector<double>;

void expect_values(const std::vector<float>& got, const Values& want, double relative = 1e-5, double absolute = 1e-6) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(static_cast<double>(got[i]), want[i], std::abs(want[i]) * relative + absolute) << "at " << i;
}

void expect_gradient(double got, double want) { EXPECT_NEAR(got, want, std::abs(want) * 1e-4 + 1e-9); }

template <class T>
double gradient(const T& x) {
  return static_cast<double>(x.grad()->realize(1).at(0));
}

TEST_P(Numeric, TensorArithmetic) { expect_values(((Tensor({1, 2, 3, 4}) + Tensor({4, 5, 6, 7})) * 2.0f).relu().sum().realize(), {64}); }

TEST_P(Numeric, Phasor) {
  config().sample_rate = 1000;
  expect_values(Signal::phasor(100).realize(4), {0, .1, .2, .3});
  Signal f = Signal::param(100);
  Signal ramp = Signal::phasor(f, {.reset = frame_index() == 2.0f});
  expect_values(ramp.realize(6), {0, .1, .2, 0, .1, .2});
  EXPECT_NEAR(ramp.backward({.frames = 6, .reduction = Reduction::sum}), .6, 1e-5);
  expect_gradient(gradient(f), .006);
}

TEST_P(Numeric, AccumHistorySelect) {
  expect_values(Signal::accum(.1f).realize(4), {0, .1, .2, .3});
  auto [prev, write] = Signal::history();
  expect_values(write(prev + 1.0f).realize(5), {1, 2, 3, 4, 5});
  expect_values(select(Tensor({1, 0, -1}), Tensor({100, 100, 100}), Tensor({0, -50, -50})).realize(), {100, -50, -50});
  Signal x = Signal::param(0);
  select(x > 0.0f, log(x), 0.0f).backward(1);
  EXPECT_EQ(gradient(x), 0);
}

// More arrays in one kernel than a CUDA launch passes.
TEST_P(Numeric, ManyParams) {
  std::vector<Signal> params;
  Signal sum = frame_index();
  double all = 0;
  for (int i = 0; i < 420; ++i) {
    params.push_back(Signal::param(static_cast<float>(i % 7)));
    sum = sum + params.back() * params.back();
    all += (i % 7) * (i % 7);
  }
  expect_values(sum.realize(3), {all, all + 1, all + 2});
  EXPECT_EQ(sum.backward(4), all + 1.5);
  for (int i = 0; i < 420; i += 37) EXPECT_EQ(gradient(params[static_cast<size_t>(i)]), 2 * (i % 7));
}

TEST_P(Numeric, Buffer) {
  expect_values(frame_index().buffer(4).sum().realize(8), {0, 1, 3, 6, 10, 14, 18, 22});
  expect_values((frame_index().buffer(4) * Tensor({1, 10, 100, 1000})).sum().realize(6), {0, 1000, 2100, 3210, 4321, 5432});
}

TEST_P(Numeric, OverlapAdd) {
  expect_values(Tensor::ones({8}).overlap_add(4).realize(8), {1, 1, 1, 1, 2, 2, 2, 2});
  Signal one = Signal::constant(1);
  expect_values(one.buffer(8, 4).overlap_add(4).realize(12), {0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2});
  std::vector<float> steady = (one.buffer(16, 4) * hann(16)).overlap_add(4).realize(64);
  expect_values({steady.begin() + 32, steady.end()}, Values(32, 2.0));
}

TEST_P(Numeric, FourierResynthesis) {
  const int size = 1024, hop = 256, frames = 3000;
  Signal x = sin(Signal::phasor(441) * (2 * static_cast<float>(M_PI)));
  std::vector<float> y = irfft(rfft(x.buffer(size, hop)), size).overlap_add(hop).realize(frames);
  std::vector<float> in = x.realize(frames);
  for (int n = size - 1; n < frames; ++n)
    ASSERT_NEAR(y[static_cast<size_t>(n)], 4 * in[static_cast<size_t>(n - size + 1)], 2e-5) << "at " << n;
}

TEST_P(Numeric, FourierOfEight) {
  auto impulse = fft(Tensor({1, 0, 0, 0, 0, 0, 0, 0}));
  expect_values(impulse.re.realize(), Values(8, 1.0));
  expect_values(impulse.im.realize(), Values(8, 0.0));
  expect_values(rfft(Tensor::ones({8})).re.realize(), {8, 0, 0, 0, 0});
  Tensor cosine = cos(Tensor::arange(8) * static_cast<float>(M_PI / 4));
  expect_values(fft(cosine).magnitude().realize(), {0, 4, 0, 0, 0, 0, 0, 4}, 1e-5, 1e-5);
  Tensor x({3, 1, 4, 1, 5, 9, 2, 6});
  expect_values((fft(x).power().sum() / 8.0f).realize(), {173});
  expect_values(ifft(fft(x)).re.realize(), {3, 1, 4, 1, 5, 9, 2, 6});
}

TEST_P(Numeric, Delay) {
  Values whole(16, 0), half(16, 0);
  for (int n = 11; n < 16; ++n) whole[static_cast<size_t>(n)] = n - 10, half[static_cast<size_t>(n)] = n - 10.5;
  expect_values(frame_index().delay(10).realize(16), whole);
  expect_values(frame_index().delay(10.5).realize(16), half);
  Signal time = Signal::param(10.25f);
  Signal y = frame_index().delay(time, 20);
  (y * y).backward({.frames = 32, .reduction = Reduction::sum});
  expect_gradient(gradient(time), -451.5);
}

struct Impulse {
  BiquadMode mode;
  float gain_db;
  Values values;
};

TEST_P(Numeric, Biquad) {
  const Impulse cases[] = {
      {BiquadMode::lowpass, 0, {.004603994, .01749101, .03230817, .04382637}},
      {BiquadMode::highpass, 0, {.9041514, -.1816487, -.1618054, -.1426034}},
      {BiquadMode::bandpass, 0, {.09124459, .1641577, .1294972, .09877706}},
      {BiquadMode::notch, 0, {.9087554, -.1641577, -.1294972, -.09877706}},
      {BiquadMode::allpass, 0, {.8175108, -.3283154, -.2589944, -.1975541}},
      {BiquadMode::lowshelf, 6, {1.035477, .07154074, .07214606, .07170122}},
      {BiquadMode::peaking, 6, {1.06605, .1220841, .1023204, .08324404}},
  };
  for (const Impulse& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.mode));
    expect_values(Signal::click().biquad({.cutoff = 1000, .q = .7071f, .mode = c.mode, .gain_db = c.gain_db}).realize(4), c.values);
  }
  Signal rising = 1000.0f * (frame_index() + 1.0f);
  expect_values(Signal::click().biquad({.cutoff = rising}).realize(6), {.004603994, .01749101, .02884486, .0289088, .01946832, .007211175});
}

TEST_P(Numeric, HighshelfMirrorsLowshelf) {
  // A high shelf of g dB is a gain of g dB times a low shelf of -g dB.
  Signal high = Signal::click().biquad({.mode = BiquadMode::highshelf, .gain_db = 6});
  Signal low = Signal::click().biquad({.mode = BiquadMode::lowshelf, .gain_db = -6}) * std::pow(10.0f, 0.3f);
  std::vector<float> want = low.realize(32);
  expect_values(high.realize(32), Values(want.begin(), want.end()), 1e-4, 1e-5);
}

TEST_P(Numeric, Convolution2d) {
  Tensor x(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});
  expect_values(x.conv2d(Tensor::full({2, 2}, .25f)).realize(), {3, 4, 6, 7});
  std::vector<float> impulse(25, 0);
  impulse[12] = 1;
  Tensor laplacian({{0, 1, 0}, {1, -4, 1}, {0, 1, 0}});
  expect_values(Tensor(impulse, Shape{5, 5}).conv2d(laplacian).realize(), {0, 1, 0, 1, -4, 1, 0, 1, 0});
  expect_values(x.windows(2).realize(), {1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9});
}

// A membrane whose stencil has zeros, which kernels leave out, and then has none, without being compiled anew.
TEST_P(Numeric, StencilsMayLoseTheirZeros) {
  constexpr int rows = 3, columns = 20, frames = 12;
  std::vector<float> where(rows * columns, 0), force(frames, 0);
  where[25] = 1, where[7] = -0.5f, force[0] = 1, force[3] = 0.25f;
  const auto exact = [&](const std::vector<float>& k) {
    Values out, u(where.size(), 0);
    for (int t = 0; t < frames; ++t) {
      Values next(u.size());
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) {
          double sum = 0;
          for (int a = std::max(0, 1 - i); a < std::min(3, rows + 1 - i); ++a)
            for (int b = std::max(0, 1 - j); b < std::min(3, columns + 1 - j); ++b)
              sum += static_cast<double>(k[static_cast<size_t>(a * 3 + b)]) * u[static_cast<size_t>((i + a - 1) * columns + j + b - 1)];
          const auto at = static_cast<size_t>(i * columns + j);
          next[at] = 0.3 * sum + static_cast<double>(force[static_cast<size_t>(t)] * where[at]);
        }
      u = next;
      out.insert(out.end(), u.begin(), u.end());
    }
    return out;
  };
  const std::vector<float> sparse{0, 1, 0, -0.5f, 0.25f, 1, 0, 2, 0}, full{0.5f, 1, -1, -0.5f, 0.25f, 1, 0, 2, 0.125f};
  const Tensor kernel(sparse, Shape{3, 3});
  auto [u, write] = SignalTensor::history(Shape{rows, columns});
  const SignalTensor bent = u.conv2d(kernel, {.padding = 1});
  Program program = compile(write(0.3f * bent + Signal::input(0) * Tensor(where, Shape{rows, columns})));
  const RunOptions options{.frames = frames, .inputs = {force}};
  expect_values(program.run(options)[0], exact(sparse));
  const int64_t compiles = driver::compile_requests();
  kernel.assign(full);
  expect_values(program.run(options)[0], exact(full));
  kernel.assign(sparse);
  expect_values(program.run(options)[0], exact(sparse));
  EXPECT_EQ(driver::compile_requests(), compiles);
}

// Two kernels of one loop, of which one loses its zeros; a kernel of nothing but zeros; gradients.
TEST_P(Numeric, ZerosOfSeveralKernels) {
  const Tensor a({0, 2, 0}), b({1, 0, -1}), none({0, 0, 0});
  const SignalTensor x = SignalTensor::input(0, Shape{18});
  std::vector<float> in(2 * 18);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 7) - 2.5f;
  Program program = compile(x.conv1d(a) + x.conv1d(b) + x.conv1d(none));
  const auto exact = [&](std::array<double, 3> ka, std::array<double, 3> kb) {
    Values out;
    for (size_t t = 0; t < 2; ++t)
      for (size_t i = 0; i < 16; ++i) {
        double sum = 0;
        for (size_t k = 0; k < 3; ++k) sum += (ka[k] + kb[k]) * static_cast<double>(in[t * 18 + i + k]);
        out.push_back(sum);
      }
    return out;
  };
  expect_values(program.run({.frames = 2, .inputs = {in}})[0], exact({0, 2, 0}, {1, 0, -1}));
  b.assign({1, 3, -1});
  expect_values(program.run({.frames = 2, .inputs = {in}})[0], exact({0, 2, 0}, {1, 3, -1}));
  const Tensor gain = Tensor::param({1.0f});
  ((gain * x).conv1d(a) * x.conv1d(none) + (gain * x).conv1d(a)).sum().backward({.frames = 1, .inputs = {in}});
  double sum = 0;
  for (size_t i = 1; i < 17; ++i) sum += 2 * static_cast<double>(in[i]);
  expect_gradient(gradient(gain), sum);
}

// What a constant holds is no part of what makes graphs equal: another kernel goes on with the state of the first.
TEST_P(Numeric, KernelsAreNoPartOfAProgram) {
  const auto ringing = [](const Tensor& kernel) {
    auto [u, write] = SignalTensor::history(Shape{16});
    return write(0.5f * u.conv1d(kernel, {.padding = 1}) + Signal::input(0));
  };
  const std::vector<float> click{1, 0, 0}, silence{0, 0, 0};
  const RealizeOptions options{.frames = 3, .preserve_state = true};
  const auto run = [&](const Tensor& kernel, const std::vector<float>& in) {
    RealizeOptions o = options;
    o.inputs = {in};
    return ringing(kernel).realize(o);
  };
  reset_state(ringing(Tensor({0, 1, 0})));
  const std::vector<float> first = run(Tensor({0, 1, 0}), click), second = run(Tensor({1, 1, 0}), silence);
  EXPECT_NEAR(static_cast<double>(first.back()), 0.25, 1e-6);
  EXPECT_NEAR(static_cast<double>(second[15]), 0.25, 1e-6);  // half of what was there and of its neighbour
}

// Windows and bins that are no multiple of what is turned into vectors at a time.
TEST_P(Numeric, SpectraOfManyHops) {
  constexpr int size = 200, hop = 50, ticks = 37, bins = size / 2 + 1;
  std::vector<float> in(hop * (ticks - 1) + 1);
  for (size_t i = 0; i < in.size(); ++i) in[i] = std::sin(0.0021f * static_cast<float>(i * i % 3000));
  Program program = compile(stft(Signal::input(0), {.size = size, .hop = hop}).magnitude());
  const std::vector<float> got = program.run({.frames = static_cast<int>(in.size()), .inputs = {in}, .per_tick = true})[0];
  ASSERT_EQ(got.size(), static_cast<size_t>(ticks * bins));
  for (int t = 0; t < ticks; ++t)
    for (int k = 0; k < bins; ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < size; ++i) {
        const int n = t * hop - size + 1 + i;
        const double turns = static_cast<double>(i) / size, x = n < 0 ? 0 : static_cast<double>(in[static_cast<size_t>(n)]);
        sum += x * (0.5 - 0.5 * std::cos(2 * std::numbers::pi * turns)) * std::polar(1.0, -2 * std::numbers::pi * k * turns);
      }
      ASSERT_NEAR(static_cast<double>(got[static_cast<size_t>(t * bins + k)]), std::abs(sum), 2e-4) << "tick " << t << ", bin " << k;
    }
}

// Nine gains of frames, more than one loop adds up, and one of a hop; what they read is a part of a wider value, too.
TEST_P(Numeric, SumsOverTimeShareALoop) {
  constexpr int frames = 1000, hop = 8;
  const SignalTensor wide = SignalTensor::input(0, Shape{2});
  std::vector<float> in(2 * frames), slow(frames / hop);
  for (size_t i = 0; i < in.size(); ++i) in[i] = std::sin(0.37f * static_cast<float>(i));
  for (size_t i = 0; i < slow.size(); ++i) slow[i] = std::cos(0.21f * static_cast<float>(i));
  const Signal d = (wide[0] - wide[1]).scalar(), s = SignalTensor::input(1, Shape{1}, {.hop = hop})[0].scalar();
  std::vector<Signal> gains;
  Signal y = Signal::constant(0), power = d;
  for (int k = 0; k < 9; ++k, power = power * d) {
    gains.push_back(Signal::param(0.1f * static_cast<float>(k + 1)));
    y = y + gains.back() * power;
  }
  const Signal slow_gain = Signal::param(0.5f);
  y.backward({.frames = frames, .inputs = {in, slow}});
  (slow_gain * s * s).backward({.frames = frames, .inputs = {in, slow}});
  for (size_t k = 0; k < gains.size(); ++k) {
    double mean = 0;
    for (size_t t = 0; t < frames; ++t)
      mean += std::pow(static_cast<double>(in[2 * t] - in[2 * t + 1]), static_cast<double>(k + 1)) / frames;
    EXPECT_NEAR(gradient(gains[k]), mean, 1e-5) << "power " << k + 1;
  }
  double mean = 0;
  for (float v : slow) mean += static_cast<double>(v * v) / static_cast<double>(slow.size());
  expect_gradient(gradient(slow_gain), mean);
}

TEST_P(Numeric, ConvolutionOfChannels) {
  Tensor x(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 4});
  Tensor k(std::vector<float>{1, 0, 0, 1, 1, 1, 1, 1}, {2, 2, 2});
  expect_values(conv1d(x, k).realize(), {7, 9, 11, 14, 18, 22});
  expect_values(conv1d(Tensor({1, 2, 3, 4, 5}), Tensor({1, -1}), {.stride = 2, .padding = 1}).realize(), {-1, -1, -1});
  expect_values(conv1d(Tensor({1, 2, 3, 4, 5}), Tensor({1, 1}), {.dilation = 3}).realize(), {5, 7});
}

// A bias and an activation are part of a product over ticks: sizes that leave parts of tiles, and k in two blocks.
TEST_P(Numeric, LinearLayers) {
  struct Activation {
    const char* name;
    SignalTensor (*of)(const SignalTensor&);
    double (*exact)(double);
  };
  const Activation activations[] = {
      {"none", [](const SignalTensor& x) { return x * 1.0f; }, [](double x) { return x; }},
      {"tanh", [](const SignalTensor& x) { return tanh(x); }, [](double x) { return std::tanh(x); }},
      {"sigmoid", [](const SignalTensor& x) { return sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"relu", [](const SignalTensor& x) { return relu(x); }, [](double x) { return x <= 0 ? 0.0 : x; }}};
  const int sizes[][4] = {{2, 300, 1, 3}, {1, 70, 5, 2}, {3, 40, 48, 1}, {5, 260, 101, 3}, {5, 260, 101, 0}};
  for (auto [rows, k, n, which] : sizes) {
    const Activation& activation = activations[which];
    SCOPED_TRACE(std::string(activation.name) + " of " + std::to_string(rows) + " x " + std::to_string(k) + " x " + std::to_string(n));
    auto numbers = [](int count, float step) {
      std::vector<float> x(static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) x[static_cast<size_t>(i)] = std::sin(step * static_cast<float>(i + 1));
      return x;
    };
    const int frames = 7;
    const std::vector<float> w = numbers(k * n, 0.7f), b = numbers(n, 1.3f), x = numbers(frames * rows * k, 0.37f);
    const SignalTensor in = SignalTensor::input(0, Shape{rows, k});
    Program program = compile(activation.of(in.matmul(Tensor(w, Shape{k, n})) + Tensor(b)));
    const std::vector<float> y = program.run({.frames = frames, .inputs = {x}})[0];
    double worst = 0;
    for (int i = 0; i < frames * rows; ++i)
      for (int j = 0; j < n; ++j) {
        double sum = static_cast<double>(b[static_cast<size_t>(j)]);
        for (int p = 0; p < k; ++p)
          sum += static_cast<double>(x[static_cast<size_t>(i * k + p)]) * static_cast<double>(w[static_cast<size_t>(p * n + j)]);
        worst = std::max(worst, std::abs(static_cast<double>(y[static_cast<size_t>(i * n + j)]) - activation.exact(sum)));
      }
    EXPECT_LE(worst, 2e-5);
  }
  if (GetParam() != Backend::cpu) return;
  const SignalTensor in = SignalTensor::input(0, Shape{4}), y = in.matmul(Tensor::full({4, 3}, 0.5f)) + Tensor::full({3}, 2.0f);
  EXPECT_NE(compile(tanh(y).sum()).explain().find("with what follows it"), std::string::npos);
  // Two readers of the sum, and two of relu's test.
  EXPECT_NE(compile((tanh(y) * y).sum()).explain().find("with what follows it"), std::string::npos);
  EXPECT_EQ(compile((in.matmul(Tensor::full({4, 3}, 0.5f)) * 2.0f).sum()).explain().find("with what follows it"), std::string::npos);
  const SignalTensor test = y <= 0.0f;
  Program program = compile({select(test, 0.0f, y).sum(), test.sum()});
  EXPECT_EQ(program.run({.frames = 1, .inputs = {std::vector<float>{-9, 1, 1, 1}}}), (std::vector<std::vector<float>>{{0}, {3}}));
}

// Sums do not begin with the bias, at whose size every term would be rounded.
TEST_P(Numeric, LargeBias) {
  const SignalTensor y = SignalTensor::input(0, Shape{200}).matmul(Tensor::full({200, 2}, 1)) + Tensor({1e8f, 1e9f});
  EXPECT_EQ(y.realize({.frames = 1, .inputs = {std::vector<float>(200, 1)}}), (std::vector<float>{1e8f + 200.0f, 1e9f + 200.0f}));
}

TEST_P(Numeric, SoftmaxCumsumGather) {
  expect_values(Tensor({1000, 1001, 1002}).softmax().realize(), {.09003057, .2447285, .6652410});
  expect_values(exp(Tensor({1000, 1001, 1002}).log_softmax()).realize(), {.09003057, .2447285, .6652410});
  expect_values(Tensor({1000, 1001, 1002}).logsumexp().realize(), {1002.407606});
  expect_values(Tensor({1, 2, 3, 4, 5}).cumsum().realize(), {1, 3, 6, 10, 15});
  expect_values(Tensor({10, 20, 30}).gather(Tensor({-2, 0, 2, 99})).realize(), {10, 10, 30, 30});
  expect_values(Tensor({1, 2, 3, 4}).var().realize(), {1.25});
  expect_values(Tensor({3, 4}).norm().realize(), {5});
}

TEST_P(Numeric, PeekRow) {
  Tensor rows(std::vector<float>{0, 0, 0, 2, 4, 6, 10, 20, 30, 0, 0, 0}, {4, 3});
  expect_values(rows.peek_row(1.5f).realize(), {6, 12, 18});
  for (int i = 0; i < 3; ++i) {
    Signal at = Signal::param(1.5f);
    rows.peek_row(at)[i].backward(1);
    expect_gradient(gradient(at), (Values{8, 16, 24})[static_cast<size_t>(i)]);
  }
  expect_values(rows.peek_row(Tensor({-1, 2.5f})).realize(), {0, 0, 0, 5, 10, 15});
  expect_values(rows.peek_row(2.5f, {.edge = Edge::clamp}).realize(), {5, 10, 15});
  expect_values(rows.peek(1.5f, 1).realize(), {12});
}

TEST_P(Numeric, Decay) {
  Signal r = Signal::param(.8f);
  auto [prev, write] = Signal::history();
  Signal y = write(r * prev + Signal::click());
  EXPECT_NEAR((y * y).backward({.frames = 64, .reduction = Reduction::sum}), 2.7777778, 1e-5);
  expect_gradient(gradient(r), 12.345679);
  r.zero_grad();
  EXPECT_NEAR((y * y).backward(64), .0434027778, 1e-7);
  expect_gradient(gradient(r), .1929012346);
}

TEST_P(Numeric, SpectralLossOfADelta) {
  Signal delta = frame_index() == 10.0f;
  Signal loss = spectral_loss(delta, Signal::constant(0), {.window_size = 64, .hop = 1, .window = Window::rect, .normalize = false});
  std::vector<float> got = loss.realize(90);
  Values want(90, 0);
  std::fill(want.begin() + 10, want.begin() + 74, 33);
  expect_values(got, want);
}

TEST_P(Numeric, SpectralLossGradient) {
  config().sample_rate = 2000;
  Signal wave = sin(Signal::phasor(200) * (2 * static_cast<float>(M_PI)));
  auto check = [&](const SpectralLossOptions& options, double value, double slope) {
    Signal amp = Signal::param(.75f);
    // Where there is hardly anything, transforms of floats are 1e-6 wrong, and log_eps is 1e-3.
    EXPECT_NEAR(spectral_loss(amp * wave, 0.5f * wave, options).backward(256), value, value * 3e-5 + 1e-6);
    expect_gradient(gradient(amp), slope);
  };
  check({.window_size = 64, .hop = 16}, .6166937, 4.933549);
  check({.window_size = 64, .hop = 16, .magnitude = Magnitude::both, .distance = Distance::l1}, .5180353, 1.900114);
}

TEST_P(Numeric, LearnsHarmonics) {
  config().sample_rate = 44100;
  Tensor weights = Tensor::param(std::vector<float>(4, 0.0f), Shape{1, 4});
  Adam opt({weights}, {.lr = 0.05f});
  const float turn = 2 * static_cast<float>(M_PI);
  SignalTensor waves = sin(Signal::phasor(Tensor({100, 200, 300, 400})) * turn) * Tensor({{1.0f}}).matmul(weights).reshape({4});
  Signal target = sin(Signal::phasor(100) * turn) + sin(Signal::phasor(300) * turn);
  auto step = compile_training(mse(waves.sum(), target), opt, {.frames = 1024});
  for (int i = 0; i < 100; ++i) step.run();
  expect_values(weights.realize(), {1, 0, 1, 0}, 0, .05);
}

TEST_P(Numeric, LearnsOnepole) {
  Signal c = Signal::param(.5f), x = Signal::phasor(440);
  Adam opt({c}, {.lr = 0.05f});
  for (int i = 0; i < 100; ++i) {
    mse(x.onepole(c), x.onepole(.2f)).backward(256);
    opt.step();
    opt.zero_grad();
  }
  EXPECT_NEAR(c.realize(1)[0], .2, .01);
}

TEST_P(Numeric, LearnsFrequency) {
  config().sample_rate = 2000;
  const float turn = 2 * static_cast<float>(M_PI);
  for (float start : {180.0f, 220.0f, 280.0f}) {
    Signal f = Signal::param(start);
    Adam opt({f}, {.lr = 1});
    Signal loss = spectral_loss(sin(Signal::phasor(f) * turn), sin(Signal::phasor(200) * turn), {.window_size = 64, .hop = 16});
    auto step = compile_training(loss, opt, {.frames = 128});
    for (int i = 0; i < 200; ++i) step.run();
    EXPECT_NEAR(f.realize(1)[0], 200, 1);
  }
}

// One patch, whole and in blocks. The chunked form of a recurrence may differ from the serial one, which blocks below 16
// take, by 4 times the error of the serial form itself.
void expect_block_invariant(const Value& y) {
  const int frames = 256;
  const double bound = 4 * test::serial_error(y, frames);
  for (bool exact : {false, true}) {
    std::vector<float> whole = y.realize({.frames = frames, .exact_blocks = exact});
    auto program = compile(y, {.exact_blocks = exact});
    for (int block : {1, 2, 4, 8, 16, 128}) {
      SCOPED_TRACE("block " + std::to_string(block) + (exact ? ", exact" : ""));
      std::vector<float> got;
      program.reset();
      for (int n = 0; n < frames; n += block) {
        auto part = program.run({.frames = block, .preserve_state = true})[0];
        got.insert(got.end(), part.begin(), part.end());
      }
      if (exact || block % 16 == 0) {
        ASSERT_EQ(got, whole);
        continue;
      }
      for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], whole[i], bound) << "at " << i;
    }
  }
}

TEST_P(Numeric, MembraneInBlocks) {
  const int n = GetParam() == Backend::interpreter ? 12 : 64;
  auto [u1, write_u] = SignalTensor::history({n, n});
  auto [u2, write_u2] = SignalTensor::history({n, n});
  Tensor laplacian({{0, 1, 0}, {1, -4, 1}, {0, 1, 0}});
  std::vector<float> strike(static_cast<size_t>(n * n), 0);
  strike[static_cast<size_t>(n * n / 3)] = 1;
  SignalTensor force = Signal::click() * Tensor(strike, Shape{n, n});
  SignalTensor u = (2.0f * u1 - u2 + 0.2f * u1.conv2d(laplacian, {.padding = 1})) * 0.999f + force;
  write_u2(u1);
  write_u(u);
  expect_block_invariant(u.sum(1).sum());
}

// What windows read is put together in rows that lie apart from each other: pads of unequal sides, a plane that is closed.
TEST_P(Numeric, RowsThatLieApart) {
  const auto run = [](Backend backend, const Shape& shape, const std::function<SignalTensor(const SignalTensor&)>& widened) {
    config().backend = backend;
    std::vector<float> in(static_cast<size_t>(3 * shape.size()));
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 13) - 5.5f;
    auto [u, write] = SignalTensor::history(shape);
    const Tensor kernel({{.25f, -.5f, .125f}, {.5f, -.25f, .375f}, {-.125f, .75f, .0625f}});
    Program program = compile(write(widened(u).conv2d(kernel) * 0.5f + SignalTensor::input(0, shape)));
    return program.run({.frames = 3, .inputs = {in}})[0];
  };
  const auto expect_as_interpreted = [&](const Shape& shape, const std::function<SignalTensor(const SignalTensor&)>& widened) {
    const std::vector<float> exact = run(Backend::interpreter, shape, widened), values = run(GetParam(), shape, widened);
    SCOPED_TRACE(shape.str());
    expect_values(values, Values(exact.begin(), exact.end()));
  };
  expect_as_interpreted({5, 19}, [](const SignalTensor& u) { return u.pad({{2, 0}, {0, 2}}); });
  expect_as_interpreted({5, 33}, [](const SignalTensor& u) { return u.pad({{0, 2}, {2, 0}}); });
  expect_as_interpreted({6, 64}, [](const SignalTensor& u) {
    const SignalTensor closed = concat({u.shrink({{0, 6}, {63, 64}}), u, u.shrink({{0, 6}, {0, 1}})}, 1);
    return closed.pad({{1, 1}, {0, 0}});
  });
}

// Two fields, one a tick behind the other: in runs of odd and even lengths, as interpreted and with the bits of one run. In some the
// older one is read elsewhere, too, by other elements or by a third field.
TEST_P(Numeric, FieldsThatTradeMemory) {
  using Field = SignalTensor;
  using Bend = std::function<Field(const Field& now, const Field& before)>;
  using Pick = std::function<Field(const Field& next, const Field& now, const Field& before)>;
  constexpr int frames = 9;
  const auto run = [](Backend backend, const Shape& shape, const Bend& bend, const Pick& pick, const std::vector<int>& blocks) {
    config().backend = backend;
    std::vector<float> start(static_cast<size_t>(shape.size())), in(start.size() * frames), values;
    for (size_t i = 0; i < start.size(); ++i) start[i] = static_cast<float>(i % 11) - 4.5f;
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 13) - 5.5f;
    auto [now, write_now] = Field::history(shape, {.init = Tensor(start, shape)});
    auto [before, write_before] = Field::history(shape);
    const Field next = write_now(bend(now, before) + 0.1f * Field::input(0, shape));
    write_before(now);
    Program program = compile(pick(next, now, before));
    size_t from = 0;
    for (int n : blocks) {
      const auto size = start.size() * static_cast<size_t>(n);
      const std::vector<float> part(in.begin() + static_cast<std::ptrdiff_t>(from), in.begin() + static_cast<std::ptrdiff_t>(from + size));
      const std::vector<float> got = program.run({.frames = n, .inputs = {part}, .preserve_state = true})[0];
      values.insert(values.end(), got.begin(), got.end());
      from += size;
    }
    return values;
  };
  const Tensor small({{0, 1, 0}, {1, -3, .5f}, {0, 1, 0}}), full({{.25f, .5f, .25f}, {.5f, -2, .75f}, {.25f, 0, .125f}});
  const auto bend = [](const Tensor& kernel, int around, float value) {
    return [=](const Field& now, const Field& before) {
      return 0.9f * now - 0.5f * before + 0.1f * now.pad({{around, around}, {around, around}}, value).conv2d(kernel);
    };
  };
  const std::vector<std::pair<Shape, Bend>> bends{{{64, 32}, bend(small, 1, 0)},
                                                  {{22, 96}, bend(full, 1, 0.5f)},
                                                  {{13, 160}, bend(small, 1, -1)},
                                                  {{64, 32}, bend(Tensor::full({5, 5}, .04f), 2, 0)},
                                                  {{48, 48}, [](const Field& now, const Field& before) {
                                                     return 0.5f * now.flip({1}) - 0.25f * before;
                                                   }}};
  const std::vector<Pick> picks{[](const Field& next, const Field&, const Field&) { return next; },
                                [](const Field&, const Field& now, const Field& before) { return now - before; },
                                [](const Field& next, const Field&, const Field& before) { return next[1] + before.flip({0})[1]; },
                                [](const Field& next, const Field&, const Field& before) {
                                  auto [oldest, write_oldest] = Field::history(next.shape());
                                  write_oldest(before);
                                  return next[1][7] - oldest[0][3];
                                }};
  for (auto& [shape, bent] : bends)
    for (size_t p = 0; p < picks.size(); ++p) {
      SCOPED_TRACE(shape.str() + ", pick " + std::to_string(p));
      const std::vector<float> exact = run(Backend::interpreter, shape, bent, picks[p], {frames});
      const std::vector<float> whole = run(GetParam(), shape, bent, picks[p], {frames});
      expect_values(whole, Values(exact.begin(), exact.end()));
      EXPECT_EQ(run(GetParam(), shape, bent, picks[p], {3, 1, 2, 3}), whole);
    }
}

TEST_P(Numeric, FeedbackInBlocks) {
  auto [prev, write] = SignalTensor::history({4});
  Signal x = sin(Signal::phasor(331) * 6.2831853f).biquad({.cutoff = 800});
  SignalTensor y = write(tanh(x + 0.5f * prev * Tensor({.1f, .2f, .3f, .4f})));
  auto [mean, write_mean] = Signal::history();
  Signal out = write_mean(0.9f * mean + 0.1f * y.sum());
  expect_block_invariant(out);
}

}  // namespace
