#include <mutex>

#include "driver/bindings.h"
#include "driver/driver.h"

namespace dgen::driver {

struct Program::Own {
  std::mutex mutex;
  std::unique_ptr<Workspace> workspace;
};

std::shared_ptr<Program::Own> Program::make_own() { return std::make_shared<Own>(); }

int64_t rows_of(ir::Clock clock, const RunArgs& args, uint64_t position) {
  if (clock.is_static()) return 1;
  return args.per_tick ? ticks_of(clock, position, args.frames).count : args.frames;
}

std::vector<std::vector<float>> Program::run(const Bindings& bindings, const RunArgs& args, State* state) {
  std::vector<std::vector<float>> values;
  std::vector<std::span<float>> spans;
  for (const ir::Type& type : outputs()) {
    values.emplace_back(static_cast<size_t>(rows_of(type.clock, args, state ? state->position : 0) * type.shape.size()));
    spans.emplace_back(values.back());
  }
  run_into(bindings, args, state, spans);
  return values;
}

void Program::run_into(const Bindings& bindings, const RunArgs& args, State* state, std::span<const std::span<float>> outputs) {
  std::lock_guard lock(own_->mutex);
  if (!own_->workspace) own_->workspace = workspace();
  run_into(bindings, args, state, *own_->workspace, outputs);
}

}  // namespace dgen::driver
