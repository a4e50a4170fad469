// EvalCtx: what an operator sees when the interpreter evaluates one tick of it in float64.
#pragma once
#include <cmath>
#include <functional>

#include "ir/graph.h"
#include "ir/op.h"

namespace dgen::ir {

// Values that are known only when a program runs.
struct RunInfo {
  int64_t frames = 0;         // frames of this run
  uint64_t position = 0;      // stream frame of the run's frame 0
  double sample_rate = 44100;
  uint64_t step = 0;          // training step, part of every noise key
};

struct EvalCtx {
  const Graph& graph;
  const Node& node;
  const RunInfo& run;
  int64_t tick = 0;        // of the node's own clock, counted from the start of the stream
  double* out = nullptr;
  bool single = false;     // round every intermediate to float32

  // Input i at stream tick t of its own clock; reads before the run give history or zeros, after the end zeros.
  std::function<const double*(int i, int64_t t)> at;
  // Data of a leaf: a param, tensor or input channel at this tick.
  std::function<const double*()> leaf;
  // What lasts between ticks: a cell's value for state nodes, the phases of a phasor. One double an element.
  double* state = nullptr;

  double round(double x) const { return single ? static_cast<double>(static_cast<float>(x)) : x; }
  const Shape& shape() const { return node.shape(); }
  const Node& input(int i) const { return graph[node.in[static_cast<size_t>(i)]]; }
  // Input i at the node's own tick (static inputs: their only one).
  const double* in(int i) const { return at(i, input(i).clock().is_static() ? 0 : tick); }
  // Input i's ticks of this run are [first, end).
  int64_t first(int i) const { return ticks_before(input(i).clock().period, static_cast<int64_t>(run.position)); }
  int64_t end(int i) const { return ticks_before(input(i).clock().period, static_cast<int64_t>(run.position) + run.frames); }
  // +1 on a forward clock, -1 on a reverse one: tick - direction() is the tick before this one in clock order.
  int64_t direction() const { return node.clock().reverse ? -1 : 1; }
};

}  // namespace dgen::ir
