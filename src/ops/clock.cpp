// Changes of clock, as nodes, and their transposes:
//   hold <-> sum_ticks (from a slower clock), hold <-> sum_time (from static), decimate <-> place
#include "ops/families.h"

namespace dgen::ops {
namespace {

// hold{period, reverse}: the newest value of x at every tick of a faster clock. With equal periods it only relabels a
// value as one of a reverse sweep.
Type infer_hold(std::span<const Type> in, const Attrs& attrs) {
  int64_t period = period_attr(attrs, "period");
  Clock now = in[0].clock;
  if (!now.is_static() && now.period % period != 0) fail("cannot hold ", now.str(), " at period ", period);
  return {in[0].shape, {period, now.reverse || attrs.i("reverse", 0) != 0}};
}

Clock want_same(const Node&, int, Clock now) { return now; }

// The tick of input 0 that is current at the node's tick, in the interpreter.
int64_t source_tick(EvalCtx& c) {
  int64_t from = c.input(0).clock().period;
  return from == 0 ? 0 : c.tick * c.node.clock().period / from;
}

void eval_source(EvalCtx& c) {
  const double* x = c.at(0, source_tick(c));
  std::copy(x, x + c.shape().size(), c.out);
}

int elem_source(ElemCtx& c) {
  if (c.input(0).clock().is_static()) return c.in(0);
  if (c.input(0).clock().period == c.node.clock().period) return c.at(0, c.tick, c.idx);
  return c.at(0, c.tick_at(c.frame_of(c.tick, c.node.clock()), c.input(0).clock()), c.idx);
}

void vjp_hold(VjpCtx& v) {
  Clock from = v.x(0).clock();
  if (from.is_static()) return v.give(0, ex("sum_time", {v.dy()}));
  if (from.period == v.node().clock().period) return v.give(0, v.dy());
  v.give(0, ex("sum_ticks", {v.dy()}, {{"hop", from.period}}));
}

// decimate{hop}: x on the frames of hop's ticks (`every` in the API).
Type infer_decimate(std::span<const Type> in, const Attrs& attrs) {
  int64_t hop = period_attr(attrs, "hop");
  if (!in[0].clock.is_static() && hop % in[0].clock.period != 0) fail("cannot take ", in[0].clock.str(), " every ", hop, " frames");
  return {in[0].shape, {hop, in[0].clock.reverse}};
}

void vjp_decimate(VjpCtx& v) {
  Clock from = v.x(0).clock();
  if (from.is_static()) return v.give(0, ex("sum_time", {v.dy()}));
  if (from.period == v.node().clock().period) return v.give(0, v.dy());
  v.give(0, ex("place", {v.dy()}, {{"period", from.period}}));
}

// place{period}: x on the frames of its ticks, 0 between.
Type infer_place(std::span<const Type> in, const Attrs& attrs) {
  int64_t period = period_attr(attrs, "period");
  if (in[0].clock.period % period != 0) fail("cannot place ", in[0].clock.str(), " at period ", period);
  return {in[0].shape, {period, in[0].clock.reverse}};
}

void eval_place(EvalCtx& c) {
  int64_t step = c.input(0).clock().period / c.node.clock().period, n = c.shape().size();
  if (c.tick % step != 0) return void(std::fill(c.out, c.out + n, 0.0));
  const double* x = c.at(0, c.tick / step);
  std::copy(x, x + n, c.out);
}

int elem_place(ElemCtx& c) {
  int frame = c.frame_of(c.tick, c.node.clock());
  int k = c.tick_at(frame, c.input(0).clock());
  int hit = c.l.equal(c.frame_of(k, c.input(0).clock()), frame);
  return c.l.where(hit, c.at(0, c.l.binary(LoopOp::imax, k, c.l.i(0)), c.idx), c.l.f(0));
}

void vjp_place(VjpCtx& v) { v.give(0, ex("decimate", {v.dy()}, {{"hop", v.x(0).clock().period}})); }

// sum_ticks{hop}: the sum of x over the ticks from one tick of hop to before the next; in a reverse sweep only, where
// the tick's own frame comes last.
Type infer_sum_ticks(std::span<const Type> in, const Attrs& attrs) {
  if (!in[0].clock.reverse) throw InternalError("sum_ticks belongs to a reverse sweep");
  int64_t hop = period_attr(attrs, "hop");
  if (hop % in[0].clock.period != 0) fail("cannot sum ", in[0].clock.str(), " over ", hop, " frames");
  return {in[0].shape, {hop, true}};
}

int64_t ticks_in_hop(const Node& node, const Type& input) { return node.clock().period / input.clock.period; }
int64_t reach_sum_ticks(const Node& node, int, const Type& input) { return ticks_in_hop(node, input) - 1; }

void eval_sum_ticks(EvalCtx& c) {
  int64_t count = ticks_in_hop(c.node, c.input(0).type), n = c.shape().size();
  std::fill(c.out, c.out + n, 0.0);
  for (int64_t j = 0; j < count; ++j) {
    const double* x = c.at(0, c.tick * count + j);
    for (int64_t e = 0; e < n; ++e) c.out[e] = c.round(c.out[e] + x[e]);
  }
}

int elem_sum_ticks(ElemCtx& c) {
  int64_t count = ticks_in_hop(c.node, c.input(0).type);
  int first = c.tick_at(c.frame_of(c.tick, c.node.clock()), c.input(0).clock());
  return c.l.reduce("sum", {count}, [&](const std::vector<int>& r) { return c.at(0, c.l.add(first, r[0]), c.idx); });
}

void vjp_sum_ticks(VjpCtx& v) { v.give(0, ex("hold", {v.dy()}, {{"period", v.x(0).clock().period}})); }

// sum_time: the sum over all ticks of the run; float32 partial sums of at most a chunk of the stream, added in order in float64.
Type infer_sum_time(std::span<const Type> in, const Attrs&) {
  if (in[0].clock.is_static()) throw InternalError("sum_time of a static value");
  return {in[0].shape, static_clock};
}

void eval_sum_time(EvalCtx& c) {
  int64_t n = c.shape().size();
  std::fill(c.out, c.out + n, 0.0);
  for (int64_t t = c.first(0); t < c.end(0); ++t) {
    const double* x = c.at(0, t);
    for (int64_t e = 0; e < n; ++e) c.out[e] += x[e];
  }
  for (int64_t e = 0; e < n; ++e) c.out[e] = c.round(c.out[e]);
}

void vjp_sum_time(VjpCtx& v) {
  v.give(0, ex("hold", {v.dy()}, {{"period", v.x(0).clock().period}, {"reverse", int64_t{1}}}));
}

Uses one_and_three(const Attrs& attrs) { return {{{{}}, attrs}, {{{3}}, attrs}}; }

Uses uses_hold(const OpDef&, int64_t period) {
  Uses uses;
  for (int64_t to : {1, 2, 3})
    if (period % to == 0 && period != to)
      for (const Use& use : one_and_three({{"period", to}})) uses.push_back(use);
  return uses;
}
Uses uses_decimate(const OpDef&, int64_t period) { return one_and_three({{"hop", 3 * std::max<int64_t>(period, 1)}}); }
Uses uses_place(const OpDef&, int64_t period) {
  return period > 1 ? one_and_three({{"period", period == 4 ? int64_t{2} : int64_t{1}}}) : Uses{};
}
Uses uses_sum_time(const OpDef&, int64_t period) { return period > 0 ? one_and_three({}) : Uses{}; }

const OpDef rows[] = {
    {"hold", "the newest value of a slower clock", Family::time, 1, 1, 0, infer_hold, want_same, nullptr, eval_source, vjp_hold,
     elem_source, nullptr, uses_hold},
    {"decimate", "x on the frames of hop's ticks", Family::time, 1, 1, across_time, infer_decimate, want_same, nullptr, eval_source,
     vjp_decimate, elem_source, nullptr, uses_decimate},
    {"place", "x on the frames of its own ticks, 0 between", Family::time, 1, 1, across_time, infer_place, want_same, nullptr, eval_place,
     vjp_place, elem_place, nullptr, uses_place},
    {"sum_ticks", "sum over the ticks of one hop", Family::time, 1, 1, across_time | materialise, infer_sum_ticks, want_same,
     reach_sum_ticks, eval_sum_ticks, vjp_sum_ticks, elem_sum_ticks},
    {"sum_time", "sum over all ticks of the run", Family::time, 1, 1, across_time | materialise, infer_sum_time, want_same, nullptr,
     eval_sum_time, vjp_sum_time, nullptr, nullptr, uses_sum_time},
};

}  // namespace

std::span<const OpDef> clock_ops() { return rows; }

}  // namespace dgen::ops
