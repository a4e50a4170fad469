// A plan in words, printed from its own objects.
#pragma once
#include <string>

#include "schedule/plan.h"

namespace dgen::driver {

std::string explain_plan(const schedule::Plan& plan);

}  // namespace dgen::driver
