// Sums over windows of a plane, whose rows are carried in registers: they have the bits of loops as they were written.
#include "loop/cpu_map.h"
#include "loop/lower.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

constexpr int64_t kFrames = 5;

struct Stencil {
  const char* name;
  Shape plane;
  int64_t rows, columns;  // of the window
  bool carried = true;
  int64_t dilation = 1, stride = 1;
  std::vector<int> zeros = {};  // of the kernel
  bool in_lanes = false;        // a small plane, of which ticks are the lanes where they are in no order
};

const std::vector<Stencil> kStencils{
    {"5 x 5", {16, 64}, 5, 5},
    {"4 x 3", {16, 64}, 4, 3},
    {"7 x 7, rows that fill no vector", {25, 37}, 7, 7},
    {"3 x 5, few columns", {11, 21}, 3, 5, true, 1, 1, {}, true},
    {"2 x 5", {9, 64}, 2, 5},
    {"8 x 2", {28, 33}, 8, 2, true, 1, 1, {}, true},
    {"5 x 3 without its first and third row", {16, 64}, 5, 3, true, 1, 1, {0, 1, 2, 6, 7, 8}},
    {"5 x 5 without a first and a third row", {16, 64}, 5, 5, true, 1, 1, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}},
    {"4 x 4, dilated", {24, 40}, 4, 4, true, 2},
    {"4 x 4, every second", {32, 64}, 4, 4, false, 1, 2},
    {"a plane that is too large for a stack", {150, 300}, 5, 5},
    {"nine terms", {16, 64}, 3, 3, false},
    {"one row", {16, 64}, 1, 12, false},
    {"few rows", {7, 64}, 3, 5, false},
    {"tall windows", {64, 64}, 16, 2, false},
    {"81 terms", {16, 64}, 9, 9, false},
};

Ex windowed(Ex x, Ex kernel, const Stencil& s) {
  auto windows = [&](Ex v, int64_t axis, int64_t size) {
    return ex("windows", {v}, {{"axis", axis}, {"size", size}, {"stride", s.stride}, {"dilation", s.dilation}});
  };
  Ex all = windows(windows(x, 0, s.rows), 1, s.columns);
  return ex("sum", {all * kernel}, {{"axes", Ints{2, 3}}});
}
// So much is added on both sides that the sums have the plane's size, with other numbers of rows before and after.
Ex padded(Ex x, const Stencil& s) {
  const int64_t rows = (s.rows - 1) * s.dilation, columns = (s.columns - 1) * s.dilation;
  return ex("pad", {x}, {{"pairs", Ints{rows / 2, rows - rows / 2, columns / 2, columns - columns / 2}}, {"value", 0.25}});
}

Ex kernel_of(Patch& p, const Stencil& s) {
  std::vector<float> values = random_floats(s.rows * s.columns, 77, -0.3, 0.3);
  for (int zero : s.zeros) values[static_cast<size_t>(zero)] = 0;
  return ex("known_zeros", {p.tensor({s.rows, s.columns}, std::move(values))}, {{"elements", Ints(s.zeros.begin(), s.zeros.end())}});
}

// In feedback, where the sum is a part of more; of what the ticks made, where it stands alone beside another of its kind.
Patch feedback(const Stencil& s) {
  Patch p;
  Ex now = p.cell(s.plane), force = p.input() * p.param(s.plane);
  Ex next = s.stride == 1 ? now * 0.5 + windowed(padded(now, s), kernel_of(p, s), s) + force : now * 0.5 + force;
  p.write(now, next);
  p.output(s.stride == 1 ? next : windowed(next, kernel_of(p, s), s));
  return p;
}
Patch forward(const Stencil& s) {
  Patch p;
  Ex plane = fn("tanh", p.input() * p.param(s.plane)), kernel = kernel_of(p, s);
  p.output(windowed(s.stride == 1 ? padded(plane, s) : plane, kernel, s) * p.number(0.5f));
  p.output(windowed(plane, kernel, s));
  return p;
}

// A plane a voice in feedback, which threads share.
Patch planes_of_voices() {
  Patch p;
  const Shape shape{12, 16, 29};
  Ex now = p.cell(shape), x = ex("pad", {now}, {{"pairs", Ints{0, 0, 1, 2, 1, 2}}, {"value", 0.0}});
  for (int64_t axis : {1, 2})
    x = ex("windows", {x}, {{"axis", axis}, {"size", int64_t{4}}, {"stride", int64_t{1}}, {"dilation", int64_t{1}}});
  Ex sum = ex("sum", {x * p.tensor({4, 4}, random_floats(16, 78, -0.2, 0.2))}, {{"axes", Ints{3, 4}}});
  p.output(p.write(now, now * 0.5 + sum + p.input() * p.param(shape)));
  return p;
}

