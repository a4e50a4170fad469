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

// Calls f(node, rows) for every stored value, in order of execution.
void for_streams(const Plan& plan, const Fetch& fetch, const std::function<void(Id, const std::vector<float>&)>& f) {
  for (auto& region : plan.regions)
    for (Id id : region.nodes)
      if (plan.store[static_cast<size_t>(id)] == schedule::Store::stream) f(id, fetch(id));
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

void check_finite(const Plan& plan, const Fetch& fetch) {
  for_streams(plan, fetch, [&](Id id, const std::vector<float>& values) {
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) fail("[nan] ", place(plan, id, static_cast<int64_t>(i)), " is ", values[i]);
  });
}

void check_against_interpreter(const Plan& plan, const Fetch& fetch, const Bindings& bindings, const RunArgs& args) {
  interp::Leaves leaves = leaves_of(bindings, args);
  RunInfo info{args.frames, 0, args.sample_rate, args.step};
  std::vector<std::vector<double>> nodes = interp::run(plan.graph, info, leaves, nullptr, false, true).nodes;
  for_streams(plan, fetch, [&](Id id, const std::vector<float>& values) {
    const std::vector<double>& expected = nodes[static_cast<size_t>(id)];
    double peak = 0;
    for (double v : expected)
      if (std::isfinite(v)) peak = std::max(peak, std::abs(v));
    for (size_t i = 0; i < values.size(); ++i) {
      double want = expected[i], got = static_cast<double>(values[i]);
      bool same = std::isnan(want) ? std::isnan(got) : want == got || std::abs(got - want) <= 1e-3 * peak + 1e-6;
      if (!same) fail("[check] ", place(plan, id, static_cast<int64_t>(i)), " is ", got, ", the interpreter says ", want);
    }
  });
}

}  // namespace dgen::driver
