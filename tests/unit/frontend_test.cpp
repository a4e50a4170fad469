// Handles, ownership of feedback loops, capture.
#include <gtest/gtest.h>

#include <chrono>

#include "dgen/dgen.h"
#include "frontend/capture.h"
#include "support/sanitized.h"

namespace {

using namespace dgen;
using detail::Capturer;

TEST(Frontend, ReducesExpandsAndClocks) {
  Tensor t(std::vector<float>(6, 1), Shape{2, 3});
  EXPECT_EQ((t + Tensor({1, 2, 3})).shape(), Shape({2, 3}));
  EXPECT_EQ(t.transpose().shape(), Shape({3, 2}));
  EXPECT_EQ(t[-1].shape(), Shape({3}));
  EXPECT_EQ((t[{0, 1}].shape()), Shape({1, 3}));
  EXPECT_EQ((t.shrink({{0, 1}, {-2, 3}}).shape()), Shape({1, 2}));
  EXPECT_EQ(t.repeat({2, 1}).shape(), Shape({4, 3}));
  EXPECT_EQ(t.split({1, 2}, 1)[1].shape(), Shape({2, 2}));
  EXPECT_EQ(t.sum(-1, true).shape(), Shape({2, 1}));
  EXPECT_EQ(t.unsqueeze(-1).shape(), Shape({2, 3, 1}));
  EXPECT_EQ(stack({t, t}, 1).shape(), Shape({2, 2, 3}));
  EXPECT_EQ(concat({t, t}, -1).shape(), Shape({2, 6}));
  EXPECT_EQ(t.matmul(Tensor({1, 2, 3})).shape(), Shape({2}));
  EXPECT_EQ(Tensor({1, 2}).matmul(t).shape(), Shape({3}));
  EXPECT_EQ(matmul(Tensor::ones({5, 1, 2, 3}), Tensor::ones({4, 3, 2})).shape(), Shape({5, 4, 2, 2}));
  Signal hop6 = Signal::phasor(1).every(6);
  EXPECT_EQ((hop6 + Signal::noise().every(4)).clock().period, 2);
  EXPECT_EQ(hop6.prev().clock().period, 6);
  EXPECT_EQ(hop6.every(4).clock().period, 4);
  EXPECT_EQ(hop6.last(3).shape(), Shape({3}));
  EXPECT_EQ(hop6.last(3).clock().period, 6);
  EXPECT_EQ(hop6.interpolate().clock().period, 1);
  EXPECT_EQ(hop6.biquad().clock().period, 1);
  EXPECT_EQ(Signal::constant(1).prev().clock().period, 1);
}

Signal feedback_patch() {
  auto [a, write_a] = Signal::history();
  auto [b, write_b] = SignalTensor::history({4});
  Signal x = write_a(0.5f * a + b.sum());
  SignalTensor y = write_b(tanh(b + x));
  return y.sum().biquad().prev().comb({.time = 10, .damping = 0.1f});
}

TEST(Frontend, FeedbackGraphsAreReleased) {
  int64_t before = detail::live_nodes();
  { Signal keep = feedback_patch(); }
  EXPECT_EQ(detail::live_nodes(), before);
  int64_t most = 0;
  for (int i = 0; i < (test::kSanitized ? 10000 : 100000); ++i) {
    Signal keep = i % 100 == 0 ? feedback_patch() : Signal::phasor(1).onepole(0.5f);
    most = std::max(most, detail::live_nodes() - before);
  }
  EXPECT_LT(most, 500);
  EXPECT_EQ(detail::live_nodes(), before);
}

TEST(Frontend, ADroppedWriteStillHappens) {
  auto [prev, write] = Signal::history();
  write(prev + 1.0f);
  Capturer captured;
  captured.output(prev);
  ASSERT_EQ(captured.capture().graph.cells.size(), 1u);
  EXPECT_NE(captured.capture().graph.cells[0].write, ir::none);
}

TEST(Frontend, HandlesKeepCellsOfOtherLoopsAlive) {
  Signal y;
  {
    auto [a, write_a] = Signal::history();
    auto [b, write_b] = Signal::history();
    auto [c, write_c] = Signal::history();
    write_a(b + 1.0f);  // a needs b, b needs c, c needs a: one group in the end
    write_b(c + 1.0f);
    write_c(a + 1.0f);
    y = 2.0f * b;
  }
  Capturer captured;
  captured.output(y);
  EXPECT_EQ(captured.capture().graph.cells.size(), 3u);
  for (auto& cell : captured.capture().graph.cells) EXPECT_NE(cell.write, ir::none);
}

TEST(Frontend, LongChainsNeedNoStack) {
  int64_t before = detail::live_nodes();
  {
    Signal x = Signal::phasor(2);
    const int length = test::kSanitized ? 20000 : 200000;
    for (int i = 0; i < length; ++i) x = x + 1.0f;
    Capturer captured;
    captured.output(x);
    EXPECT_EQ(captured.capture().graph.size(), length + 3);
    Signal chain = Signal::phasor(1);
    for (int i = 0; i < length / 10; ++i) chain = chain.onepole(0.5f);
  }
  EXPECT_EQ(detail::live_nodes(), before);
}

TEST(Frontend, EqualGraphsCaptureEqually) {
  auto build = [] {
    Signal f = Signal::param(100);
    Tensor w({1, 2, 3});
    return (feedback_patch() + (Signal::phasor(f) * w).sum() + Signal::noise() * Signal::noise()).biquad({.cutoff = f});
  };
  Signal a = build(), b = build();
  auto hash = [](const Value& v) {
    Capturer captured;
    captured.output(v);
    size_t h = 0;
    for (auto& node : captured.capture().graph.nodes()) h = h * 31 + ir::hash_node(node);
    return std::pair(h, captured.capture().graph.size());
  };
  EXPECT_EQ(hash(a), hash(b));
}

TEST(Frontend, NoiseIsNumbered) {
  Signal x = Signal::noise(), y = Signal::noise(), z = Signal::noise({.seed = 5});
  Capturer captured;
  captured.output(x + x * y + z);
  std::vector<std::pair<int64_t, int64_t>> seen;
  for (auto& node : captured.capture().graph.nodes())
    if (node.op->name == "noise") seen.push_back({node.attrs.i("seed"), node.attrs.i("number")});
  EXPECT_EQ(seen, (std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {5, -1}}));
}

