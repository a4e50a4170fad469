// Library patches against plain loops, checkpoints and optimisers against their formulas. Gradients against differences are
// in composites_coverage_test.cpp.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "support/backends.h"

namespace {

using namespace dgen;

class Library : public test::EachBackend {};
INSTANTIATE_TEST_SUITE_P(Backends, Library, testing::ValuesIn(test::backends()), test::backend_test);

using Values = std::vector<float>;

// A repeatable input without pattern.
Values wild(size_t n) {
  Values x(n);
  uint32_t seed = 1;
  for (float& v : x) seed = seed * 1664525u + 1013904223u, v = static_cast<float>(seed >> 8) / 8388608.0f - 1;
  return x;
}

void expect_near(const Values& got, const Values& want, float tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << "at " << i;
}

Values run(const Value& y, const Values& in) {
  return y.realize({.frames = static_cast<int>(in.size()), .inputs = {in}});
}

TEST_P(Library, ConvolveIsDirectConvolution) {
  Values in = wild(700);
  for (size_t taps : {5u, 300u, 500u}) {
    Values ir = wild(taps), want(in.size());
    for (size_t n = 0; n < in.size(); ++n) {
      double sum = 0;
      for (size_t k = 0; k < taps && k <= n; ++k) sum += static_cast<double>(ir[k]) * static_cast<double>(in[n - k]);
      want[n] = static_cast<float>(sum);
    }
    SCOPED_TRACE(taps);
    expect_near(run(Signal::input(0).convolve(Tensor(ir)), in), want, 2e-4f);
  }
}

TEST_P(Library, FilterHopsWithFlatMagnitudesIsADelay) {
  Values in = wild(200);
  Tensor flat = Tensor::ones({17});
  Values got = run(Signal::input(0).filter_hops(flat, {.hop = 20}), in), want(200, 0);
  // Hop 20 delays by 19 samples, 32 taps centred on 16 by 16.
  for (size_t n = 35; n < 200; ++n) want[n] = in[n - 35];
  expect_near(got, want, 1e-5f);
}

TEST_P(Library, IstftOfStftIsADelay) {
  Values in = wild(1500);
  for (int hop : {64, 128}) {
    auto y = istft(stft(Signal::input(0), {.size = 256, .hop = hop}), {.size = 256, .hop = hop});
    Values got = run(y, in), want(in.size());
    for (size_t n = 255; n < in.size(); ++n) want[n] = in[n - 255];
    expect_near({got.begin() + 600, got.end()}, {want.begin() + 600, want.end()}, 1e-5f);
  }
}

TEST_P(Library, Interpolate) {
  Signal v = (frame_index() * 1.0f).every(4) + 1.0f;  // 1 5 9 13 at hop 4
  expect_near(v.interpolate().realize(12), {1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8}, 1e-6f);
  Values hann = v.interpolate({.kind = Interpolation::hann}).realize(9);
  EXPECT_NEAR(hann[6], 3, 1e-5);
  EXPECT_NEAR(hann[5], 1 + 4 * (.5 - .5 * std::cos(M_PI / 4)), 1e-5);
}

TEST_P(Library, LatchDeltaAccum) {
  Signal trigger = mod(frame_index(), 3) == 0.0f;
  expect_near((frame_index() + 1.0f).latch(trigger).realize(7), {1, 1, 1, 4, 4, 4, 7}, 0);
  Signal n = frame_index();
  expect_near((n * n).delta().realize(4), {0, 1, 3, 5}, 0);
  expect_near((3.0f - n).change().realize(4), {1, -1, -1, -1}, 0);
  expect_near(Signal::accum(1, {.min = 2, .max = 5}).realize(6), {2, 3, 4, 2, 3, 4}, 0);
  expect_near(Signal::accum(-1, {.min = 0, .max = 3}).realize(5), {0, 2, 1, 0, 2}, 0);
  expect_near(Signal::accum(1, {.reset = n == 2.0f}).realize(6), {0, 1, 2, 0, 1, 2}, 0);
  expect_near(n.last(3).sum().realize(4), {0, 1, 3, 6}, 0);
}

TEST_P(Library, ElementwiseComposites) {
  Tensor x({-1, 0, 2});
  expect_near(x.relu().realize(), {0, 0, 2}, 0);
  expect_near(x.leaky_relu().realize(), {-.01f, 0, 2}, 1e-7f);
  expect_near(x.gelu().realize(), {-.158808f, 0, 1.954598f}, 1e-5f);
  expect_near(wrap(Tensor({-1, 4, 5.5f}), 2, 5).realize(), {2, 4, 2.5f}, 1e-6f);
  expect_near(triangle(Tensor({0, .125f, .25f, .625f}), .25f).realize(), {0, .5f, 1, .5f}, 1e-6f);
  expect_near(scale(Tensor({0, 5, 10}), 0, 10, 100, 200, {.exp = 2}).realize(), {100, 125, 200}, 1e-3f);
  expect_near(scale(Tensor({3}), 1, 1, 7, 9).realize(), {7}, 0);
  expect_near(selector(Tensor({-1, 0.5f, 1, 1.5f, 2, 3}), 10.0f, 20.0f).realize(), {0, 10, 10, 20, 20, 0}, 0);
  expect_near(Tensor({440, 880}).hz_to_midi().realize(), {69, 81}, 1e-4f);
  expect_near(Tensor({69, 81}).midi_to_hz().realize(), {440, 880}, 1e-3f);
  expect_near(Tensor({-20, 0}).db_to_amp().realize(), {.1f, 1}, 1e-6f);
  expect_near(Tensor({0, .1f, -1}).amp_to_db().realize(), {-100, -20, 0}, 1e-4f);
  expect_near(exp_sigmoid(Tensor({0, 100})).realize(), {.4053963f, 2}, 1e-5f);
  expect_near(mix(Tensor({1, 2}), Tensor({3, 4}), .25f).realize(), {1.5f, 2.5f}, 1e-6f);
}

TEST_P(Library, LevelOfASine) {
  Signal sine = sin(Signal::phasor(1000) * 6.2831853f);
  Values level = loudness(sine, {.hop = 512}).realize({.frames = 8192, .per_tick = true});
  EXPECT_NEAR(level.back(), -3.01, 0.05);
  EXPECT_NEAR(loudness(Signal::constant(0), {.hop = 512}).realize({.frames = 600, .per_tick = true}).back(), -100,
              1e-3);
  Signal low = sin(Signal::phasor(100) * 6.2831853f);  // A(100 Hz) = -19.1 dB
  EXPECT_NEAR(loudness(low, {.hop = 512}).realize({.frames = 8192, .per_tick = true}).back(), -3.01 - 19.1, 0.2);
}

TEST_P(Library, MelTrianglesTile) {
  config().sample_rate = 16000;
  SignalTensor bands = mel(Tensor::ones({257}), 20);
  EXPECT_EQ(bands.shape(), Shape({20}));
  for (float v : bands.realize(1)) EXPECT_GT(v, 0.5f);
}

TEST_P(Library, CompressorAndSvf) {
  config().sample_rate = 44100;
  Values loud(4000, 0.5f);
  Values y = run(
      Signal::input(0).compressor({.ratio = 4, .threshold_db = -20, .knee_db = 0, .attack = .005f, .release = .05f}),
      loud);
  // Level -6.02 dB, 13.98 over: 10.48 less.
  EXPECT_NEAR(20 * std::log10(y.back() / 0.5f), -10.485, 0.01);
  Values steady = run(Signal::input(0).svf({.cutoff = 500}), Values(4000, 1));
  EXPECT_NEAR(steady.back(), 1, 1e-4);
  EXPECT_NEAR(run(Signal::input(0).svf({.cutoff = 500, .mode = SvfMode::highpass}), Values(4000, 1)).back(), 0, 1e-4);
  Values soft = run(Signal::input(0).ladder({.cutoff = 2000}), Values(4000, .01f));
  EXPECT_NEAR(soft.back(), .01, 1e-4);
}

// However many vectors a tick's voices fill, and side by side or not.
TEST_P(Library, VoicesOfALadder) {
  const Values x = wild(40);
  for (int voices : {2, 7, 8, 16, 20, 24, 56, 64, 112}) {
    Values cutoff;
    for (int v = 0; v < voices; ++v) cutoff.push_back(300.0f + 50.0f * static_cast<float>(v));
    SignalTensor bank = SignalTensor(Signal::input(0)).ladder({.cutoff = Tensor(cutoff), .resonance = 0.7f});
    const Values all = bank.realize({.frames = 40, .inputs = {x}});
    for (int v : {0, voices / 2, voices - 1}) {
      const Values one = Signal::input(0)
                             .ladder({.cutoff = Signal::param(cutoff[static_cast<size_t>(v)]), .resonance = 0.7f})
                             .realize({.frames = 40, .inputs = {x}});
      for (size_t n = 0; n < one.size(); ++n)
        EXPECT_EQ(all[n * static_cast<size_t>(voices) + static_cast<size_t>(v)], one[n]) << voices << " voices, " << v << " at " << n;
    }
  }
}

// Patches whose cells belong together, side by side; only the sum is kept.
TEST_P(Library, StatefulPatchesAddUp) {
  using Make = Signal (*)(const Signal&);
  const Make makes[] = {[](const Signal& x) { return x.svf({.cutoff = 300}); },
                        [](const Signal& x) { return x.svf({.cutoff = 900, .mode = SvfMode::highpass}); },
                        [](const Signal& x) { return x.biquad({.cutoff = 500}); },
                        [](const Signal& x) { return x.ladder({.cutoff = 700}); },
                        [](const Signal& x) { return x.comb({.time = 20}); },
                        [](const Signal& x) { return x.onepole(0.1f); }};
  Signal x = Signal::phasor(110) - 0.5f;
  for (size_t i = 0; i < std::size(makes); ++i)
    for (size_t j = i; j < std::size(makes); ++j) {
      const Make first = makes[i], second = makes[j];
      Values a = first(x).realize(40), b = second(x).realize(40), both = (first(x) + second(x)).realize(40);
      for (size_t n = 0; n < both.size(); ++n) ASSERT_NEAR(both[n], a[n] + b[n], 1e-5) << n;
    }
  Signal cutoff = Signal::param(400);
  mse(x.svf({.cutoff = cutoff}), x.svf({.cutoff = 900})).backward(40);
  EXPECT_NE(cutoff.grad()->realize(1)[0], 0);
}

// Slopes where a formula's parts have none: at the start of a scale, at the longest delay.
TEST_P(Library, SlopesAtTheEndsOfRanges) {
  Signal x = Signal::param(2), time = Signal::param(7);
  EXPECT_TRUE(gradcheck(scale(x, 2.0f, 10.0f, 20.0f, 80.0f)).ok);
  for (uint64_t seed : {1, 4, 5}) {
    Gradcheck check = gradcheck(Signal::noise({.seed = seed}).delay(time, 7), {.frames = 30});
    EXPECT_TRUE(check.ok) << check.table();
  }
}

TEST_P(Library, LogSumExpOfInfinities) {
  EXPECT_EQ(logsumexp(Tensor({-INFINITY, -INFINITY})).realize(), Values{-INFINITY});
  EXPECT_EQ(logsumexp(Tensor({INFINITY, 1})).realize(), Values{INFINITY});
  EXPECT_NEAR(logsumexp(Tensor({1000, 1000})).realize()[0], 1000.6931, 1e-3);
  EXPECT_EQ(Tensor({{1, 2}, {3, 4}}).sum({0, 1}).realize(), Values{10});
}

TEST_P(Library, DelaysInFeedback) {
  Values comb = Signal::click().comb({.time = 3, .feedback = .5f}).realize(10);
  expect_near(comb, {1, 0, 0, .5f, 0, 0, .25f, 0, 0, .125f}, 1e-6f);
  Values allpass = Signal::click().allpass_delay({.time = 2, .gain = .5f}).realize(7);
  expect_near(allpass, {-.5f, 0, .75f, 0, .375f, 0, .1875f}, 1e-6f);
  Values wet = fdn(Signal::click(), {.times = {5, 7}, .decay = .01f}).realize(3000);
  float early = 0, late = 0;
  for (size_t n = 0; n < 200; ++n) early = std::max(early, std::abs(wet[n]));
  for (size_t n = 1500; n < 3000; ++n) late = std::max(late, std::abs(wet[n]));
  EXPECT_GT(early, .1f);
  EXPECT_LT(late, 1e-4f);
}

using Row = std::vector<double>;

// x w + b with w [x.size(), b.size()].
Row affine(const Row& x, const Tensor& w, const Tensor& b) {
  Values weights = w.realize(), bias = b.realize();
  Row y(bias.begin(), bias.end());
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < y.size(); ++j) y[j] += x[i] * static_cast<double>(weights[i * y.size() + j]);
  return y;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One tick of a cell: the gates of the input and of the last output, stacked, to the new output in h.
using Cell = std::function<void(const Row& a, const Row& b, Row& h)>;

Values recurrent(const Values& in, const RecurrentWeights& w, const Cell& cell) {
  auto size = static_cast<size_t>(w.input.shape()[0]);
  Row h(static_cast<size_t>(w.hidden.shape()[0]), 0);
  Values all;
  for (size_t n = 0; n < in.size(); n += size) {
    Row x(in.begin() + static_cast<int64_t>(n), in.begin() + static_cast<int64_t>(n + size));
    cell(affine(x, w.input, w.bias), affine(h, w.hidden, w.hidden_bias), h);
    for (double v : h) all.push_back(static_cast<float>(v));
  }
  return all;
}

TEST_P(Library, RecurrentCells) {
  const size_t hidden = 4;
  SignalTensor x = SignalTensor::input(0, {3});
  Values in = wild(3 * 20);
  RecurrentWeights g = gru_weights(3, hidden, 1), l = lstm_weights(3, hidden, 1);
  Cell gru_cell = [&](const Row& a, const Row& b, Row& h) {
    for (size_t i = 0; i < hidden; ++i) {
      double r = logistic(a[i] + b[i]), z = logistic(a[hidden + i] + b[hidden + i]);
      h[i] = (1 - z) * std::tanh(a[2 * hidden + i] + r * b[2 * hidden + i]) + z * h[i];
    }
  };
  expect_near(gru(x, g).realize({.frames = 20, .inputs = {in}}), recurrent(in, g, gru_cell), 2e-6f);
  Row c(hidden, 0);
  Cell lstm_cell = [&](const Row& a, const Row& b, Row& h) {
    auto gate = [&](size_t k, size_t i) { return a[k * hidden + i] + b[k * hidden + i]; };
    for (size_t i = 0; i < hidden; ++i) {
      c[i] = logistic(gate(1, i)) * c[i] + logistic(gate(0, i)) * std::tanh(gate(2, i));
      h[i] = logistic(gate(3, i)) * std::tanh(c[i]);
    }
  };
  expect_near(lstm(x, l).realize({.frames = 20, .inputs = {in}}), recurrent(in, l, lstm_cell), 2e-6f);
}

// The lines of every region that runs its ticks in order.
std::vector<std::string> serial_regions(const std::string& plan) {
  std::vector<std::string> serial;
  for (size_t at = plan.find("\nregion "); at != std::string::npos;) {
    size_t next = plan.find("\nregion ", at + 1);
    std::string region = plan.substr(at, next - at);
    if (region.find("ticks in order") != std::string::npos) serial.push_back(region);
    at = next;
  }
  return serial;
}

// gru() and the same cell from primitives: equal, and one loop each way, with the product inside.
TEST_P(Library, GruFromPrimitives) {
  const int units = 64, hop = 8, frames = 20 * hop;
  SignalTensor x = SignalTensor::input(0, {3}, {.hop = hop});
  RecurrentWeights w = gru_weights(3, units, 1);
  auto [h, write] = SignalTensor::history(Shape{units}, {.hop = hop});
  SignalTensor a = x.matmul(w.input) + w.bias, b = h.matmul(w.hidden) + w.hidden_bias;
  auto part = [](const SignalTensor& all, int i) { return all[{i * units, (i + 1) * units}]; };
  SignalTensor r = sigmoid(part(a, 0) + part(b, 0)), z = sigmoid(part(a, 1) + part(b, 1)), n = tanh(part(a, 2) + r * part(b, 2));
  SignalTensor by_hand = write((1.0f - z) * n + z * h), ready = gru(x, w);

  Values in = wild(3 * 20);
  expect_near(by_hand.realize({.frames = frames, .inputs = {in}}), ready.realize({.frames = frames, .inputs = {in}}), 1e-6f);
  std::vector<Tensor> weights = {w.input, w.hidden, w.bias, w.hidden_bias};
  SGD sgd({w.input, w.hidden, w.bias, w.hidden_bias}, {});
  auto gradients = [&](const SignalTensor& y) {
    sgd.zero_grad();
    (y * y).mean().backward({.frames = frames, .inputs = {in}, .reduction = Reduction::sum});
    std::vector<Values> all;
    for (const Tensor& t : weights) all.push_back(t.grad()->realize());
    return all;
  };
  std::vector<Values> got = gradients(by_hand), want = gradients(ready);
  for (size_t i = 0; i < weights.size(); ++i) expect_near(got[i], want[i], 2e-6f);

  if (GetParam() == Backend::interpreter) return;
  auto serial = serial_regions(compile_training((by_hand * by_hand).mean(), sgd, {.frames = frames}).explain());
  ASSERT_EQ(serial.size(), 2u);
  EXPECT_NE(serial[0].find("(forward) at hop(8)"), std::string::npos) << serial[0];
  EXPECT_NE(serial[1].find("(reverse) at hop(8)"), std::string::npos) << serial[1];
  for (auto& region : serial) EXPECT_NE(region.find("= matmul"), std::string::npos) << region;
}

// softmax(q k' / sqrt(d)) v, row by row; causal: row i sees the rows up to i.
Values plain_attention(const Values& q, const Values& k, const Values& v, size_t rows, bool causal) {
  size_t d = q.size() / rows, e = v.size() / rows;
  Values out;
  for (size_t i = 0; i < rows; ++i) {
    Row mix(e, 0);
    double total = 0;
    for (size_t j = 0; j < (causal ? i + 1 : rows); ++j) {
      double score = 0;
      for (size_t c = 0; c < d; ++c) score += static_cast<double>(q[i * d + c]) * static_cast<double>(k[j * d + c]);
      double weight = std::exp(score / std::sqrt(static_cast<double>(d)));
      total += weight;
      for (size_t c = 0; c < e; ++c) mix[c] += weight * static_cast<double>(v[j * e + c]);
    }
    for (double m : mix) out.push_back(static_cast<float>(m / total));
  }
  return out;
}

TEST_P(Library, AttentionAndLayerNorm) {
  Tensor q = Tensor::randn({5, 4}, {.seed = 1}), k = Tensor::randn({5, 4}, {.seed = 2}), v = Tensor::randn({5, 2}, {.seed = 3});
  for (bool causal : {false, true})
    expect_near(attention(q, k, v, causal).realize(), plain_attention(q.realize(), k.realize(), v.realize(), 5, causal), 2e-6f);
  // (x - mean) / sqrt(var + 1e-5), variances 2/3 and 32/3.
  expect_near(layer_norm(Tensor({{1, 2, 3}, {-4, 0, 4}})).realize(), {-1.2247357f, 0, 1.2247357f, -1.2247443f, 0, 1.2247443f}, 2e-6f);
}

// What is never written keeps its initial value, and every tick's adjoint reaches it.
TEST_P(Library, InitialValuesThatStay) {
  for (int hop : {1, 2, 5}) {
    Signal start = Signal::param(.7f);
    auto [p, unwritten] = Signal::history({.init = start, .hop = hop});
    Signal y = p * frame_index();
    EXPECT_NEAR(y.backward({.frames = 10, .reduction = Reduction::sum}), .7 * 45, 1e-4);
    EXPECT_NEAR(start.grad()->realize(1)[0], 45, 1e-4) << "hop " << hop;
  }
  Tensor start = Tensor::param({1, -2});
  auto [p, unwritten] = SignalTensor::history({2}, {.init = start, .hop = 2});
  (p * Tensor({3, 5})).sum().backward({.frames = 6, .reduction = Reduction::sum});
  expect_near(start.grad()->realize(), {9, 15}, 1e-5f);
}

// Bounds broadcast: to their shape and to the fastest clock, and one that moves is where the sum begins.
TEST_P(Library, AccumWithBoundsOfOtherShapesAndClocks) {
  Signal one = Signal::constant(1);
  expect_near(SignalTensor(one).accum({.min = 0, .max = Tensor({2, 3})}).realize(4), {0, 0, 1, 1, 0, 2, 1, 0}, 0);
  Signal slow = one.every(4);
  expect_near(slow.accum({.min = 0, .max = frame_index() * 0.0f + 3.0f}).realize(5), {0, 1, 2, 0, 1}, 0);
  expect_near(one.accum({.min = frame_index() * 0.0f + 2.0f, .max = 4}).realize(5), {2, 3, 2, 3, 2}, 0);
}

TEST_P(Library, LearnableThroughCells) {
  Signal a = Signal::param(1), still = Signal::phasor(3);
  EXPECT_TRUE((a * still).prev().requires_grad());
  EXPECT_FALSE(still.prev().requires_grad());
  EXPECT_FALSE(a.detach().requires_grad());
  auto [p, write] = Signal::history();
  Signal before = p * 2.0f;
  EXPECT_FALSE(before.requires_grad());
  write(a * p);
  EXPECT_TRUE(before.requires_grad());
}

TEST_P(Library, OptimisersFollowTheirFormulas) {
  Tensor w = Tensor::param({1, -2});
  SGD sgd({w}, {.lr = .1f, .momentum = .9f});
  double x = 1, v = 0;
  for (int i = 0; i < 5; ++i) {
    (w * w).sum().backward();
    sgd.step();
    sgd.zero_grad();
    v = .9 * v + 2 * x, x -= .1 * v;
  }
  EXPECT_NEAR(w.realize()[0], x, 1e-5);
  Tensor u = Tensor::param({3});
  AdamW adam({u}, {.lr = .01f, .weight_decay = .1f});
  double y = 3, m = 0, s = 0;
  for (int t = 1; t <= 5; ++t) {
    (u * u).sum().backward();
    adam.step();
    adam.zero_grad();
    double g = 2 * y;
    m = .9 * m + .1 * g, s = .999 * s + .001 * g * g;
    y -= .01 * .1 * y + .01 * (m / (1 - std::pow(.9, t))) / (std::sqrt(s / (1 - std::pow(.999, t))) + 1e-8);
  }
  EXPECT_NEAR(u.realize()[0], y, 1e-5);
}

// Params are written where they lie, and no element twice, however many are left beside whole vectors.
TEST_P(Library, ParamsOfAnySizeAreUpdatedOnce) {
  for (const Shape& shape : {Shape{1}, Shape{3}, Shape{16}, Shape{19}, Shape{65}, Shape{33, 7}, Shape{5, 512}}) {
    std::vector<float> start(static_cast<size_t>(shape.size()));
    for (size_t i = 0; i < start.size(); ++i) start[i] = .1f * static_cast<float>(i % 23) - 1;
    Tensor w = Tensor::param(start, shape), other = Tensor::param(start, shape);
    AdamW adam({w, other}, {.lr = .01f, .weight_decay = .1f});
    auto step = compile_training((w * w + other * w).sum().mean(), adam, {.frames = 1});
    std::vector<std::array<double, 6>> want;  // both, and their moments
    for (float x : start) want.push_back({x, 0, 0, x, 0, 0});
    for (int t = 1; t <= 4; ++t) {
      step.run();
      for (auto& [x, m, s, y, n, r] : want) {
        const double g = 2 * x + y, h = x;
        for (auto [value, slope, mean, square] : {std::tuple<double&, double, double&, double&>{x, g, m, s}, {y, h, n, r}}) {
          mean = .9 * mean + .1 * slope, square = .999 * square + .001 * slope * slope;
          value -= .01 * .1 * value + .01 * (mean / (1 - std::pow(.9, t))) / (std::sqrt(square / (1 - std::pow(.999, t))) + 1e-8);
        }
      }
    }
    const std::vector<float> x = w.realize(), y = other.realize();
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(x[i], want[i][0], 2e-5) << shape.str() << " at " << i;
      EXPECT_NEAR(y[i], want[i][3], 2e-5) << shape.str() << " at " << i;
    }
  }
}

