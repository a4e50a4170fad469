// One run of a CPU program: tiles forward, then backward, within the memory budget.
#pragma once
#include "driver/cpu_memory.h"
#include "driver/cpu_steps.h"

namespace dgen::driver {

class CpuRun {
 public:
  // keep: the state is carried on from run to run.
  CpuRun(const schedule::Plan& plan, std::vector<Step>& steps, const Options& options, runtime::Buffer& arena, Stats& stats,
         const Capture& bindings, const RunArgs& args, CpuState& state, bool keep);

  std::vector<std::vector<float>> go();

 private:
  // What a forward sweep needs to start again at a tile.
  struct Checkpoint {
    std::vector<std::vector<float>> cells;
    std::map<ir::Id, std::vector<uint64_t>> phases;
    std::vector<float> pads;
  };

  void sweep(int level);
  void run_tile(int level, const Tile& tile, bool again);
  void start_reverse(int level);
  void finish_sums(int level);
  void clear_cells();
  void init_cells(int level);
  Checkpoint checkpoint();
  void restore(const Checkpoint& c);

  void launch_tile(Step& step, const Tile& tile);
  void launch(Step& step, const Tile& tile, int64_t lo, int64_t hi);
  void launch_ranges(Step& step, const Tile& tile, int64_t lo, int64_t hi);
  void call(const Step& step, const Tile& tile, int64_t lo, int64_t hi);
  long number(const ir::KernelArg& arg, const Tile& tile, int64_t lo, int64_t hi) const;
  void* address(const ir::ArrayRef& ref, const Tile& tile);
  void* input(ir::Id id, const Tile& tile);
  std::vector<std::vector<float>> collect();

  const schedule::Plan& plan_;
  std::vector<Step>& steps_;
  Stats& stats_;
  const Capture& bindings_;
  const RunArgs& args_;
  CpuState& state_;
  bool keep_, fresh_ = true;
  MemoryPolicy policy_;
  CpuMemory memory_;
  std::vector<Tile> tiles_;
  std::vector<Checkpoint> checkpoints_;
  std::vector<void*> arrays_;
  std::vector<float> literals_;
  float scalars_[2] = {};
};

}  // namespace dgen::driver
