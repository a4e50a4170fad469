// One run of a compiled program: tiles forward, then backward, within the memory budget.
#pragma once
#include <array>

#include "driver/launches.h"

namespace dgen::driver {

// What a forward sweep needs to start again at a tile: the state from StateLayout::forward on.
using Checkpoint = runtime::Block;

struct RunWorkspace : Workspace {
  schedule::MemoryPlan memory;
  Launches launches;
  runtime::Block arena, numbers, scratch, table;  // numbers: RunScalars, then literals; table: of a launch's arrays
  int scratches = 1;  // threads whose calls have scratch of their own
  std::vector<runtime::Block> inputs;
  std::vector<float*> elsewhere;  // by place: see RunMemory
  Arguments arguments;
  std::vector<Tile> tiles;
  std::vector<Checkpoint> checkpoints;
  std::unique_ptr<DeviceState> own_state;  // of runs without one
  std::vector<void*> arrays;  // of a GPU launch
  std::vector<float> host_numbers, rows;
  // What the kept values were made from. Inputs are copied: contents tell whether they are the same, not addresses.
  double sample_rate = 0;
  std::vector<uint64_t> versions;  // by base, of params and tensors
  uint64_t step = 0;
  int64_t frames = 0;
  std::vector<std::vector<float>> seen;  // by kept input of the planner
  // By analysis::Kept: is what is kept so long there from an earlier run?
  std::array<bool, 3> made{};
  std::vector<bool> stale;  // by launch that is kept while statics are: must it run again?
  int64_t launched = 0, ffts = 0;  // since the program last asked
};

schedule::MemoryLimits memory_limits(const Options& options, const runtime::Device& device);
// Throws InternalError when values of the plan get into each other's way.
void check_memory(const Compiled& compiled, const schedule::MemoryPlan& memory);
// The memory plan for a run, made again only where the workspace's does not serve it.
void plan_run(const Compiled& compiled, RunWorkspace& workspace, int64_t frames);
// As planned; keep: the state is carried on from run to run.
void run(const Compiled& compiled, RunWorkspace& workspace, const Bindings& bindings, const RunArgs& args, DeviceState& state, bool keep,
         std::span<const std::span<float>> outputs);

}  // namespace dgen::driver