// Strings, each a row of a field that trades memory with the row of a tick before; of the kernel some elements may be zero.
Patch strings(bool zeros) {
  Patch p;
  const Shape shape{36, 64};
  Ex now = p.cell(shape, 1, p.param(shape, -0.1, 0.1)), before = p.cell(shape);
  Ex x = ex("pad", {now}, {{"pairs", Ints{0, 0, 1, 1}}, {"value", 0.0}});
  Ex kernel = ex("known_zeros", {p.tensor({3}, {0.5f, zeros ? 0.0f : -0.25f, 0.5f})}, {{"elements", zeros ? Ints{1} : Ints{}}});
  Ex windows = ex("windows", {x}, {{"axis", int64_t{1}}, {"size", int64_t{3}}, {"stride", int64_t{1}}, {"dilation", int64_t{1}}});
  Ex bent = ex("sum", {windows * kernel}, {{"axes", Ints{2}}});
  p.write(before, now);
  p.output(p.write(now, bent * 0.9 - before * 0.3 + p.input() * p.param(shape)));
  return p;
}

bool carries(const std::vector<Stmt>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt& s) { return !s.carried.empty() || carries(s.body); });
}
bool is_carried(const Patch& p, bool by_lanes = false) {
  driver::Options options = fast_build();
  options.backend = Backend::cpu;
  const std::vector<Kernel> kernels = loop::lower_plan(driver::plan_program(p.capture.graph, options), true);
  return std::any_of(kernels.begin(), kernels.end(), [&](const Kernel& kernel) {
    const loop::CpuKernels mapped = loop::map_to_cpu(kernel, true, by_lanes);
    return by_lanes ? mapped.by_lanes && carries(mapped.by_lanes->body) : carries(mapped.whole.body);
  });
}

TEST(Stencil, RowsAreCarriedWhereThatIsLess) {
  for (const Stencil& s : kStencils) {
    EXPECT_EQ(is_carried(feedback(s)), s.carried) << s.name << ", feedback";
    EXPECT_EQ(is_carried(forward(s)), s.carried && !s.in_lanes) << s.name << ", forward";
  }
  EXPECT_TRUE(is_carried(planes_of_voices(), true)) << "by lanes";
}

void expect_bits_of_plain_loops(const Patch& p) {
  driver::Options plain = fast_build(), threads = fast_build();
  plain.plain = true, threads.threads = 3;
  const Rows want = run_fresh(p, Backend::cpu, kFrames, plain), exact = run_fresh(p, Backend::interpreter, kFrames);
  for (const driver::Options& options : {fast_build(), threads}) expect_same_bits(run_fresh(p, Backend::cpu, kFrames, options), want);
  for (size_t o = 0; o < exact.size(); ++o) EXPECT_LE(distance(want[o], exact[o], 1e-5, 1e-5), 1);
}

TEST(Stencil, HasTheBitsOfPlainLoops) {
  if (on_cuda()) GTEST_SKIP() << "rows in registers are the host's";
  for (const Stencil& s : kStencils)
    for (auto make : {feedback, forward}) {
      SCOPED_TRACE(s.name);
      expect_bits_of_plain_loops(make(s));
    }
  expect_bits_of_plain_loops(planes_of_voices());
}

// Threads share the lanes of fields that read themselves along rows only, whether these trade memory or leave out zeros.
TEST(Strings, AreSharedByThreads) {
  driver::Options options = fast_build();
  options.backend = Backend::cpu;
  for (bool zeros : {false, true}) {
    SCOPED_TRACE(zeros ? "zeros" : "no zeros");
    const Patch p = strings(zeros);
    const std::vector<Kernel> kernels = loop::lower_plan(driver::plan_program(p.capture.graph, options), true);
    const auto trades = [](const Kernel& kernel) {
      return std::ranges::count_if(kernel.body, [](const Stmt& s) { return !s.trades.empty(); });
    };
    const auto found = std::ranges::find_if(kernels, [&](const Kernel& kernel) { return trades(kernel) > 0; });
    ASSERT_NE(found, kernels.end());
    EXPECT_EQ(found->lanes, 36);
    EXPECT_EQ(trades(*found), zeros ? 2 : 1);
    if (!on_cuda()) expect_bits_of_plain_loops(p);
  }
}

}  // namespace
}  // namespace dgen::test
