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
  for (float y : sin(Signal::phasor(INFINITY) * turn).realize(40)) EXPECT_TRUE(std::isnan(y));
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

TEST(SinesExplained, ByTheirStrategy) {
  const Bank bank(20);
  const std::string text = compile(bank.signal()).explain();
  EXPECT_NE(text.find("Sines: sines of phasor"), std::string::npos) << text;
  // What varies and what others read, too, stays as it is written.
  const SignalTensor waves = sin(Signal::phasor(Tensor(bank.freq)) * turn);
  const Signal varying = (waves * Signal::noise({.seed = 1})).sum();
  EXPECT_EQ(compile(varying).explain().find("Sines"), std::string::npos);
  EXPECT_EQ(compile((waves * Tensor(bank.weight)).sum() + waves[3]).explain().find("Sines"), std::string::npos);
}

}  // namespace
}  // namespace dgen