TEST_P(Library, ClippingBoundsAndBadGradients) {
  Tensor w = Tensor::param({3, 4});
  SGD clip({w}, {.lr = 1, .clip_grad_norm = 1});
  (w * w).sum().backward();  // gradient (6, 8)
  clip.step();
  expect_near(w.realize(), {2.4f, 3.2f}, 1e-5f);
  Signal p = Signal::param(.9f, {.min = 0, .max = 1});
  SGD bounded({p}, {.lr = 1});
  (-p).backward(1);
  bounded.step();
  EXPECT_EQ(p.realize(1)[0], 1);
  Signal bad = Signal::param(2);
  Adam opt({bad}, {.lr = .1f});
  (bad * Signal::constant(NAN)).backward(1);
  opt.step();
  EXPECT_EQ(bad.realize(1)[0], 2);
  EXPECT_EQ(opt.skipped(), 1);
  Tensor h = Tensor::param({3, 4});
  (h * h).sum().backward();
  EXPECT_NEAR(clip_grad_norm({h}, 5), 10, 1e-5);
  expect_near(h.grad()->realize(), {3, 4}, 1e-5f);
}

TEST_P(Library, StepAndTrainingStepAgree) {
  auto loss_of = [](const Signal& a) { return mse(a * Signal::phasor(300), 0.3f * Signal::phasor(300)); };
  Signal a = Signal::param(1), b = Signal::param(1);
  Adam opt_a({a}, {.lr = .02f}), opt_b({b}, {.lr = .02f});
  auto step = compile_training(loss_of(b), opt_b, {.frames = 64});
  for (int i = 0; i < 10; ++i) {
    double eager = loss_of(a).backward(64);
    opt_a.step();
    opt_a.zero_grad();
    EXPECT_NEAR(eager, step.run(), 1e-6);
  }
  EXPECT_NEAR(a.realize(1)[0], b.realize(1)[0], 1e-5);
}

