// Operators of time: transposes by dot products for every length, and every pair of stateful operators by differences.
#include "support/graphs.h"

namespace dgen::test {
namespace {

// A signal whose every tick is an element of a param, so that its whole gradient can be seen.
struct Signals {
  Patch p;
  static constexpr int64_t kMost = 64;

  Ex signal(const Shape& shape, int64_t period, double lo = -1, double hi = 1) {
    Shape rows = shape;
    std::vector<int64_t> sizes{kMost};
    sizes.insert(sizes.end(), rows.begin(), rows.end());
    return play(p.param(Shape(sizes), lo, hi), period);
  }
  Ex play(Ex rows, int64_t period) {
    Ex tick = p.leaf("frame_index");
    if (period > 1) tick = ex("decimate", {tick}, {{"hop", period}}) * (1.0 / static_cast<double>(period)) + 0.25;
    return ex("gather", {rows, tick});
  }

  // <A x, w> = <x, A' w>, where y = A x is linear in all params together.
  void expect_transpose(Ex y, int64_t frames, double tolerance = 1e-12) {
    p.g().outputs.clear();
    Ex loss = p.loss(y);
    p.output(loss);
    for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(loss, slot));
    auto got = Oracle(p).run(frames);
    std::vector<Values> params = p.param_values();
    double backward = 0, size = 1;
    for (size_t slot = 0; slot < params.size(); ++slot)
      for (size_t i = 0; i < params[slot].size(); ++i) {
        backward += params[slot][i] * got[1 + slot][i];
        size += std::fabs(params[slot][i] * got[1 + slot][i]);
      }
    EXPECT_NEAR(got[0][0], backward, tolerance * size);
  }
};

// Every length up to two hops and some, so every N mod h.
void for_lengths(int64_t hop, const std::function<Ex(Signals&)>& make, double tolerance = 1e-12) {
  for (int64_t frames = 1; frames <= 3 * hop + 2; ++frames) {
    SCOPED_TRACE(testing::Message() << "hop " << hop << ", " << frames << " frames");
    Signals s;
    s.expect_transpose(make(s), frames, tolerance);
  }
}

TEST(Transposes, ClockChanges) {
  for (int64_t hop : {2, 3, 5}) {
    for (const Shape& shape : {Shape{}, Shape{3}}) {
      for_lengths(hop, [&](Signals& s) { return ex("hold", {s.signal(shape, hop)}, {{"period", int64_t{1}}}); });
      for_lengths(hop, [&](Signals& s) { return ex("place", {s.signal(shape, hop)}, {{"period", int64_t{1}}}); });
      for_lengths(hop, [&](Signals& s) { return ex("decimate", {s.signal(shape, 1)}, {{"hop", hop}}); });
      for_lengths(hop, [&](Signals& s) { return ex("sum_time", {s.signal(shape, hop)}); });
      for_lengths(hop, [&](Signals& s) { return ex("hold", {s.p.param(shape)}, {{"period", hop}}); });
    }
    for_lengths(2 * hop, [&](Signals& s) { return ex("hold", {s.signal({}, 2 * hop)}, {{"period", hop}}); });
    for_lengths(2 * hop, [&](Signals& s) { return ex("decimate", {s.signal({}, hop)}, {{"hop", 2 * hop}}); });
    for_lengths(hop, [&](Signals& s) { return s.signal({}, hop) + s.signal({}, hop + 1); });
  }
}

TEST(Transposes, Windows) {
  for (int64_t hop : {1, 2, 3, 5})
    for (int64_t size : {1, 2, 3, 7}) {
      Attrs framed{{"size", size}, {"hop", hop}};
      for_lengths(hop, [&](Signals& s) { return ex("buffer", {s.signal({}, 1)}, framed); });
      for_lengths(hop, [&](Signals& s) { return ex("buffer", {s.signal({2}, 1)}, framed); });
      for_lengths(hop, [&](Signals& s) { return ex("overlap_add", {s.signal({size}, hop)}, {{"hop", hop}}); });
      for_lengths(hop, [&](Signals& s) { return ex("overlap_add", {s.signal({2, size}, hop)}, {{"hop", hop}}); });
      for_lengths(hop, [&](Signals& s) { return ex("overlap_add", {s.p.param(Shape{size})}, {{"hop", hop}}); });
    }
  for (int64_t hop : {4, 6})
    for (int64_t size : {1, 3, 5}) {
      Attrs framed{{"size", size}, {"hop", hop}, {"period", int64_t{2}}};
      for_lengths(hop, [&](Signals& s) { return ex("buffer", {s.signal({}, 2)}, framed); });
      for_lengths(hop, [&](Signals& s) { return ex("overlap_add", {s.signal({size}, hop)}, {{"hop", hop}, {"period", int64_t{2}}}); });
    }
}

TEST(Transposes, Delays) {
  for (int64_t most : {0, 1, 4}) {
    Attrs line{{"max", most}};
    for (double time : {-1.0, 0.0, 0.5, 1.0, 2.75, 4.0, 9.0})
      for_lengths(5, [&](Signals& s) {
        return ex("delay", {s.signal({2}, 1), Ex{&s.p.g(), broadcast_to(s.p.g(), s.p.c(time).id, {2})}}, line);
      });
    for_lengths(5, [&](Signals& s) { return ex("delay", {s.signal({2}, 1), s.p.input({2}, 1, -1, 6)}, line); });
    for_lengths(6, [&](Signals& s) { return ex("delay", {s.signal({}, 3), s.p.input({}, 2, -1, 6)}, line); });
    for_lengths(5, [&](Signals& s) { return ex("delay", {s.p.param(Shape{}), s.p.input({}, 1, -1, 6)}, line); });
  }
}

TEST(Transposes, Cells) {
  for (int64_t period : {1, 2, 3, 5})
    for (bool init : {false, true})
      for (const Shape& shape : {Shape{}, Shape{3}}) {
        auto start = [&](Signals& s) { return s.p.cell(shape, period, init ? s.p.param(shape) : Ex{}); };
        for_lengths(period, [&](Signals& s) {
          Ex prev = start(s);
          return s.p.write(prev, prev * 0.7 + s.signal(shape, period));
        });
        for_lengths(period, [&](Signals& s) {
          Ex prev = start(s);
          s.p.write(prev, s.signal(shape, period));
          return prev;
        });
        for_lengths(period, [&](Signals& s) {  // two cells, each written from the other; coefficients that vary
          Ex a = start(s), b = start(s), c = s.p.input(shape, period);
          s.p.write(a, b * c + s.signal(shape, period));
          return s.p.write(b, a * 0.4 - b * c) + a;
        });
      }
  for_lengths(6, [](Signals& s) {
    Ex a = s.p.cell({}, 2, s.p.param(Shape{})), b = s.p.cell({}, 3, s.p.param(Shape{}));
    Ex frame_a = ex("hold", {a}, {{"period", int64_t{1}}}), frame_b = ex("hold", {b}, {{"period", int64_t{1}}});
    s.p.write(a, ex("decimate", {frame_b * 0.5 + s.signal({}, 1)}, {{"hop", int64_t{2}}}));
    return s.p.write(b, ex("decimate", {frame_a * 0.9 + frame_b * 0.2}, {{"hop", int64_t{3}}}));
  });
}

// Slow enough not to wrap: linear in the frequency.
TEST(Transposes, Phasors) {
  auto reset = [](Signals& s, const Shape& shape) { return fn("gt", s.p.input(shape), s.p.c(0.6)); };
  for (const Shape& shape : {Shape{}, Shape{3}}) {
    for_lengths(5, [&](Signals& s) { return ex("phasor", {s.signal(shape, 1, 1, 20)}); }, 1e-7);
    for_lengths(5, [&](Signals& s) { return ex("phasor", {s.p.param(shape, 1, 20)}); }, 1e-7);
    for_lengths(6, [&](Signals& s) { return ex("phasor", {s.signal(shape, 3, 1, 20)}); }, 1e-7);
    for_lengths(5, [&](Signals& s) { return ex("phasor", {s.signal(shape, 1, 1, 20), reset(s, shape)}); }, 1e-7);
    for_lengths(5, [&](Signals& s) { return ex("phasor", {s.p.param(shape, 1, 20), reset(s, shape)}); }, 1e-7);
  }
}

// ---- pairs --------------------------------------------------------------------------------------------------------------

// A stateful operator from a frame-rate value to one of the same shape, with params of its own.
struct Piece {
  const char* name;
  std::function<Ex(Patch&, Ex)> make;
};

Ex wide(Patch& p, Ex x, const Shape& shape) { return {&p.g(), broadcast_to(p.g(), x.id, shape)}; }
Ex hold_to_frame(Ex x) { return ex("hold", {x}, {{"period", int64_t{1}}}); }

std::vector<Piece> pieces() {
  return {
      {"delay",
       [](Patch& p, Ex x) {
         return ex("delay", {x, wide(p, p.number(2.3f), x.shape())}, {{"max", int64_t{4}}});
       }},
      {"moving delay",
       [](Patch& p, Ex x) {
         return ex("delay", {x, fn("sigmoid", x * p.number(0.7f)) * 5.0}, {{"max", int64_t{4}}});
       }},
      {"onepole",
       [](Patch& p, Ex x) {
         Ex prev = p.cell(x.shape());
         return p.write(prev, x * 0.6 + prev * p.number(0.5f));
       }},
      {"previous",
       [](Patch& p, Ex x) {
         Ex prev = p.cell(x.shape(), 1, wide(p, p.number(0.3f), x.shape()));
         p.write(prev, x);
         return prev;
       }},
      {"latch",
       [](Patch& p, Ex x) {
         Ex prev = p.cell(x.shape(), 1, wide(p, p.number(0.2f), x.shape()));
         return p.write(prev, select(p.input({}), x, prev));
       }},
      {"hop cell",
       [](Patch& p, Ex x) {
         Ex prev = p.cell(x.shape(), 3, wide(p, p.number(-0.4f), x.shape()));
         return hold_to_frame(p.write(prev, ex("decimate", {x}, {{"hop", int64_t{3}}}) - prev * p.number(0.5f)));
       }},
      {"hop cell, before",
       [](Patch& p, Ex x) {
         Ex prev = p.cell(x.shape(), 2, wide(p, p.number(0.1f), x.shape()));
         p.write(prev, ex("decimate", {x}, {{"hop", int64_t{2}}}) + prev * 0.3);
         return hold_to_frame(prev) * p.number(0.8f);
       }},
      {"overlap",
       [](Patch& p, Ex x) {
         Ex frames = ex("buffer", {x}, {{"size", int64_t{5}}, {"hop", int64_t{3}}}) * p.param(Shape{5});
         return ex("overlap_add", {frames}, {{"hop", int64_t{3}}});
       }},
      {"mean of windows",
       [](Patch& p, Ex x) {
         Ex frames = ex("buffer", {x}, {{"size", int64_t{4}}, {"hop", int64_t{1}}}) * p.param(Shape{4});
         return ex("sum", {frames}, {{"axes", Ints{frames.shape().rank() - 1}}});
       }},
      {"spectrum",
       [](Patch& p, Ex x) {
         Ex s = ex("rfft", {ex("buffer", {x}, {{"size", int64_t{4}}, {"hop", int64_t{2}}})}) * p.number(0.4f);
         return ex("overlap_add", {ex("irfft", {fn("tanh", s)}, {{"n", int64_t{4}}})}, {{"hop", int64_t{2}}});
       }},
      {"phasor", [](Patch& p, Ex x) { return fn("sin", ex("phasor", {x * p.number(30.0f) + 90.0}) * 6.283185307179586); }},
      {"phasor, reset",
       [](Patch& p, Ex x) {
         Ex reset = wide(p, p.input({}) > 0.7, x.shape());
         return fn("cos", ex("phasor", {x * p.number(20.0f) + 60.0, reset}) * 6.283185307179586);
       }},
      {"sample and hold",
       [](Patch& p, Ex x) {
         return hold_to_frame(ex("decimate", {x * p.number(0.9f)}, {{"hop", int64_t{5}}}));
       }},
      {"table",
       [](Patch& p, Ex x) {
         return ex("gather", {p.param(Shape{4}), wide(p, p.input({}, 1, 0, 4), x.shape())}) * x;
       }},
      {"placed",
       [](Patch& p, Ex x) {
         return ex("place", {ex("decimate", {x}, {{"hop", int64_t{2}}})}, {{"period", int64_t{1}}}) * p.number(1.1f);
       }},
  };
}

// Losses over several patches of one graph; each is differentiated for the params made for it.
struct Losses {
  Patch p;
  std::vector<Ex> losses;
  std::vector<std::string> names;
  std::vector<size_t> slots;  // where each loss's params begin

