// Delay by a variable time in samples, and its transpose for the reverse sweep.
#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer(std::span<const Type> in, const Attrs& attrs) {
  if (in[0].shape != in[1].shape) fail("shapes differ: ", in[0].shape.str(), " x ", in[1].shape.str());
  if (attrs.i("max") < 0) fail("max must not be negative, got ", attrs.i("max"));
  return {in[0].shape, {1, in[0].clock.reverse}};
}

// A static time stays static: its transpose is then a plain delay of the reverse sweep.
Clock want(const Node&, int i, Clock now) { return i == 1 && now.is_static() ? now : Clock{1, now.reverse}; }
int64_t reach(const Node& node, int i, const Type&) { return i == 0 ? node.attrs.i("max") + 1 : 0; }

struct Tap {
  int64_t whole;
  double part;
};

Tap tap(const EvalCtx& c, double time) {
  double t = std::isnan(time) ? 0 : std::clamp(time, 0.0, static_cast<double>(c.node.attrs.i("max")));
  return {static_cast<int64_t>(t), t - std::floor(t)};
}

// delay{max}(x, time): x[n - time], linear between samples.
void eval_delay(EvalCtx& c) {
  const double* time = c.in(1);
  for (int64_t e = 0; e < c.shape().size(); ++e) {
    auto [i, part] = tap(c, time[e]);
    double x0 = c.at(0, c.tick - c.direction() * i)[e];
    double x1 = part == 0 ? x0 : c.at(0, c.tick - c.direction() * (i + 1))[e];
    c.out[e] = c.round(x0 + part * (x1 - x0));
  }
}

void vjp_delay(VjpCtx& v) {
  Attrs attrs = v.attrs();
  if (v.wanted(0)) {
    bool fixed = v.x(1).clock().is_static();
    v.give(0, ex(fixed ? "delay" : "ring_add", {v.dy(), v.x(1)}, attrs));
  }
  if (v.wanted(1)) {
    // At the longest time the slope is that of the times before it.
    Ex whole = fn("min", fn("floor", v.x(1)), v.x(1).c(static_cast<double>(attrs.i("max") - 1)));
    Ex slope = ex("delay", {v.x(0), whole + 1.0}, attrs) - ex("delay", {v.x(0), whole}, attrs);
    Ex clamped = v.x(1) > static_cast<double>(attrs.i("max"));
    v.give(1, mulz(select(clamped, slope.c(0), v.dy()), slope));
  }
}

// time clamped, its whole part as an integer and the fraction.
struct LoopTap {
  int whole, part;
};

LoopTap loop_tap(ElemCtx& c) {
  auto& l = c.l;
  int time = c.in(1);
  int t = l.scalar("min", {l.scalar("max", {l.f(0), time}), l.f(static_cast<double>(c.attrs().i("max")))});
  int whole = l.to_int(t);
  return {whole, l.scalar("sub", {t, l.to_float(whole)})};
}

int elem_delay(ElemCtx& c) {
  auto& l = c.l;
  auto [whole, part] = loop_tap(c);
  bool reverse = c.node.clock().reverse;
  int t = reverse ? l.add(c.tick, whole) : l.sub(c.tick, whole);
  int x0 = c.at(0, t, c.idx);
  int x1 = c.at(0, reverse ? l.add(t, l.i(1)) : l.sub(t, l.i(1)), c.idx);
  return l.scalar("add", {x0, l.scalar("mulz", {part, l.scalar("sub", {x1, x0})})});
}

int lag_delay(ElemCtx& c) { return loop_tap(c).whole; }

// ring_add{max}(d, time): the transpose of a delay whose time varies: d[n] lands on n - time. Reverse clock only.
void eval_ring_add(EvalCtx& c) {
  int64_t n = c.shape().size(), last = std::min(c.end(0) - 1, c.tick + c.node.attrs.i("max") + 1);
  std::fill(c.out, c.out + n, 0.0);
  for (int64_t m = last; m >= c.tick; --m) {
    const double* d = c.at(0, m);
    const double* time = c.at(1, m);
    for (int64_t e = 0; e < n; ++e) {
      auto [i, part] = tap(c, time[e]);
      if (m - i == c.tick) c.out[e] += (1 - part) * d[e];
      if (m - i - 1 == c.tick) c.out[e] += part * d[e];
    }
  }
}

// Its stream starts as zeros, so both taps are added where they land; earlier ticks are read when the sweep gets there.
void stmt_ring_add(StmtCtx& c) {
  auto& l = c.l;
  int64_t n = c.shape().size();
  l.loop(n, [&](int e) {
    ElemCtx at = c;
    at.idx = c.unravel(e, c.shape());
    auto [whole, part] = loop_tap(at);
    int d = at.in(0);
    int slot = l.sub(l.add(c.base, e), l.mul(whole, n));
    int later = l.scalar("mulz", {d, part});
    l.accumulate(c.out, slot, l.scalar("sub", {d, later}));
    l.accumulate(c.out, l.sub(slot, l.i(n)), later);
  });
}

// Times inside and beyond the line, times that stay.
Uses uses_delay(const OpDef&, int64_t) {
  Uses uses;
  for (const Shape& shape : {Shape{}, Shape{3}}) {
    uses.push_back({{shape, shape}, {{"max", int64_t{6}}}, {{-1, 1}, {0, 6}}});
    uses.push_back({{shape, shape}, {{"max", int64_t{3}}}, {{-1, 1}, {-2, 6}}});
    uses.push_back({{shape, shape}, {{"max", int64_t{6}}}, {{-1, 1}, {0, 6}}, 2});
  }
  return uses;
}

const OpDef rows[] = {
    {.name = "delay", .doc = "x[n - time], linear between samples, time clamped to [0, max]", .family = Family::time, .min_inputs = 2,
     .max_inputs = 2, .traits = across_time | rereads, .infer = infer, .want = want, .reach = reach, .eval = eval_delay, .vjp = vjp_delay,
     .elem = elem_delay, .uses = uses_delay, .lag = lag_delay},
    {.name = "ring_add", .doc = "transpose of a delay by a time that varies", .family = Family::time, .min_inputs = 2, .max_inputs = 2,
     .traits = across_time | materialise | in_order | adds_in_place, .infer = infer, .want = want, .eval = eval_ring_add,
     .stmt = stmt_ring_add},
};

}  // namespace

std::span<const OpDef> delay_ops() { return rows; }

}  // namespace dgen::ops
