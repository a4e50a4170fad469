#include "driver/check.h"

#include <cmath>
#include <functional>

#include "base/check.h"
#include "driver/programs.h"
#include "interp/interp.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;

namespace {

// Calls f(node, first value, ticks) for every value that is stored for the whole run, in order of execution.
void for_streams(const Plan& plan, CpuMemory& memory, const std::function<void(Id, const float*, int64_t)>& f) {
  for (auto& region : plan.regions)
    for (Id id : region.nodes)
      if (plan.store[static_cast<size_t>(id)] == schedule::Store::stream && memory.info(id).whole)
        f(id, memory.stream(id, {}), memory.ticks(plan.graph[id].clock()).count);
}

std::string place(const Plan& plan, Id id, int64_t index) {
  const Node& node = plan.graph[id];
  int64_t size = node.shape().size();
  std::string text = cat("%", id, " = ", node.op->name, " ", node.shape().str(), "@", node.clock().str());
  if (!node.label.empty()) text += " \"" + node.label + "\"";
  if (node.loc.file) text += cat(" (", node.loc.file, ":", node.loc.line, ")");
  return text + cat(", tick ", index / size, ", element ", index % size);
}

}  // namespace

void check_finite(const Plan& plan, CpuMemory& memory) {
  for_streams(plan, memory, [&](Id id, const float* values, int64_t ticks) {
    for (int64_t i = 0; i < ticks * plan.graph[id].shape().size(); ++i)
      if (!std::isfinite(values[i])) fail("[nan] ", place(plan, id, i), " is ", values[i]);
  });
}

void check_against_interpreter(const Plan& plan, CpuMemory& memory, const Capture& bindings, const RunArgs& args) {
  interp::Leaves leaves = leaves_of(bindings, args);
  RunInfo info{args.frames, 0, args.sample_rate, args.step};
  std::vector<std::vector<double>> nodes = interp::run(plan.graph, info, leaves, nullptr, false, true).nodes;
  for_streams(plan, memory, [&](Id id, const float* values, int64_t ticks) {
    const std::vector<double>& expected = nodes[static_cast<size_t>(id)];
    double peak = 0;
    for (double v : expected)
      if (std::isfinite(v)) peak = std::max(peak, std::abs(v));
    for (int64_t i = 0; i < ticks * plan.graph[id].shape().size(); ++i) {
      double want = expected[static_cast<size_t>(i)], got = static_cast<double>(values[i]);
      bool same = std::isnan(want) ? std::isnan(got) : want == got || std::abs(got - want) <= 1e-3 * peak + 1e-6;
      if (!same) fail("[check] ", place(plan, id, i), " is ", got, ", the interpreter says ", want);
    }
  });
}

}  // namespace dgen::driver
