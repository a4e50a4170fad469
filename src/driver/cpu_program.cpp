// The C backend: kernels compiled by the system's compiler, launched tile by tile.
#include <mutex>

#include "driver/cpu_run.h"
#include "driver/debug.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "driver/programs.h"

namespace dgen::driver {
namespace {

class CpuProgram : public Program {
 public:
  CpuProgram(const ir::Graph& captured, const Options& options)
      : options_(options),
        plan_(plan_program(captured, options)),
        compiled_(compile_steps(plan_, options)) {
    stats_.compiles = static_cast<int64_t>(compiled_.libraries.size());
    stats_.kernels = static_cast<int64_t>(compiled_.steps.size());
  }
  ~CpuProgram() override {
    if (debug().level >= 2) debug_print(kernel_times(compiled_.steps));
  }

  std::unique_ptr<State> fresh_state() const override { return std::make_unique<CpuState>(); }
  std::string explain() const override { return explain_plan(plan_); }
  Stats stats() const override {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  std::vector<std::vector<float>> run(const Capture& bindings, const RunArgs& args, State* state) override {
    std::lock_guard lock(mutex_);
    CpuState fresh;
    CpuState& s = state ? dynamic_cast<CpuState&>(*state) : fresh;
    check_inputs(plan_.graph, args, s.position);
    return CpuRun(plan_, compiled_.steps, options_, arena_, stats_, bindings, args, s, state != nullptr).go();
  }

 private:
  Options options_;
  schedule::Plan plan_;
  CompiledSteps compiled_;
  runtime::Buffer arena_;
  mutable std::mutex mutex_;
  Stats stats_;
};

}  // namespace

std::shared_ptr<Program> make_cpu_program(const ir::Graph& captured, const Options& options) {
  return std::make_shared<CpuProgram>(captured, options);
}

}  // namespace dgen::driver
