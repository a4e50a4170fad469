// The text form of ir/print.h back to a graph. Text may come from anywhere: every mistake, also of size, is a dgen::Error
// that begins with "line:column: ".
// Nodes may stand in any order and be numbered at will, `: type` may be left out, and `;` starts a comment. Loops go through
// a cell; a cycle without one is an Error naming its nodes.
#pragma once
#include <string_view>

#include "ir/graph.h"

namespace dgen::ir {

Graph parse(std::string_view text);

}  // namespace dgen::ir
