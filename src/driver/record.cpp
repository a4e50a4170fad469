#include "driver/record.h"

#include <atomic>

#include "base/check.h"
#include "base/hash.h"
#include "codegen/render.h"
#include "driver/debug.h"
#include "driver/dump.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "driver/steps.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::driver {

namespace {

// Equal for graphs that differ in names and the values of constants only, and from run to run.
std::string structure_hash(const ir::Graph& g) {
  static const ir::Op constant = ir::op("const");
  std::string text;
  for (auto& node : g.nodes()) {
    text += ir::print_call(node.op, node.in, node.op == constant ? ir::Attrs{} : node.attrs);
    text += cat(node.shape().str(), "@", node.clock().str(), "\n");
  }
  for (ir::Id root : g.roots()) text += cat("root ", root, "\n");
  return hash128(text).hex().substr(0, 16);
}

void record_kernels(Record& r, const Options& options) {
  const codegen::Target target = target_of(r.backend);
  std::vector<const ir::Kernel*> all;
  auto add = [&](const ir::Kernel& kernel, int region) {
    r.kernels.push_back({kernel, region, codegen::render_kernel(codegen::dialect(target), kernel)});
    all.push_back(&kernel);
  };
  const std::vector<Step> steps = make_steps(*r.plan, options);
  for (const Step& step : steps) {
    add(step.kernel, step.region);
    if (step.by_lanes) add(*step.by_lanes, step.region);
  }
  r.notes = notes_on(steps);
  r.source = codegen::render_program(target, all);
}

}  // namespace

Record record_compile(const ir::Graph& captured, const Options& options) {
  Record r;
  r.backend = options.backend;
  r.stages.push_back({"captured", "the graph as written", captured, {}});
  std::string before = ir::print(captured);
  Watch watch = [&](const Pass& pass, const ir::Graph& g, const std::vector<ir::Rewrite>& rewrites) {
    std::string after = ir::print(g);
    if (after != before) r.stages.push_back({pass.name, pass.does, g, rewrites});
    before = std::move(after);
  };
  try {
    if (options.backend == Backend::interpreter) {
      prepare(captured, watch);
    } else {
      r.plan = plan_program(captured, options, watch);
      record_kernels(r, options);
    }
  } catch (const std::exception& e) {
    r.error = e.what();
  }
  return r;
}

std::string print_record(const Record& r, int level) {
  std::string text;
  for (const Stage& stage : r.stages) {
    if (level >= 6)
      for (auto& rule : stage.rewrites)
        text += cat("[", stage.name, "] ", rule.rule, ":\n", rule.before, "\n  becomes\n", rule.after, "\n");
    if (level >= 5) text += cat("== ", stage.name, ": ", stage.does, "\n", ir::print(stage.graph));
  }
  if (level >= 3 && r.plan) text += explain_plan(*r.plan, r.notes);
  if (level >= 4) text += r.source;
  return text;
}

void show_compile(const ir::Graph& captured, const Options& options) {
  static std::atomic<int> programs = 0;
  if (debug().level < 3 && debug().dump.empty()) return;
  Record record = record_compile(captured, options);
  debug_print(print_record(record, debug().level));
  if (debug().dump.empty()) return;
  std::string number = std::to_string(++programs);
  number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
  dump(record, debug().dump, number + "_" + structure_hash(captured));
}

void show_compiled(const Program& program, double seconds) {
  if (debug().level < 1) return;
  Stats stats = program.stats();
  debug_print(cat("program of ", stats.kernels, " kernels in ", stats.compiles, " files, compiled in ", seconds * 1e3, " ms\n"));
}

}  // namespace dgen::driver
