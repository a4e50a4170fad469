// The backends' programs.
#pragma once
#include "driver/driver.h"

namespace dgen::driver {

std::shared_ptr<Program> make_interp_program(const ir::Graph& captured);
std::shared_ptr<Program> make_cpu_program(const ir::Graph& captured, const Options& options);

}  // namespace dgen::driver
