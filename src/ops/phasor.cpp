// Phasor: a ramp from 0 to 1 at freq Hz. The phase is an exact integer sum modulo 2^64, so it never drifts and never
// depends on how time is cut into blocks.
// sine_table, sine_sum: sines of phasors whose frequencies are static, by angle sums (schedule/sines.h).
#include <bit>
#include <cmath>
#include <numbers>

#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer(std::span<const Type> in, const Attrs&) {
  if (in.size() == 2 && in[1].shape != in[0].shape) fail("shapes differ: ", in[0].shape.str(), " x ", in[1].shape.str());
  return {in[0].shape, frame_clock};
}

Clock want(const Node&, int i, Clock now) { return i == 0 && now.is_static() ? now : frame_clock; }

// f/sr in units of 2^-64 turns; what is no number stands still.
uint64_t increment_bits(double turns) {
  if (!std::isfinite(turns)) return 0;
  turns -= std::floor(turns);
  return static_cast<uint64_t>(std::ldexp(turns, 63)) * 2;
}

// Turns a tick; rounded, as kernels round a varying frequency.
double turns(const EvalCtx& c, double freq) {
  if (!c.single || c.input(0).clock().is_static()) return freq / c.run.sample_rate;
  return std::ldexp(std::nearbyint(c.round(freq * c.round(std::ldexp(1 / c.run.sample_rate, 32)))), -32);
}
// Rounded, as kernels show a phase: its top 24 bits.
double shown(const EvalCtx& c, uint64_t phase) {
  const int bits = c.single ? 24 : 53;
  return std::ldexp(static_cast<double>(phase >> (64 - bits)), -bits);
}

// The sum is exact here too, so that a phase wraps on the same tick as in a kernel.
void eval(EvalCtx& c) {
  const double* freq = c.in(0);
  const double* reset = c.node.in.size() == 2 ? c.in(1) : nullptr;
  for (int64_t e = 0; e < c.shape().size(); ++e) {
    auto phase = std::bit_cast<uint64_t>(c.state[e]);
    c.out[e] = shown(c, phase) + freq[e] * 0;
    phase = reset && reset[e] > 0 ? 0 : phase + increment_bits(turns(c, freq[e]));
    c.state[e] = std::bit_cast<double>(phase);
  }
}

// d out[n] / d freq[m] = 1/sr for m < n since the last reset: a sum in the reverse sweep that resets cut.
void vjp(VjpCtx& v) {
  if (!v.wanted(0)) return;
  int64_t cell = v.new_cell({v.node().shape(), reversed(frame_clock)});
  Attrs attrs{{"cell", cell}, {"shape", Ints(v.node().shape().sizes())}, {"period", int64_t{1}}, {"reverse", int64_t{1}}};
  Ex later{&v.g, apply(v.g, "state_read", {}, attrs)};
  Ex passed = v.node().in.size() == 2 ? select(v.x(1), v.dy().c(0), later) : later;
  v.g.cells[static_cast<size_t>(cell)].write = apply(v.g, "state_write", {(v.dy() + passed).id}, attrs);
  Ex rate{&v.g, apply(v.g, "sample_rate", {})};
  v.give(0, passed * (1.0 / rate));
}

int phase_array(ElemCtx& c) { return c.l.array({ArrayRef::phase, c.id, c.shape().size(), LoopType::u64, true}); }

int increment(ElemCtx& c) {
  auto& l = c.l;
  int rate = l.load(l.array({ArrayRef::scalars, none, 0}), l.i(static_cast<int>(RunScalar::sample_rate)));
  return l.call(c.input(0).clock().is_static() ? "dg_phase_step_static" : "dg_phase_step", {c.in(0), rate});
}

// The output at a phase: x + 0 f, so that a frequency that is no number is heard of, while the phase waits for the next.
int shown(ElemCtx& c, int phase) {
  auto& l = c.l;
  return l.call("dg_phase_out", {phase, l.scalar("mul", {c.in(0), l.f(0)})});
}

// Static frequency without reset: closed form from the phase at the tile's start (advanced after the tile).
int elem(ElemCtx& c) {
  auto& l = c.l;
  int base = l.load(phase_array(c), c.ravel(c.idx, c.shape()));
  int turned = l.call("dg_phase_after", {base, increment(c), c.tick});
  return shown(c, turned);
}

void stmt(StmtCtx& c) {
  auto& l = c.l;
  l.loop(c.shape().size(), [&](int e) {
    ElemCtx at = c;
    at.idx = c.unravel(e, c.shape());
    int array = phase_array(at);
    int phase = l.load(array, e);
    l.store(c.out, l.add(c.base, e), shown(at, phase));
    int next = l.call("dg_phase_after", {phase, increment(at), l.i(1)});
    if (c.node.in.size() == 2) next = l.call("dg_phase_reset", {at.in(1), next});
    l.store(array, e, next);
  });
}

Uses uses(const OpDef&, int64_t) {
  Uses uses;
  for (const Shape& shape : {Shape{}, Shape{3}}) {
    uses.push_back({{shape}, {}, {{-300, 400}}});
    uses.push_back({{shape, shape}, {}, {{-300, 400}, {-1, 0.2}}});
    uses.push_back({{shape, shape}, {}, {{-300, 400}, {-1, 0.2}}, 1});
  }
  return uses;
}

// ---- sines of static frequencies -------------------------------------------------------------------------------------

// f Hz -> [2 voices][ticks since a phase of 0]: rows of cosines, then of sines.
Type infer_table(std::span<const Type> in, const Attrs&) { return {Shape{2 * in[0].shape.size(), kSineGroup}, in[0].clock}; }