TEST(Frontend, CaptureIsFast) {
  Signal x = Signal::phasor(1);
  Tensor w({1, 2, 3, 4});
  for (int i = 0; i < 60; ++i) x = (sin(x + static_cast<float>(i)) * w).sum();
  auto start = std::chrono::steady_clock::now();
  int64_t nodes = 0;
  for (int i = 0; i < 100; ++i) {
    Capturer captured;
    captured.output(x);
    nodes = captured.capture().graph.size();
  }
  double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / 100;
  RecordProperty("nodes", std::to_string(nodes));
  RecordProperty("microseconds", std::to_string(us));
  EXPECT_LT(us, 5000);
}

TEST(Frontend, Schedules) {
  auto cosine = warmup_cosine_schedule(1, 10, 110, 0.1);
  EXPECT_NEAR(cosine(4), 0.5, 1e-12);
  EXPECT_NEAR(cosine(10), 1, 1e-12);
  EXPECT_NEAR(cosine(60), 0.55, 1e-12);
  EXPECT_NEAR(cosine(1000), 0.1, 1e-12);
  EXPECT_NEAR(exponential_schedule(1, 0.5, 10)(20), 0.25, 1e-12);
}

TEST(Frontend, RandnRepeats) {
  std::vector<float> a = Tensor::randn({1000}, {.seed = 4}).realize(), b = Tensor::randn({1000}, {.seed = 4}).realize();
  EXPECT_EQ(a, b);
  double sum = 0, power = 0;
  for (float v : a) sum += static_cast<double>(v), power += static_cast<double>(v) * static_cast<double>(v);
  EXPECT_NEAR(sum / 1000, 0, 0.1);
  EXPECT_NEAR(power / 1000, 1, 0.15);
}

}  // namespace
