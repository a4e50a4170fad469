// Runs that go on in the middle of a hop: losses and gradients of the ticks that lie in each call.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <thread>

#include "support/backends.h"

namespace {

using namespace dgen;

class Stream : public test::EachBackend {};
// Frames with broken features are masked out: the gradient is that of the others.
TEST_P(Stream, MaskedFramesLeaveNoTraceInAProduct) {
  const float nan = std::nanf(""), inf = INFINITY;
  std::vector<float> x = {1, 2, nan, inf, 3, -1, -inf, 4}, mask = {1, 0, 1, 0}, clean = {1, 2, 0, 0, 3, -1, 0, 0};
  auto gradient = [&](const std::vector<float>& features) {
    Tensor w = Tensor::param({{0.5f, -1}, {2, 0.25f}});
    SignalTensor y = matmul(SignalTensor::input(0, {1, 2}), w);
    select(Signal::input(1) > 0.0f, y, 0.0f).sum().backward({.frames = 4, .inputs = {features, mask}});
    return w.grad()->realize();
  };
  EXPECT_EQ(gradient(x), gradient(clean));
}

INSTANTIATE_TEST_SUITE_P(Backends, Stream, testing::ValuesIn(test::backends()), test::backend_test);

struct Patch {
  const char* name;
  Signal (*make)(const Signal& x, const Signal& a);
};
// A loop of fourth order whose cells see each other; its coefficients are small enough for a up to 5.
Signal fourth_order(const Signal& x, const Signal& a) {
  auto [y1, write1] = Signal::history();
  auto [y2, write2] = Signal::history();
  auto [y3, write3] = Signal::history();
  auto [y4, write4] = Signal::history();
  Signal y = write1(x + a * 0.1f * y1 - a * 0.05f * y2 + 0.1f * y3 - 0.04f * a * y4);
  write2(y1 * 0.7f + 0.01f * x);
  write3(y2);
  write4(y3 - 0.2f * y4);
  return y;
}

// In direct form; `last`: what becomes of a tick's sum.
using OfSum = std::function<Signal(const Signal&)>;
Signal third_order(const Signal& x, const Signal& a, const OfSum& last = [](const Signal& y) { return y; }) {
  auto [y1, write1] = Signal::history();
  auto [y2, write2] = Signal::history();
  auto [y3, write3] = Signal::history();
  write3(y2), write2(y1);
  return write1(last(x + 0.5f * y1 + a * y2 - 0.2f * y3));
}

void expect_same(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isfinite(want[i])) ASSERT_NEAR(got[i], want[i], 2e-5 + 1e-5 * std::fabs(want[i])) << i;
    else ASSERT_EQ(std::isnan(got[i]) ? 0 : got[i], std::isnan(want[i]) ? 0 : want[i]) << i;
  }
}

