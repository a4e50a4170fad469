// A graph as a picture: inputs above their users, feedback as dashed arrows upwards, one colour a clock.
#pragma once
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace dgen::driver {

std::string draw_svg(const ir::Graph& g);
// Text inside HTML or XML.
std::string escape_markup(std::string_view text);

}  // namespace dgen::driver
