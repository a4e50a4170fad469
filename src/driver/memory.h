// A run's memory: the arena laid out by the memory plan, and the state that outlives the run.
#pragma once
#include <vector>

#include "driver/bindings.h"
#include "runtime/device.h"
#include "schedule/memory.h"

namespace dgen::driver {

// A tile of the run: frames [start, start + frames) counted from the run's first.
struct Tile {
  int64_t start = 0, frames = 0;
};

// Where state lies: reverse cells, forward cells, phases, the ticks read from before a run, and the last rows of slow outputs.
// Bytes; -1: none.
struct StateLayout {
  explicit StateLayout(const schedule::Plan& plan);

  std::vector<int64_t> cell, segment;   // by cell; segment: by a scan's first
  std::vector<int64_t> phase, history;  // by node
  std::vector<int64_t> held;            // by output: shown until the next run's first tick
  std::vector<ir::Id> carried;          // nodes with a history
  std::vector<ir::Id> initialised;      // reads of cells with an initial value
  int64_t forward = 0;                  // what a checkpoint holds begins here
  int64_t bytes = 0;
};

struct DeviceState : State {
  DeviceState(runtime::Device& device, const StateLayout& layout) : block(device, static_cast<size_t>(layout.bytes)) {}
  std::unique_ptr<State> clone() const override { return std::make_unique<DeviceState>(*this); }
  void clear() override {
    if (block.bytes() > 0) block.device()->clear(block.at(0), block.bytes());
    fresh = true, position = 0;
  }

  runtime::Block block;
  bool fresh = true;  // cells do not have their initial values yet
};

class RunMemory {
 public:
  // elsewhere: by place, null or where in the caller's memory a stream of the whole run lies instead.
  RunMemory(const schedule::Plan& plan, const StateLayout& layout, const schedule::MemoryPlan& memory, runtime::Device& device,
            const runtime::Block& arena, const std::vector<float*>& elsewhere, uint64_t position, int64_t frames)
      : plan_(plan),
        layout_(layout),
        memory_(memory),
        device_(device),
        arena_(arena),
        elsewhere_(elsewhere),
        position_(position),
        frames_(frames) {}

  // The stream's first tick in the tile.
  float* stream(ir::Id id, const Tile& tile) const {
    const schedule::Place& p = place(id);
    float* const moved = elsewhere_[static_cast<size_t>(memory_.stream[static_cast<size_t>(id)])];
    float* const first = moved ? moved : base(p);
    return !p.whole || tile.start == 0 ? first : first + ticks_before_tile(plan_.graph[id].clock(), tile) * p.size;
  }
  const schedule::Place& place(ir::Id id) const { return memory_.places[static_cast<size_t>(memory_.stream[static_cast<size_t>(id)])]; }
  bool has_stream(ir::Id id) const { return memory_.stream[static_cast<size_t>(id)] >= 0; }
  void* partial(ir::Id id) const { return sums(memory_.partial, id); }
  double* total(ir::Id id) const { return static_cast<double*>(sums(memory_.total, id)); }

  // Ticks before the run, from a state block, or before a tile, from a checkpoint; and back.
  void load_history(const runtime::Block& from, int64_t offset, bool run_begin) const {
    for (ir::Id id : layout_.carried) load_history(id, from, offset, run_begin);
  }
  void save_history(const runtime::Block& to, int64_t offset, bool run_end) const {
    for (ir::Id id : layout_.carried) save_history(id, to, offset, run_end);
  }
  // Clears what a sweep adds to or reads beyond its end; `last` is its last tile.
  void begin_sweep(int level, const Tile& last) const {
    for (int i : memory_.tended[static_cast<size_t>(level)]) begin_sweep(memory_.places[static_cast<size_t>(i)], last);
  }
  // After a tile of a sweep: the ticks that the next tile reads back move to its pad.
  void carry(int level, const Tile& done, const Tile* next) const {
    for (int i : memory_.tended[static_cast<size_t>(level)]) carry(memory_.places[static_cast<size_t>(i)], done, next);
  }
  // Fills what nobody needs after a step with NaNs.
  void poison(int step) const;

  uint64_t position() const { return position_; }
  Ticks ticks(ir::Clock clock) const { return ticks_of(clock, position_, frames_); }
  // From the run's first tick to the tile's.
  int64_t ticks_before_tile(ir::Clock clock, const Tile& tile) const { return ticks(clock, tile).first - ticks(clock).first; }
  Ticks ticks(ir::Clock clock, const Tile& tile) const {
    return ticks_of(clock, position_ + static_cast<uint64_t>(tile.start), tile.frames);
  }

 private:
  void load_history(ir::Id id, const runtime::Block& from, int64_t offset, bool run_begin) const;
  void save_history(ir::Id id, const runtime::Block& to, int64_t offset, bool run_end) const;
  void begin_sweep(const schedule::Place& place, const Tile& last) const;
  void carry(const schedule::Place& place, const Tile& done, const Tile* next) const;
  float* base(const schedule::Place& p) const { return arena_.floats(p.offset / 4 + p.pad * p.size); }
  void* sums(const std::vector<int>& index, ir::Id id) const {
    return arena_.at(memory_.places[static_cast<size_t>(index[static_cast<size_t>(id)])].offset);
  }
  void clear(float* from, int64_t floats) const { device_.clear(from, static_cast<size_t>(floats) * sizeof(float)); }
  void copy(float* to, const float* from, int64_t floats) const { device_.copy(to, from, static_cast<size_t>(floats) * sizeof(float)); }

  const schedule::Plan& plan_;
  const StateLayout& layout_;
  const schedule::MemoryPlan& memory_;
  runtime::Device& device_;
  const runtime::Block& arena_;
  const std::vector<float*>& elsewhere_;
  uint64_t position_;
  int64_t frames_;
};

}  // namespace dgen::driver
