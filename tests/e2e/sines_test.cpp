// Sines of static frequencies, alone and in banks, against double: angle sums on a CPU (schedule/sines.h).
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "dgen/dgen.h"
#include "support/backends.h"

namespace dgen {
namespace {

constexpr float turn = 2 * std::numbers::pi_v<float>, rate = 44100;

class Sines : public test::EachBackend {};
INSTANTIATE_TEST_SUITE_P(Backends, Sines, testing::ValuesIn(test::backends()), test::backend_test);

struct Bank {
  std::vector<float> freq, weight;
  explicit Bank(int voices) {
    for (int k = 0; k < voices; ++k) {
      freq.push_back(30 + 21000 * std::fmod(0.618034f * static_cast<float>(k), 1.0f));
      weight.push_back((k % 2 ? -1 : 1) / std::sqrt(static_cast<float>(k + 1)));
    }
  }
  Signal signal(bool cosine = false) const { return signal(Tensor(freq), Tensor(weight), cosine); }
  static Signal signal(const Tensor& freq, const Tensor& weight, bool cosine) {
    const SignalTensor angle = Signal::phasor(freq) * turn;
    return (weight * (cosine ? cos(angle) : sin(angle))).sum();
  }
  double exact(int64_t tick, bool cosine = false) const {
    double sum = 0;
    for (size_t k = 0; k < freq.size(); ++k) {
      const double turns = std::fmod(static_cast<double>(freq[k]) / static_cast<double>(rate) * static_cast<double>(tick), 1.0);
      sum += static_cast<double>(weight[k]) * (cosine ? std::cos(2 * M_PI * turns) : std::sin(2 * M_PI * turns));
    }
    return sum;
  }
  double scale() const {
    double sum = 0;
    for (float w : weight) sum += std::abs(static_cast<double>(w));
    return sum;
  }
};

// y' = c y + (1 - c) x, and a gain behind it.
Signal smooth(const Signal& x, float c, float gain) {
  auto [before, write] = Signal::history();
  return gain * write(mix(x, before, c));
}

std::vector<float> in_blocks(const Signal& x, int frames, const std::vector<int>& lengths) {
  Program program = compile(x);
  std::vector<float> y(static_cast<size_t>(frames));
  for (int done = 0, i = 0; done < frames; ++i) {
    const int n = std::min(lengths[static_cast<size_t>(i) % lengths.size()], frames - done);
    float* out[] = {y.data() + done};
    program.process(nullptr, out, n);
    done += n;
  }
  return y;
}

void expect_near_at_any_cut(const Bank& bank, bool cosine, int frames) {
  SCOPED_TRACE(bank.freq.size());
  const std::vector<float> whole = in_blocks(bank.signal(cosine), frames, {frames});
  double worst = 0;
  for (size_t i = 0; i < whole.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(whole[i]) - bank.exact(static_cast<int64_t>(i), cosine)));
  EXPECT_LE(worst, 5e-7 * bank.scale());
  for (const std::vector<int>& lengths : {std::vector<int>{64}, {1, 127, 130, 16}, {37, 5, 300}})
    EXPECT_EQ(in_blocks(bank.signal(cosine), frames, lengths), whole) << "blocks of " << lengths[0] << " ..";
}

// 1000 frames begin and end within groups; vectors go along 16 voices and more.
TEST_P(Sines, BanksOfAnySizeAreRightAtAnyCut) {
  for (int voices : {1, 2, 3, 15, 16, 33})
    for (bool cosine : {false, true}) expect_near_at_any_cut(Bank(voices), cosine, 1000);
}

// More groups than are done at a time, and more voices than an angle sum takes.
TEST_P(Sines, LargeBanksAreRightAtAnyCut) {
  if (GetParam() == Backend::interpreter) GTEST_SKIP() << "slow";
  expect_near_at_any_cut(Bank(700), false, 2500);
  expect_near_at_any_cut(Bank(1), false, 9000);
  expect_near_at_any_cut(Bank(2050), false, 200);
}

// What follows a sine may break beyond 1.
TEST_P(Sines, ASingleSineStaysWithinItsWeight) {
  for (float freq : {441.0f, 440.1f, 1000.0f, 11025.0f, 21.7f}) {
    const Signal sine = sin(Signal::phasor(freq) * turn);
    for (float x : asin(sine).realize(20000)) ASSERT_FALSE(std::isnan(x)) << freq;
    for (float x : (sine * -0.7f).realize(20000)) ASSERT_LE(std::abs(x), 0.7f) << freq;
  }
}

TEST_P(Sines, ThreadsChangeNoBit) {
  const Bank one(1), many(40);
  const Signal both = one.signal() + many.signal(true);
  std::vector<std::vector<float>> runs;
  for (int threads : {1, 2, 3}) {
    config().threads = threads;
    runs.push_back(both.realize(20000));
  }
  config().threads = 0;
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_EQ(runs[0], runs[2]);
}

// The phase goes on from where it is, at any frame of a group.
TEST_P(Sines, NewFrequenciesAndRatesGoOnFromThePhase) {
  for (int voices : {1, 20}) {
    const Bank bank(voices);
    const Tensor freq = Tensor::param(bank.freq);
    const Signal sum = Bank::signal(freq, Tensor(bank.weight), false);
    std::vector<double> turns(static_cast<size_t>(voices), 0.0);
    std::vector<float> now = bank.freq;
    double worst = 0;
    for (int n : {77, 200, 5, 130}) {
      if (n == 5) config().sample_rate = 32000;  // and frequencies as before
      for (float got : sum.realize({.frames = n, .preserve_state = true})) {
        double exact = 0;
        for (size_t k = 0; k < now.size(); ++k) {
          exact += static_cast<double>(bank.weight[k]) * std::sin(2 * M_PI * turns[k]);
          turns[k] += static_cast<double>(now[k]) / static_cast<double>(config().sample_rate);
        }
        worst = std::max(worst, std::abs(static_cast<double>(got) - exact));
      }
      if (n == 200) continue;
      for (float& f : now) f = 0.5f * f + 40;
      freq.assign(now);
    }
    config().sample_rate = rate;
    EXPECT_LE(worst, 2e-6 * bank.scale());
  }
}

// Both gradients of a bank, whose reverse sweep reads the single voices too.
TEST_P(Sines, Gradients) {
  for (int voices : {1, 5, 20}) {
    const Bank bank(voices);
    std::vector<float> low = bank.freq;
    for (float& f : low) f = 0.01f * f + 20;
    Tensor freq = Tensor::param(low).named("freq"), weight = Tensor::param(bank.weight).named("weight");
    const Gradcheck check = gradcheck(mse(Bank::signal(freq, weight, voices == 5), Signal::noise({.seed = 2})), {.frames = 300});
    EXPECT_LT(check.worst, 1e-3) << check.table();
  }
}

TEST_P(Sines, AFrequencyThatIsNoNumberIsHeard) {
  Bank bank(3);
  bank.freq[1] = std::nanf("");
  for (float y : bank.signal().realize(40)) EXPECT_TRUE(std::isnan(y));
  for (float freq : {INFINITY, std::nanf("")}) {
    const Signal sine = sin(Signal::phasor(freq) * turn);
    for (float y : sine.realize(200)) EXPECT_TRUE(std::isnan(y));
    for (float y : smooth(sine, 0.9f, 0.5f).realize(200)) EXPECT_TRUE(std::isnan(y));
  }
}

// Frequencies that turn by half a round and more in a tick, or are no numbers, beside others: whole vectors are as ticks one by one.
TEST_P(Sines, VaryingFrequenciesOfAnySize) {
  std::vector<float> freq(200);
  for (size_t i = 0; i < freq.size(); ++i) freq[i] = 300 + static_cast<float>(i);
  freq[40] = 30000, freq[41] = -1e6f, freq[90] = std::nanf(""), freq[91] = INFINITY, freq[150] = 22050, freq[151] = -22050;
  const Signal phase = Signal::phasor(Signal::input(0));
  auto play = [&](int block) {
    Program program = compile(phase);
    std::vector<float> y(freq.size());
    for (size_t done = 0; done < y.size(); done += static_cast<size_t>(block)) {
      const float* in[] = {freq.data() + done};
      float* out[] = {y.data() + done};
      program.process(in, out, block);
    }
    return y;
  };
  const std::vector<float> whole = play(200), single = play(1);
  for (size_t i = 0; i < whole.size(); ++i) {
    if (std::isnan(single[i])) EXPECT_TRUE(std::isnan(whole[i])) << i;
    else EXPECT_EQ(whole[i], single[i]) << i;
  }
  EXPECT_TRUE(std::isnan(whole[90]) && std::isnan(whole[91]) && std::isfinite(whole[92]));
}

// A scan makes the sine that it alone reads: the same at any cut, and as in double.
TEST_P(Sines, AScanMakesItsOwn) {
  for (bool cosine : {false, true}) {
    const float freq = 441.7f, c = 0.95f, gain = -0.6f;
    const Signal angle = Signal::phasor(freq) * turn, wave = 0.8f * (cosine ? cos(angle) : sin(angle));
    const Signal sound = smooth(wave, c, gain);
    const std::vector<float> whole = in_blocks(sound, 9000, {9000});
    double state = 0, worst = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      const double turns = std::fmod(static_cast<double>(freq) / static_cast<double>(rate) * static_cast<double>(i), 1.0);
      const double x = static_cast<double>(0.8f) * (cosine ? std::cos(2 * M_PI * turns) : std::sin(2 * M_PI * turns));
      state += static_cast<double>(1 - c) * (x - state);
      worst = std::max(worst, std::abs(static_cast<double>(whole[i]) - static_cast<double>(gain) * state));
    }
    EXPECT_LE(worst, 1e-6);
    for (const std::vector<int>& lengths : {std::vector<int>{64}, {1, 127, 130, 16}, {37, 5, 300}})
      EXPECT_EQ(in_blocks(sound, 9000, lengths), whole) << "blocks of " << lengths[0] << " ..";
  }
}

