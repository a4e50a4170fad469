// Sliding windows over time: buffer and overlap_add, each other's transpose with the window flipped.
#include "ops/families.h"

namespace dgen::ops {
namespace {

// buffer{size, hop, period}: x at period p -> the last `size` ticks of x at hop(hop), oldest first in clock order.
Type infer_buffer(std::span<const Type> in, const Attrs& attrs) {
  int64_t size = attrs.i("size"), hop = attrs.i("hop"), period = period_or_frame(attrs);
  if (size < 1) fail("size must be at least 1, got ", size);
  if (hop < 1 || hop % period != 0) fail("hop ", hop, " must be a positive multiple of the input's period ", period);
  Type type{in[0].shape, {hop, in[0].clock.reverse}};
  type.shape.push_back(size);
  return type;
}

Clock want_period(const Node& node, int, Clock now) { return {node.attrs.i("period", 1), now.reverse}; }

int64_t reach_buffer(const Node& node, int, const Type&) { return node.attrs.i("size") - 1; }

void eval_buffer(EvalCtx& c) {
  int64_t size = c.node.attrs.i("size"), n = c.input(0).shape().size();
  int64_t newest = c.tick * (c.node.attrs.i("hop") / c.node.attrs.i("period", 1));
  for (int64_t j = 0; j < size; ++j) {
    const double* x = c.at(0, newest - c.direction() * (size - 1 - j));
    for (int64_t e = 0; e < n; ++e) c.out[e * size + j] = x[e];
  }
}

void vjp_buffer(VjpCtx& v) {
  int64_t axis = v.node().shape().rank() - 1;
  Ex flipped = ex("flip", {v.dy()}, {{"axes", Ints{axis}}});
  v.give(0, ex("overlap_add", {flipped}, {{"hop", v.attrs().i("hop")}, {"period", v.attrs().i("period", 1)}}));
}

int elem_buffer(ElemCtx& c) {
  int64_t size = c.attrs().i("size");
  std::vector<int> idx = c.idx;
  int back = c.l.sub(c.l.i(size - 1), idx.back());
  idx.pop_back();
  int newest = c.tick_at(c.frame_of(c.tick, c.node.clock()), c.input(0).clock());
  int t = c.node.clock().reverse ? c.l.add(newest, back) : c.l.sub(newest, back);
  return c.at(0, t, std::move(idx));
}

// overlap_add{hop, period}: windows w_k at hop(hop) -> out[n] = sum over k of w_k[n - k hop] at period p.
Type infer_overlap_add(std::span<const Type> in, const Attrs& attrs) {
  int64_t hop = attrs.i("hop"), period = period_or_frame(attrs);
  if (in[0].shape.rank() < 1) fail("needs a window axis, got shape ()");
  if (hop < 1 || hop % period != 0) fail("hop ", hop, " must be a positive multiple of the output's period ", period);
  std::vector<int64_t> sizes = in[0].shape.sizes();
  sizes.pop_back();
  return {Shape(std::move(sizes)), {period, in[0].clock.reverse}};
}

Clock want_hop(const Node& node, int, Clock now) { return {node.attrs.i("hop"), now.reverse}; }

// Windows that sound at one tick.
int64_t overlap(const Node& node, const Shape& window) {
  int64_t step = node.attrs.i("hop") / node.attrs.i("period", 1);
  return (window.back() + step - 1) / step;
}

int64_t reach_overlap_add(const Node& node, int, const Type& input) { return overlap(node, input.shape); }

void eval_overlap_add(EvalCtx& c) {
  int64_t size = c.input(0).shape().back(), n = c.shape().size();
  int64_t step = c.node.attrs.i("hop") / c.node.attrs.i("period", 1), dir = c.direction();
  int64_t newest = dir > 0 ? c.tick / step : (c.tick + step - 1) / step;
  std::fill(c.out, c.out + n, 0.0);
  for (int64_t m = overlap(c.node, c.input(0).shape()) - 1; m >= 0; --m) {
    int64_t k = newest - dir * m, j = dir * (c.tick - k * step);
    if (j >= size) continue;
    const double* w = c.at(0, k);
    for (int64_t e = 0; e < n; ++e) c.out[e] = c.round(c.out[e] + w[e * size + j]);
  }
}

void vjp_overlap_add(VjpCtx& v) {
  const Shape& window = v.x(0).shape();
  Ex frames = ex("buffer", {v.dy()}, {{"size", window.back()}, {"hop", v.attrs().i("hop")}, {"period", v.attrs().i("period", 1)}});
  v.give(0, ex("flip", {frames}, {{"axes", Ints{window.rank() - 1}}}));
}

int elem_overlap_add(ElemCtx& c) {
  const Node& windows = c.input(0);
  int64_t size = windows.shape().back(), hop = c.attrs().i("hop"), period = c.attrs().i("period", 1);
  bool reverse = c.node.clock().reverse;
  int frame = c.frame_of(c.tick, c.node.clock());
  int newest = c.tick_at(reverse ? c.l.add(frame, c.l.i(hop - 1)) : frame, windows.clock());
  int at = c.frame_of(newest, windows.clock());
  int first = c.l.div(reverse ? c.l.sub(at, frame) : c.l.sub(frame, at), period);  // position in the newest window
  // first is less than a hop, so only the oldest window can have ended.
  int64_t step = hop / period, count = overlap(c.node, windows.shape());
  bool whole = size % step == 0;
  auto term = [&](int m) {
    int j = c.l.add(first, c.l.mul(m, step));
    std::vector<int> idx = c.idx;
    idx.push_back(whole ? j : c.l.binary(LoopOp::imin, j, c.l.i(size - 1)));
    int w = c.at(0, reverse ? c.l.add(newest, m) : c.l.sub(newest, m), std::move(idx));
    return whole ? w : c.l.where(c.l.less(j, c.l.i(size)), w, c.l.f(0));
  };
  if (count > 16) return c.l.reduce("sum", {count}, [&](const std::vector<int>& r) { return term(r[0]); });
  int sum = term(c.l.i(count - 1));
  for (int64_t m = count - 2; m >= 0; --m) sum = c.l.scalar("add", {sum, term(c.l.i(m))});
  return sum;
}

Uses uses_buffer(const OpDef&, int64_t period) {
  Uses uses;
  int64_t p = std::max<int64_t>(period, 1);
  for (const Shape& shape : {Shape{}, Shape{3}})
    for (auto [size, hops] : {std::pair<int64_t, int64_t>{5, 2}, {2, 4}, {4, 1}})
      uses.push_back({{shape}, {{"size", size}, {"hop", hops * p}, {"period", p}}});
  return uses;
}

// At a hop clock its windows are at that hop; else they are held or sampled there.
Uses uses_overlap_add(const OpDef&, int64_t period) {
  Uses uses;
  int64_t hop = period > 1 ? period : 4;
  for (const Shape& window : {Shape{5}, Shape{3, 5}, Shape{2, 9}}) {
    uses.push_back({{window}, {{"hop", hop}}});
    if (hop == 4) uses.push_back({{window}, {{"hop", hop}, {"period", int64_t{2}}}});
  }
  return uses;
}

const OpDef rows[] = {
    {"buffer", "the last size ticks of x, oldest first, once every hop frames", Family::time, 1, 1, across_time | rereads, infer_buffer,
     want_period, reach_buffer, eval_buffer, vjp_buffer, elem_buffer, nullptr, uses_buffer},
    {"overlap_add", "windows added where they overlap: out[n] = sum of w_k[n - k hop]", Family::time, 1, 1, across_time | rereads,
     infer_overlap_add, want_hop, reach_overlap_add, eval_overlap_add, vjp_overlap_add, elem_overlap_add, nullptr, uses_overlap_add},
};

}  // namespace

std::span<const OpDef> window_ops() { return rows; }

}  // namespace dgen::ops