void eval_table(EvalCtx& c) {
  const int64_t voices = c.input(0).shape().size();
  for (int64_t k = 0; k < voices; ++k) {
    const double freq = c.in(0)[k];
    const uint64_t step = increment_bits(freq / c.run.sample_rate);
    for (int64_t j = 0; j < kSineGroup; ++j) {
      const double angle = 2 * std::numbers::pi * std::ldexp(static_cast<double>(step * static_cast<uint64_t>(j)), -64) + freq * 0;
      c.out[k * kSineGroup + j] = c.round(std::cos(angle)), c.out[(voices + k) * kSineGroup + j] = c.round(std::sin(angle));
    }
  }
}

void vjp_table(VjpCtx& v) {
  if (!v.wanted(0)) return;
  const int64_t voices = v.x(0).shape().size();
  auto rows = [&](Ex x, int64_t first) {
    return ex("slice", {x}, {{"starts", Ints{first, 0}}, {"ends", Ints{first + voices, kSineGroup}}});
  };
  const Ex rate{&v.g, apply(v.g, "sample_rate", {})}, ticks{&v.g, apply(v.g, "iota", {}, {{"n", kSineGroup}})};
  const Ex turned = rows(v.dy(), voices) * rows(v.y(), 0) - rows(v.dy(), 0) * rows(v.y(), voices);
  const Ex sums = ex("sum", {turned * (ticks * (2 * std::numbers::pi) / rate)}, {{"axes", Ints{1}}});
  v.give(0, ex("reshape", {sums}, {{"shape", Ints(v.x(0).shape().sizes())}}));
}

int elem_table(ElemCtx& c) {
  auto& l = c.l;
  const int64_t voices = c.input(0).shape().size();
  const int rate = l.load(l.array({ArrayRef::scalars, none, 0}), l.i(static_cast<int>(RunScalar::sample_rate)));
  const int freq = c.in(0, c.unravel(l.mod(c.idx[0], voices), c.input(0).shape())), step = l.call("dg_phase_step_static", {freq, rate});
  const int phase = l.call("dg_phase_after", {step, step, l.sub(c.idx[1], l.i(1))});
  const int turns = l.call("dg_phase_out", {phase, l.scalar("mul", {freq, l.f(0)})});
  return l.where(l.less(c.idx[0], l.i(voices)), l.scalar("cos_turns", {turns}), l.scalar("sin_turns", {turns}));
}

// Phases, weights and a table that loop/sines.cpp reads: the sum of weighted sines, or cosines, of 2 pi times the phases.
Type infer_sines(std::span<const Type> in, const Attrs&) {
  const Shape rows{2 * in[0].shape.size(), kSineGroup};
  if (in[1].shape != in[0].shape) fail("shapes differ: ", in[0].shape.str(), " x ", in[1].shape.str());
  if (in[2].shape != rows) fail("needs a table of ", rows.str(), ", got ", in[2].shape.str());
  return {Shape{}, meet_all(in)};
}

void eval_sines(EvalCtx& c) {
  const double quarter = c.node.attrs.i("cosine", 0) ? 0.25 : 0;
  c.out[0] = 0;
  for (int64_t k = 0; k < c.input(0).shape().size(); ++k) {
    const double sine = c.round(std::sin(2 * std::numbers::pi * (c.in(0)[k] + quarter)));
    c.out[0] = c.round(c.out[0] + c.in(1)[k] * sine);
  }
}

void vjp_sines(VjpCtx& v) {
  const bool cosine = v.attrs().i("cosine", 0) != 0;
  const Ex turns = v.x(0), wave = fn(cosine ? "cos_turns" : "sin_turns", turns);
  const double slope = cosine ? -2 * std::numbers::pi : 2 * std::numbers::pi;
  if (v.wanted(0)) v.give(0, mulz(v.dy(), v.x(1) * fn(cosine ? "sin_turns" : "cos_turns", turns)) * slope);
  if (v.wanted(1)) v.give(1, mulz(v.dy(), wave));
}

int elem_sines(ElemCtx& c) {
  const Shape& voices = c.input(0).shape();
  const char* wave = c.attrs().i("cosine", 0) ? "cos_turns" : "sin_turns";
  auto term = [&](const std::vector<int>& k) { return c.l.scalar("mul", {c.l.scalar(wave, {c.in(0, k)}), c.in(1, k)}); };
  return voices.rank() == 0 ? term({}) : c.l.reduce("sum", Ints(voices.sizes()), term);
}

Uses uses_table(const OpDef&, int64_t) { return {{{Shape{}}, {}, {{-3, 4}}}, {{Shape{3}}, {}, {{-3, 4}}}}; }

Uses uses_sines(const OpDef&, int64_t) {
  Uses uses;
  for (const Shape& voices : {Shape{}, Shape{3}})
    for (int64_t cosine : {0, 1}) uses.push_back({{voices, voices, Shape{2 * voices.size(), kSineGroup}}, {{"cosine", cosine}}});
  return uses;
}

const OpDef rows[] = {
    {"phasor", "ramp from 0 to 1 at freq Hz, the phase before the update; NaN while freq is not finite, and the phase waits",
     Family::time, 1, 2, identity | keeps_clock | in_order | materialise | keeps_phase,
     infer, want, nullptr, eval, vjp, elem, stmt, uses},
    {"sine_table", "cosines and sines of a phasor's first values", Family::index, 1, 1, 0, infer_table, nullptr, nullptr, eval_table,
     vjp_table, elem_table, nullptr, uses_table},
    {"sine_sum", "sines (`cosine` 1: cosines) of 2 pi a, weighted by b and added up; c is a table for kernels", Family::reduce, 3, 3, 0,
     infer_sines, nullptr, nullptr, eval_sines, vjp_sines, elem_sines, nullptr, uses_sines},
};

}  // namespace

std::span<const OpDef> phasor_ops() { return rows; }

}  // namespace dgen::ops