// A knob is turned between two blocks, wherever the border lies: every backend goes on from the state it has.
TEST_P(Stream, ConstantsMayChangeBetweenBlocks) {
  const Patch patches[] = {
      {"fourth order", fourth_order},
      {"third order", [](const Signal& x, const Signal& a) { return third_order(x, a * 0.1f); }},
      {"onepole", [](const Signal& x, const Signal& a) { return x.onepole(a * 0.2f); }},
      {"biquad", [](const Signal& x, const Signal& a) { return x.biquad({.cutoff = a * 1000.0f, .q = 3}); }},
      {"peaking",
       [](const Signal& x, const Signal& a) { return x.biquad({.cutoff = 700, .mode = BiquadMode::peaking, .gain_db = a * 3.0f}); }},
      {"svf", [](const Signal& x, const Signal& a) { return x.svf({.cutoff = a * 900.0f}); }},
      {"by hand",
       [](const Signal& x, const Signal& a) {
         auto [before, write] = Signal::history();
         return write(before * (a * 0.3f) + x);
       }},
      {"phasor", [](const Signal& x, const Signal& a) { return x * Signal::phasor(a * 100.0f); }},
      {"accum", [](const Signal& x, const Signal& a) { return x + (a * 0.01f + 0.0f * x).accum(); }},
      {"delay", [](const Signal& x, const Signal& a) { return x.delay(a * 3.5f, 20); }},
      {"comb", [](const Signal& x, const Signal& a) { return x.comb({.time = 37, .feedback = a * 0.2f, .damping = 0.3f}); }},
      {"compressor", [](const Signal& x, const Signal& a) { return x.compressor({.ratio = a * 2.0f + 1.0f, .attack = 0.001f}); }},
      {"hops", [](const Signal& x, const Signal& a) -> Signal { return (x.buffer(8, 4) * a).overlap_add(4); }},
  };
  auto stream = [](const Patch& patch, Backend backend) {
    test::OnBackend on(backend);
    Signal a = Signal::param(1), y = patch.make(Signal::noise({.seed = 1}), a);
    std::vector<float> all = y.realize(50);
    float knob = 1;
    for (int frames : {33, 16, 47, 1, 30}) {
      a.assign(++knob == 4 ? 1.5f : knob);
      if (knob == 5) config().sample_rate = 32000;
      std::vector<float> more = y.realize({.frames = frames, .preserve_state = true});
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  };
  for (const Patch& patch : patches) {
    SCOPED_TRACE(patch.name);
    expect_same(stream(patch, GetParam()), stream(patch, Backend::interpreter));
  }
}

// The time of a delay line in a loop is turned between blocks, long and short: many frames at once, one after another and one a
// call give the same bits.
TEST_P(Stream, EchoTimesMayChangeBetweenBlocks) {
  if (GetParam() == Backend::interpreter) GTEST_SKIP() << "it takes frame after frame";
  Signal time = Signal::param(1), feedback = Signal::param(0.7f), x = Signal::input(0);
  Signal y = x.comb({.time = time, .max = 120, .feedback = feedback}).allpass_delay({.time = time + 3.0f, .max = 130, .gain = -0.5f});
  const std::vector<float> times = {120, 31, 1, 100.25f, 15, 17, 300, 16, 0.5f, 64};
  const std::vector<float> sound = Signal::noise({.seed = 1}).realize(1200);
  const std::vector<int> blocks = {33, 129, 16, 1, 200, 47, 5, 64, 150, 555};
  auto played = [&](bool one_by_one, auto&& play) {
    std::vector<float> all;
    for (size_t b = 0; b < blocks.size(); ++b) {
      time.assign(times[b]);
      for (int left = blocks[b], n = one_by_one ? 1 : left; left > 0; left -= n) {
        const std::vector<float> more = play(std::vector<float>(sound.begin() + static_cast<std::ptrdiff_t>(all.size()), sound.end()), n);
        all.insert(all.end(), more.begin(), more.end());
      }
    }
    return all;
  };
  auto realized = [&](bool one_by_one) {
    reset_state(y);
    return played(one_by_one, [&](const std::vector<float>& from, int n) {
      return y.realize({.frames = n, .inputs = {from}, .preserve_state = true});
    });
  };
  Program program = compile(y);
  auto processed = [&](bool one_by_one) {
    program.reset();
    return played(one_by_one, [&](const std::vector<float>& from, int n) {
      std::vector<float> result(static_cast<size_t>(n));
      const float* in[] = {from.data()};
      float* out[] = {result.data()};
      program.process(in, out, n);
      return result;
    });
  };
  const std::vector<float> want = realized(true);
  EXPECT_EQ(realized(false), want);
  EXPECT_EQ(processed(false), want);
  EXPECT_EQ(processed(true), want);
}

// Rows by tick, which may lie where the caller wants them, even over the input, and rows by frame, where the last one before a
// block is shown until the next tick; blocks without a tick among them.
TEST_P(Stream, RowsByTickAndByFrameTakeTurns) {
  const auto stream = [](Backend backend, bool over_input) {
    test::OnBackend on(backend);
    Program program = compile(Signal::input(0).buffer(8, 4) * Tensor({1, 2, 3, 4, 5, 6, 7, 8}));
    std::vector<float> all;
    int done = 0;
    for (int b = 0; b < 12; ++b) {
      const int frames = std::array{3, 5, 1, 2, 7, 1}[static_cast<size_t>(b % 6)];
      std::vector<float> x(96);
      for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(0.3f * static_cast<float>(static_cast<size_t>(done) + i));
      const RunOptions options{frames, {std::span<const float>(x)}, b > 0, b % 2 == 0};
      const int ticks = (done + frames + 3) / 4 - (done + 3) / 4, rows = options.per_tick ? ticks : frames;
      std::vector<float> apart(static_cast<size_t>(rows) * 8);
      const std::span<float> out = over_input ? std::span(x).first(apart.size()) : std::span(apart);
      program.run_into({&out, 1}, options);
      all.insert(all.end(), out.begin(), out.end());
      done += frames;
    }
    return all;
  };
  const std::vector<float> want = stream(Backend::interpreter, false);
  EXPECT_EQ(stream(GetParam(), false), want);
  EXPECT_EQ(stream(GetParam(), true), want);
}

// The gradient of each block, of the state that it began with.
TEST_P(Stream, GradientsWhileConstantsChange) {
  const Patch patches[] = {
      {"fourth order", fourth_order},
      {"third order", [](const Signal& x, const Signal& a) { return third_order(x, a * 0.1f); }},
      {"onepole", [](const Signal& x, const Signal& a) { return x.onepole(a * 0.2f); }},
      {"biquad", [](const Signal& x, const Signal& a) { return x.biquad({.cutoff = a * 1000.0f, .q = 3}); }},
  };
  auto gradients = [](const Patch& patch, Backend backend) {
    test::OnBackend on(backend);
    Signal a = Signal::param(1), gain = Signal::param(0.5f);
    Signal loss = patch.make(Signal::noise({.seed = 1}) * gain, a) * Signal::noise({.seed = 2});
    std::vector<float> all;
    reset_state(loss);
    float knob = 1;
    for (int frames : {33, 16, 47, 1, 30}) {
      a.assign(++knob);
      all.push_back(static_cast<float>(loss.backward({.frames = frames, .preserve_state = true})));
      for (const Signal& p : {a, gain}) all.push_back(p.grad()->realize(1)[0]);
    }
    return all;
  };
  for (const Patch& patch : patches) {
    SCOPED_TRACE(patch.name);
    expect_same(gradients(patch, GetParam()), gradients(patch, Backend::interpreter));
  }
}

// A coefficient that is no number is heard of at once, though the state it multiplies is 0; later blocks go on from what it left.
TEST_P(Stream, CoefficientsThatAreNotFinite) {
  const Patch patches[] = {
      {"fourth order", fourth_order},
      {"onepole", [](const Signal& x, const Signal& a) { return x.onepole(a); }},
      {"first order, per frame", [](const Signal& x, const Signal& a) {
         auto [before, write] = Signal::history();
         return write(before * (a + frame_index() * 0.0f) + x);
       }},
      {"second order", [](const Signal& x, const Signal& a) {
         auto [y1, write1] = Signal::history();
         auto [y2, write2] = Signal::history();
         Signal y = write1(x + 0.5f * y1 + a * y2);
         write2(y1);
         return y;
       }},
      {"third order", [](const Signal& x, const Signal& a) { return third_order(x, a); }},
      {"third order, per frame", [](const Signal& x, const Signal& a) { return third_order(x, a + frame_index() * 0.0f); }},
  };
  auto stream = [](const Patch& patch, float odd, Backend backend) {
    test::OnBackend on(backend);
    Signal a = Signal::param(0.5f), y = patch.make(Signal::input(0), a);
    std::vector<float> silence(40, 0), click(40, 0), all;
    click[7] = 1;
    for (float knob : {odd, 0.5f, odd, 0.25f})
      for (const std::vector<float>& x : {silence, click}) {
        a.assign(knob);
        std::vector<float> part = y.realize({.frames = 40, .inputs = {x}, .preserve_state = true});
        all.insert(all.end(), part.begin(), part.end());
      }
    return all;
  };
  for (const Patch& patch : patches)
    for (float odd : {NAN, INFINITY, -INFINITY}) {
      SCOPED_TRACE(patch.name + (" " + std::to_string(odd)));
      expect_same(stream(patch, odd, GetParam()), stream(patch, odd, Backend::interpreter));
    }
}

// A product by 0 keeps what is not finite, a select that takes another value forgets it.
TEST_P(Stream, StatesThatAreNotFinite) {
  Signal x = log(2.0f - frame_index()), at = frame_index();
  auto [before, write] = Signal::history();
  Signal product = write(before * select(at == 6.0f, 0.0f, 0.5f) + select(at < 4.0f, x, 1.0f));
  Signal latched = select(at < 4.0f, x, 1.0f).latch(at == 6.0f || at == 3.0f);
  Signal constant = select(at == 2.0f, NAN, 1.0f).onepole(0.0f);
  Signal click = select(at < 4.0f, x, 0.1f);
  Signal third = third_order(click, Signal(0.1f), [&](const Signal& y) { return y * select(at == 12.0f, 0.0f, 1.0f); });
  Signal held = third_order(click, Signal(0.1f), [&](const Signal& y) { return select(at > 20.0f, select(at < 24.0f, 1.0f, y), y); });
  auto [before_ring, write_ring] = Signal::history();
  auto [ring, write_back] = Signal::history();
  Signal chosen = write_ring(select(at == 10.0f, 0.5f, ring * 0.5f + click));
  write_back(before_ring * 0.5f);
  for (const Signal& y : {product, latched, constant, third, held, chosen}) {
    std::vector<float> got = y.realize(40), want;
    {
      test::OnBackend on(Backend::interpreter);
      want = y.realize(40);
    }
    expect_same(got, want);
  }
}

// Threads that go on in one stream get its blocks one after another, each block once.
TEST_P(Stream, ThreadsShareAStream) {
  Signal count = Signal(1.0f).accum();
  reset_state(count);
  std::vector<float> firsts[2];
  auto play = [&](std::vector<float>& into) {
    for (int i = 0; i < 2000; ++i) {
      std::vector<float> block = count.realize({.frames = 7, .preserve_state = true});
      EXPECT_EQ(block[6] - block[0], 6);
      into.push_back(block[0]);
    }
  };
  std::thread other(play, std::ref(firsts[0]));
  play(firsts[1]);
  other.join();
  std::set<float> all(firsts[0].begin(), firsts[0].end());
  all.insert(firsts[1].begin(), firsts[1].end());
  EXPECT_EQ(all.size(), 4000u);
  EXPECT_EQ(*all.rbegin() - *all.begin(), 3999 * 7);
}

int ticks_between(int hop, int from, int to) { return (to + hop - 1) / hop - (from + hop - 1) / hop; }

// The loss at tick k is gain * (4 k + 1), whose mean and slope are known.
TEST_P(Stream, MeanOverTheTicksInTheCall) {
  const int hop = 4;
  Signal gain = Signal::param(2);
  Signal loss = (gain * (frame_index() + 1.0f)).every(hop);
  int position = 0;
  for (int frames : {7, 3, 1, 6, 2, 5003, 13, 5}) {
    SCOPED_TRACE(testing::Message() << frames << " frames from " << position);
    double sum = 0;
    for (int n = position; n < position + frames; ++n) sum += n % hop == 0 ? n + 1 : 0;
    int ticks = ticks_between(hop, position, position + frames);
    BackwardOptions options{.frames = frames, .preserve_state = true};
    gain.zero_grad();
    if (ticks == 0) {
      EXPECT_THROW(loss.backward(options), Error);  // and the stream stays where it is
      continue;
    }
    EXPECT_NEAR(loss.backward(options), 2 * sum / ticks, 1e-5 * sum / ticks);
    EXPECT_NEAR(static_cast<double>(gain.grad()->realize(1)[0]), sum / ticks, 1e-5 * sum / ticks);
    position += frames;
  }
}

// The same through a training step, whose learning rate is so small that the gain stays.
TEST_P(Stream, TrainingStepCountsTheTicksInTheCall) {
  const int hop = 5, frames = 7;
  Signal gain = Signal::param(1);
  SGD opt({gain}, {.lr = 0});
  auto step = compile_training((gain * frame_index()).every(hop), opt, {.frames = frames, .preserve_state = true});
  for (int position = 0; position < 5 * frames; position += frames) {
    double sum = 0;
    for (int n = position; n < position + frames; ++n) sum += n % hop == 0 ? n : 0;
    EXPECT_NEAR(step.run(), sum / ticks_between(hop, position, position + frames), 1e-4) << "from " << position;
  }
}

// Backward over blocks with state kept is truncated BPTT: what came before a block is a constant in it, the learnable
// initial value included.
TEST_P(Stream, TruncatedBackpropagation) {
  Signal r = Signal::param(0.9f), start = Signal::param(0.5f);
  auto [prev, write] = Signal::history({.init = start});
  Signal x = cos(frame_index() * 0.3f), y = write(prev * r + x), loss = y * y;
  for (bool truncated : {false, true}) {
    double state = 0.5, by_r = 0, by_start = 1, want_r = 0, want_start = 0;
    for (int n = 0; n < 60; ++n) {
      if (truncated && n % 20 == 0 && n > 0) by_r = 0, by_start = 0;
      by_r = state + 0.9 * by_r, by_start *= 0.9;
      state = 0.9 * state + std::cos(0.3 * n);
      want_r += 2 * state * by_r, want_start += 2 * state * by_start;
    }
    r.zero_grad(), start.zero_grad();
    for (int block = 0; block < (truncated ? 3 : 1); ++block)
      loss.backward({.frames = truncated ? 20 : 60, .reduction = Reduction::sum, .preserve_state = truncated});
    EXPECT_NEAR(static_cast<double>(r.grad()->realize(1)[0]), want_r, 2e-5 * std::fabs(want_r));
    EXPECT_NEAR(static_cast<double>(start.grad()->realize(1)[0]), want_start, 2e-5 * std::fabs(want_start));
  }
}

// realize() and backward() of one handle are two programs with a stream each; reset_state begins both anew.
TEST_P(Stream, RealizeAndBackwardHaveStreamsOfTheirOwn) {
  Signal gain = Signal::param(1);
  Signal loss = gain * frame_index();
  const RealizeOptions listen{.frames = 2, .preserve_state = true};
  const BackwardOptions learn{.frames = 3, .reduction = Reduction::sum, .preserve_state = true};
  EXPECT_EQ(loss.realize(listen), (std::vector<float>{0, 1}));
  EXPECT_EQ(loss.backward(learn), 0 + 1 + 2);
  EXPECT_EQ(loss.realize(listen), (std::vector<float>{2, 3}));
  EXPECT_EQ(loss.backward(learn), 3 + 4 + 5);
  Signal equal = gain * frame_index();
  EXPECT_EQ(equal.backward(learn), 6 + 7 + 8);
  reset_state(loss);
  EXPECT_EQ(loss.realize(listen), (std::vector<float>{0, 1}));
  EXPECT_EQ(loss.backward(learn), 0 + 1 + 2);
}

// Silence in, and every sound and gradient is a number.
TEST_P(Stream, Silence) {
  Signal gain = Signal::param(0.5f), x = Signal::input(0) * gain, echo = Signal::param(20.5f);
  std::vector<float> silence(600, 0);
  const std::vector<std::pair<const char*, Signal>> patches = {
      {"biquad", x.biquad({.cutoff = gain * 1000.0f})},
      {"svf", x.svf({.cutoff = gain * 1000.0f})},
      {"ladder", x.ladder({.cutoff = gain * 1000.0f})},
      {"compressor", x.compressor({.threshold_db = gain * -20.0f})},
      {"comb", x.comb({.time = echo, .max = 40})},
      {"allpass_delay", x.allpass_delay({.time = echo, .max = 40})},
      {"delay", x.delay(echo, 40)},
      {"convolve", x.convolve(Tensor({1, 2, 3}))},
      {"spectral_loss", spectral_loss(x, x * gain, {.window_size = 64, .magnitude = Magnitude::both})},
      {"multi_scale_spectral_loss", multi_scale_spectral_loss(x, x * gain, {.sizes = {64, 32}})},
      {"loudness_loss", loudness_loss(x, x * gain, {.hop = 64})},
      {"phase", rfft(x.buffer(16, 8)).phase().sum()},
      {"norm", x.buffer(16, 8).norm()},
  };
  for (auto& [name, y] : patches) {
    SCOPED_TRACE(name);
    gain.zero_grad(), echo.zero_grad();
    EXPECT_TRUE(std::isfinite((y * y).backward({.frames = 600, .inputs = {silence}})));
    for (const Signal& p : {gain, echo})
      EXPECT_TRUE(!p.grad() || std::isfinite(p.grad()->realize(1)[0]));
  }
}

// No tick, no loss: an Error, after which the step can go on with a call that has one.
TEST_P(Stream, TrainingStepWithoutTick) {
  Signal gain = Signal::param(1);
  SGD opt({gain}, {.lr = 0});
  auto step = compile_training((gain * frame_index()).every(5), opt, {.frames = 3, .preserve_state = true});
  step.run();    // frames 0 to 2
  step.run();    // 3 to 5
  EXPECT_THROW(step.run(), Error);
}

}  // namespace
