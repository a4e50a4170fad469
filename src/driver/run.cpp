#include "driver/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/check.h"
#include "driver/check.h"
#include "driver/debug.h"
#include "driver/programs.h"
#include "ir/op.h"
#include "loop/verify_memory.h"
#include "runtime/threads.h"

namespace dgen::driver {

using namespace ir;

namespace {

constexpr int64_t kGrain = 1 << 15;  // elements that are worth another thread
constexpr size_t kScalars = 2;       // see RunScalar

using Time = std::chrono::steady_clock;

// Of a GPU launch.
constexpr int64_t kMostGroups = 1 << 14, kMostScratch = int64_t{1} << 28;

#ifdef DGEN_CAREFUL
constexpr bool kCareful = true;
#else
constexpr bool kCareful = false;
#endif
bool careful(const Options& options) { return kCareful || options.careful; }

// The pool changes its size only when runs ask for another one.
void use_threads(int threads) {
  static std::atomic<int> asked = 0;
  if (asked.exchange(threads) != threads) runtime::set_thread_count(threads);
}

}  // namespace

void check_memory(const Compiled& c, const schedule::MemoryPlan& memory) {
  std::vector<loop::KernelUse> uses;
  for (const Step& step : c.code.steps) uses.push_back({&step.kernel, step.level, step.chunks, step.when == Step::after_sweep});
  loop::verify_memory(c.plan, memory, uses);
}

// A GPU's tile is what fits: it wants much work at a time, not a small working set.
schedule::MemoryLimits memory_limits(const Options& options, const runtime::Device& device) {
  schedule::MemoryLimits limits;
  limits.budget = options.memory_budget > 0 ? options.memory_budget : device.memory() / 4;
  if (!device.is_host()) limits.tile_bytes = limits.budget;
  limits.tile_frames = options.tile_frames;
  limits.keep_all = debug().check || debug().nan;
  return limits;
}

void plan_run(const Compiled& c, RunWorkspace& w, int64_t frames) {
  // A plan serves shorter runs; one that computes again may be more than those need.
  if (w.memory.frames == frames || (w.memory.frames > frames && !w.memory.recompute)) return;
  w.memory = c.planner.plan(frames, memory_limits(c.options, c.device));
  if (careful(c.options)) check_memory(c, w.memory);
  w.arena.reserve(c.device, static_cast<size_t>(w.memory.bytes));
  w.elsewhere.assign(w.memory.places.size(), nullptr);
  w.tiles.clear();
  w.checkpoints.clear();
}

Run::Run(const Compiled& compiled, RunWorkspace& workspace, const Capture& bindings, const RunArgs& args, DeviceState& state, bool keep)
    : c_(compiled), plan_(compiled.plan), device_(compiled.device), w_(workspace), bindings_(bindings), args_(args), state_(state), keep_(keep),
      memory_(plan_, c_.layout, w_.memory, device_, w_.arena, w_.elsewhere, state.position, args.frames) {}

void Run::go(std::span<const std::span<float>> outputs) {
  runtime::Trace::Scope span(trace_, "run", args_.frames);
  if (on_host_ && !args_.real_time) use_threads(c_.options.threads);
  bind();
  move_outputs(outputs);
  memory_.load_history(state_.block, 0, true);
  for (int level = 0; level < plan_.levels; ++level) sweep(level);
  if (w_.memory.recompute) restore(w_.checkpoints[w_.tiles.size()]);
  state_.fresh = false;
  if (debug().nan || debug().check) look();
  collect(outputs);
  for (Id id : plan_.graph.effects) {
    Storage& param = *bindings_.params.at(static_cast<size_t>(plan_.graph[id].attrs.i("slot")));
    param.assign(device_, memory_.stream(id, {}));
  }
  if (!keep_) return;
  memory_.save_history(state_.block, 0, true);
  state_.position += static_cast<uint64_t>(args_.frames);
}

// Tiles, run-time numbers and inputs where kernels find them.
void Run::bind() {
  w_.tiles.clear();
  int64_t length = w_.memory.tiled() ? w_.memory.tile_frames : args_.frames;
  for (int64_t start = 0; start < args_.frames; start += length) w_.tiles.push_back({start, std::min(length, args_.frames - start)});
  if (w_.memory.recompute && w_.checkpoints.empty())
    for (size_t t = 0; t <= w_.tiles.size(); ++t) w_.checkpoints.emplace_back(device_, static_cast<size_t>(c_.layout.bytes - c_.layout.forward));
  w_.host_numbers.assign({static_cast<float>(args_.sample_rate), static_cast<float>(1 / args_.sample_rate)});
  if (c_.has_literals) append_literals(bindings_.graph, w_.host_numbers);
  if (on_host_) return;
  w_.numbers.reserve(device_, w_.host_numbers.size() * sizeof(float));
  device_.upload(w_.numbers.floats(), w_.host_numbers.data(), w_.host_numbers.size() * sizeof(float));
  w_.inputs.resize(std::max(w_.inputs.size(), args_.inputs.size()));
  for (size_t i = 0; i < args_.inputs.size(); ++i) {
    if (args_.inputs[i].empty()) continue;
    w_.inputs[i].reserve(device_, args_.inputs[i].size_bytes());
    device_.upload(w_.inputs[i].floats(), args_.inputs[i].data(), args_.inputs[i].size_bytes());
  }
}

// An output of frames that nothing asks more of lies where the caller wants it, unless an input that is still to be read or
// another output lies there.
void Run::move_outputs(std::span<const std::span<float>> outputs) {
  std::fill(w_.elsewhere.begin(), w_.elsewhere.end(), nullptr);
  if (!on_host_) return;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Id id = plan_.graph.outputs[i];
    const Node& node = plan_.graph[id];
    const float *begin = outputs[i].data(), *end = begin + outputs[i].size();
    auto meets = [&](std::span<const float> other) { return other.data() < end && begin < other.data() + other.size(); };
    const bool shared = std::any_of(args_.inputs.begin(), args_.inputs.end(), meets) || std::count_if(outputs.begin(), outputs.end(), meets) > 1;
    float*& place = w_.elsewhere[static_cast<size_t>(w_.memory.stream[static_cast<size_t>(id)])];
    if (!shared && !place && node.clock() == frame_clock && memory_.place(id).pad == 0 && memory_.place(id).whole && !node.op->is(adds_in_place))
      place = outputs[i].data();
  }
}