// Through second order, dry and wet, and with a second reader, which the scan must not hide the sine from.
TEST_P(Sines, FiltersOfSines) {
  const Signal wave = sin(Signal::phasor(330.3f) * turn), slow = sin(Signal::phasor(3.0f) * turn);
  const std::vector<float> x = in_blocks(wave, 700, {700});
  const Signal filtered = wave.biquad({.cutoff = 900.0f, .q = 2.0f}), stored = Signal::input(0).biquad({.cutoff = 900.0f, .q = 2.0f});
  const std::vector<float> expected = stored.realize({.frames = 700, .inputs = {x}});
  auto near = [&](const std::vector<float>& got, const std::vector<float>& wanted) {
    for (size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 5e-6) << i;
  };
  near(in_blocks(filtered, 700, {700}), expected);
  EXPECT_EQ(in_blocks(filtered, 700, {3, 90, 128}), in_blocks(filtered, 700, {700}));
  std::vector<float> mixed = expected, both = expected;
  for (size_t i = 0; i < x.size(); ++i) mixed[i] = 0.25f * x[i] + 0.75f * expected[i], both[i] += x[i];
  near(in_blocks(0.25f * wave + 0.75f * filtered, 700, {700}), mixed);
  near(in_blocks(filtered + abs(wave) - abs(wave) + wave, 700, {50, 128}), both);
  const Signal two = smooth(wave, 0.9f, 1) + smooth(slow, 0.5f, 2);
  EXPECT_EQ(in_blocks(two, 700, {700}), in_blocks(two, 700, {1}));
  const Signal huge = smooth(3.3e38f * wave, 0.9f, 1e-38f);  // whose sines and cosines add up to more than a float
  EXPECT_EQ(in_blocks(huge, 700, {700}), in_blocks(huge, 700, {5}));
}

