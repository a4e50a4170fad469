// Leaves: constants, parameters, host data, noise and what a run knows of itself; and what is said of a value: detach, which ends
// a gradient, and known_zeros.
#include <algorithm>

#include "base/noise.h"
#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer_const(std::span<const Type>, const Attrs& attrs) { return attrs.f("value"), Type{}; }
Type infer_scalar(std::span<const Type>, const Attrs&) { return {}; }
Type infer_frame(std::span<const Type>, const Attrs&) { return {{}, frame_clock}; }
Type infer_static(std::span<const Type>, const Attrs& attrs) { return {shape_attr(attrs), static_clock}; }
Type infer_clocked(std::span<const Type>, const Attrs& attrs) { return {shape_attr(attrs), {period_attr(attrs, "period", 0), false}}; }

void eval_data(EvalCtx& c) { std::copy_n(c.leaf(), c.shape().size(), c.out); }

int load_slot(ElemCtx& c, ArrayRef::Kind kind) {
  int array = c.l.array({kind, static_cast<Id>(c.attrs().i("slot")), c.shape().size()});
  return c.l.load(array, c.ravel(c.idx, c.shape()));
}
int elem_param(ElemCtx& c) { return load_slot(c, ArrayRef::param); }
int elem_tensor(ElemCtx& c) { return load_slot(c, ArrayRef::tensor); }
int elem_literal(ElemCtx& c) { return load_slot(c, ArrayRef::literal); }

int elem_input(ElemCtx& c) {
  int64_t size = c.shape().size();
  int array = c.l.array({ArrayRef::input, c.id, size});
  return c.l.load(array, c.l.add(c.l.mul(c.tick, size), c.ravel(c.idx, c.shape())));
}

void eval_const(EvalCtx& c) { c.out[0] = c.round(c.node.attrs.f("value")); }
int elem_const(ElemCtx& c) { return c.l.f(c.attrs().f("value")); }

void eval_sample_rate(EvalCtx& c) { c.out[0] = c.round(c.run.sample_rate); }
int elem_sample_rate(ElemCtx& c) {
  return c.l.load(c.l.array({ArrayRef::scalars}), c.l.i(static_cast<int64_t>(RunScalar::sample_rate)));
}

void eval_frame_index(EvalCtx& c) { c.out[0] = c.round(static_cast<double>(c.tick)); }
int elem_frame_index(ElemCtx& c) { return c.l.to_float(c.l.add(c.l.arg(KernelArg::tick0, 1), c.tick)); }

void eval_tick_count(EvalCtx& c) {
  int64_t period = c.node.attrs.i("period"), position = static_cast<int64_t>(c.run.position);
  c.out[0] = c.round(static_cast<double>(period == 0 ? 1 : ticks_before(period, position + c.run.frames) - ticks_before(period, position)));
}
int elem_tick_count(ElemCtx& c) { return c.l.to_float(c.l.arg(KernelArg::ticks, c.attrs().i("period"))); }

// The twin of dg_noise_key: the tick-independent part of noise, used here to fold number and step into the seed.
uint64_t noise_key(uint64_t seed, uint64_t element) {
  return noise_mix(noise_mix(seed + 0x9e3779b97f4a7c15ull) + element * 0xd1342543de82ef95ull);
}

void eval_noise(EvalCtx& c) {
  const Attrs& attrs = c.node.attrs;
  uint64_t seed = noise_key(static_cast<uint64_t>(attrs.i("seed")), static_cast<uint64_t>(attrs.i("number")));
  seed = noise_key(seed, c.run.step);
  auto tick = static_cast<uint64_t>(c.tick);
  for (int64_t i = 0, n = c.shape().size(); i < n; ++i) c.out[i] = noise_value(seed, static_cast<uint64_t>(i), tick);
}

int elem_noise(ElemCtx& c) {
  LoopBuilder& l = c.l;
  int64_t period = c.attrs().i("period");
  int seed = l.call("dg_noise_key", {l.i(c.attrs().i("seed")), l.i(c.attrs().i("number"))});
  seed = l.call("dg_noise_key", {seed, l.arg(KernelArg::step)});
  int tick = period == 0 ? l.i(0) : l.add(l.arg(KernelArg::tick0, period), c.tick);
  return l.call("dg_noise", {seed, c.ravel(c.idx, c.shape()), tick});
}

Type infer_iota(std::span<const Type>, const Attrs& attrs) { return {{attrs.i("n")}, static_clock}; }
void eval_iota(EvalCtx& c) {
  for (int64_t i = 0, n = c.shape().size(); i < n; ++i) c.out[i] = static_cast<double>(i);
}
int elem_iota(ElemCtx& c) { return c.l.to_float(c.idx[0]); }

