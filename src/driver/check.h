// DGEN_NAN and DGEN_CHECK: after a run, the first stored value that is not finite, or that the interpreter disagrees with,
// is an Error that names its node, frame and element.
#pragma once
#include <functional>

#include "driver/bindings.h"
#include "schedule/plan.h"

namespace dgen::driver {

// A stored value's rows of the whole run.
using Fetch = std::function<std::vector<float>(ir::Id)>;

void check_finite(const schedule::Plan& plan, const Fetch& fetch);
void check_against_interpreter(const schedule::Plan& plan, const Fetch& fetch, const Bindings& bindings, const RunArgs& args);

}  // namespace dgen::driver
