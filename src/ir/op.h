// OpDef: one operator, one row. Everything the compiler knows of an operator stands in these columns; nothing else in the
// project switches over operators.
#pragma once
#include <string_view>

#include "ir/graph.h"

namespace dgen::ir {

struct EvalCtx;   // ir/eval.h: one tick in the float64 interpreter
struct VjpCtx;    // ir/vjp.h: adjoints of the inputs from the adjoint of the output
struct ElemCtx;   // ir/lower.h: one element as an expression of input elements
struct StmtCtx;   // ir/lower.h: a whole value as statements

enum class Family { leaf, scalar, view, reduce, linear, index, time, state, spectral, effect };

// How a node may be placed by the scheduler.
enum Trait : unsigned {
  identity = 1,        // two equal nodes are two things (noise, state): never merged
  rereads = 2,         // reads elements of its inputs more than once: a computed input should be stored first
  materialise = 4,     // lowered by statements into storage, never inlined
  keeps_clock = 8,     // static inputs stay static (phasor frequency): the operator itself treats them apart
  stateless = 16,      // commutes with decimate: may be computed at the slower clock instead
  view_only = 32,      // moves elements, computes nothing
  across_time = 64,    // reads its inputs at other ticks than its own
  reverse_root = 128,  // vjp runs even when nothing asked for the value (state writes)
  in_order = 256,      // its ticks must be computed one after the other
  scatters = 512,      // stmt can add onto a sum in place (StmtCtx::onto)
  keeps_phase = 1024,  // sums 64-bit phases, which live beside the cells; a closed form where all it sums is static
  masks = 4096,          // a 0 (not chosen, no gradient) hides another input, even one that is not finite
  pieces = 8192,         // a view that asks at every element which piece it is of: put together before it is read again and again
  adds_in_place = 2048,  // its stream starts as zeros and is added to, up to `max` ticks back
  // Leaves, by what else than the graph tells their value; none of these: constants and the sample rate.
  reads_params = 1 << 14,
  reads_step = 1 << 15,    // of training
  reads_inputs = 1 << 16,  // host data
  reads_run = 1 << 17,     // its frames and where it starts
  function = 1 << 18,      // its value takes many instructions: rather stored than computed twice
};

// One way to use an operator, so that it can be tried: shapes of its inputs, attributes, ranges of the inputs' values.
struct Use {
  std::vector<Shape> shapes;
  Attrs attrs = {};
  std::vector<std::pair<double, double>> ranges = {};  // one an input; empty: [-1, 1]
  unsigned fixed = 0;                                  // bit i: input i is static at every clock
};

struct OpDef {
  std::string_view name;
  std::string_view doc;
  Family family = Family::scalar;
  int min_inputs = 1, max_inputs = 1;  // max -1: any number
  unsigned traits = 0;

  // Shape and clock of the result; throws dgen::Error without the "[name] " prefix (the caller adds it).
  Type (*infer)(std::span<const Type> in, const Attrs& attrs) = nullptr;
  // The clock input i must have, given the node and the clock it has now. Null: the node's own clock.
  Clock (*want)(const Node& node, int i, Clock now) = nullptr;
  // How many ticks of input i before the newest one (in clock order) the node may read. Null: 0.
  int64_t (*reach)(const Node& node, int i, const Type& input) = nullptr;

  void (*eval)(EvalCtx&) = nullptr;
  void (*vjp)(VjpCtx&) = nullptr;   // null: no gradient (all inputs are of zero gradient)
  int (*elem)(ElemCtx&) = nullptr;  // returns a loop expression
  void (*stmt)(StmtCtx&) = nullptr;
  // The test domain: uses with inputs at hop `period` (1: frame, 0: static). Null: other operators' uses contain this one.
  std::vector<Use> (*uses)(const OpDef& op, int64_t period) = nullptr;

  // Scalar rows only.
  double (*f)(double a, double b, double c) = nullptr;
  std::string_view c_text;          // C expression of a, b, c, in float
  std::string_view exact_text;      // in double; std:: is C's library
  double lo = 0, hi = 0;            // range of every argument in uses
  // Bits: the inputs in which it is linear while the others keep still: together (add), or one at a time (mul).
  unsigned linear = 0, factors = 0;

  // How many ticks late input 0 is read at least, as an integer expression that follows from the other inputs. Null: 0.
  int (*lag)(ElemCtx&) = nullptr;

  bool is(Trait t) const { return (traits & t) != 0; }
  // Does an element follow from the elements at its own place alone?
  bool elementwise() const { return family == Family::scalar || family == Family::state || family == Family::effect; }
};

// The table; defined in ops/table.cpp. find_op returns null for an unknown name, op throws InternalError.
const std::vector<Op>& all_ops();
Op find_op(std::string_view name);
Op op(std::string_view name);

// Any tick of it can be computed from the phase at a run's start.
inline bool is_closed_form(const Graph& g, Id id) {
  const Node& node = g[id];
  return node.op->is(keeps_phase) && node.in.size() == 1 && g[node.in[0]].clock().is_static();
}

// The type of op over inputs; errors get the "[name] " prefix, by default the name of op.
Type infer_type(Op op, std::span<const Type> in, const Attrs& attrs, std::string_view name = {});

}  // namespace dgen::ir
