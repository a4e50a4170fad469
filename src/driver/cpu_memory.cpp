#include "driver/cpu_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "driver/debug.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;
using schedule::Store;

namespace {

constexpr int64_t kTileBytes = 1 << 20;  // about a core's second-level cache

bool is_stream(const Plan& plan, Id id) { return plan.store[static_cast<size_t>(id)] == Store::stream; }

bool is_time_sum(const Plan& plan, Id id) {
  int region = plan.region_of[static_cast<size_t>(id)];
  return region >= 0 && plan.regions[static_cast<size_t>(region)].strategy == schedule::Strategy::sum_time;
}

// Kept for the whole run: results, what a later sweep reads, and delay lines that a sweep adds to.
std::vector<bool> whole_run(const Plan& plan, bool recompute) {
  const Graph& g = plan.graph;
  std::vector<bool> whole(static_cast<size_t>(g.size()), false);
  for (Id id : g.outputs) whole[static_cast<size_t>(id)] = true;
  for (Id id = 0; id < g.size(); ++id) {
    if (g[id].op->name == "ring_add") whole[static_cast<size_t>(id)] = true;
    std::vector<Id> todo(g[id].in.begin(), g[id].in.end());
    // A value reached through inlined nodes is read in the sweep of the node that is stored.
    if (!plan.stored(id)) continue;
    int level = is_time_sum(plan, id) ? plan.level[static_cast<size_t>(g[id].in[0])] : plan.level[static_cast<size_t>(id)];
    std::vector<bool> seen(static_cast<size_t>(g.size()), false);
    while (!todo.empty()) {
      Id in = todo.back();
      todo.pop_back();
      if (seen[static_cast<size_t>(in)]) continue;
      seen[static_cast<size_t>(in)] = true;
      if (plan.stored(in)) {
        int from = plan.level[static_cast<size_t>(in)];
        bool again = recompute && from % 3 == 1 && level == from + 1;
        if (from != level && !again) whole[static_cast<size_t>(in)] = true;
      } else {
        todo.insert(todo.end(), g[in].in.begin(), g[in].in.end());
      }
    }
  }
  return whole;
}

double bytes_a_frame(const Plan& plan, const std::function<bool(Id)>& counts) {
  double bytes = 0;
  for (Id id = 0; id < plan.graph.size(); ++id) {
    const Node& node = plan.graph[id];
    if (is_stream(plan, id) && !node.clock().is_static() && counts(id))
      bytes += 4.0 * static_cast<double>(node.shape().size()) / static_cast<double>(node.clock().period);
  }
  return bytes;
}

int64_t whole_chunks(const Plan& plan, double frames) {
  return std::max<int64_t>(1, static_cast<int64_t>(frames / static_cast<double>(plan.chunk))) * plan.chunk;
}

int64_t memory_of_machine() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE); }

}  // namespace

MemoryPolicy choose_policy(const Plan& plan, uint64_t, int64_t frames, const Options& options) {
  if (plan.chunk == 0) return {frames, false};
  if (debug().check || debug().nan) return {whole_chunks(plan, static_cast<double>(frames + plan.chunk)), false};  // keep everything
  auto all = [](Id) { return true; };
  std::vector<bool> stored = whole_run(plan, false), kept = whole_run(plan, true);
  auto saves = [&](Id id) { return stored[static_cast<size_t>(id)] && !kept[static_cast<size_t>(id)]; };
  MemoryPolicy policy{whole_chunks(plan, kTileBytes / (bytes_a_frame(plan, all) + 1)), false};
  double budget = static_cast<double>(options.memory_budget > 0 ? options.memory_budget : memory_of_machine() / 4);
  auto whole = [&](Id id) { return static_cast<bool>(stored[static_cast<size_t>(id)]); };
  // Only one forward and one reverse sweep can be played again tile by tile.
  policy.recompute = plan.levels <= 4 && bytes_a_frame(plan, saves) > 0 && bytes_a_frame(plan, whole) * static_cast<double>(frames) > budget;
  // Long tiles make checkpoints few and delay lines cheap to keep.
  if (policy.recompute) policy.tile_frames = whole_chunks(plan, budget / 4 / (bytes_a_frame(plan, all) + 1));
  if (options.tile_frames > 0) policy.tile_frames = (options.tile_frames + plan.chunk - 1) / plan.chunk * plan.chunk;
  return policy;
}

