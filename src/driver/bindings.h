// What every backend needs of a run's inputs and outputs: checks, rows, assignments.
#pragma once
#include "driver/driver.h"

namespace dgen::driver {

// Ticks of a clock in a run that starts at a stream position.
struct Ticks {
  int64_t first = 0, count = 1;
};
inline Ticks ticks_of(ir::Clock clock, uint64_t position, int64_t frames) {
  const auto p = static_cast<int64_t>(position);
  if (clock.period <= 1) return clock.is_static() ? Ticks{} : Ticks{p, frames};
  int64_t first = ir::ticks_before(clock.period, p);
  return {first, ir::ticks_before(clock.period, p + frames) - first};
}

// Nodes of an operator, in order.
std::vector<ir::Id> nodes_of(const ir::Graph& g, std::string_view op);
// What the graph reads of the host.
struct InputNode {
  ir::Id id;
  size_t channel;
  ir::Clock clock;
  int64_t size;  // elements a tick
};
std::vector<InputNode> input_nodes(const ir::Graph& g);
// Every input node has data for the run; throws Error naming the channel.
void check_inputs(std::span<const InputNode> inputs, const RunArgs& args, uint64_t position);
// An output's rows, one a tick of its clock, into `out`: a static one as often as there is room, others tick by tick or
// held, one a frame. `before` is the row before the first, null for zeros.
void write_output(const ir::Node& node, const float* rows, const float* before, const RunArgs& args, uint64_t position,
                  std::span<float> out);

}  // namespace dgen::driver
