// Linear recurrences as scans: what their constants are made of, and what they give.
#include "ir/op.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

// A decay of thousands of frames shows the last bit of its constant: in float it would be 1e-4 off.
TEST(Scans, KeepConstantsOfEveryOperatorInDouble) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  Ex x = p.input();
  std::vector<std::string> names;
  for (ir::Op op : ir::all_ops()) {
    if (op->family != ir::Family::scalar) continue;
    std::vector<ir::Id> in;
    for (double at : {0.37, 0.61, 0.47})
      if (static_cast<int>(in.size()) < op->min_inputs) in.push_back(p.number(static_cast<float>(op->lo + (op->hi - op->lo) * at)).id);
    Ex value{&p.g(), ir::apply(p.g(), op, in)}, constant = p.c(1 - 0x1p-11) + fn("tanh", value) * 0x1p-12, prev = p.cell({});
    p.output(p.write(prev, x + prev * constant));
    names.emplace_back(op->name);
  }
  constexpr int64_t frames = 3000;
  Oracle oracle(p);
  auto want = oracle.run(frames);
  Rows got = run_fresh(p, Backend::cpu, frames);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 2e-6, 2e-6 * peak_of(want[o])), 1) << names[o];
}

// One of several numbers, taken by each view that leaves one.
TEST(Scans, ConstantsAreElementsOfArrays) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  Ex x = p.input(), array = p.param({3}, {0.2f, 0.6f, 0.9f});
  auto second = [](Ex of) { return ex("slice", {of}, {{"starts", Ints{1}}, {"ends", Ints{2}}}); };
  auto number = [](Ex of) { return ex("reshape", {of}, {{"shape", Ints()}}); };
  Ex row = ex("reshape", {p.number(0.3f)}, {{"shape", Ints{1}}});
  Ex joined = ex("concat", {row, array}, {{"axis", int64_t{0}}}), padded = ex("pad", {row}, {{"pairs", Ints{1, 1}}, {"value", 0.0}});
  Ex sum = ex("sum", {array}, {{"axes", Ints{0}}});
  for (Ex factor : {number(second(array)), number(second(array * 0.9)), 1.0 - number(second(joined)), number(second(padded)), sum * 0.5}) {
    Ex prev = p.cell({});
    p.output(p.write(prev, x + prev * factor));
  }
  constexpr int64_t frames = 300;
  Oracle oracle(p);
  const auto want = oracle.run(frames);
  const Rows got = run_fresh(p, Backend::cpu, frames);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 2e-6, 2e-6 * peak_of(want[o])), 1) << o;
}

// The recurrence of an adjoint is linear in it, whatever the loop computes.
TEST(Scans, AdjointsOfNonlinearFeedback) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  Ex prev = p.cell({}), y = p.write(prev, fn("tanh", prev * p.number(0.7f) + p.input() * prev * prev + p.input()));
  Ex loss = p.loss(y);
  p.output(loss), p.output(p.grad(loss, 0));
  Player player(p, Backend::cpu, fast_build());
  const std::string plan = player.program().explain();
  EXPECT_NE(plan.find("sweep 1 (forward) at frame  Serial"), std::string::npos) << plan;
  EXPECT_NE(plan.find("sweep 2 (reverse) at frame'  Scan: linear of order 1, varying"), std::string::npos) << plan;
}

// Two cells that are nearly the same in every tick: powers of A reach a hundred and cancel. a1 and a2 are exact in float.
TEST(Scans, TwoPolesCloseToOne) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  constexpr double r = 1 - 0x1p-9, a2 = r * r;
  for (const double a1 : {0x1p-17 - 2 * r, -2 * r, -0x1p-19 - 2 * r}) {
    Patch p;
    Ex x = p.input();
    Ex s1 = p.cell({}), s2 = p.cell({}), y1 = p.cell({}), y2 = p.cell({});
    p.write(s2, x - s1 * p.c(a2));
    p.output(p.write(s1, x - s1 * p.c(a1) + s2));
    p.write(y2, y1);
    p.output(p.write(y1, x - y1 * p.c(a1) - y2 * p.c(a2)));
    constexpr int64_t frames = 3000;
    Oracle oracle(p);
    auto want = oracle.run(frames);
    Rows got = run_fresh(p, Backend::cpu, frames);
    for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 3e-6, 3e-6 * peak_of(want[o])), 1) << o << ", " << a1;
  }
}

double rms_error(const std::vector<float>& got, const Values& want) {
  double difference = 0, size = 0;
  for (size_t t = 0; t < want.size(); ++t) difference += std::pow(static_cast<double>(got[t]) - want[t], 2), size += want[t] * want[t];
  return std::sqrt(difference / size);
}

// The same with coefficients that vary: products of A are to cost no digits that ticks in order have. All forms in which one cell
// takes the other as it is, either cell first, and their adjoints.
TEST(Scans, PolesCloseToOneThatVary) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  constexpr int64_t frames = 3000;
  for (const bool transposed : {true, false})
    for (const bool swapped : {true, false}) {
      SCOPED_TRACE(testing::Message() << (transposed ? "transposed, " : "direct, ") << (swapped ? "second" : "first") << " cell first");
      Patch p;
      Ex x = p.input(), r = 1.0 - p.input({}, 1, 0.002, 0.01), a1 = r * -2.0 + p.number(0x1p-16f), a2 = r * r;
      Ex first = p.cell({}), second = p.cell({}), s1 = swapped ? second : first, s2 = swapped ? first : second;
      Ex y = transposed ? p.write(s1, x - s1 * a1 + s2) : p.write(s1, x - s1 * a1 - s2 * a2);
      p.write(s2, transposed ? x * 0.5 - s1 * a2 : s1);
      Ex loss = p.loss(y);
      p.output(y), p.output(p.grad(loss, 0));
      EXPECT_NE(Player(p, Backend::cpu).program().explain().find("Scan: linear of order 2, varying"), std::string::npos);
      driver::Options plain = fast_build();
      plain.plain = true;
      const auto want = Oracle(p).run(frames);
      const Rows scanned = run_fresh(p, Backend::cpu, frames), in_order = run_fresh(p, Backend::cpu, frames, plain);
      EXPECT_LE(rms_error(scanned[0], want[0]), 1.5 * rms_error(in_order[0], want[0]) + 1e-6);
      EXPECT_LE(std::fabs(scanned[1][0] / want[1][0] - 1), 2 * std::fabs(in_order[1][0] / want[1][0] - 1) + 1e-4);
    }
}

}  // namespace
}  // namespace dgen::test
