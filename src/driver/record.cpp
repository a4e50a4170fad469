#include "driver/record.h"

#include <atomic>

#include "base/check.h"
#include "base/hash.h"
#include "codegen/render.h"
#include "driver/debug.h"
#include "driver/dump.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "ir/print.h"
#include "loop/lower.h"

namespace dgen::driver {

namespace {

void record_kernels(Record& r) {
  codegen::Target target = r.backend == Backend::cuda ? codegen::Target::cuda : codegen::Target::c;
  std::vector<ir::Kernel> all;
  auto add = [&](const std::vector<ir::Kernel>& kernels, int region) {
    for (const ir::Kernel& kernel : kernels) {
      r.kernels.push_back({kernel, region, codegen::render_kernel(codegen::dialect(target), kernel)});
      all.push_back(kernel);
    }
  };
  for (size_t n = 0; n < r.plan->regions.size(); ++n) add(loop::lower_region(*r.plan, static_cast<int>(n)).kernels, static_cast<int>(n));
  for (int level = 1; level < r.plan->levels; level += 3) add(loop::advance_kernels(*r.plan, level), -1);
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
      record_kernels(r);
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
      for (auto& rule : stage.rewrites) text += cat("[", stage.name, "] ", rule.rule, ":\n", rule.before, "\n  becomes\n", rule.after, "\n");
    if (level >= 5) text += cat("== ", stage.name, ": ", stage.does, "\n", ir::print(stage.graph));
  }
  if (level >= 3 && r.plan) text += explain_plan(*r.plan);
  if (level >= 4) text += r.source;
  return text;
}

void show_compile(const ir::Graph& captured, const Options& options, const std::string& structure) {
  static std::atomic<int> programs = 0;
  if (debug().level < 3 && debug().dump.empty()) return;
  Record record = record_compile(captured, options);
  debug_print(print_record(record, debug().level));
  if (debug().dump.empty()) return;
  std::string number = std::to_string(++programs);
  std::string name = std::string(number.size() < 3 ? 3 - number.size() : 0, '0') + number + "_" + hash128(structure).hex().substr(0, 16);
  dump(record, debug().dump, name);
}

void show_compiled(const Program& program, double seconds) {
  if (debug().level < 1) return;
  Stats stats = program.stats();
  debug_print(cat("program of ", stats.kernels, " kernels in ", stats.compiles, " files, compiled in ", seconds * 1e3, " ms\n"));
}

}  // namespace dgen::driver