CpuMemory::CpuMemory(const Plan& plan, runtime::Buffer& arena, uint64_t position, int64_t frames, const MemoryPolicy& policy)
    : plan_(plan), arena_(arena), position_(position), frames_(frames) {
  std::vector<bool> whole = whole_run(plan, policy.recompute);
  const int64_t tile_frames = policy.tile_frames;
  int64_t at = 0;
  auto take = [&](int64_t floats) {
    int64_t from = at;
    at += (floats + 15) / 16 * 16;
    return from;
  };
  for (Id id = 0; id < plan.graph.size(); ++id) {
    const Node& node = plan.graph[id];
    if (is_time_sum(plan, id)) {
      int64_t chunks = plan.chunk == 0 ? 1 : (tile_frames + plan.chunk - 1) / plan.chunk;
      partial_[id] = take(chunks * node.shape().size());
      totals_[id].assign(static_cast<size_t>(node.shape().size()), 0.0);
    }
    if (!is_stream(plan, id)) continue;
    StreamMemory s;
    s.size = node.shape().size();
    bool fixed = node.clock().is_static();
    s.whole = fixed || whole[static_cast<size_t>(id)] || frames_ <= tile_frames;
    s.pad = fixed ? 0 : plan.history[static_cast<size_t>(id)];
    if (node.op->name == "ring_add") s.pad = std::max(s.pad, node.attrs.i("max") + 1);
    s.capacity = fixed ? 1 : s.whole ? ticks(node.clock()).count : ticks_before(node.clock().period, tile_frames) + 1;
    s.offset = take((s.capacity + 2 * s.pad) * s.size) + s.pad * s.size;
    streams_[id] = s;
  }
  bytes_ = at * 4;
  if (static_cast<int64_t>(arena_.size()) < at) arena_.resize(static_cast<size_t>(at));
}

float* CpuMemory::stream(Id id, const Tile& tile) {
  const StreamMemory& s = streams_.at(id);
  Clock clock = plan_.graph[id].clock();
  int64_t first = clock.is_static() || !s.whole ? 0 : ticks(clock, tile).first - ticks(clock).first;
  return data(s) + first * s.size;
}

void CpuMemory::begin(const CpuState* state) {
  for (auto& [id, s] : streams_) {
    if (s.pad == 0 || plan_.graph[id].clock().reverse) continue;
    float* pad = data(s) - s.pad * s.size;
    auto past = state ? state->history.find(id) : std::map<Id, std::vector<float>>::const_iterator{};
    if (state && past != state->history.end()) std::copy(past->second.begin(), past->second.end(), pad);
    else std::fill_n(pad, s.pad * s.size, 0.0f);
  }
  for (auto& [id, total] : totals_) std::fill(total.begin(), total.end(), 0.0);
}

void CpuMemory::begin_reverse(int level) {
  for (auto& [id, s] : streams_) {
    const Node& node = plan_.graph[id];
    if (plan_.level[static_cast<size_t>(id)] != level || s.pad == 0) continue;
    // A stream that is added to starts as zeros; others have zeros after the run's end.
    float* from = data(s) - s.pad * s.size;
    if (node.op->name == "ring_add") std::fill_n(from, (s.capacity + 2 * s.pad) * s.size, 0.0f);
    else if (s.whole) std::fill_n(data(s) + s.capacity * s.size, s.pad * s.size, 0.0f);
  }
}

void CpuMemory::carry(int level, const Tile& done, const Tile* next) {
  for (auto& [id, s] : streams_) {
    const Node& node = plan_.graph[id];
    if (s.whole || s.pad == 0 || plan_.level[static_cast<size_t>(id)] != level) continue;
    float* base = data(s);
    if (!node.clock().reverse) {
      int64_t n = ticks(node.clock(), done).count;
      std::memmove(base - s.pad * s.size, base + (n - s.pad) * s.size, static_cast<size_t>(s.pad * s.size) * sizeof(float));
    } else if (next) {
      int64_t n = ticks(node.clock(), *next).count;
      std::memmove(base + n * s.size, base, static_cast<size_t>(s.pad * s.size) * sizeof(float));
    }
  }
}

bool CpuMemory::carried_forward(Id id, const StreamMemory& s) const { return !s.whole && s.pad > 0 && !plan_.graph[id].clock().reverse; }

std::vector<float> CpuMemory::pads() const {
  std::vector<float> all;
  for (auto& [id, s] : streams_)
    if (carried_forward(id, s)) all.insert(all.end(), data(s) - s.pad * s.size, data(s));
  return all;
}

void CpuMemory::restore_pads(const std::vector<float>& pads) {
  auto from = pads.begin();
  for (auto& [id, s] : streams_)
    if (carried_forward(id, s)) std::copy_n(from, s.pad * s.size, data(s) - s.pad * s.size), from += s.pad * s.size;
}

void CpuMemory::save(CpuState& state) {
  state.history.clear();
  for (auto& [id, s] : streams_) {
    const Node& node = plan_.graph[id];
    if (s.pad == 0 || node.clock().reverse) continue;
    int64_t n = s.whole ? ticks(node.clock()).count : 0;  // a tile's last ticks were carried already
    const float* last = data(s) + (n - s.pad) * s.size;
    state.history[id].assign(last, last + s.pad * s.size);
  }
  state.position = position_ + static_cast<uint64_t>(frames_);
}

}  // namespace dgen::driver
