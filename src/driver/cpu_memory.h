// Where a plan's values lie during one run on the CPU.
#pragma once
#include <map>
#include <vector>

#include "driver/bindings.h"
#include "runtime/buffer.h"
#include "schedule/plan.h"

namespace dgen::driver {

// A tile of the run: frames [start, start + frames) counted from the run's first.
struct Tile {
  int64_t start = 0, frames = 0;
};

struct CpuState : State {
  std::unique_ptr<State> clone() const override { return std::make_unique<CpuState>(*this); }

  std::vector<std::vector<float>> cells;
  std::map<ir::Id, std::vector<uint64_t>> phases;
  std::map<ir::Id, std::vector<float>> history;
  uint64_t position = 0;
};

// A stored value's memory: [pad ticks] [ticks of the tile or the run] [pad ticks].
struct StreamMemory {
  int64_t size = 1, pad = 0, capacity = 0;  // elements a tick; ticks before (after, in reverse); ticks between the pads
  bool whole = false;                       // of the run; else of one tile
  int64_t offset = 0;                       // of tick 0 in the arena, floats
};

// Store what the reverse sweep needs, or, over budget, keep checkpoints at tile borders and compute each tile again.
struct MemoryPolicy {
  int64_t tile_frames = 0;
  bool recompute = false;
};
MemoryPolicy choose_policy(const schedule::Plan& plan, uint64_t position, int64_t frames, const Options& options);

class CpuMemory {
 public:
  CpuMemory(const schedule::Plan& plan, runtime::Buffer& arena, uint64_t position, int64_t frames, const MemoryPolicy& policy);

  // The stream's first tick in the tile.
  float* stream(ir::Id id, const Tile& tile);
  const StreamMemory& info(ir::Id id) const { return streams_.at(id); }
  float* partial(ir::Id id) { return arena_.data() + partial_.at(id); }
  double* total(ir::Id id) { return totals_.at(id).data(); }

  // Values before the run: from a state, or zeros.
  void begin(const CpuState* state);
  // Clears what a sweep adds to or reads beyond its end.
  void begin_reverse(int level);
  // After a tile of a sweep: the ticks that the next tile reads back move to its pad.
  void carry(int level, const Tile& done, const Tile* next);
  void save(CpuState& state);
  // The forward ticks before a tile, for its checkpoint.
  std::vector<float> pads() const;
  void restore_pads(const std::vector<float>& pads);

  int64_t bytes() const { return bytes_; }
  Ticks ticks(ir::Clock clock) const { return ticks_of(clock, position_, frames_); }
  Ticks ticks(ir::Clock clock, const Tile& tile) const {
    return ticks_of(clock, position_ + static_cast<uint64_t>(tile.start), tile.frames);
  }

 private:
  float* data(const StreamMemory& s) const { return arena_.data() + s.offset; }
  bool carried_forward(ir::Id id, const StreamMemory& s) const;

  const schedule::Plan& plan_;
  runtime::Buffer& arena_;
  uint64_t position_;
  int64_t frames_;
  std::map<ir::Id, StreamMemory> streams_;
  std::map<ir::Id, int64_t> partial_;
  std::map<ir::Id, std::vector<double>> totals_;
  int64_t bytes_ = 0;
};

}  // namespace dgen::driver
