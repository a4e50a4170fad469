#include "driver/memory.h"

#include <algorithm>
#include <limits>

#include "ir/op.h"

namespace dgen::driver {

using namespace ir;
using schedule::Place;

namespace {

// See codegen/prelude_scan.cpp: the most that a state takes, for vectors of sixteen lanes; in order: prelude_scan_order.h.
int64_t kept_bytes(const schedule::Region& region) {
  const auto order = static_cast<int64_t>(region.recurrence.order());
  if (region.strategy == schedule::Strategy::ordered) return (8 + 4) * order;
  return 8 * (order + 2 * order * order) + 4 * (19 * order + 26 * order * order + 3);
}

}  // namespace

StateLayout::StateLayout(const schedule::Plan& plan) {
  const Graph& g = plan.graph;
  auto take = [this](int64_t size) {
    int64_t from = bytes;
    bytes += (size + 63) / 64 * 64;
    return from;
  };
  cell.assign(g.cells.size(), -1);
  phase.assign(static_cast<size_t>(g.size()), -1);
  history = phase;
  segment = cell;
  for (bool reverse : {true, false}) {
    forward = bytes;
    for (size_t c = 0; c < g.cells.size(); ++c) {
      const auto& [type, write, key] = g.cells[c];
      if (type.clock.reverse != reverse) continue;
      cell[c] = take(4 * type.shape.size());
      const schedule::Region* recurrence = write == none ? nullptr : plan.recurrence_of(write);
      if (recurrence) segment[c] = take(kept_bytes(*recurrence));
    }
  }
  for (Id id = 0; id < g.size(); ++id) {
    auto i = static_cast<size_t>(id);
    const Node& node = g[id];
    if (node.op->is(keeps_phase)) phase[i] = take(8 * node.shape().size());
    if (node.op->name == "state_read" && !node.in.empty()) initialised.push_back(id);
    if (plan.store[i] != schedule::Store::stream || plan.history[i] == 0 || node.clock().reverse || node.clock().is_static()) continue;
    history[i] = take(4 * plan.history[i] * node.shape().size());
    carried.push_back(id);
  }
  for (Id id : g.outputs) {
    const Clock clock = g[id].clock();
    held.push_back(clock.period > 1 && !clock.reverse ? take(4 * g[id].shape().size()) : -1);
  }
}

// A whole stream's pad stays as it is during the run.
void RunMemory::load_history(Id id, const runtime::Block& from, int64_t offset, bool run_begin) const {
  const Place& p = place(id);
  if (p.whole && !run_begin) return;
  int64_t at = layout_.history[static_cast<size_t>(id)] + offset;
  copy(base(p) - p.pad * p.size, reinterpret_cast<float*>(from.at(at)), p.pad * p.size);
}

// At the run's end a whole stream's last ticks are at its end; a tile's were carried to the pad before it.
void RunMemory::save_history(Id id, const runtime::Block& to, int64_t offset, bool run_end) const {
  const Place& p = place(id);
  int64_t n = p.whole && run_end ? ticks(plan_.graph[id].clock()).count : 0;
  int64_t at = layout_.history[static_cast<size_t>(id)] + offset;
  if (!p.whole || run_end) copy(reinterpret_cast<float*>(to.at(at)), base(p) + (n - p.pad) * p.size, p.pad * p.size);
}

// A stream that is added to starts as zeros; reverse ones have zeros after the run's end.
void RunMemory::begin_sweep(const Place& p, const Tile& last) const {
  const Node& node = plan_.graph[p.id];
  if (p.kind == Place::total) device_.clear(total(p.id), static_cast<size_t>(p.bytes));
  else if (node.op->is(adds_in_place)) clear(base(p) - p.pad * p.size, (p.capacity + 2 * p.pad) * p.size);
  else if (node.clock().reverse) clear(stream(p.id, last) + ticks(node.clock(), last).count * p.size, p.pad * p.size);
}

void RunMemory::carry(const Place& p, const Tile& done, const Tile* next) const {
  if (p.kind != Place::stream || p.whole) return;
  Clock clock = plan_.graph[p.id].clock();
  if (!clock.reverse) copy(base(p) - p.pad * p.size, base(p) + (ticks(clock, done).count - p.pad) * p.size, p.pad * p.size);
  else if (next) copy(base(p) + ticks(clock, *next).count * p.size, base(p), p.pad * p.size);
}

void RunMemory::poison(int step) const {
  static const std::vector<float> nans(1024, std::numeric_limits<float>::quiet_NaN());
  const auto most = static_cast<int64_t>(nans.size() * sizeof(float));
  for (const Place& p : memory_.places)
    for (int64_t at = 0; p.last == step && at < p.bytes; at += most)
      device_.upload(arena_.at(p.offset + at), nans.data(), static_cast<size_t>(std::min(most, p.bytes - at)));
}

}  // namespace dgen::driver
