// The passes from a captured graph to a plan, as a table.
#pragma once
#include <functional>
#include <span>

#include "driver/driver.h"
#include "schedule/plan.h"

namespace dgen::driver {

struct Pass {
  const char* name;
  const char* does;
  ir::Graph (*run)(const ir::Graph&);
  bool (*concerns)(const ir::Node&);  // a graph without such nodes it leaves as it is
  enum For {
    always,
    kernels,  // only makes programs faster: the interpreter and DGEN_OPT=0 go without
    vectors,  // likewise, and only where ticks lie in vectors: not on a GPU
  } needs;
};
std::span<const Pass> passes();

// Sees the graph after each pass, and the rules that it applied.
using Watch = std::function<void(const Pass&, const ir::Graph&, const std::vector<ir::Rewrite>&)>;

// Explicit clocks, gradients expanded: what the interpreter runs.
ir::Graph prepare(ir::Graph captured, const Watch& watch = {});
// What the backend's kernels can do.
schedule::PlanOptions plan_options(const Options& options);
// All passes, then the plan.
schedule::Plan plan_program(ir::Graph captured, const Options& options, const Watch& watch = {});

}  // namespace dgen::driver