// When it recomputes, a reverse sweep starts each tile's forward sweep again from the tile's checkpoint.
void Run::sweep(int level) {
  const bool recompute = w_.memory.recompute, reverse = level % 3 == 2;
  memory_.begin_sweep(level, w_.tiles.back());
  if (level % 3 == 0) {
    run_tile(level, {0, args_.frames}, false);
    if (level == 0) clear_cells();
    if (state_.fresh) init_cells(level + 1);
  } else {
    for (size_t i = 0; i < w_.tiles.size(); ++i) {
      size_t t = reverse ? w_.tiles.size() - 1 - i : i;
      if (recompute && !reverse) save_checkpoint(w_.checkpoints[t]);
      if (recompute && reverse) restore(w_.checkpoints[t]), run_tile(level - 1, w_.tiles[t], true);
      run_tile(level, w_.tiles[t], false);
      memory_.carry(level, w_.tiles[t], reverse && t > 0 ? &w_.tiles[t - 1] : nullptr);
    }
    if (recompute && !reverse) save_checkpoint(w_.checkpoints[w_.tiles.size()]);
    run_after(level);
  }
  if (careful(c_.options)) memory_.poison(c_.planner.timeline().level_end[static_cast<size_t>(level)]);
}

// again: sums over time have their share of the tile already.
void Run::run_tile(int level, const Tile& tile, bool again) {
  runtime::Trace::Scope span(trace_, level % 3 == 0 ? "static" : again ? "tile again" : level % 3 == 2 ? "reverse tile" : "tile", tile.start);
  std::span<const Step> steps = c_.code.of_sweep(level);
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    if (step.when == Step::after_sweep || (again && (step.chunks || step.when != Step::in_tile))) continue;
    launch_tile(step, tile);
    bool last = i + 1 == steps.size() || steps[i + 1].region != step.region;
    if (last && careful(c_.options) && step.when == Step::in_tile) memory_.poison(c_.planner.timeline().of_region[static_cast<size_t>(step.region)]);
  }
}

