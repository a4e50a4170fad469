#include "driver/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/flush_denormals.h"
#include "driver/check.h"
#include "driver/debug.h"
#include "driver/programs.h"
#include "ir/op.h"
#include "loop/cost.h"
#include "loop/verify_memory.h"
#include "runtime/threads.h"

namespace dgen::driver {

using namespace ir;
using analysis::Kept;

namespace {

using Time = std::chrono::steady_clock;

constexpr int kMostSharing = 8;  // threads of a tile: what runs on one thread still wants a working set in its cache
// Of a GPU launch.
constexpr int64_t kMostGroups = 1 << 14, kMostScratch = int64_t{1} << 28;

// The pool changes its size only when runs ask for another one.
void use_threads(int threads) {
  static std::atomic<int> asked = 0;
  if (asked.exchange(threads) != threads) runtime::set_thread_count(threads);
}

}  // namespace

void check_memory(const Compiled& c, const schedule::MemoryPlan& memory) {
  std::vector<loop::KernelUse> uses;
  for (const Step& step : c.code.steps) {
    const Kept kept = step.region < 0 ? Kept::no : c.plan.regions[static_cast<size_t>(step.region)].kept;
    uses.push_back({&step.kernel, step.level, step.chunks, step.when == Step::after_sweep, kept});
  }
  loop::verify_memory(c.plan, memory, uses);
}

// A GPU's tile is what fits: it wants much work at a time, not a small working set.
schedule::MemoryLimits memory_limits(const Options& options, const runtime::Device& device) {
  schedule::MemoryLimits limits;
  limits.budget = options.memory_budget > 0 ? options.memory_budget : device.memory() / 4;
  if (!device.is_host()) limits.tile_bytes = limits.budget;
  else limits.threads = std::min(threads_of(options), kMostSharing);
  limits.tile_frames = options.tile_frames;
  limits.keep_all = debug().check || debug().nan;
  limits.most_kept = limits.budget / 8;
  return limits;
}

void plan_run(const Compiled& c, RunWorkspace& w, int64_t frames) {
  // A plan serves shorter runs; one that computes again may be more than those need.
  if (w.memory.frames == frames || (w.memory.frames > frames && !w.memory.recompute)) return;
  w.memory = {};  // a plan that fails leaves none
  const schedule::MemoryLimits limits = memory_limits(c.options, c.device);
  schedule::MemoryPlan memory = c.planner.plan(frames, limits);
  if (c.careful) check_memory(c, memory);
  w.launches = Launches(c, memory);
  w.arena.reserve(c.device, static_cast<size_t>(memory.bytes));
  w.made = {};
  w.arguments = Arguments(w.launches);
  w.elsewhere.assign(memory.places.size(), nullptr);
  w.versions.assign(w.launches.inputs, 0);
  w.tiles.clear();
  w.checkpoints.clear();
  w.memory = std::move(memory);
}

namespace {

class Run {
 public:
  Run(const Compiled& compiled, RunWorkspace& workspace, const Bindings& bindings, const RunArgs& args, DeviceState& state)
      : c_(compiled), w_(workspace), bindings_(bindings), args_(args), state_(state),
        memory_(c_.plan, c_.layout, w_.memory, c_.device, w_.arena, w_.elsewhere, state.position, args.frames) {}

  void go(std::span<const std::span<float>> outputs, bool keep);

 private:
  void cut_tiles();
  void bind();
  void drop(Kept kept) {
    skips_[static_cast<size_t>(kept)] = false;
    if (kept == Kept::statics) w_.stale.assign(w_.launches.statics, true);
  }
  void drop_made_from(size_t base);
  bool skips(Kept kept) const { return skips_[static_cast<size_t>(kept)]; }
  bool skips(const PreparedLaunch& l) const { return l.kept == Kept::statics ? !w_.stale[l.nth] : skips(l.kept); }
  void look_at_inputs(bool keep);
  void bind_numbers();
  void bind_slots();
  void bind_inputs();
  void move_outputs(std::span<const std::span<float>> outputs);
  using Sweep = Launches::Sweep;
  void static_sweep(const Sweep& sweep);
  void tiled_sweep(const Sweep& sweep);
  void run_tile(const Sweep& sweep, const Tile& tile, bool again = false);
  void run_after(const Sweep& sweep);
  void clear_cells();
  void init_cells(int level);
  void save_checkpoint(const Checkpoint& c);
  void restore(const Checkpoint& c);