Type infer_same(std::span<const Type> in, const Attrs&) { return in[0]; }
void eval_copy(EvalCtx& c) { std::copy_n(c.in(0), c.shape().size(), c.out); }
int elem_copy(ElemCtx& c) { return c.in(0); }

// Data may be assigned anew: a kernel looks before it leaves them out.
int elem_known_zeros(ElemCtx& c) {
  const int at = c.ravel(c.idx, c.shape()), x = c.in(0);
  const Ints& zeros = c.attrs().ints("elements");
  const bool fixed = c.node.clock().is_static() && c.l[at].op == LoopOp::iconst;
  if (fixed && std::count(zeros.begin(), zeros.end(), c.l[at].i) > 0) c.l.zeros.insert(x);
  return x;
}
Type infer_known_zeros(std::span<const Type> in, const Attrs& attrs) {
  for (int64_t element : attrs.ints("elements"))
    if (element < 0 || element >= in[0].shape.size()) fail("no element ", element, " in ", in[0].shape.str());
  return in[0];
}
void vjp_same(VjpCtx& v) { v.give(0, v.dy()); }

Uses uses_known_zeros(const OpDef&, int64_t) { return {{{{2, 3}}, {{"elements", Ints{1, 4}}}}}; }
Uses uses_const(const OpDef&, int64_t) { return {{{}, {{"value", 0.625}}}}; }
Uses uses_plain(const OpDef&, int64_t) { return {{}}; }
Uses uses_tick_count(const OpDef&, int64_t period) { return {{{}, {{"period", period}}}}; }
Uses uses_iota(const OpDef&, int64_t) { return {{{}, {{"n", int64_t{7}}}}}; }
Uses uses_noise(const OpDef&, int64_t period) {
  Attrs key{{"seed", int64_t{5}}, {"number", int64_t{7}}, {"period", period}};
  return {{{}, Attrs(key).set("shape", Ints{})}, {{}, Attrs(key).set("shape", Ints{2, 3})}};
}
Uses uses_detach(const OpDef&, int64_t) { return {{{{}}}, {{{2, 3}}}}; }

constexpr OpDef leaf(std::string_view name, std::string_view doc, Type (*infer)(std::span<const Type>, const Attrs&),
                     void (*eval)(EvalCtx&), int (*elem)(ElemCtx&), Uses (*uses)(const OpDef&, int64_t) = nullptr, unsigned traits = 0) {
  return {.name = name, .doc = doc, .family = Family::leaf, .min_inputs = 0, .max_inputs = 0, .traits = traits,
          .infer = infer, .eval = eval, .elem = elem, .uses = uses};
}

const OpDef rows[] = {
    leaf("const", "`value`", infer_const, eval_const, elem_const, uses_const),
    leaf("literal", "a constant that is a run-time value, from `slot`", infer_scalar, eval_data, elem_literal),
    leaf("param", "the learnable values of `slot`", infer_static, eval_data, elem_param, nullptr, reads_params),
    leaf("tensor", "the constant values of `slot`", infer_static, eval_data, elem_tensor),
    leaf("input", "host data of `channel`", infer_clocked, eval_data, elem_input, nullptr, reads_inputs),
    leaf("sample_rate", "samples a second, known when the program runs", infer_scalar, eval_sample_rate, elem_sample_rate, uses_plain),
    leaf("frame_index", "number of the frame in the stream", infer_frame, eval_frame_index, elem_frame_index, uses_plain, reads_run),
    leaf("tick_count", "ticks of the clock `period` in the run", infer_scalar, eval_tick_count, elem_tick_count, uses_tick_count,
         reads_run),
    leaf("noise", "uniform in [-1, 1): a hash of seed, number, element, tick and training step", infer_clocked, eval_noise,
         elem_noise, uses_noise, identity | reads_step),
    leaf("iota", "0, 1, ..., n - 1", infer_iota, eval_iota, elem_iota, uses_iota),
    {.name = "detach",
     .doc = "its input, with zero gradient",
     .family = Family::view,
     .traits = stateless | view_only,
     .infer = infer_same,
     .eval = eval_copy,
     .elem = elem_copy,
     .uses = uses_detach},
    {.name = "known_zeros",
     .doc = "its input, whose `elements` were 0 when it was compiled: while they are, short sums may leave out products with them",
     .family = Family::view,
     .traits = stateless | view_only,
     .infer = infer_known_zeros,
     .eval = eval_copy,
     .vjp = vjp_same,
     .elem = elem_known_zeros,
     .uses = uses_known_zeros},
};

}  // namespace

std::span<const OpDef> leaf_ops() { return rows; }

}  // namespace dgen::ops
