// The rules every graph keeps, checked between passes; a broken one is an InternalError that shows the node.
#pragma once
#include "ir/graph.h"

namespace dgen::ir {

enum class Clocks {
  implicit,  // as captured: inputs may tick slower or faster than an operator wants
  aligned,   // after the clock pass: every input ticks as its operator wants
};

// Inputs come first, types follow from the operators' own rules, and a cell has at most one write, of the cell's type.
void verify(const Graph& g, Clocks clocks);

}  // namespace dgen::ir
