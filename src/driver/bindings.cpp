#include "driver/bindings.h"

#include <algorithm>

#include "base/check.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;

Ticks ticks_of(Clock clock, uint64_t position, int64_t frames) {
  if (clock.is_static()) return {};
  auto p = static_cast<int64_t>(position);
  int64_t first = ticks_before(clock.period, p);
  return {first, ticks_before(clock.period, p + frames) - first};
}

void check_inputs(const Graph& g, const RunArgs& args, uint64_t position) {
  static const Op input = op("input");
  for (auto& node : g.nodes()) {
    if (node.op != input) continue;
    auto channel = static_cast<size_t>(node.attrs.i("channel"));
    int64_t need = ticks_of(node.clock(), position, args.frames).count * node.shape().size();
    if (channel >= args.inputs.size() || args.inputs[channel].data() == nullptr)
      fail("[input] no data for channel ", channel, ": give a span of at least ", need, " values in .inputs");
    if (static_cast<int64_t>(args.inputs[channel].size()) < need)
      fail("[input] channel ", channel, " needs ", need, " values for ", args.frames, " frames, got ", args.inputs[channel].size());
  }
}

std::vector<float> hold_rows(const float* rows, const float* before, int64_t size, Clock clock, uint64_t position, int64_t frames) {
  std::vector<float> out(static_cast<size_t>(frames * size));
  int64_t first = ticks_of(clock, position, frames).first;
  for (int64_t f = 0; f < frames; ++f) {
    int64_t tick = (static_cast<int64_t>(position) + f) / clock.period - first;
    const float* row = tick < 0 ? before : rows + tick * size;
    if (row) std::copy_n(row, size, out.begin() + f * size);
  }
  return out;
}

void assign(const Capture& bindings, const Node& node, const float* values) {
  Storage& param = *bindings.params.at(static_cast<size_t>(node.attrs.i("slot")));
  std::copy_n(values, param.data.size(), param.data.begin());
}

}  // namespace dgen::driver
