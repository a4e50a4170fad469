// Feedback and gradients where a compiler goes wrong in silence: order of reads and writes, kept state, several sweeps.
#include "support/graphs.h"

namespace dgen::test {
namespace {

// out = write(x) leads to the write before the read: the initial value is still read first.
TEST(Feedback, WriteBeforeRead) {
  Patch p;
  Ex x = p.input() * p.number(0.7f), init = p.number(0.25f);
  Ex prev = p.cell({}, 1, init);
  Ex now = p.write(prev, x);
  p.output(now);
  p.output(prev);
  expect_right(p, p.loss(now * prev), 20);
}

TEST(Feedback, WriteBeforeReadOfTensors) {
  Patch p;
  Ex x = p.input({3}) * p.number(0.7f), init = p.param({3});
  Ex prev = p.cell({3}, 1, init);
  Ex now = p.write(prev, x);
  p.output(now);
  p.output(ex("flip", {prev}, {{"axes", Ints{0}}}));
  expect_right(p, p.loss(now * ex("flip", {prev}, {{"axes", Ints{0}}})), 20);
}

// Matrices whose products are calls: in panels of columns (64 of them), as they lie (66), transposed in the reverse sweep,
// and one a tick for each of a batch.
TEST(Feedback, LargeProducts) {
  for (int64_t columns : {64, 66}) {
    SCOPED_TRACE(columns);
    Patch p;
    Ex prev = p.cell({3, columns}, 4);
    Ex narrow = ex("matmul", {prev, p.param({columns, 64})}), weights = ex("tanh", {p.param({64, columns})});
    Ex now = p.write(prev,
                     ex("tanh", {ex("matmul", {narrow, weights}) * 0.02 + ex("decimate", {p.input({3, columns})}, {{"hop", int64_t{4}}})}));
    expect_right(p, p.loss(now), 24);
  }
}

TEST(Feedback, LargeProductOfABatch) {
  Patch p;
  Ex prev = p.cell({2, 3, 64}, 4);
  Ex field = ex("decimate", {p.input({2, 64, 64})}, {{"hop", int64_t{4}}}) * p.number(0.05f);
  Ex turned = ex("permute", {field}, {{"axes", Ints{0, 2, 1}}});
  Ex now = p.write(prev, ex("tanh", {ex("matmul", {prev, turned}) + ex("matmul", {prev, field}) * p.number(0.3f) + 0.1}));
  expect_right(p, p.loss(now), 8);
}

// A cell that only keeps for a tick what a reshape of a computed value brings.
TEST(Feedback, DelayOfAReshapedProduct) {
  Patch p;
  Ex prev = p.cell({4});
  Ex x = ex("matmul", {p.input({2, 3}), p.param({3, 2})});
  p.write(prev, ex("reshape", {x}, {{"shape", Ints{4}}}));
  p.output(prev);
  expect_right(p, p.loss(prev), 20);
}

// What a product reads as an array is an output as well, in another shape.
TEST(Feedback, ProductOfAReshapeThatIsAnOutput) {
  Patch p;
  Ex x = fn("abs", p.input({4, 2}, 2)), flat = ex("reshape", {x}, {{"shape", Ints{8}}});
  Ex y = ex("matmul", {ex("reshape", {flat}, {{"shape", Ints{2, 4}}}), p.param({4, 1})});
  p.output(flat);
  expect_right(p, p.loss(y), 20);
}

// What a scan reads is an output as well.
TEST(Feedback, ScanOfAReshapeThatIsAnOutput) {
  Patch p;
  auto reshaped = [](Ex x, Ints shape) { return ex("reshape", {x}, {{"shape", std::move(shape)}}); };
  Ex x = reshaped(fn("abs", p.input()), {1}), a = reshaped(fn("sin", p.input()), {1});
  p.output(x), p.output(a);
  Ex prev = p.cell({1, 1}), now = p.write(prev, reshaped(a, {1, 1}) * prev * 0.9 + reshaped(x, {1, 1}) * p.param({1, 1}));
  expect_right(p, p.loss(now), 40);
}

// Cells of two clocks in one loop; the fast one is written before it is read by the slow one's part of the tick.
TEST(Feedback, CoupledClocks) {
  for (int64_t hop : {2, 3, 5}) {
    Patch p;
    Ex a = p.cell({}, 1, p.number(0.3f)), b = p.cell({}, hop, p.number(-0.2f)), x = p.input();
    Ex new_a = p.write(a, fn("tanh", a * p.number(0.5f) + b * 0.4 + x));
    Ex decimated = ex("decimate", {new_a}, {{"hop", hop}}), old_a = ex("decimate", {a}, {{"hop", hop}});
    Ex new_b = p.write(b, decimated * 0.3 + old_a * p.number(0.6f) + b * 0.2);
    p.output(new_a);
    p.output(new_b);
    p.output(a * b);
    expect_right(p, p.loss(new_a * b) + p.loss(new_b), 31);
  }
}

// One loop through cells of two clocks: %c is written before its read comes in the order of the nodes.
TEST(Feedback, WriteBeforeReadAroundASlowCell) {
  Patch p;
  Ex c = p.cell({}, 1, p.number(0.4f)), slow = p.cell({}, 3, p.number(-0.3f)), prev = p.cell({}, 1, p.number(0.2f));
  Ex x = ex("decimate", {c * 0.7 + p.input()}, {{"hop", int64_t{3}}});
  p.write(prev, ex("hold", {p.write(slow, x - slow * p.number(0.5f))}, {{"period", int64_t{1}}}));
  Ex y = p.write(c, fn("tanh", prev));
  p.output(y);
  expect_right(p, p.loss(y), 29);
}

// ---- neighbours on a plane, with an edge around it -------------------------------------------------------------------------

// x cut and padded to a shape.
Ex fitted(Ex x, const Shape& shape) {
  Ints starts, ends, pairs;
  for (int i = 0; i < shape.rank(); ++i) {
    const int64_t more = shape[i] - x.shape()[i];
    starts.push_back(std::max<int64_t>(0, -more / 2)), ends.push_back(starts.back() + std::min(shape[i], x.shape()[i]));
    pairs.push_back(std::max<int64_t>(0, more) / 2), pairs.push_back(std::max<int64_t>(0, more) - pairs.back());
  }
  return ex("pad", {ex("slice", {x}, {{"starts", starts}, {"ends", ends}})}, {{"pairs", pairs}, {"value", 0.125}});
}

struct Stencil {
  Ints edge;  // a pair an axis; a negative one cuts
  int64_t height, width, stride = 1, dilation = 1;
  double value = 0;
};

Ex convolved(Patch& p, Ex x, const Stencil& s) {
  Ints pairs = s.edge, starts, ends;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const int64_t n = x.shape()[static_cast<int>(i / 2)];
    (i % 2 ? ends : starts).push_back(i % 2 ? n - std::max<int64_t>(0, -pairs[i]) : std::max<int64_t>(0, -pairs[i]));
    pairs[i] = std::max<int64_t>(0, pairs[i]);
  }
  Ex y = ex("pad", {ex("slice", {x}, {{"starts", starts}, {"ends", ends}})}, {{"pairs", pairs}, {"value", s.value}});
  for (int64_t axis : {0, 1})
    y = ex("windows", {y}, {{"axis", axis}, {"size", axis ? s.width : s.height}, {"stride", s.stride}, {"dilation", s.dilation}});
  return ex("sum", {y * p.param({s.height, s.width}, -0.4, 0.4)}, {{"axes", Ints{2, 3}}});
}

Ex part_of(Ex x, Ints starts, Ints ends) { return ex("slice", {x}, {{"starts", std::move(starts)}, {"ends", std::move(ends)}}); }

// In feedback, of what comes in and of what the loop gives; one element and a row go out.
TEST(Feedback, FieldsWithEdges) {
  const std::pair<Shape, Stencil> fields[] = {
      {{16, 16}, {{1, 1, 1, 1}, 3, 3}},
      {{7, 17}, {{1, 1, 1, 1}, 3, 3, 1, 1, 0.5}},
      {{5, 19}, {{2, 0, 0, 3}, 2, 4}},
      {{6, 37}, {{-1, 2, 4, -2}, 2, 3, 1, 2}},
      {{9, 20}, {{0, 0, 5, 5}, 1, 17, 2}},
      {{4, 5}, {{3, 3, 2, 2}, 3, 2, 3, 2, -1.0}},
  };
  for (const auto& [shape, stencil] : fields) {
    SCOPED_TRACE(shape.str());
    Patch p;
    Ex now = p.cell(shape), last = p.cell(shape);
    Ex force = p.input() * p.param(shape);
    Ex next = p.write(now, fn("tanh", now * 0.9 - last * 0.4 + fitted(convolved(p, now, stencil), shape) + force));
    p.write(last, now);
    p.output(part_of(next, {1, 2}, {2, 3}));
    p.output(part_of(next, {2, 0}, {3, shape[1]}));
    Ex outside = convolved(p, p.input(shape), stencil);
    p.output(outside);
    expect_right(p, p.loss(part_of(next, {1, 2}, {2, 3})) + p.loss(outside) + p.loss(convolved(p, next, stencil)), 20);
  }
}

// The same by hand: shifted views of one padded field.
TEST(Feedback, ShiftedViewsOfAField) {
  for (int64_t width : {5, 16, 21}) {
    Patch p;
    Ex now = p.cell({4, width}, 1, p.param({4, width}));
    Ex field = ex("pad", {now}, {{"pairs", Ints{1, 1, 2, 1}}, {"value", 0.25}});
    auto at = [&](int64_t i, int64_t j) { return part_of(field, {i, j}, {i + 4, j + width}); };
    Ex next = p.write(now, fn("tanh", at(0, 2) * p.number(0.3f) + at(1, 0) * 0.2 - at(2, 3) * 0.4 + at(1, 2) * 0.5 + p.input()));
    p.output(at(2, 1));
    expect_right(p, p.loss(next), 20);
  }
}

// A plane whose edges meet: pieces put together, then windows.
TEST(Feedback, RingOfPieces) {
  Patch p;
  Ex now = p.cell({3, 18}, 1, p.param({3, 18}));
  Ex ring = ex("concat", {part_of(now, {0, 16}, {3, 18}), now, part_of(now, {0, 0}, {3, 1})}, {{"axis", int64_t{1}}});
  Ex around = ex("windows", {ring}, {{"axis", int64_t{1}}, {"size", int64_t{4}}, {"stride", int64_t{1}}, {"dilation", int64_t{1}}});
  Ex next = p.write(now, fn("sin", ex("sum", {around * p.param({4})}, {{"axes", Ints{2}}}) + p.input()));
  p.output(next);
  expect_right(p, p.loss(next), 20);
}

// A cell is read as a whole, by element and by others, before and after the loop that writes it.
TEST(Feedback, CellsReadEverywhere) {
  for (int64_t n : {5, 16}) {
    Patch p;
    Ex a = p.cell({n}, 1, p.param({n})), b = p.cell({n});
    Ex new_a = p.write(a, fn("sin", a * 0.5 + b + p.input({n})));
    Ex others = ex("flip", {a}, {{"axes", Ints{0}}}) * 0.7 - ex("cumsum", {b}, {{"axis", int64_t{0}}}) * 0.1;
    Ex new_b = p.write(b, fn("tanh", others + new_a * p.number(0.3f)));
    p.output(new_b);
    p.output(a * b);
    expect_right(p, p.loss(new_b * a), 20);
  }
}

TEST(Feedback, CoprimeCells) {
  Patch p;
  Ex a = p.cell({2}, 3, p.param({2})), b = p.cell({2}, 5, p.param({2})), x = p.input();
  auto at = [&](Ex v, int64_t period) { return Ex{&p.g(), align(p.g(), Ex{&p.g(), align(p.g(), v.id, frame_clock)}.id, {period, false})}; };
  Ex new_a = p.write(a, at(fn("sin", b * p.number(0.9f) + x), 3) + a * 0.5);
  Ex new_b = p.write(b, at(fn("tanh", new_a * p.number(0.7f) + a), 5) - b * 0.3);
  p.output(new_a);
  p.output(new_b);
  expect_right(p, p.loss(new_a + new_b), 37);
}

// An initial value that a sweep over time computed: the loop runs in a second forward sweep.
TEST(Feedback, InitFromASumOverTime) {
  Patch p;
  Ex mean = ex("sum_time", {p.input() * p.number(0.1f)});
  Ex prev = p.cell({}, 1, mean);
  Ex now = p.write(prev, p.input() * 0.5);  // does not need prev
  p.output(prev);
  expect_right(p, p.loss(prev * prev + now), 19);
}

TEST(Feedback, LoopAfterASumOverTime) {
  Patch p;
  Ex x = p.input() * p.number(0.4f);
  Ex mean = ex("sum_time", {x}) * 0.1;
  Ex prev = p.cell({}, 1, mean);
  Ex now = p.write(prev, prev * 0.5 + x * mean);
  p.output(now);
  expect_right(p, p.loss(now * ex("delay", {x, p.c(2.5)}, {{"max", int64_t{4}}})), 19);
}

// The product of a sum over time is also asked for by itself.
TEST(Feedback, ProductThatIsAlsoAnOutput) {
  Patch p;
  Ex a = p.input({4, 3}) * p.number(0.5f), b = p.input({4, 2});
  Ex product = ex("matmul", {ex("permute", {a}, {{"axes", Ints{1, 0}}}), b});
  p.output(product);
  Ex total = ex("sum_time", {product});
  expect_right(p, ex("sum", {total * total}, {{"axes", Ints{0, 1}}}), 19);
}

// Sampling a value that is used many times over takes no longer than the graph is large.
TEST(Feedback, SampledChainIsSampledOnce) {
  Patch p;
  Ex x = p.input();
  for (int i = 0; i < 60; ++i) x = fn("tanh", x * 0.3 + x * x);
  p.output(ex("decimate", {x}, {{"hop", int64_t{4}}}));
  EXPECT_LT(driver::prepare(p.capture.graph).size(), 400);
}

// A run that goes on from kept state: its gradients are those of this run alone, on both backends.
TEST(Feedback, GradientsOfKeptState) {
  for (bool tensor : {false, true}) {
    Patch p;
    Shape shape = tensor ? Shape{3} : Shape{};
    Ex w = p.number(0.8f), init = p.param(shape), prev = p.cell(shape, 1, fn("sin", init) * w);
    Ex y = p.write(prev, prev * w + p.input(shape));
    Ex z = ex("delay", {y, Ex{&p.g(), broadcast_to(p.g(), (w * 5.0).id, shape)}}, {{"max", int64_t{9}}});
    Ex loss = p.loss(z * y);
    p.output(loss), p.output(p.grad(loss, 0)), p.output(p.grad(loss, 1));
    Player exact(p, Backend::interpreter), compiled(p, Backend::cpu, fast_build(0));
    for (int64_t frames : {7, 1, 13}) {
      Rows want = exact.play(frames), got = compiled.play(frames);
      for (size_t o = 0; o < want.size(); ++o)
        EXPECT_LE(distance(got[o], want[o], 1e-4, 1e-5), 1)
            << "output " << o << " after " << frames << ": " << got[o][0] << " " << want[o][0];
      // A later run does not read the initial value.
      EXPECT_EQ(peak_of(want[2]) > 0, frames == 7);
    }
  }
}

// Each block's gradient by differences of that block's loss, with the state before it held fixed.
TEST(Feedback, GradientOfTheSecondBlock) {
  Patch p;
  Ex w = p.number(0.8f), prev = p.cell();
  Ex y = p.write(prev, prev * w + p.input());
  Ex loss = p.loss(y);
  p.output(loss), p.output(p.grad(loss, 0));
  for (Backend backend : {Backend::interpreter, Backend::cpu}) {
    auto second = [&](float value) {
      p.capture.params[0]->assign(std::vector<float>{0.8f});
      Player player(p, backend, fast_build(0));
      player.play(6);
      p.capture.params[0]->assign(std::vector<float>{value});
      return player.play(6);
    };
    double measured = (static_cast<double>(second(0.81f)[0][0]) - static_cast<double>(second(0.79f)[0][0])) / 0.02;
    EXPECT_NEAR(static_cast<double>(second(0.8f)[1][0]), measured, 2e-3 * std::fabs(measured) + 1e-3);
  }
}

// Two losses in one program, one of which holds the other's gradient.
TEST(Gradients, OfStaticGradients) {
  Patch p;
  Ex x = p.number(1.5f);
  Ex first = p.grad(x * x * x, 0);  // 3 x^2
  p.output(p.grad(first * x, 0));   // 9 x^2
  EXPECT_NEAR(Oracle(p).run(1)[0][0], 9 * 2.25, 1e-9);
}

TEST(Gradients, OfGradientsThroughTimeAreRefused) {
  Patch p;
  Ex x = p.number(1.5f), prev = p.cell({}, 1, x);
  Ex y = p.write(prev, prev * x + p.input());
  Ex first = p.grad(p.loss(y), 0);
  p.output(p.grad(first * x, 0));
  try {
    driver::prepare(p.capture.graph);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("a gradient of a gradient through time is not supported"), std::string::npos) << e.what();
  }
}

