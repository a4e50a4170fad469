// What a run launches, prepared for a memory plan: a call looks up numbers, and finds arrays where the last call left them.
//
//   kernel saw(stream %4, param 0; lo, hi, tick0 of frames)
//     arrays   {arena, 128 bytes + 4 a frame before the tile}, {param 0, 0 bytes}
//     numbers  first number, first number, tick0 of frames; lo and hi are put in their place
#pragma once
#include "driver/compiled.h"

namespace dgen::driver {

inline constexpr int64_t kScalars = 2;       // see RunScalar; literals follow
inline constexpr size_t kMostNumbers = 32;  // of a kernel

// Lies stride bytes behind base + offset for each tick of a clock before the tile.
struct Address {
  int base = 0, clock = 0;
  int64_t offset = 0, stride = 0;
};

struct PreparedLaunch {
  const Step* step = nullptr;
  void* code = nullptr;
  int64_t ffts = 0;  // a tick
  size_t first_array = 0, arrays = 0;  // of all addresses
  std::span<const int> numbers;
  int count = 0;         // which number says how many ticks or chunks there are
  int lo = -1, hi = -1, scratch = -1, lane_lo = -1, lane_hi = -1, common = -1, meeting = -1;  // which of its numbers these are
  int64_t least = 0;     // ticks or chunks that a thread should have; 0: it runs on one, unless lanes are shared
  int64_t lane_groups = 0, least_groups = 1;  // groups of lanes, or lanes of a kernel that meets, that threads share instead
  int64_t operations = 1;  // a tick or chunk, of what threads share
  bool again = true;     // also when a tile is computed again: sums over time have their share of it already
  analysis::Kept kept = analysis::Kept::no;  // until when it need not run again
  size_t nth = 0;  // of those that are kept while statics are
  bool ends_region = false;
};

struct Launches {
  Launches() = default;
  Launches(const Compiled& compiled, const schedule::MemoryPlan& memory);
  Launches(const Launches&) = delete;
  Launches(Launches&&) = default;
  Launches& operator=(Launches&&) = default;

  // Of each run, by base; params, tensors, inputs (by channel) and moved outputs follow.
  enum Base { arena, state, scalars, nowhere, slots };
  // Of each tile, by number; four of each clock follow.
  enum Number { one, tile_frame, training_step, chunks, clock_numbers };
  enum ClockNumber { tick0, offset, ticks, tile_ticks, of_a_clock };

  // An output that may lie where the caller wants it.
  struct Movable {
    size_t output = 0, place = 0;
    int64_t offset = 0;  // where it lies else, in the arena
    bool every_frame = true;
  };
  struct Sweep {
    enum Kind { fixed, forward, reverse };

    int level = 0;
    Kind kind = fixed;
    std::span<const PreparedLaunch> of_tile, after;
    bool statics = false;  // nothing but kept ones
  };

  std::vector<Sweep> sweeps;
  std::vector<int64_t> periods;  // by clock
  size_t tensors = 0, inputs = 0, moved = 0, bases = 0;  // the first base of each kind, and how many there are
  std::vector<Address> addresses;          // launch after launch
  std::vector<std::vector<size_t>> users;  // by base: addresses that follow it
  std::vector<size_t> tiled;               // addresses that follow the tile
  std::vector<Movable> movable;
  std::vector<bool> inputs_follow;  // by base: is something made from it that is kept while inputs are the same?
  // Of what is kept while statics are: which launches run again when a base changes, those that make something of it, or of what
  // others make of it, and makers of what these read.
  std::vector<std::vector<size_t>> made_from;
  size_t statics = 0;  // how many there are
  bool statics_step = false;  // they follow the step

 private:
  void find_kept(const schedule::MemoryPlan& memory);
  void find_made_from(const schedule::MemoryPlan& memory);
  void find_movable(const schedule::Plan& plan, const schedule::MemoryPlan& memory);
  void prepare(const Compiled& c, const schedule::MemoryPlan& memory, const Step& step);
  Address address(const Compiled& c, const schedule::MemoryPlan& memory, const ir::ArrayRef& ref);
  Address stream(const schedule::Plan& plan, const schedule::MemoryPlan& memory, ir::Id id);
  int number(const ir::KernelArg& arg);
  int clock(int64_t period);

  std::vector<PreparedLaunch> launches_;
  std::vector<int> numbers_;
};

// The arguments of all kernels, kept from call to call: an array's address is worked out again when what it follows moves.
class Arguments {
 public:
  Arguments() = default;
  explicit Arguments(const Launches& launches);  // which must outlive them, in their place

  void move(size_t base, void* to) {
    if (bases_[base] == to) return;
    bases_[base] = static_cast<char*>(to);
    for (size_t a : launches_->users[base]) place(a);
  }
  void set_tile(const RunMemory& memory, const Tile& tile, uint64_t step, int64_t chunk);

  const long* numbers() const { return numbers_.data(); }
  std::span<void* const> arrays(const PreparedLaunch& launch) const { return {arrays_.data() + launch.first_array, launch.arrays}; }

 private:
  void place(size_t address) {
    const Address& a = launches_->addresses[address];
    arrays_[address] = bases_[static_cast<size_t>(a.base)] + a.offset + a.stride * before_[static_cast<size_t>(a.clock)];
  }

  const Launches* launches_ = nullptr;
  std::vector<long> numbers_;
  std::vector<int64_t> before_;  // by clock: ticks from the run's first to the tile's
  bool later_ = false;           // the tile is not the run's first
  std::vector<char*> bases_;
  std::vector<void*> arrays_;
};

}  // namespace dgen::driver
