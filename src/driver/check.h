// DGEN_NAN and DGEN_CHECK: after a run, the first stored value that is not finite, or that the interpreter disagrees with,
// is an Error that names its node, frame and element.
#pragma once
#include "driver/cpu_memory.h"

namespace dgen::driver {

void check_finite(const schedule::Plan& plan, CpuMemory& memory);
void check_against_interpreter(const schedule::Plan& plan, CpuMemory& memory, const Capture& bindings, const RunArgs& args);

}  // namespace dgen::driver