  void set_tile(const Tile& tile) { w_.arguments.set_tile(memory_, tile, args_.step, plan_.chunk); }
  void launch(const PreparedLaunch& launch);
  void launch_timed(const PreparedLaunch& launch, int64_t count);
  void launch_ranges(const PreparedLaunch& launch, int64_t count);
  void launch_lanes(const PreparedLaunch& launch, int64_t count);
  // Ticks or chunks and groups of lanes of a call; whose memory it has; where it meets others.
  struct Share {
    int64_t lo, hi, lane_lo = 0, lane_hi = 0;
    int memory = 0;
    runtime::Meeting* meeting = nullptr;
  };
  void call(const PreparedLaunch& launch, int64_t lo, int64_t hi, int thread = 0) { call(launch, launch.code, {lo, hi, 0, 0, thread}); }
  void call(const PreparedLaunch& launch, void* code, const Share& share);
  void set_scratch_aside();
  int64_t worth_thread() const;
  int64_t least_part(const PreparedLaunch& launch, int64_t grain, int64_t count) const;
  void call_gpu(const PreparedLaunch& launch, std::span<const long> numbers, int64_t count);
  static runtime::LaunchShape shape_of(const Step& step, int64_t count);
  void look();
  void collect(std::span<const std::span<float>> outputs);
  void hold_rows();