TEST_P(Library, CheckpointsResumeExactly) {
  auto path = std::filesystem::temp_directory_path() /
              ("dgen_checkpoint_" + std::to_string(static_cast<int>(GetParam())) + ".safetensors");
  Tensor w = Tensor::param({1, 2}), again = Tensor::param({0, 0});
  Adam a({w}, {.lr = .1f}), b({again}, {.lr = .5f});
  auto train = [](const Tensor& x, Optimizer& opt) {
    (x * x).sum().backward();
    opt.step();
    opt.zero_grad();
  };
  for (int i = 0; i < 3; ++i) train(w, a);
  save(path, {{"w", w}}, a);
  load(path, {{"w", again}}, b);
  EXPECT_EQ(b.steps(), 3);
  for (int i = 0; i < 3; ++i) train(w, a), train(again, b);
  EXPECT_EQ(w.realize(), again.realize());
  Tensor wrong = Tensor::param({1, 2, 3});
  EXPECT_THROW(load(path, {{"w", wrong}}), Error);
  EXPECT_THROW(load(path, {{"v", again}}), Error);
  std::filesystem::remove(path);
}

TEST_P(Library, StateByName) {
  auto voice = [](const char* name) {
    auto [prev, write] = Signal::history();
    return write(prev + 1.0f).named(name);
  };
  RealizeOptions go_on{.frames = 2, .preserve_state = true};
  reset_state(voice("a"));
  reset_state(voice("b"));
  EXPECT_EQ(voice("a").realize(go_on), (Values{1, 2}));
  EXPECT_EQ(voice("a").realize(go_on), (Values{3, 4}));
  EXPECT_EQ(voice("b").realize(go_on), (Values{1, 2}));
  EXPECT_EQ(voice("a").realize(2), (Values{1, 2}));
  EXPECT_EQ(voice("a").realize(go_on), (Values{3, 4}));
}

