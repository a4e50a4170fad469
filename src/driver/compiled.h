// A program's code and plans: what does not change from run to run.
#pragma once
#include "driver/debug.h"
#include "driver/memory.h"
#include "driver/steps.h"

namespace dgen::driver {

struct Compiled {
  Compiled(ir::Graph captured, const Options& options);

  schedule::Plan plan;
  std::vector<InputNode> inputs;
  bool has_literals;  // constants are run-time values
  StateLayout layout;
  schedule::MemoryPlanner planner;
  CompiledSteps code;
  runtime::Device& device;
  Options options;
  // Asked once, not at each run.
  const bool on_host, careful, timed, watched;  // careful: see Options; watched: values are looked at after a run
  runtime::Trace* const trace;
};

}  // namespace dgen::driver
