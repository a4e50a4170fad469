// The backends' programs.
#pragma once
#include "driver/driver.h"
#include "interp/interp.h"

namespace dgen::driver {

std::shared_ptr<Program> make_interp_program(ir::Graph captured);
std::shared_ptr<Program> make_compiled_program(ir::Graph captured, const Options& options);

// Params, tensors, literals and inputs of a run, as the interpreter asks for them; both arguments must outlive it.
interp::Leaves leaves_of(const Bindings& bindings, const RunArgs& args);

}  // namespace dgen::driver
