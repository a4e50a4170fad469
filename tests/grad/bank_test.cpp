// Narrow banks of linear filters, each lane a scan of its own: what they give, and which of them are.
#include "analysis/banks.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

std::string plan_of(const Patch& p) { return Player(p, Backend::cpu).program().explain(); }
int count_of(const std::string& text, std::string_view word) {
  int n = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

// Two cells in each lane; coefficients are constants of a lane, or one for all that varies.
Ex filter(Patch& p, Ex x, Ex a, Ex b, Ex init = {}) {
  Ex first = p.cell(x.shape(), 1, init), second = p.cell(x.shape());
  Ex y = x * 0.5 + first;
  p.write(first, second - y * a);
  p.write(second, x * 0.25 - y * b);
  return y;
}

TEST(Banks, LanesAreScans) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (const Shape& shape : {Shape{2}, Shape{3}, Shape{2, 2}}) {
    Patch p;
    p.output(filter(p, p.input(shape), p.param(shape), p.param(Shape{}), p.param(shape)));
    const std::string plan = plan_of(p);
    EXPECT_EQ(count_of(plan, "Scan: linear of order 2, constant"), shape.size()) << plan;
    EXPECT_EQ(plan.find("Serial"), std::string::npos) << plan;
  }
  Patch wide, meeting;
  wide.output(filter(wide, wide.input({5}), wide.param(Shape{5}), wide.param(Shape{5})));
  EXPECT_NE(plan_of(wide).find("linear, in 5 lanes side by side"), std::string::npos);
  Ex prev = meeting.cell({2});
  meeting.output(meeting.write(prev, ex("flip", {prev}, {{"axes", Ints{0}}}) * 0.5 + meeting.input({2})));
  EXPECT_EQ(plan_of(meeting).find("Scan"), std::string::npos);
}

// In direct form, of order 3, a lane is no scan: two lanes are faster apart, three together.
TEST(Banks, OfOrderedLanesTwoAreTakenApart) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (const int64_t lanes : {2, 3}) {
    Patch p;
    const Ex a = p.param(Shape{lanes}, -0.2f, 0.2f);
    Ex cells[3] = {p.cell({lanes}), p.cell({lanes}), p.cell({lanes})};
    p.write(cells[2], cells[1]), p.write(cells[1], cells[0]);
    p.output(p.write(cells[0], p.input({lanes}) + cells[0] * 0.5 + cells[1] * a - cells[2] * 0.1));
    const std::string plan = plan_of(p);
    EXPECT_EQ(count_of(plan, "OrderedFma: linear of order 3, constant"), lanes == 2 ? 2 : 0) << plan;
    EXPECT_EQ(count_of(plan, "linear, in 3 lanes side by side"), lanes == 3 ? 1 : 0) << plan;
    const auto want = Oracle(p).run(300);
    EXPECT_LE(distance(run_fresh(p, Backend::cpu, 300)[0], want[0], 2e-6, 2e-6 * peak_of(want[0])), 1) << lanes;
  }
}

// A copy is no recurrence, many varying coefficients cost more than they save, and the gradient of an initial value looks at the cell.
TEST(Banks, OthersStayWhole) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch copy, varying, begun;
  Ex prev = copy.cell({2});
  copy.write(prev, copy.input({2}));
  copy.output(prev);
  EXPECT_EQ(count_of(plan_of(copy), "Shift"), 1) << plan_of(copy);
  varying.output(filter(varying, varying.input({4}), varying.input({4}), varying.param(Shape{4})));
  EXPECT_NE(plan_of(varying).find("linear, in 4 lanes side by side"), std::string::npos) << plan_of(varying);
  Ex init = begun.param(Shape{2});
  begun.output(begun.grad(begun.loss(filter(begun, begun.input({2}), begun.param(Shape{}), begun.param(Shape{}), init)), 0));
  EXPECT_NE(plan_of(begun).find("linear, in 2 lanes side by side"), std::string::npos) << plan_of(begun);
}

int count_of(const Graph& g, std::string_view name) {
  return static_cast<int>(std::count_if(g.nodes().begin(), g.nodes().end(), [&](const Node& node) { return node.op->name == name; }));
}

// Pointwise values follow a bank that alone reads them; what is read whole as well is not computed twice, views in between or not.
TEST(Banks, NothingIsComputedTwice) {
  for (const bool whole : {false, true}) {
    Patch p;
    Ex x = ex("reshape", {fn("tanh", p.input({2}))}, {{"shape", Ints{2, 1}}}), prev = p.cell({2, 1});
    p.output(p.write(prev, x + prev * 0.5));
    if (whole) p.output(ex("flip", {x}, {{"axes", Ints{0}}}));
    EXPECT_EQ(count_of(analysis::split_banks(driver::prepare(p.capture.graph)), "tanh"), whole ? 1 : 2);
  }
}

