// What every backend needs of a run's inputs and outputs: checks, rows, assignments.
#pragma once
#include "driver/driver.h"

namespace dgen::driver {

// Ticks of a clock in a run that starts at a stream position.
struct Ticks {
  int64_t first = 0, count = 1;
};
Ticks ticks_of(ir::Clock clock, uint64_t position, int64_t frames);

// Every input node has data for the run; throws Error naming the channel.
void check_inputs(const ir::Graph& g, const RunArgs& args, uint64_t position);
// Rows of a clock's ticks as one row a frame, slower values held; `before` is the value before the first tick.
std::vector<float> hold_rows(const float* rows, const float* before, int64_t size, ir::Clock clock, uint64_t position, int64_t frames);
// Values of an assign node go to its param.
void assign(const Capture& bindings, const ir::Node& node, const float* values);

}  // namespace dgen::driver