void Run::run_after(int level) {
  for (const Step& step : c_.code.of_sweep(level))
    if (step.when == Step::after_sweep) launch(step, {}, 0, 1);
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

void Run::launch_tile(const Step& step, const Tile& tile) {
  if (step.when != Step::in_tile || step.level % 3 == 0) return launch(step, tile, 0, 1);
  if (!step.chunks) return launch(step, tile, 0, memory_.ticks(step.clock, tile).count);
  int64_t chunk = plan_.chunk == 0 ? tile.frames : plan_.chunk;
  launch(step, tile, 0, (tile.frames + chunk - 1) / chunk);
}

void Run::launch(const Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  if (lo >= hi) return;
  w_.arrays.clear();
  for (auto& ref : step.kernel.arrays)
    if (on_host_ || ref.kind != ArrayRef::local) w_.arrays.push_back(address(ref, tile));
  if (!timed_) return launch_ranges(step, tile, lo, hi);
  auto start = Time::now();
  launch_ranges(step, tile, lo, hi);
  device_.wait();
  step.seconds += std::chrono::duration<double>(Time::now() - start).count();
}

void Run::launch_ranges(const Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  ++w_.launches;
  w_.ffts += step.ffts * (hi - lo);
  int64_t grain = step.chunks ? 1 : std::max<int64_t>(16, kGrain / step.work);
  bool cut = step.parallel && on_host_ && !args_.real_time && hi - lo >= 2 * grain;
  if (!cut) return call(step, tile, lo, hi);
  runtime::parallel_for(hi - lo, grain, [&](int64_t from, int64_t to, int) { call(step, tile, lo + from, lo + to); });
}

void Run::call(const Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  long numbers[32];
  DGEN_ASSERT(step.kernel.args.size() <= std::size(numbers));
  for (size_t i = 0; i < step.kernel.args.size(); ++i) numbers[i] = number(step.kernel.args[i], tile, lo, hi);
  runtime::Trace::Scope span(trace_, step.kernel.name);
  if (on_host_) return device_.launch({step.code, w_.arrays, {numbers, step.kernel.args.size()}, {}});
  runtime::LaunchShape shape = shape_of(step, hi - lo);
  if (step.kernel.table) {
    const size_t bytes = w_.arrays.size() * sizeof(void*);
    w_.table.reserve(device_, bytes);
    device_.upload(w_.table.at(0), w_.arrays.data(), bytes);
    w_.arrays.assign(1, w_.table.at(0));
  }
  if (step.kernel.scratch > 0) {
    w_.scratch.reserve(device_, static_cast<size_t>(shape.groups * step.kernel.scratch) * sizeof(float));
    w_.arrays.push_back(w_.scratch.floats());
  }
  device_.launch({step.code, w_.arrays, {numbers, step.kernel.args.size()}, shape});
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

long Run::number(const KernelArg& arg, const Tile& tile, int64_t lo, int64_t hi) const {
  Clock clock{arg.period, false};
  auto frame = static_cast<int64_t>(state_.position) + tile.start;
  switch (arg.kind) {
    case KernelArg::lo: return lo;
    case KernelArg::hi: return hi;
    case KernelArg::tile_frame: return frame;
    case KernelArg::tick0: return memory_.ticks(clock, tile).first;
    case KernelArg::offset: return memory_.ticks(clock, tile).first * arg.period - frame;
    case KernelArg::step: return static_cast<long>(args_.step);
    case KernelArg::ticks: return memory_.ticks(clock).count;
    case KernelArg::tile_ticks: return memory_.ticks(clock, tile).count;
  }
  throw InternalError("unknown kernel argument");
}

void* Run::address(const ArrayRef& ref, const Tile& tile) {
  auto slot = static_cast<size_t>(ref.id);
  auto numbers = [&](size_t i) { return (on_host_ ? w_.host_numbers.data() : w_.numbers.floats()) + i; };
  switch (ref.kind) {
    case ArrayRef::stream: return memory_.stream(ref.id, tile);
    case ArrayRef::exact: return static_cast<char*>(static_cast<void*>(memory_.stream(ref.id, tile))) + 8;
    case ArrayRef::state: return state_.block.at(c_.layout.cell.at(slot));
    case ArrayRef::segment: return state_.block.at(c_.layout.segment.at(slot));
    case ArrayRef::phase: return state_.block.at(c_.layout.phase.at(slot));
    case ArrayRef::param: return bindings_.params.at(slot)->on(device_);
    case ArrayRef::tensor: return bindings_.tensors.at(slot)->on(device_);
    case ArrayRef::input: return input(ref.id, tile);
    case ArrayRef::scalars: return numbers(0);
    case ArrayRef::literal: return numbers(kScalars + slot);
    case ArrayRef::partial: return memory_.partial(ref.id);
    case ArrayRef::total: return memory_.total(ref.id);
    case ArrayRef::local: return nullptr;
  }
  throw InternalError("unknown kernel array");
}

void* Run::input(Id id, const Tile& tile) {
  const Node& node = plan_.graph[id];
  auto channel = static_cast<size_t>(node.attrs.i("channel"));
  float* data = on_host_ ? const_cast<float*>(args_.inputs[channel].data()) : w_.inputs[channel].floats();
  return tile.start == 0 ? data : data + memory_.ticks_before_tile(node.clock(), tile) * node.shape().size();
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
    Id id = plan_.graph.outputs[i];
    const Node& node = plan_.graph[id];
    const int64_t size = node.shape().size(), n = memory_.ticks(node.clock()).count;
    const float* rows = memory_.stream(id, {});
    if (rows == outputs[i].data()) continue;
    const int64_t before = node.clock().period > 1 ? size : 0;  // a held value's last row of the run before
    if (!on_host_) {
      w_.rows.resize(static_cast<size_t>(before + n * size));
      device_.download(w_.rows.data(), rows - before, w_.rows.size() * sizeof(float));
      rows = w_.rows.data() + before;
    }
    write_output(node, rows, rows - before, args_, state_.position, outputs[i]);
  }
}

}  // namespace dgen::driver
