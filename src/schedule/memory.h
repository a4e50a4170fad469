// The memory plan: where a run's values lie in one arena, and when. Values that are needed at different times share memory.
//
//   before:  regions 0: a, 1: b = f(a), 2: c = g(b)        after:  a at 0, b behind it, c at 0 again
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "schedule/plan.h"

namespace dgen::schedule {

// What a place is kept for. Only scratch is reused within a sweep; kept ones are from run to run, too.
enum class Keep { output, stored, carried, sum, scratch, kept };
const char* keep_name(Keep keep);

// A stored value's memory: [pad ticks] [ticks of the tile or the run] [pad ticks]; or the sums of a sum over time.
struct Place {
  enum Kind { stream, partial, total } kind = stream;
  ir::Id id = ir::none;
  Keep keep = Keep::scratch;
  int64_t size = 1, pad = 0, capacity = 0;  // elements a tick; ticks before (after, in reverse); ticks between the pads
  bool whole = false;                       // of the run; else of one tile
  int64_t offset = 0, bytes = 0;            // in the arena
  int first = 0, last = 0;                  // steps (see Timeline) from which to which it must keep its values
};

// Regions in order, after those of each sweep one more step for what is done at the sweep's end.
struct Timeline {
  std::vector<int> of_region;               // step of each region
  std::vector<int> level_begin, level_end;  // steps by sweep
  int end = 0;                              // outputs are read, state is saved
};

struct MemoryLimits {
  int64_t budget = 0;            // bytes; beyond it checkpoints are kept and tiles computed again
  int64_t tile_bytes = 1 << 18;  // working set of a tile for each thread: half of a small second-level cache
  int64_t threads = 1;           // that share a tile
  int64_t tile_frames = 0;       // 0: as tile_bytes says
  bool keep_all = false;         // for looking at all values after the run
  int64_t most_kept = 0;         // bytes of what is kept from run to run
};

struct MemoryPlan {
  int64_t frames = 0;       // longest run that it serves
  int64_t tile_frames = 0;
  bool recompute = false;
  std::vector<Place> places;
  std::vector<int> stream, partial, total;  // place by node, -1: none
  std::vector<std::vector<int>> tended;     // by sweep: places that need care at its start or after a tile, sums and pads
  int64_t bytes = 0;
  analysis::Kept kept = analysis::Kept::no;  // the last kind that is kept, and those before it
  int64_t input_bytes = 0;                   // of inputs that kept values follow, at most

  bool tiled() const { return frames > tile_frames; }
  bool keeps(analysis::Kept kind) const { return kind != analysis::Kept::no && kind <= kept; }
};

class MemoryPlanner {
 public:
  explicit MemoryPlanner(const Plan& plan);

  MemoryPlan plan(int64_t frames, const MemoryLimits& limits) const;
  const Timeline& timeline() const { return timeline_; }
  // What values that are kept while inputs are the same read of the host.
  const std::vector<ir::Id>& kept_inputs() const { return kept_inputs_; }

 private:
  struct Span {
    int first, last;
  };
  std::vector<bool> whole_run(bool recompute) const;
  double bytes_a_frame(const std::vector<bool>& counted) const;
  int64_t whole_chunks(double frames) const;
  MemoryPlan lay_out(int64_t frames, const MemoryLimits& limits, analysis::Kept kept) const;
  bool fits(const MemoryPlan& m, const MemoryLimits& limits) const;
  void find_kept();
  void find_inputs(ir::Id id, std::vector<bool>& seen);
  bool lasts(const MemoryPlan& m, ir::Id id) const;
  void choose_tiles(MemoryPlan& m, const MemoryLimits& limits) const;
  Span loop_of(int level, const MemoryPlan& m) const;
  void make_stream(MemoryPlan& m, ir::Id id, bool whole) const;
  void make_sums(MemoryPlan& m, ir::Id id) const;
  void set_life(Place& place, const MemoryPlan& m) const;
  void place_all(MemoryPlan& m) const;
  int run_level(ir::Id id) const;
  int made_at(ir::Id id) const;

  const Plan& plan_;
  Timeline timeline_;
  std::vector<std::vector<int>> readers_;  // by node: steps that read it
  std::vector<std::vector<int>> reader_levels_;
  std::vector<bool> whole_, whole_again_;  // by node: kept for the run, without and with recomputing
  std::vector<analysis::Kept> lasts_;      // by node: until when it is kept, if others than those kept as long read it
  std::vector<ir::Id> kept_inputs_;
};

}  // namespace dgen::schedule
