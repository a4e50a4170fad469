#include "driver/cpu_run.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "driver/check.h"
#include "driver/debug.h"
#include "driver/programs.h"
#include "ir/op.h"
#include "runtime/threads.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;
using schedule::Strategy;

namespace {

constexpr int64_t kGrain = 1 << 15;  // elements that are worth another thread

using Time = std::chrono::steady_clock;

}  // namespace

CpuRun::CpuRun(const Plan& plan, std::vector<Step>& steps, const Options& options, runtime::Buffer& arena, Stats& stats,
               const Capture& bindings, const RunArgs& args, CpuState& state, bool keep)
    : plan_(plan), steps_(steps), stats_(stats), bindings_(bindings), args_(args), state_(state), keep_(keep),
      policy_(choose_policy(plan, state.position, args.frames, options)), memory_(plan, arena, state.position, args.frames, policy_) {
  for (int64_t start = 0; start < args.frames; start += policy_.tile_frames)
    tiles_.push_back({start, std::min(policy_.tile_frames, args.frames - start)});
  literals_ = literal_values(bindings.graph);
  scalars_[0] = static_cast<float>(args.sample_rate);
  scalars_[1] = static_cast<float>(1 / args.sample_rate);
}

std::vector<std::vector<float>> CpuRun::go() {
  runtime::Trace::Scope span(trace(), "run", args_.frames);
  memory_.begin(keep_ ? &state_ : nullptr);
  for (int level = 0; level < plan_.levels; ++level) sweep(level);
  if (policy_.recompute) restore(checkpoints_.back());
  if (debug().nan) check_finite(plan_, memory_);
  if (debug().check && state_.position == 0) check_against_interpreter(plan_, memory_, bindings_, args_);
  auto outputs = collect();
  for (Id id : plan_.graph.effects) assign(bindings_, plan_.graph[id], memory_.stream(id, {}));
  if (keep_) memory_.save(state_);
  stats_.tiles = static_cast<int64_t>(tiles_.size());
  stats_.peak_bytes = std::max(stats_.peak_bytes, memory_.bytes());
  return outputs;
}

// When it recomputes, a reverse sweep starts each tile's forward sweep again from the tile's checkpoint.
void CpuRun::sweep(int level) {
  if (level % 3 == 0) {
    for (Step& step : steps_)
      if (step.level == level) launch(step, {0, args_.frames}, 0, 1);
    if (level == 0) clear_cells();
    if (fresh_) init_cells(level + 1);
    return;
  }
  bool reverse = level % 3 == 2;
  if (reverse) memory_.begin_reverse(level), start_reverse(level);
  for (size_t i = 0; i < tiles_.size(); ++i) {
    size_t t = reverse ? tiles_.size() - 1 - i : i;
    if (policy_.recompute && !reverse) checkpoints_.push_back(checkpoint());
    if (policy_.recompute && reverse) restore(checkpoints_[t]), run_tile(level - 1, tiles_[t], true);
    run_tile(level, tiles_[t], false);
    memory_.carry(level, tiles_[t], reverse && t > 0 ? &tiles_[t - 1] : nullptr);
  }
  if (policy_.recompute && !reverse) checkpoints_.push_back(checkpoint());
  finish_sums(level);
}

// again: sums over time have their share of the tile already.
void CpuRun::run_tile(int level, const Tile& tile, bool again) {
  runtime::Trace::Scope span(trace(), again ? "tile again" : level % 3 == 2 ? "reverse tile" : "tile", tile.start);
  for (Step& step : steps_)
    if (step.level == level && !(again && (step.chunks || step.region < 0))) launch_tile(step, tile);
}

void CpuRun::finish_sums(int level) {
  for (auto& region : plan_.regions) {
    if (region.level != level || region.strategy != Strategy::sum_time) continue;
    Id id = region.nodes[0];
    const double* total = memory_.total(id);
    std::copy_n(total, plan_.graph[id].shape().size(), memory_.stream(id, {}));
  }
}

CpuRun::Checkpoint CpuRun::checkpoint() {
  Checkpoint c{{}, state_.phases, memory_.pads()};
  for (size_t i = 0; i < state_.cells.size(); ++i)
    c.cells.push_back(plan_.graph.cells[i].type.clock.reverse ? std::vector<float>{} : state_.cells[i]);
  return c;
}

void CpuRun::restore(const Checkpoint& c) {
  for (size_t i = 0; i < state_.cells.size(); ++i)
    if (!plan_.graph.cells[i].type.clock.reverse) state_.cells[i] = c.cells[i];
  state_.phases = c.phases;
  memory_.restore_pads(c.pads);
}

// Reverse streams of one tile read zeros after the run's end.
void CpuRun::start_reverse(int level) {
  for (Id id = 0; id < plan_.graph.size(); ++id) {
    if (plan_.level[static_cast<size_t>(id)] != level || plan_.store[static_cast<size_t>(id)] != schedule::Store::stream) continue;
    const StreamMemory& s = memory_.info(id);
    if (s.whole || s.pad == 0) continue;
    int64_t n = memory_.ticks(plan_.graph[id].clock(), tiles_.back()).count;
    std::fill_n(memory_.stream(id, tiles_.back()) + n * s.size, s.pad * s.size, 0.0f);
  }
}