TEST(Gradients, OfTwoLossesShareNothing) {
  Patch p;
  Ex w = p.number(0.6f), prev = p.cell({}, 1, p.number(0.2f));
  Ex y = p.write(prev, fn("tanh", prev * w + p.input()));
  Ex one = p.loss(y), two = p.loss(y * y);
  for (Ex loss : {one, two})
    for (size_t slot : {0u, 1u}) p.output(p.grad(loss, slot));
  auto both = Oracle(p).run(17);
  Rows compiled = run_fresh(p, Backend::cpu, 17);
  for (size_t i = 0; i < 2; ++i) {
    Patch alone = with_outputs(p, {p.g().outputs[2 * i], p.g().outputs[2 * i + 1]});
    auto want = Oracle(alone).run(17);
    for (size_t k = 0; k < 2; ++k) {
      EXPECT_NEAR(both[2 * i + k][0], want[k][0], 1e-12);
      EXPECT_NEAR(static_cast<double>(compiled[2 * i + k][0]), want[k][0], 1e-5);
    }
  }
}

// A parameter's gradient that no path reaches is zero, whatever its shape.
TEST(Gradients, OfUnusedParams) {
  Patch p;
  Ex x = p.param({2}), unused = p.param({3});
  Ex loss = p.loss(x * p.input() + ex("sum", {ex("detach", {unused})}, {{"axes", Ints{0}}}));
  p.output(p.grad(loss, 1));
  for (Backend backend : {Backend::interpreter, Backend::cpu}) EXPECT_EQ(run_fresh(p, backend, 9)[0], (std::vector<float>{0, 0, 0}));
}