  void add(const std::string& name, const std::function<Ex(Patch&)>& make) {
    slots.push_back(p.capture.params.size());
    names.push_back(name);
    losses.push_back(p.loss(make(p)));
  }

  void check(int64_t frames) {
    std::vector<Id> ids;
    for (Ex loss : losses) ids.push_back(loss.id);
    slots.push_back(p.capture.params.size());
    Patch alone = with_outputs(p, ids);
    for (size_t l = 0; l < losses.size(); ++l)
      for (size_t slot = slots[l]; slot < slots[l + 1]; ++slot) p.output(p.grad(losses[l], slot));
    auto exact = Oracle(p).run(frames);
    Rows compiled = run_fresh(p, Backend::cpu, frames, fast_build(0));
    std::vector<Values> at = p.param_values(), direction = at;
    for (size_t s = 0; s < at.size(); ++s)
      for (size_t i = 0; i < at[s].size(); ++i) direction[s][i] = 1 - 0.3 * static_cast<double>((i + s) % 4);
    std::vector<Slope> measured = slopes(Oracle(alone), frames, at, direction, 1e-5);
    for (size_t l = 0; l < losses.size(); ++l) {
      double stated = 0, floats = 0, size = std::fabs(measured[l].value);
      for (size_t slot = slots[l]; slot < slots[l + 1]; ++slot)
        for (size_t i = 0; i < at[slot].size(); ++i) {
          stated += direction[slot][i] * exact[slot][i];
          floats += direction[slot][i] * static_cast<double>(compiled[slot][i]);
          size += std::fabs(direction[slot][i] * exact[slot][i]);
        }
      EXPECT_TRUE(measured[l].smooth) << names[l] << ": a loss that has no slope here tests nothing";
      EXPECT_NEAR(stated, measured[l].value, 1e-5 * size + 1e-6) << names[l] << ", interpreter";
      EXPECT_NEAR(floats, measured[l].value, 1e-4 * size + 1e-5) << names[l] << ", compiled";
    }
  }
};

TEST(Pairs, OneAfterTheOther) {
  for (const Piece& first : pieces()) {
    Losses all;
    for (const Piece& second : pieces())
      all.add(std::string(first.name) + " into " + second.name,
              [&](Patch& p) { return second.make(p, first.make(p, p.input({2}) * p.number(0.8f))); });
    all.check(29);
  }
}

// Whatever of the operator table reads or keeps other ticks is in some pair, forward or as another's adjoint.
TEST(Pairs, HaveEveryOperatorWithTime) {
  std::set<std::string_view> met;
  for (const Piece& piece : pieces()) {
    Patch p;
    Ex loss = p.loss(piece.make(p, p.input({2}) * p.number(0.8f)));
    for (size_t slot = 0; slot < p.capture.params.size(); ++slot) p.output(p.grad(loss, slot));
    const Graph prepared = driver::prepare(p.g());
    for (auto& node : prepared.nodes()) met.insert(node.op->name);
  }
  for (Op o : all_ops()) {
    bool timed = o->family == Family::time || o->family == Family::state || o->reach;
    EXPECT_TRUE(!timed || met.count(o->name)) << o->name;
  }
}

TEST(Pairs, InsideAFeedbackLoop) {
  for (const Piece& first : pieces()) {
    Losses all;
    for (const Piece& second : pieces())
      all.add(std::string("loop of ") + first.name + " into " + second.name, [&](Patch& p) {
        Ex prev = p.cell({}, 1, p.number(0.4f));
        return p.write(prev, fn("tanh", second.make(p, first.make(p, prev * p.number(0.7f) + p.input()))));
      });
    all.check(29);
  }
}

// Each in its own loop, each loop fed by the other one.
TEST(Pairs, CrossCoupledLoops) {
  for (const Piece& first : pieces()) {
    Losses all;
    for (const Piece& second : pieces())
      all.add(std::string(first.name) + " beside " + second.name, [&](Patch& p) {
        Ex a = p.cell({2}), b = p.cell({2});
        Ex new_a = p.write(a, fn("tanh", first.make(p, b * 0.6 + p.input({2}))));
        Ex new_b = p.write(b, fn("tanh", second.make(p, a * p.number(0.5f) + new_a)));
        return new_a + new_b * 0.5;
      });
    all.check(23);
  }
}

}  // namespace
}  // namespace dgen::test
