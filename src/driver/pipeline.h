// The passes from a captured graph to a plan, in order.
#pragma once
#include "schedule/plan.h"

namespace dgen::driver {

// Explicit clocks, gradients expanded: what the interpreter runs and the scheduler plans.
ir::Graph prepare(const ir::Graph& captured);

}  // namespace dgen::driver