TEST_P(Library, ProcessIsRealizeInBlocks) {
  Signal y = Signal::input(0).biquad({.cutoff = 2000}) + Signal::phasor(200);
  Values in = wild(64), want = run(y, in), left(64), right(64);
  auto program = compile({y, y * 2.0f});
  for (int n = 0; n < 64; n += 16) {
    const float* inputs[] = {in.data() + n};
    float* outputs[] = {left.data() + n, right.data() + n};
    program.process(inputs, outputs, 16);
  }
  expect_near(left, want, 1e-6f);
  EXPECT_NEAR(right[10], 2 * want[10], 1e-6);
}

TEST_P(Library, ProgramStateIsSavedAndRestored) {
  Signal y = Signal::phasor(300).biquad({.cutoff = 2000}).delay(3.5f).every(4).interpolate();
  auto program = compile(y), other = compile(y + 1.0f);
  program.run({.frames = 21, .preserve_state = true});
  ProgramState saved = program.state();
  Values once = program.run({.frames = 30, .preserve_state = true})[0];
  program.restore(saved);
  EXPECT_EQ(program.run({.frames = 30, .preserve_state = true})[0], once);
  Values whole = y.realize(51);
  expect_near(once, {whole.begin() + 21, whole.end()}, 1e-5f);
  EXPECT_THROW(other.restore(saved), Error);
}