// The adjoint of a moving delay is summed over hops that reach beyond the run's end.
TEST(Runs, LeaveNothingInADelayLine) {
  Patch p;
  Ex x = ex("hold", {ex("hold", {p.number(0.7f)}, {{"period", int64_t{8}}}) * p.input({}, 8)}, {{"period", int64_t{1}}});
  Ex loss = p.loss(ex("delay", {x, p.input({}, 1, 0, 1)}, {{"max", int64_t{1}}}));
  p.output(p.grad(loss, 0));
  for (int64_t frames : {50, 9, 33, 17}) {
    double want = Oracle(p).run(frames)[0][0];
    EXPECT_NEAR(static_cast<double>(run_fresh(p, Backend::cpu, frames)[0][0]), want, 1e-5) << frames;
  }
}

// Runs of different lengths on one program: nothing of a longer run is left in a shorter one.
TEST(Runs, LeaveNothingBehind) {
  Patch p;
  Ex w = p.number(0.7f), prev = p.cell({2}, 1, p.param({2})), x = p.input({2});
  Ex y = p.write(prev, prev * w + x);
  Ex z = ex("delay", {y, p.input({2}, 4, 0, 6)}, {{"max", int64_t{6}}}) +
         ex("overlap_add", {ex("buffer", {y}, {{"size", int64_t{7}}, {"hop", int64_t{3}}})}, {{"hop", int64_t{3}}});
  p.output(z);
  Ex loss = p.loss(z);
  p.output(p.grad(loss, 0)), p.output(p.grad(loss, 1));
  driver::Options options = fast_build(0);
  options.chunk_frames = 12, options.tile_frames = 12;
  for (int64_t frames : {50, 5, 100, 1, 50, 13}) {
    Rows got = run_fresh(p, Backend::cpu, frames, options);
    auto want = Oracle(p).run(frames);
    for (size_t o = 0; o < want.size(); ++o)
      EXPECT_LE(distance(got[o], want[o], 1e-4, 1e-5), 1) << "output " << o << ", " << frames << " frames";
  }
}

// The reverse sweep asks which of them was the largest: it must find the very digits that the forward one compared.
TEST(Gradients, OfTheLargestSineOfPhases) {
  Patch p;
  Ex sines = fn("sin", ex("phasor", {p.param(Shape{4}, 3, 60)}) * 6.283185307179586);
  Ex total = p.loss(ex("amax", {sines}, {{"axes", Ints{0}}}));
  p.output(total), p.output(p.grad(total, 0));
  auto want = Oracle(p).run(40);
  for (Backend backend : compiled_backends()) {
    Rows got = run_fresh(p, backend, 40);
    for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 1e-4, 1e-5 * peak_of(want[o])), 1) << "output " << o;
  }
}

}  // namespace
}  // namespace dgen::test
