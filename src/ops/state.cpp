// Cells: feedback by one tick. state_read is a leaf (the value one tick ago in clock order), state_write a root.
#include "ops/families.h"

namespace dgen::ops {
namespace {

Type cell_type(const Attrs& attrs) {
  return {Shape(attrs.ints("shape")), {period_attr(attrs, "period"), attrs.i("reverse", 0) != 0}};
}

// state_read{cell, shape, period, reverse}(init): init is static.
Type infer_read(std::span<const Type> in, const Attrs& attrs) {
  Type type = cell_type(attrs);
  if (!in.empty() && in[0].shape != type.shape) fail("initial value ", in[0].shape.str(), " for a cell of shape ", type.shape.str());
  return type;
}

Type infer_write(std::span<const Type> in, const Attrs& attrs) {
  Type type = cell_type(attrs);
  if (in[0].shape != type.shape) fail("value ", in[0].shape.str(), " for a cell of shape ", type.shape.str());
  return type;
}

Type infer_final(std::span<const Type> in, const Attrs&) { return {in[0].shape, static_clock}; }

Clock want_static(const Node&, int, Clock) { return static_clock; }
Clock want_same(const Node&, int, Clock now) { return now; }

void eval_read(EvalCtx& c) { std::copy(c.state, c.state + c.shape().size(), c.out); }

void eval_write(EvalCtx& c) {
  const double* v = c.in(0);
  std::copy(v, v + c.shape().size(), c.out);
}

// The adjoint of a cell's initial value. A run that goes on from kept state has not read it.
void eval_final(EvalCtx& c) {
  if (c.run.position > 0) return void(std::fill(c.out, c.out + c.shape().size(), 0.0));
  const double* v = c.at(0, c.input(0).clock().reverse ? c.first(0) : c.end(0) - 1);
  std::copy(v, v + c.shape().size(), c.out);
}

Attrs attrs_of(const Graph& g, int64_t cell) {
  const Type& type = g.cells[static_cast<size_t>(cell)].type;
  return {{"cell", cell}, {"shape", Ints(type.shape.sizes())}, {"period", type.clock.period}, {"reverse", int64_t{type.clock.reverse}}};
}

// The value read at n+1 was written at n, so its adjoint arrives through a reverse cell.
void vjp_write(VjpCtx& v) {
  int64_t cell = v.reverse_cell(v.attrs().i("cell"));
  Ex later{&v.g, apply(v.g, "state_read", {}, attrs_of(v.g, cell))};
  v.give(0, v.has_adjoint() ? later + v.dy() : later);
}

// A cell that is never written is read at every tick, so its adjoint adds up.
void vjp_read(VjpCtx& v) {
  int64_t cell = v.reverse_cell(v.attrs().i("cell"));
  Ex d{&v.g, v.d};
  if (v.g.cells[static_cast<size_t>(v.attrs().i("cell"))].write == none)
    d = d + Ex{&v.g, apply(v.g, "state_read", {}, attrs_of(v.g, cell))};
  Id write = apply(v.g, "state_write", {d.id}, attrs_of(v.g, cell));
  v.g.cells[static_cast<size_t>(cell)].write = write;
  if (!v.node().in.empty() && v.wanted(0)) v.give(0, Ex{&v.g, apply(v.g, "state_final", {write}, {{"cell", cell}})});
}

int elem_read(ElemCtx& c) {
  int64_t cell = c.attrs().i("cell");
  return c.l.load(c.l.array({ArrayRef::state, static_cast<Id>(cell), c.shape().size()}), c.ravel(c.idx, c.shape()));
}

int elem_final(ElemCtx& c) {
  int continued = c.l.less(c.l.i(0), c.l.arg(KernelArg::tile_frame));
  return c.l.where(continued, c.l.f(0), elem_read(c));
}

int elem_value(ElemCtx& c) { return c.in(0); }

const OpDef rows[] = {
    {"state_read", "a cell's value one tick ago", Family::state, 0, 1, in_order, infer_read, want_static, nullptr, eval_read, vjp_read,
     elem_read},
    {"state_write", "stores a cell's value for the next tick", Family::state, 1, 1, in_order | reverse_root | materialise, infer_write,
     nullptr, nullptr, eval_write, vjp_write, elem_value},
    {"state_final", "a reverse cell's value after the run, 0 if the run went on from kept state", Family::state, 1, 1, across_time,
     infer_final, want_same, nullptr, eval_final, nullptr, elem_final},
};

}  // namespace

std::span<const OpDef> state_ops() { return rows; }

}  // namespace dgen::ops