// What coefficients are made of follows its lane, in double: a decay of thousands of frames shows the last bit.
TEST(Banks, ConstantsOfLanesAreKeptInDouble) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  auto decay = [](Ex of) { return 1.0 - fn("exp", of) * 0x1p-11; };
  auto row = [&](float value) { return ex("reshape", {decay(p.number(value))}, {{"shape", Ints{1}}}); };
  for (Ex coefficients : {decay(p.param({2}, {0.1f, 0.2f})), ex("concat", {row(0.3f), row(0.4f)}, {{"axis", int64_t{0}}})}) {
    Ex prev = p.cell({2});
    p.output(p.write(prev, p.input({2}) + prev * coefficients));
  }
  const auto want = Oracle(p).run(3000);
  const Rows got = run_fresh(p, Backend::cpu, 3000);
  for (size_t o = 0; o < 2; ++o) EXPECT_LE(distance(got[o], want[o], 2e-6, 2e-6 * peak_of(want[o])), 1) << o;
}

TEST(Banks, ValuesAndGradients) {
  for (const Shape& shape : {Shape{2}, Shape{4}, Shape{2, 2}}) {
    SCOPED_TRACE(shape.str());
    Patch p;
    Ex y = filter(p, p.input(shape), p.param(shape, 0.1, 0.5), p.param(shape, 0.1, 0.4));
    p.output(y);
    expect_right(p, p.loss(y * p.param(shape)), 40);
  }
}

TEST(Banks, CoefficientsThatVary) {
  Patch p;
  Ex depth = p.param({3}, 0.1, 0.5);
  Ex y = filter(p, p.input({3}), depth * p.input(), p.input({3}, 1, 0.1, 0.4));
  p.output(y);
  expect_right(p, p.loss(y), 40);
}

// The reverse sweep reads what cells begin with, so those stay together; a hop's values stand still in every lane.
TEST(Banks, InitialValuesAndHops) {
  Patch p;
  Ex a = ex("hold", {p.input({2}, 4) * p.param({2})}, {{"period", int64_t{1}}}) * 0.4;
  Ex y = filter(p, p.input({2}), a, p.param(Shape{}) * 0.3, p.param({2}));
  p.output(y);
  expect_right(p, p.loss(y), 40);
}

// One behind the other, read whole between them, and beside a loop that is not linear.
TEST(Banks, AmongOtherLoops) {
  Patch p;
  Ex x = p.input({2}), first = filter(p, x, p.param({2}, 0.1, 0.5), p.param({2}, 0.1, 0.3));
  Ex second = filter(p, first * p.param({2}) + x, p.param({2}, 0.1, 0.5), p.param(Shape{}, 0.1, 0.3));
  Ex prev = p.cell({2}), bent = p.write(prev, fn("tanh", prev * 0.7 + second + ex("sum", {first}, {{"axes", Ints{0}}})));
  p.output(first), p.output(bent);
  expect_right(p, p.loss(bent) + p.loss(first * second), 40);
}

// Lanes that are not linear: one vector or several abreast, of which the last is masked.
TEST(Banks, FewLanesOfAnyNumber) {
  for (int64_t n : {3, 5, 7, 12, 15, 17, 24, 31, 33, 47, 63}) {
    SCOPED_TRACE(n);
    Patch p;
    Ex prev = p.cell({n}), other = p.cell({n}), x = p.input({n}), a = p.param(Shape{n}, 0.1, 0.5);
    // The sum is over vectors that begin elsewhere, and the flip reads other lanes' old elements.
    Ex last = ex("sum", {ex("slice", {prev}, {{"starts", Ints{n / 3}}, {"ends", Ints{n}}})}, {{"axes", Ints{0}}}) * 0.1;
    Ex y = p.write(prev, fn("tanh", prev * a + x + last));
    Ex z = p.write(other, fn("tanh", other * 0.5 + y + ex("flip", {other}, {{"axes", Ints{0}}}) * a));
    p.output(z);
    expect_right(p, p.loss(y * z), 25);
  }
}

TEST(Banks, AnyBlocksGiveTheSameBits) {
  Patch p;
  p.output(filter(p, p.input({3}), p.param({3}, 0.1, 0.5), p.input({3}, 1, 0.1, 0.4)));
  constexpr int64_t frames = 700;
  const Rows whole = run_fresh(p, Backend::cpu, frames);
  Player player(p, Backend::cpu);
  Rows joined(whole.size());
  for (int64_t at = 0, n = 1; at < frames; at += n, n = std::min(frames - at, n * 2 + 1))
    for (size_t o = 0; auto& block : player.play(std::min(n, frames - at)))
      joined[o].insert(joined[o].end(), block.begin(), block.end()), ++o;
  expect_same_bits(joined, whole);
}

TEST(Banks, WhatIsNotFiniteStaysInItsLane) {
  Patch p;
  p.output(filter(p, p.input({2}), p.param({2}, 0.1, 0.5), p.param({2}, 0.1, 0.4)));
  const Rows clean = run_fresh(p, Backend::cpu, 300);
  p.inputs[0][101] = std::numeric_limits<float>::quiet_NaN();
  const Rows got = run_fresh(p, Backend::cpu, 300);
  for (size_t i = 0; i < 600; ++i) {
    if (i % 2 == 0 || i < 101) EXPECT_EQ(got[0][i], clean[0][i]) << i;
    else EXPECT_TRUE(std::isnan(got[0][i])) << i;
  }
}

}  // namespace
}  // namespace dgen::test
