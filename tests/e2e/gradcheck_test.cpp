// The whole chain at once: a patch of phasor, biquad with learnable cutoff, delay and spectral loss, 4096 frames, its
// gradient on the interpreter and as C against central differences in float64, in magnitude.
#include <gtest/gtest.h>

#include <cmath>

#include "dgen/dgen.h"
#include "driver/driver.h"
#include "support/backends.h"

namespace dgen {
namespace {

class GradcheckPatch : public test::EachBackend {};
INSTANTIATE_TEST_SUITE_P(Backends, GradcheckPatch, testing::ValuesIn(test::backends()), test::backend_test);

TEST_P(GradcheckPatch, EveryParameterWithinOneInAThousand) {
  const int frames = 4096;
  Signal freq = Signal::param(311.3f).named("freq");
  Signal cutoff = Signal::param(900).named("cutoff"), q = Signal::param(1.7f).named("q");
  Signal time = Signal::param(37.4f).named("time"), gain = Signal::param(0.6f).named("gain");
  Signal x = sin(Signal::phasor(freq) * 6.2831853f) + 0.5f * sin(Signal::phasor(freq * 3.0f) * 6.2831853f);
  Signal filtered = x.biquad({.cutoff = cutoff, .q = q});
  Signal out = filtered + gain * filtered.delay(time, 200);
  Signal loss = spectral_loss(out, Signal::input(0), {.window_size = 512, .hop = 128});

  std::vector<float> target(frames);
  for (int i = 0; i < frames; ++i)
    target[static_cast<size_t>(i)] = 0.4f * std::sin(0.05f * static_cast<float>(i)) + 0.2f * std::sin(0.31f * static_cast<float>(i));
  Gradcheck result = gradcheck(loss, {.frames = frames, .inputs = {target}});
  EXPECT_EQ(result.rows.size(), 5u);
  EXPECT_LT(result.worst, 1e-3) << result.table();
  for (const GradcheckRow& row : result.rows) EXPECT_GT(std::abs(row.gradient), 1e-6) << row.param;
  std::printf("%s", result.table().c_str());
}

// At a kink any slope between those of the sides is right, others are not; what only curves is no kink.
TEST(Gradchecks, Kinks) {
  Tensor x = Tensor::param({0, 2, -1, 0});
  Gradcheck check = gradcheck((relu(x) * 3.0f + abs(x) * 0.5f + x * x).sum());
  EXPECT_TRUE(check.ok) << check.table();
  for (const GradcheckRow& row : check.rows) EXPECT_EQ(row.kink, row.element == 0 || row.element == 3);
  EXPECT_DOUBLE_EQ(std::round(check.rows[0].left * 1e3) / 1e3, -0.5);
  EXPECT_DOUBLE_EQ(std::round(check.rows[0].right * 1e3) / 1e3, 3.5);
  EXPECT_NE(check.table().find("kink"), std::string::npos);
}

// At a jump the side without it counts, and other rows are judged as if it were not there.
TEST(Gradchecks, Jumps) {
  Signal x = Signal::param(1);
  EXPECT_TRUE(gradcheck(floor(x) + 3.0f * x).ok);
  Gradcheck wrong = gradcheck(floor(x) + 1000.0f * (x - x.detach()));
  EXPECT_FALSE(wrong.ok);
  EXPECT_TRUE(wrong.rows[0].jump);
  Tensor pair = Tensor::param({1, 2});
  EXPECT_FALSE(gradcheck(((pair >= 1.0f) * 500.0f).sum() + (pair * pair * pair).detach().sum()).ok);
}

// A rebuilt equal graph finds its program: nothing is compiled again.
TEST(Rebuild, BackwardOfAnEqualGraphCompilesNothing) {
  Signal amp = Signal::param(0.5f);
  auto once = [&](float scale) { return mse(sin(Signal::phasor(220) * 6.2831853f) * amp, scale).backward(64); };
  once(0.25f);
  const int64_t before = driver::compile_requests();
  EXPECT_DOUBLE_EQ(once(0.25f), once(0.25f));
  EXPECT_EQ(driver::compile_requests(), before);
  // A literal that changes at each call compiles once more, then never again.
  for (int i = 0; i < 5; ++i) once(0.3f + 0.01f * static_cast<float>(i));
  EXPECT_LE(driver::compile_requests(), before + 2);
}

}  // namespace
}  // namespace dgen
