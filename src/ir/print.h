// Text of a graph, one node a line; ir/parse.h reads it back.
//   %0 = param {slot=0,shape=[3]} : (3)@static
//   %1 = state_read {cell=0,shape=[3],period=1} : (3)@frame
//   %2 = add %0, %1 : (3)@frame "sum"
//   %3 = state_write %2 {cell=0,shape=[3],period=1} : (3)@frame
//   cell 0 : (3)@frame write %3 key "voice"
//   output %2
// Clocks are static, hop(256) or frame, with ' in a reverse sweep. Source lines are not kept.
#pragma once
#include <string>

#include "ir/graph.h"

namespace dgen::ir {

std::string print(const Graph& g);
std::string print_node(const Graph& g, Id id);  // its line, without the line's end
std::string print_call(Op op, const Ids& in, const Attrs& attrs);  // "add %1, %2"
std::string print_attrs(const Attrs& attrs);    // "{a=1,b=[2,3]}", or nothing
// The same graph for Graphviz; feedback is dashed.
std::string print_dot(const Graph& g);

}  // namespace dgen::ir
