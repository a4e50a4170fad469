#include "driver/bindings.h"

#include <algorithm>

#include "base/check.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;

std::vector<Id> nodes_of(const Graph& g, std::string_view name) {
  const Op wanted = op(name);
  std::vector<Id> ids;
  for (Id id = 0; id < g.size(); ++id)
    if (g[id].op == wanted) ids.push_back(id);
  return ids;
}

Bindings::Bindings(const Capture& capture) : params(capture.params), tensors(capture.tensors) {
  for (Id id : nodes_of(capture.graph, "const")) literals.push_back(static_cast<float>(capture.graph[id].attrs.f("value")));
}

std::vector<InputNode> input_nodes(const Graph& g) {
  std::vector<InputNode> inputs;
  for (Id id : nodes_of(g, "input"))
    inputs.push_back({id, static_cast<size_t>(g[id].attrs.i("channel")), g[id].clock(), g[id].shape().size()});
  return inputs;
}

void check_inputs(std::span<const InputNode> inputs, const RunArgs& args, uint64_t position) {
  for (const auto& [id, channel, clock, size] : inputs) {
    const int64_t need = ticks_of(clock, position, args.frames).count * size;
    if (channel >= args.inputs.size() || args.inputs[channel].data() == nullptr)
      fail("[input] no data for channel ", channel, ": give a span of at least ", need, " values in .inputs");
    if (static_cast<int64_t>(args.inputs[channel].size()) < need)
      fail("[input] channel ", channel, " needs ", need, " values for ", args.frames, " frames, got ", args.inputs[channel].size());
  }
}

void write_output(const Node& node, const float* rows, const float* before, const RunArgs& args, uint64_t position, std::span<float> out) {
  const Clock clock = node.clock();
  const int64_t size = node.shape().size();
  const auto room = static_cast<int64_t>(out.size());
  if (clock.is_static()) {
    DGEN_ASSERT(room % size == 0);
    for (int64_t at = 0; at < room; at += size) std::copy_n(rows, size, out.data() + at);
    return;
  }
  DGEN_ASSERT(room == rows_of(clock, args, position) * size);
  if (args.per_tick || clock.period == 1) return void(std::copy_n(rows, room, out.data()));
  const int64_t first = ticks_of(clock, position, args.frames).first;
  for (int64_t f = 0; f < args.frames; ++f) {
    int64_t tick = (static_cast<int64_t>(position) + f) / clock.period - first;
    const float* row = tick < 0 ? before : rows + tick * size;
    if (row) std::copy_n(row, size, out.data() + f * size);
    else std::fill_n(out.data() + f * size, size, 0.0f);
  }
}

}  // namespace dgen::driver