// A NaN time or index is taken as 0, and its gradient is 0.
TEST_P(Library, NanTimesAndIndicesAreZero) {
  const float nan = std::nanf("");
  Signal x = frame_index() + 1.0f;
  expect_near(x.delay(nan).realize(3), {1, 2, 3}, 0);
  expect_near(x.delay(nan, 2).realize(3), {1, 2, 3}, 0);
  Signal time = Signal::param(nan), index = Signal::param(nan);
  expect_near(x.delay(time, 2).realize(3), {1, 2, 3}, 0);
  x.delay(time, 2).backward(4);
  EXPECT_EQ(time.grad()->realize(1)[0], 0);
  Tensor rows(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
  for (Edge edge : {Edge::wrap, Edge::clamp}) {
    expect_near(rows.peek_row(Tensor({nan, 1}), {.edge = edge}).realize(), {1, 2, 3, 4}, 0);
    expect_near(rows.peek(index, 1, {.edge = edge}).realize(1), {2}, 0);
    expect_near(rows.peek(Tensor({1, 2}), nan, {.edge = edge}).realize(), {3, 5}, 0);
  }
  rows.peek_row(index).sum().backward(1);
  EXPECT_EQ(index.grad()->realize(1)[0], 0);
  Tensor table = Tensor::param({1, 2, 3});
  table.peek_row(nan).backward();
  expect_near(table.grad()->realize(), {1, 0, 0}, 0);
  EXPECT_THROW(x.comb({.time = nan}), Error);
}

// A frequency that is no number is heard of, and the phase waits for the next.
TEST_P(Library, NanFrequenciesAreHeardOf) {
  const float nan = std::nanf("");
  Signal f = Signal::input(0);
  for (const Signal& frequency : {f, f * 1.0f}) {
    Values y = Signal::phasor(frequency).realize({.frames = 5, .inputs = {Values{11025, nan, INFINITY, 11025, 0}}});
    EXPECT_EQ(y[0], 0);
    EXPECT_TRUE(std::isnan(y[1]) && std::isnan(y[2]));
    expect_near({y.begin() + 3, y.end()}, {0.25f, 0.5f}, 1e-6f);
  }
  for (float bad : {nan, INFINITY}) EXPECT_TRUE(std::isnan(Signal::phasor(Signal::param(bad)).realize(2)[1]));
}

TEST_P(Library, AssignNeedsNoNewGraph) {
  Signal gain = Signal::constant(2);
  Signal y = gain * frame_index();
  EXPECT_EQ(y.realize(3), (Values{0, 2, 4}));
  gain.assign(3);
  EXPECT_EQ(y.realize(3), (Values{0, 3, 6}));
}

}  // namespace
