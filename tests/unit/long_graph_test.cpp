// Chains of tens of thousands of operators: nothing recurses along them, and no function of generated code grows with them.
#include <gtest/gtest.h>

#include "loop/lower.h"
#include "support/graphs.h"
#include "support/sanitized.h"

namespace dgen::test {
namespace {

// The C compiler would take long for the longest; lowering has seen it then.
constexpr int kLong = kSanitized ? 3000 : 30000, kCompiled = kLong / 5, kFrames = 8;

// Operators that keep the value near x.
Ex chain(Ex x, Ex factor, int operators) {
  Ex y = x;
  for (int i = 0; i < operators / 2; ++i) y = y * factor + x;
  return y;
}

void expect_as_interpreter(const Patch& patch) {
  driver::Options options = fast_build();
  options.optimize = 0;
  Rows want = run_fresh(patch, Backend::interpreter, kFrames), got = run_fresh(patch, Backend::cpu, kFrames, options);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 1e-4, 1e-5), 1) << "output " << o;
}

void expect_lowered(Patch patch) {
  EXPECT_NE(run_fresh(patch, Backend::interpreter, kFrames).back()[0], 0);
  EXPECT_FALSE(loop::lower_plan(driver::plan_program(patch.g(), {})).empty());
}

Patch long_chain(const Shape& shape, int operators) {
  Patch patch;
  patch.output(chain(patch.input(shape), patch.param(shape, -0.5, 0.5), operators));
  return patch;
}

TEST(LongGraph, Forward) {
  for (const Shape& shape : {Shape{}, Shape{3}}) {
    expect_as_interpreter(long_chain(shape, kCompiled));
    expect_lowered(long_chain(shape, kLong));
  }
}

Patch gradient_of_chain(const Shape& shape, int operators) {
  Patch patch;
  Ex y = chain(patch.input(shape), patch.param(shape, -0.5, 0.5), operators);
  patch.output(y);
  patch.output(patch.grad(patch.loss(y), 0));
  return patch;
}

TEST(LongGraph, Backward) {
  for (const Shape& shape : {Shape{}, Shape{3}}) expect_as_interpreter(gradient_of_chain(shape, kLong / 10));
  expect_lowered(gradient_of_chain({}, kLong));
}

Patch chain_of_views(int operators) {
  Patch patch;
  Ex y = patch.input({2, 3});
  for (int i = 0; i < operators / 2; ++i) y = ex("reshape", {ex("permute", {y}, {{"axes", Ints{1, 0}}})}, {{"shape", Ints{2, 3}}});
  patch.output(y);
  return patch;
}

TEST(LongGraph, OfViews) {
  expect_as_interpreter(chain_of_views(kCompiled));
  expect_lowered(chain_of_views(kLong));
}

// All of it is one sine's weight.
TEST(LongGraph, OfProductsWithASine) {
  Patch patch;
  Ex y = fn("sin_turns", fn("phasor", patch.number(440)));
  const Ex w = patch.param({}, 0.99, 1);
  for (int i = 0; i < kLong; ++i) y = y * w;
  patch.output(y);
  EXPECT_FALSE(loop::lower_plan(driver::plan_program(patch.g(), {})).empty());
}

TEST(LongGraph, OfConcatenationsThatDouble) {
  Patch patch;
  Ex y = patch.input({4});
  for (int i = 0; i < 200; ++i)
    y = ex("slice", {ex("concat", {y, y}, {{"axis", int64_t{0}}})}, {{"starts", Ints{1}}, {"ends", Ints{5}}});
  patch.output(y);
  expect_as_interpreter(patch);
}

TEST(LongGraph, AtASlowerClock) {
  Patch patch;
  patch.output(ex("decimate", {chain(patch.input(), patch.number(0.5f), kCompiled)}, {{"hop", int64_t{4}}}));
  expect_as_interpreter(patch);
}

TEST(LongGraph, InFeedback) {
  Patch patch;
  Ex before = patch.cell();
  patch.output(patch.write(before, chain(before * 0.5 + patch.input(), patch.number(0.5f), 5000)));
  expect_as_interpreter(patch);
}

int64_t statements(const std::vector<Stmt>& body) {
  int64_t n = 0;
  for (auto& s : body) n += 1 + statements(s.body);
  return n;
}

TEST(LongGraph, FunctionsStayShort) {
  for (const Shape& shape : {Shape{}, Shape{3}})
    for (const Kernel& kernel : loop::lower_plan(driver::plan_program(gradient_of_chain(shape, 5000).g(), {})))
      EXPECT_LE(statements(kernel.body), 1000);
}

}  // namespace
}  // namespace dgen::test
