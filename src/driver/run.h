// One run of a compiled program: tiles forward, then backward, within the memory budget.
#pragma once
#include "driver/debug.h"
#include "driver/memory.h"
#include "driver/steps.h"

namespace dgen::driver {

// What does not change from run to run.
struct Compiled {
  Compiled(const ir::Graph& captured, const Options& options);

  schedule::Plan plan;
  std::vector<ir::Id> inputs;
  bool has_literals;  // constants are run-time values
  StateLayout layout;
  schedule::MemoryPlanner planner;
  CompiledSteps code;
  runtime::Device& device;
  Options options;
};

// What a forward sweep needs to start again at a tile: the state from StateLayout::forward on.
using Checkpoint = runtime::Block;

struct RunWorkspace : Workspace {
  schedule::MemoryPlan memory;
  runtime::Block arena, numbers, scratch, table;  // numbers: RunScalars, then literals; table: of a launch's arrays
  std::vector<runtime::Block> inputs;
  std::vector<float*> elsewhere;  // by place: see RunMemory
  std::vector<Tile> tiles;
  std::vector<Checkpoint> checkpoints;
  std::unique_ptr<DeviceState> own_state;  // of runs without one
  std::vector<void*> arrays;
  std::vector<float> host_numbers, rows;
  int64_t launches = 0, ffts = 0;  // since the program last asked
};

class Run {
 public:
  // keep: the state is carried on from run to run.
  Run(const Compiled& compiled, RunWorkspace& workspace, const Capture& bindings, const RunArgs& args, DeviceState& state, bool keep);

  void go(std::span<const std::span<float>> outputs);

 private:
  void bind();
  void move_outputs(std::span<const std::span<float>> outputs);
  void sweep(int level);
  void run_tile(int level, const Tile& tile, bool again);
  void run_after(int level);
  void clear_cells();
  void init_cells(int level);
  void save_checkpoint(const Checkpoint& c);
  void restore(const Checkpoint& c);

  void launch_tile(const Step& step, const Tile& tile);
  void launch(const Step& step, const Tile& tile, int64_t lo, int64_t hi);
  void launch_ranges(const Step& step, const Tile& tile, int64_t lo, int64_t hi);
  void call(const Step& step, const Tile& tile, int64_t lo, int64_t hi);
  static runtime::LaunchShape shape_of(const Step& step, int64_t count);
  long number(const ir::KernelArg& arg, const Tile& tile, int64_t lo, int64_t hi) const;
  void* address(const ir::ArrayRef& ref, const Tile& tile);
  void* input(ir::Id id, const Tile& tile);
  void look();
  void collect(std::span<const std::span<float>> outputs);

  const Compiled& c_;
  const schedule::Plan& plan_;
  runtime::Device& device_;
  const bool on_host_ = device_.is_host(), timed_ = debug().level >= 2;
  runtime::Trace* const trace_ = trace();
  RunWorkspace& w_;
  const Capture& bindings_;
  const RunArgs& args_;
  DeviceState& state_;
  bool keep_;
  RunMemory memory_;
};

schedule::MemoryLimits memory_limits(const Options& options, const runtime::Device& device);
// Throws InternalError when values of the plan get into each other's way.
void check_memory(const Compiled& compiled, const schedule::MemoryPlan& memory);
// The memory plan for a run, made again only where the workspace's does not serve it.
void plan_run(const Compiled& compiled, RunWorkspace& workspace, int64_t frames);

}  // namespace dgen::driver