  const Compiled& c_;
  RunWorkspace& w_;
  const Bindings& bindings_;
  const RunArgs& args_;
  DeviceState& state_;
  RunMemory memory_;
  const schedule::Plan& plan_ = c_.plan;
  runtime::Device& device_ = c_.device;
  std::array<bool, 3> skips_{};  // by Kept: those launches are not needed
};

void Run::go(std::span<const std::span<float>> outputs, bool keep) {
  runtime::Trace::Scope span(c_.trace, "run", args_.frames);
  if (c_.on_host && !args_.real_time) use_threads(c_.options.threads);
  if (c_.code.scratch + c_.code.common > 0) set_scratch_aside();
  cut_tiles();
  skips_ = std::exchange(w_.made, {});  // a run that fails leaves nothing to rely on
  w_.stale.assign(w_.launches.statics, !skips(Kept::statics));
  look_at_inputs(keep);
  bind();
  move_outputs(outputs);
  memory_.load_history(state_.block, 0, true);
  for (const Sweep& sweep : w_.launches.sweeps) {
    if (sweep.kind == Sweep::fixed) static_sweep(sweep);
    else tiled_sweep(sweep);
    if (c_.careful) memory_.poison(c_.planner.timeline().level_end[static_cast<size_t>(sweep.level)]);
  }
  if (w_.memory.recompute) restore(w_.checkpoints[w_.tiles.size()]);
  state_.fresh = false;
  if (c_.watched) look();
  collect(outputs);
  for (Id id : plan_.graph.effects) {
    Storage& param = *bindings_.params.at(static_cast<size_t>(plan_.graph[id].attrs.i("slot")));
    if (memory_.has_stream(id)) param.assign(device_, memory_.stream(id, {}));
    else param.overwritten(device_);
  }
  w_.made = {false, true, !keep};
  if (!keep) return;
  memory_.save_history(state_.block, 0, true);
  hold_rows();
  state_.position += static_cast<uint64_t>(args_.frames);
}

void Run::cut_tiles() {
  w_.tiles.clear();
  int64_t length = w_.memory.tiled() ? w_.memory.tile_frames : args_.frames;
  for (int64_t start = 0; start < args_.frames; start += length) w_.tiles.push_back({start, std::min(length, args_.frames - start)});
  if (w_.memory.recompute && w_.checkpoints.empty())
    for (size_t t = 0; t <= w_.tiles.size(); ++t)
      w_.checkpoints.emplace_back(device_, static_cast<size_t>(c_.layout.bytes - c_.layout.forward));
}

// Values are kept while inputs are the same only in runs from a fresh state that nobody wants afterwards: what makes them would
// leave its own.
void Run::look_at_inputs(bool keep) {
  if (keep || !w_.memory.keeps(Kept::inputs)) return drop(Kept::inputs);
  if (w_.frames != args_.frames) drop(Kept::inputs);
  w_.frames = args_.frames;
  const std::vector<Id>& inputs = c_.planner.kept_inputs();
  w_.seen.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Node& node = plan_.graph[inputs[i]];
    const int64_t need = memory_.ticks(node.clock()).count * node.shape().size();
    const std::span<const float> now = args_.inputs[static_cast<size_t>(node.attrs.i("channel"))].first(static_cast<size_t>(need));
    std::vector<float>& seen = w_.seen[i];
    if (seen.size() == now.size() && std::memcmp(seen.data(), now.data(), now.size_bytes()) == 0) continue;
    drop(Kept::inputs);
    seen.assign(now.begin(), now.end());
  }
}

// Where this run's memory begins. Kept values stay if all that they are made from is as it was.
void Run::bind() {
  w_.arguments.move(Launches::arena, w_.arena.at(0));
  w_.arguments.move(Launches::state, state_.block.at(0));
  if (w_.step != args_.step && w_.launches.statics_step) drop(Kept::statics);
  w_.step = args_.step;
  bind_numbers();
  bind_slots();
  bind_inputs();
}

// Bits are compared: -0 is not 0.
void Run::bind_numbers() {
  const std::span<const float> literals = c_.has_literals ? std::span<const float>(bindings_.literals) : std::span<const float>();
  std::vector<float>& numbers = w_.host_numbers;
  const bool same = w_.sample_rate == args_.sample_rate && numbers.size() == kScalars + literals.size() &&
                    (literals.empty() || std::memcmp(literals.data(), numbers.data() + kScalars, literals.size_bytes()) == 0);
  if (!same) {
    drop(Kept::statics), drop(Kept::inputs);
    w_.sample_rate = args_.sample_rate;
    numbers.assign({static_cast<float>(args_.sample_rate), static_cast<float>(1 / args_.sample_rate)});
    numbers.insert(numbers.end(), literals.begin(), literals.end());
  }
  if (!c_.on_host) {
    w_.numbers.reserve(device_, numbers.size() * sizeof(float));
    device_.upload(w_.numbers.floats(), numbers.data(), numbers.size() * sizeof(float));
  }
  w_.arguments.move(Launches::scalars, c_.on_host ? numbers.data() : w_.numbers.floats());
}

// Of statics those that follow from the base; all of them where a sweep begins with zeros that launches add to.
void Run::drop_made_from(size_t base) {
  const Launches& l = w_.launches;
  if (l.inputs_follow[base]) drop(Kept::inputs);
  if (l.made_from[base].empty()) return;
  const bool tended = std::any_of(l.sweeps.begin(), l.sweeps.end(), [this](const Sweep& sweep) {
    return sweep.kind == Sweep::fixed && !w_.memory.tended[static_cast<size_t>(sweep.level)].empty();
  });
  if (tended) return drop(Kept::statics);
  skips_[static_cast<size_t>(Kept::statics)] = false;
  for (size_t nth : l.made_from[base]) w_.stale[nth] = true;
}

// A GPU's memory may have been another device's in the meantime.
void Run::bind_slots() {
  const Launches& l = w_.launches;
  for (size_t base = Launches::slots; base < l.inputs; ++base) {
    Storage& storage = base < l.tensors ? *bindings_.params.at(base - Launches::slots) : *bindings_.tensors.at(base - l.tensors);
    const uint64_t version = storage.version();
    if (version == w_.versions[base] && c_.on_host) continue;
    if (version != w_.versions[base]) drop_made_from(base);
    w_.versions[base] = version;
    w_.arguments.move(base, storage.on(device_));
  }
}

void Run::bind_inputs() {
  const size_t used = w_.launches.moved - w_.launches.inputs;  // channels beyond are nobody's
  if (!c_.on_host) w_.inputs.resize(std::max(w_.inputs.size(), used));
  for (size_t i = 0; i < used; ++i) {
    const std::span<const float> data = args_.inputs[i];
    if (!c_.on_host && !data.empty()) {
      w_.inputs[i].reserve(device_, data.size_bytes());
      device_.upload(w_.inputs[i].floats(), data.data(), data.size_bytes());
    }
    w_.arguments.move(w_.launches.inputs + i, c_.on_host ? const_cast<float*>(data.data()) : w_.inputs[i].floats());
  }
}

// An output lies where the caller wants it, unless its rows are shown longer than a tick, or an input that is still to be read or
// another output lies there.
void Run::move_outputs(std::span<const std::span<float>> outputs) {
  for (size_t m = 0; m < w_.launches.movable.size(); ++m) {
    const auto& [output, place, offset, every_frame] = w_.launches.movable[m];
    float* const wanted = outputs[output].data();
    const float* const end = wanted + outputs[output].size();
    auto meets = [&](std::span<const float> other) { return other.data() < end && wanted < other.data() + other.size(); };
    const bool moved = c_.on_host && (args_.per_tick || every_frame) && std::none_of(args_.inputs.begin(), args_.inputs.end(), meets) &&
                       (outputs.size() == 1 || std::count_if(outputs.begin(), outputs.end(), meets) == 1);
    w_.elsewhere[place] = moved ? wanted : nullptr;
    w_.arguments.move(w_.launches.moved + m, moved ? wanted : w_.arena.floats(offset / 4));
  }
}

void Run::static_sweep(const Sweep& sweep) {
  if (sweep.level == 0 && c_.layout.forward > 0) clear_cells();
  if (!sweep.statics || !skips(Kept::statics)) {
    memory_.begin_sweep(sweep.level, w_.tiles.back());
    run_tile(sweep, {0, args_.frames});
  }
  if (state_.fresh) init_cells(sweep.level + 1);
}

// When it recomputes, a reverse sweep starts each tile's forward sweep again from the tile's checkpoint.
void Run::tiled_sweep(const Sweep& sweep) {
  const bool recompute = w_.memory.recompute, reverse = sweep.kind == Sweep::reverse;
  const size_t tiles = w_.tiles.size();
  memory_.begin_sweep(sweep.level, w_.tiles.back());
  for (size_t i = 0; i < tiles; ++i) {
    const size_t t = reverse ? tiles - 1 - i : i;
    if (recompute && !reverse) save_checkpoint(w_.checkpoints[t]);
    if (recompute && reverse) restore(w_.checkpoints[t]), run_tile((&sweep)[-1], w_.tiles[t], true);
    run_tile(sweep, w_.tiles[t]);
    memory_.carry(sweep.level, w_.tiles[t], reverse && t > 0 ? &w_.tiles[t - 1] : nullptr);
  }
  if (recompute && !reverse) save_checkpoint(w_.checkpoints[tiles]);
  if (!sweep.after.empty()) run_after(sweep);
}

void Run::run_tile(const Sweep& sweep, const Tile& tile, bool again) {
  static constexpr const char* kNames[] = {"static", "tile", "reverse tile"};
  runtime::Trace::Scope span(c_.trace, again ? "tile again" : kNames[sweep.kind], tile.start);
  set_tile(tile);
  for (const PreparedLaunch& l : sweep.of_tile) {
    if ((again && !l.again) || skips(l)) continue;
    launch(l);
    if (c_.careful && l.ends_region) memory_.poison(c_.planner.timeline().of_region[static_cast<size_t>(l.step->region)]);
  }
}

void Run::run_after(const Sweep& sweep) {
  set_tile({});
  for (const PreparedLaunch& l : sweep.after) launch(l);
}

void Run::save_checkpoint(const Checkpoint& c) {
  device_.copy(c.at(0), state_.block.at(c_.layout.forward), c.bytes());
  memory_.save_history(c, -c_.layout.forward, false);
}

void Run::restore(const Checkpoint& c) {
  device_.copy(state_.block.at(c_.layout.forward), c.at(0), c.bytes());
  memory_.load_history(c, -c_.layout.forward, false);
}

// Reverse cells start every run as zeros.
void Run::clear_cells() { device_.clear(state_.block.at(0), static_cast<size_t>(c_.layout.forward)); }

// Cells that the sweep reads get their initial values, which the static sweep before it has made.
void Run::init_cells(int level) {
  for (Id id : c_.layout.initialised) {
    const Node& node = plan_.graph[id];
    if (plan_.level[static_cast<size_t>(id)] != level) continue;
    int64_t cell = c_.layout.cell[static_cast<size_t>(node.attrs.i("cell"))];
    device_.copy(state_.block.at(cell), memory_.stream(node.in[0], {}), static_cast<size_t>(node.shape().size()) * sizeof(float));
  }
}

void Run::launch(const PreparedLaunch& launch) {
  const int64_t count = w_.arguments.numbers()[launch.count];
  if (count == 0) return;
  ++w_.launched;
  w_.ffts += launch.ffts * count;
  if (c_.timed) return launch_timed(launch, count);
  if (args_.real_time || (launch.least == 0 && launch.lane_groups == 0)) return call(launch, 0, count);
  launch_ranges(launch, count);
}

void Run::launch_timed(const PreparedLaunch& launch, int64_t count) {
  auto start = Time::now();
  launch_ranges(launch, count);
  device_.wait();
  launch.step->seconds += std::chrono::duration<double>(Time::now() - start).count();
}

void Run::launch_ranges(const PreparedLaunch& launch, int64_t count) {
  if (launch.lane_groups > 0 && !args_.real_time) return launch_lanes(launch, count);
  const int64_t grain = std::max(launch.least, worth_thread() / launch.operations);
  if (launch.least == 0 || args_.real_time || count < 2 * grain) return call(launch, 0, count);
  runtime::parallel_for(count, least_part(launch, grain, count), [&](int64_t from, int64_t to, int thread) {
    FlushDenormals flush;
    call(launch, from, to, thread);
  });
}

void Run::set_scratch_aside() {
  if (!c_.on_host) return;
  if (!args_.real_time) w_.scratches = std::max(w_.scratches, runtime::thread_count());
  w_.scratch.reserve(device_, static_cast<size_t>(w_.scratches * c_.code.scratch + c_.code.common) * sizeof(float));
}

// Operations; a kernel's bits do not depend on how it is cut.
int64_t Run::worth_thread() const { return runtime::threads_awake() ? loop::kWorthThread : loop::kWorthWaking; }

// There are no more parts than have memory of their own.
int64_t Run::least_part(const PreparedLaunch& launch, int64_t grain, int64_t count) const {
  return launch.scratch < 0 ? grain : std::max(grain, (count + w_.scratches - 1) / w_.scratches);
}

// Ticks in order, their lanes among threads; those that meet have groups that are all there is.
void Run::launch_lanes(const PreparedLaunch& launch, int64_t count) {
  const int64_t groups = launch.lane_groups, all = launch.operations * count;
  const int64_t grain = std::max(launch.least_groups, (worth_thread() * groups + all - 1) / all);
  const int64_t least = least_part(launch, grain, groups);
  if (groups < 2 * grain) return call(launch, 0, count);
  auto share = [&](int64_t from, int64_t to, int thread, runtime::Meeting* meeting) {
    FlushDenormals flush;
    call(launch, launch.step->lanes_code, {0, count, from, to, thread, meeting});
  };
  if (launch.meeting >= 0) return runtime::parallel_for_meeting(groups, least, share);
  runtime::parallel_for(groups, least, [&](int64_t from, int64_t to, int thread) {
    share(from, to == groups ? to + 1 : to, thread, nullptr);  // the last has what is left
  });
}

inline void Run::call(const PreparedLaunch& launch, void* code, const Share& share) {
  long numbers[kMostNumbers];
  long* number = numbers;
  const long* const values = w_.arguments.numbers();
  for (int i : launch.numbers) *number++ = values[i];
  if (launch.lo >= 0) numbers[launch.lo] = share.lo;
  if (launch.hi >= 0) numbers[launch.hi] = share.hi;
  if (launch.scratch >= 0) numbers[launch.scratch] = reinterpret_cast<long>(w_.scratch.floats(share.memory * c_.code.scratch));
  if (launch.lane_groups > 0) numbers[launch.lane_lo] = share.lane_lo, numbers[launch.lane_hi] = share.lane_hi;
  if (launch.common >= 0) numbers[launch.common] = reinterpret_cast<long>(w_.scratch.floats(w_.scratches * c_.code.scratch));
  if (launch.meeting >= 0) numbers[launch.meeting] = reinterpret_cast<long>(share.meeting);
  runtime::Trace::Scope span(c_.trace, launch.step->kernel.name);
  const std::span<const long> used(numbers, launch.numbers.size());
  if (!c_.on_host) return call_gpu(launch, used, share.hi - share.lo);
  device_.launch({code, w_.arguments.arrays(launch), used, {}});
}

void Run::call_gpu(const PreparedLaunch& launch, std::span<const long> numbers, int64_t count) {
  const Step& step = *launch.step;
  const runtime::LaunchShape shape = shape_of(step, count);
  const std::span<void* const> arrays = w_.arguments.arrays(launch);
  w_.arrays.assign(arrays.begin(), arrays.end());
  if (step.kernel.table) {
    w_.table.reserve(device_, arrays.size_bytes());
    device_.upload(w_.table.at(0), w_.arrays.data(), arrays.size_bytes());
    w_.arrays.assign(1, w_.table.at(0));
  }
  if (step.kernel.scratch > 0) {
    w_.scratch.reserve(device_, static_cast<size_t>(shape.groups * step.kernel.scratch) * sizeof(float));
    w_.arrays.push_back(w_.scratch.floats());
  }
  device_.launch({launch.code, w_.arrays, numbers, shape});
}

// Blocks of threads for a launch over so many ticks or chunks.
runtime::LaunchShape Run::shape_of(const Step& step, int64_t count) {
  const Kernel& k = step.kernel;
  auto over = [&](int64_t items) { return (items + k.threads - 1) / k.threads; };
  int64_t groups = k.spread == Kernel::ticks_over_threads       ? over(count)
                   : k.spread == Kernel::ticks_over_blocks      ? count
                   : k.spread == Kernel::elements_over_threads ? over(count * step.work)
                                                                : 1;
  int64_t most = k.scratch > 0 ? std::max<int64_t>(1, kMostScratch / 4 / k.scratch) : kMostGroups;
  return {std::min({groups, most, kMostGroups}), k.threads};
}

// Every stored value, on the host, for DGEN_NAN and DGEN_CHECK.
void Run::look() {
  auto fetch = [this](Id id) {
    int64_t n = memory_.ticks(plan_.graph[id].clock()).count * plan_.graph[id].shape().size();
    std::vector<float> values(static_cast<size_t>(n));
    device_.download(values.data(), memory_.stream(id, {}), values.size() * sizeof(float));
    return values;
  };
  if (debug().nan) check_finite(plan_, fetch);
  if (debug().check && state_.position == 0) check_against_interpreter(plan_, fetch, bindings_, args_);
}

void Run::collect(std::span<const std::span<float>> outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Id id = plan_.graph.outputs[i];
    const float* rows = memory_.stream(id, {});
    if (rows == outputs[i].data()) continue;
    const Node& node = plan_.graph[id];
    const int64_t held = args_.per_tick ? -1 : c_.layout.held[i];
    const float* before = held < 0 ? nullptr : state_.block.floats(held / 4);
    if (!c_.on_host) {
      const auto size = static_cast<size_t>(node.shape().size()), n = static_cast<size_t>(memory_.ticks(node.clock()).count) * size;
      w_.rows.resize(n + size);
      device_.download(w_.rows.data(), rows, n * sizeof(float));
      if (before) device_.download(w_.rows.data() + n, before, size * sizeof(float));
      rows = w_.rows.data(), before = before ? rows + n : nullptr;
    }
    write_output(node, rows, before, args_, state_.position, outputs[i]);
  }
}

void Run::hold_rows() {
  for (size_t i = 0; i < c_.layout.held.size(); ++i) {
    if (c_.layout.held[i] < 0) continue;
    const Id id = plan_.graph.outputs[i];
    const Node& node = plan_.graph[id];
    const int64_t size = node.shape().size(), n = memory_.ticks(node.clock()).count;
    if (n == 0) continue;
    device_.copy(state_.block.at(c_.layout.held[i]), memory_.stream(id, {}) + (n - 1) * size, static_cast<size_t>(size) * sizeof(float));
  }
}

}  // namespace

void run(const Compiled& c, RunWorkspace& w, const Bindings& bindings, const RunArgs& args, DeviceState& state, bool keep,
         std::span<const std::span<float>> outputs) {
  FlushDenormals flush;
  Run(c, w, bindings, args, state).go(outputs, keep);
}

}  // namespace dgen::driver
