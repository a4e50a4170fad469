// VjpCtx: an operator states the adjoints of its inputs as graph, given the adjoint d of its output.
#pragma once
#include <functional>

#include "ir/expr.h"
#include "ir/op.h"

namespace dgen::ir {

struct VjpCtx {
  Graph& g;
  Id self;   // the node itself: its value may be used
  Id d;      // adjoint of the output, at the reverse of the node's clock
  std::function<bool(int i)> wanted;            // does input i lead to a learnable?
  std::function<void(int i, Id adjoint)> add;  // adds to the adjoint of input i

  // A new reverse cell, and the reverse cell that belongs to a forward one.
  std::function<int64_t(Type type)> new_cell;
  std::function<int64_t(int64_t cell)> reverse_cell;

  bool has_adjoint() const { return d != none; }  // only reverse roots are visited without one
  const Node& node() const { return g[self]; }
  Id in(int i) const { return g[self].in[static_cast<size_t>(i)]; }
  Ex x(int i) const { return {&g, in(i)}; }
  Ex y() const { return {&g, self}; }
  Ex dy() const { return {&g, d}; }
  const Attrs& attrs() const { return g[self].attrs; }
  void give(int i, Ex e) const { add(i, e.id); }
};

}  // namespace dgen::ir