void CpuRun::clear_cells() {
  const Graph& g = plan_.graph;
  fresh_ = state_.cells.empty();
  state_.cells.resize(g.cells.size());
  for (size_t c = 0; c < g.cells.size(); ++c)
    if (fresh_ || g.cells[c].type.clock.reverse) state_.cells[c].assign(static_cast<size_t>(g.cells[c].type.shape.size()), 0.0f);
  for (Id id = 0; id < g.size(); ++id)
    if (g[id].op->name == "phasor") state_.phases[id].resize(static_cast<size_t>(g[id].shape().size()));
}

// Cells that the sweep reads get their initial values, which the static sweep before it has made.
void CpuRun::init_cells(int level) {
  const Graph& g = plan_.graph;
  for (Id id = 0; id < g.size(); ++id) {
    const Node& node = g[id];
    if (node.op->name == "state_read" && !node.in.empty() && plan_.level[static_cast<size_t>(id)] == level)
      std::copy_n(memory_.stream(node.in[0], {}), node.shape().size(), state_.cells[static_cast<size_t>(node.attrs.i("cell"))].data());
  }
}

void CpuRun::launch_tile(Step& step, const Tile& tile) {
  if (step.region < 0) return launch(step, tile, 0, 1);
  if (!step.chunks) return launch(step, tile, 0, memory_.ticks(step.clock, tile).count);
  int64_t chunk = plan_.chunk == 0 ? tile.frames : plan_.chunk;
  launch(step, tile, 0, (tile.frames + chunk - 1) / chunk);
}

void CpuRun::launch(Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  if (lo >= hi) return;
  arrays_.clear();
  for (auto& ref : step.kernel.arrays) arrays_.push_back(address(ref, tile));
  auto start = debug().level >= 2 ? Time::now() : Time::time_point{};
  launch_ranges(step, tile, lo, hi);
  if (debug().level >= 2) step.seconds += std::chrono::duration<double>(Time::now() - start).count();
}

void CpuRun::launch_ranges(Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  ++stats_.launches;
  stats_.ffts += step.ffts * (hi - lo);
  int64_t grain = step.chunks ? 1 : std::max<int64_t>(16, kGrain / step.work);
  if (!step.parallel || hi - lo < 2 * grain) return call(step, tile, lo, hi);
  runtime::parallel_for(hi - lo, grain, [&](int64_t from, int64_t to, int) { call(step, tile, lo + from, lo + to); });
}

void CpuRun::call(const Step& step, const Tile& tile, int64_t lo, int64_t hi) {
  long numbers[32];
  DGEN_ASSERT(step.kernel.args.size() <= 32);
  for (size_t i = 0; i < step.kernel.args.size(); ++i) numbers[i] = number(step.kernel.args[i], tile, lo, hi);
  runtime::Trace::Scope span(trace(), step.kernel.name);
  step.fn(arrays_.data(), numbers);
}

long CpuRun::number(const KernelArg& arg, const Tile& tile, int64_t lo, int64_t hi) const {
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

void* CpuRun::address(const ArrayRef& ref, const Tile& tile) {
  auto slot = static_cast<size_t>(ref.id);
  switch (ref.kind) {
    case ArrayRef::stream: return memory_.stream(ref.id, tile);
    case ArrayRef::state: return state_.cells.at(slot).data();
    case ArrayRef::phase: return state_.phases.at(ref.id).data();
    case ArrayRef::param: return bindings_.params.at(slot)->data.data();
    case ArrayRef::tensor: return bindings_.tensors.at(slot)->data.data();
    case ArrayRef::input: return input(ref.id, tile);
    case ArrayRef::scalars: return scalars_;
    case ArrayRef::partial: return memory_.partial(ref.id);
    case ArrayRef::total: return memory_.total(ref.id);
    case ArrayRef::local: return nullptr;
    case ArrayRef::literal: return &literals_.at(slot);
  }
  throw InternalError("unknown kernel array");
}

void* CpuRun::input(Id id, const Tile& tile) {
  const Node& node = plan_.graph[id];
  std::span<const float> data = args_.inputs[static_cast<size_t>(node.attrs.i("channel"))];
  int64_t first = memory_.ticks(node.clock(), tile).first - memory_.ticks(node.clock()).first;
  return const_cast<float*>(data.data()) + first * node.shape().size();
}

std::vector<std::vector<float>> CpuRun::collect() {
  std::vector<std::vector<float>> outputs;
  for (Id id : plan_.graph.outputs) {
    const Node& node = plan_.graph[id];
    const float* rows = memory_.stream(id, {});
    int64_t size = node.shape().size(), n = memory_.ticks(node.clock()).count;
    bool held = !node.clock().is_static() && !args_.per_tick && node.clock().period != 1;
    if (held) outputs.push_back(hold_rows(rows, rows - size, size, node.clock(), state_.position, args_.frames));
    else outputs.emplace_back(rows, rows + n * size);
  }
  return outputs;
}

}  // namespace dgen::driver