// A copy a tick late reads a stream.
TEST_P(Sines, ASineThatOnlyItsDelayReads) {
  const std::vector<float> y = in_blocks(sin(Signal::phasor(330.3f) * turn).prev(), 300, {300});
  EXPECT_EQ(y[0], 0);
  for (size_t i = 1; i < y.size(); ++i) ASSERT_NEAR(y[i], std::sin(2 * M_PI * 330.3 / 44100 * static_cast<double>(i - 1)), 1e-5);
}

// Whatever else of a recurrence reads the sine, reads a stream.
TEST_P(Sines, ASineThatIsCoefficientAndInput) {
  const Signal sine = sin(Signal::phasor(300.0f) * turn);
  for (float gain : {1.0f, 0.5f}) {
    auto [before, write] = Signal::history();
    const std::vector<float> y = in_blocks(write(sine * before + gain * sine), 200, {200});
    double state = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      const double s = std::sin(2 * M_PI * 300.0 / 44100 * static_cast<double>(i));
      state = s * state + static_cast<double>(gain) * s;
      ASSERT_NEAR(y[i], state, 1e-4 * (1 + std::abs(state))) << i;
    }
  }
}

TEST_P(Sines, Gains) {
  // A gain that is a param, gains of gains, a sign, and the state itself beside them.
  Signal gain = Signal::param(0.5f);
  auto [before, write] = Signal::history();
  const Signal x = Signal::input(0), next = write(mix(x, before, 0.75f));
  Program program = compile({gain * next, -(2.0f * next) * gain, next, 0.5f * next + before});
  std::vector<float> in(300);
  for (size_t i = 0; i < in.size(); ++i) in[i] = std::sin(0.1f * static_cast<float>(i)) + (i % 7 == 0);
  for (float value : {0.5f, -3.0f}) {
    gain.assign(value);
    const auto y = program.run({.frames = 300, .inputs = {in}});
    double state = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double last = state;
      state += 0.25 * (static_cast<double>(in[i]) - state);
      const double v = static_cast<double>(value);
      EXPECT_NEAR(y[0][i], v * state, 1e-5);
      EXPECT_NEAR(y[1][i], -2 * v * state, 1e-5);
      EXPECT_NEAR(y[2][i], state, 1e-6);
      EXPECT_NEAR(y[3][i], 0.5 * state + last, 1e-5);
    }
  }
}

TEST(SinesExplained, ByTheirStrategy) {
  const Bank bank(20);
  const std::string text = compile(bank.signal()).explain();
  EXPECT_NE(text.find("Sines: sines of phasor"), std::string::npos) << text;
  // What varies and what others read, too, stays as it is written.
  const SignalTensor waves = sin(Signal::phasor(Tensor(bank.freq)) * turn);
  const Signal varying = (waves * Signal::noise({.seed = 1})).sum();
  EXPECT_EQ(compile(varying).explain().find("Sines"), std::string::npos);
  EXPECT_EQ(compile((waves * Tensor(bank.weight)).sum() + waves[3]).explain().find("Sines"), std::string::npos);
  const Signal one = sin(Signal::phasor(50.0f) * turn), filtered = smooth(one, 0.9f, 0.5f);
  EXPECT_NE(compile(filtered).explain().find("makes the sine"), std::string::npos);
  EXPECT_EQ(compile({filtered, one}).explain().find("makes the sine"), std::string::npos);
  EXPECT_EQ(compile(smooth(bank.signal(), 0.9f, 0.5f)).explain().find("makes the sine"), std::string::npos);
}

}  // namespace
}  // namespace dgen
