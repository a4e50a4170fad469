// Chains of tens of thousands of operators: nothing recurses along them, and no function of generated code grows with them.
#include <gtest/gtest.h>

#include <algorithm>

#include "loop/cpu_map.h"
#include "loop/lower.h"
#include "loop/parts.h"
#include "loop/verify.h"
#include "loop/walk.h"
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

// ---- in feedback: a tick's body is cut into functions ------------------------------------------------------------------

size_t longest(const std::vector<ir::Stmt>& body, size_t* own) {
  size_t most = 0;
  for (const ir::Stmt& s : body) {
    size_t inside = 0;
    ++*own;
    for (auto* inner : {&s.body, &s.rest}) most = std::max(most, longest(*inner, s.kind == ir::Stmt::part ? &inside : own));
    most = std::max(most, inside);
  }
  return most;
}
// Statements of the longest function, those that hand values over not counted twice.
size_t longest_function(Patch& patch) {
  driver::Options options = fast_build();
  options.backend = Backend::cpu;
  size_t most = 0;
  for (const ir::Kernel& kernel : loop::lower_plan(driver::plan_program(patch.g(), options), true)) {
    const loop::CpuKernels mapped = loop::map_to_cpu(kernel, true, true);
    for (const ir::Kernel* k : {&mapped.whole, mapped.by_lanes ? &*mapped.by_lanes : nullptr}) {
      if (!k) continue;
      loop::verify(*k);
      size_t own = 0;
      most = std::max({most, longest(k->body, &own), own});
    }
  }
  return most;
}

constexpr size_t kLongestFunction = 1000;  // with what is handed over

// tanh_i(y / 2 + c_i x), and what is made of all of them, first and last together.
Ex nonlinear(Ex y, Ex x, int operators, bool all) {
  std::vector<Ex> values;
  for (int i = 0; i < operators; ++i) values.push_back(y = fn("tanh", y * 0.5 + x * (0.1 + 1e-4 * i)));
  for (int i = 0; all && i < operators; ++i) y = y + values[static_cast<size_t>(i)] * values[static_cast<size_t>(operators - 1 - i)] * 1e-3;
  return y;
}

void expect_cut(Patch& patch) {
  const size_t length = longest_function(patch);
  EXPECT_LE(length, kLongestFunction);
  EXPECT_GE(length, kLongestFunction / 4) << "nothing to cut";
  expect_as_interpreter(patch);
}

TEST(LongLoop, OfNumbersAndOfLanes) {
  for (const Shape& shape : {Shape{}, Shape{16}, Shape{21}}) {
    for (bool all : {false, true}) {
      Patch patch;
      Ex y = patch.cell(shape);
      patch.output(patch.write(y, nonlinear(y, patch.input(shape), 400, all) * 0.5));
      expect_cut(patch);
    }
  }
}

TEST(LongLoop, Backward) {
  Patch patch;
  Ex y = patch.cell({}), x = patch.input() * patch.param({}, 0.5, 1);
  Ex out = patch.write(y, nonlinear(y, x, 300, true) * 0.5);
  patch.output(out);
  patch.output(patch.grad(patch.loss(out), 0));
  expect_cut(patch);
}

// Beside the numbers: a phase of 64 bits and a sum, fields that trade memory, lanes for threads to share.
TEST(LongLoop, BesideOtherState) {
  Patch patch;
  const Shape field{22, 40}, bank{160};
  Ex y = patch.cell({}), now = patch.cell(field, 1, patch.param(field, -0.1, 0.1)), before = patch.cell(field);
  Ex phase = fn("phasor", patch.number(400) + y * 100.0), sum = ex("sum", {now * now}, {{"axes", Ints{0, 1}}});
  Ex next = patch.write(y, nonlinear(y, patch.input() + sum * 1e-3, 400, true) * 0.5 + phase * 0.1);
  Ex around = ex("pad", {now}, {{"pairs", Ints{1, 1, 0, 0}}, {"value", 0.0}});
  Ex above = ex("slice", {around}, {{"starts", Ints{0, 0}}, {"ends", Ints{22, 40}}});
  patch.write(before, now);
  patch.output(patch.write(now, above * 0.5 + now * 0.3 - before * 0.1 + next * 0.1));
  Ex voices = patch.cell(bank);
  patch.output(patch.write(voices, nonlinear(voices, next * patch.param(bank), 300, false)));
  patch.output(fn("sin_turns", phase));
  expect_cut(patch);
}

// Parts inside parts of parts: a bank of sines has loops of voices inside loops of groups of ticks.
TEST(LongLoop, OfLoops) {
  Patch patch;
  Ex now = patch.cell({40, 3}), delayed = ex("sum", {now}, {{"axes", Ints{0}}});
  Ex angles = fn("phasor", patch.tensor({40, 1}, random_floats(40, 5, 30, 3000)));
  patch.output(patch.write(now, fn("tanh", now * 0.5 + delayed * 0.1 + patch.input() * patch.param({40, 3}))));
  patch.output(ex("sum", {fn("sin_turns", angles) * patch.param({40, 1})}, {{"axes", Ints{0, 1}}}));
  patch.output(fn("sin_turns", fn("phasor", patch.number(440))) * patch.param({}));
  driver::Options options = fast_build();
  options.backend = Backend::cpu;
  size_t nested = 0;
  for (const Kernel& kernel : loop::lower_plan(driver::plan_program(patch.g(), options), true)) {
    for (size_t length : {2, 3, 6, 10}) {
      const Kernel cut = loop::cut_parts(loop::map_to_cpu(kernel, true, false).whole, length);
      loop::verify(cut);
      loop::for_statements(cut.body, [&](const Stmt& s) {
        if (s.kind == Stmt::part) loop::for_statements(s.body, [&](const Stmt& inner) { nested += inner.kind == Stmt::part; });
      });
    }
  }
  EXPECT_GT(nested, 0U);
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
