#include "schedule/memory.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;
using analysis::Kept;

namespace {

constexpr int64_t kAlign = 64;
constexpr int64_t kLeastShared = 4096;  // frames of a tile for each thread that shares it

size_t at(Id id) { return static_cast<size_t>(id); }
// A place that is about a number of pages long, and what lies behind it, would fall into the same few sets of the first cache, as
// streams do that a loop walks side by side.
int64_t rounded(int64_t bytes) {
  constexpr int64_t page = 4096, apart = 3 * kAlign;
  const int64_t size = (bytes + kAlign - 1) / kAlign * kAlign, beyond = (size + apart) % page;
  return bytes < page || beyond >= 2 * apart ? size : size + 2 * apart - beyond;
}
bool is_static_level(int level) { return level % 3 == 0; }

bool is_stream(const Plan& plan, Id id) { return plan.store[at(id)] == Store::stream; }
bool is_time_sum(const Plan& plan, Id id) {
  int region = plan.region_of[at(id)];
  return region >= 0 && plan.regions[static_cast<size_t>(region)].strategy == Strategy::sum_time;
}

}  // namespace

const char* keep_name(Keep keep) {
  static const char* names[] = {"output", "stored", "carried", "sum", "scratch", "kept"};
  return names[static_cast<int>(keep)];
}

MemoryPlanner::MemoryPlanner(const Plan& plan) : plan_(plan) {
  const Graph& g = plan.graph;
  int step = 0;
  size_t r = 0;
  timeline_.of_region.resize(plan.regions.size());
  for (int level = 0; level < plan.levels; ++level) {
    timeline_.level_begin.push_back(step);
    for (; r < plan.regions.size() && plan.regions[r].level == level; ++r) timeline_.of_region[r] = step++;
    timeline_.level_end.push_back(step++);
  }
  DGEN_ASSERT(r == plan.regions.size());
  timeline_.end = step;

  readers_.resize(at(g.size()));
  reader_levels_.resize(at(g.size()));
  auto reads = [&](Id in, int by_step, int by_level) {
    readers_[at(in)].push_back(by_step);
    reader_levels_[at(in)].push_back(by_level);
  };
  for (Id id = 0; id < g.size(); ++id) {
    // A phase goes on after each tile.
    if (is_closed_form(g, id))
      for (Id in : stored_inputs(plan, id)) reads(in, timeline_.level_end[at(plan.level[at(id)])], plan.level[at(id)]);
    if (!plan.stored(id)) continue;
    int region = plan.region_of[at(id)], level = run_level(id);
    // Initial values are copied when the static sweep before the cell's own is done.
    if (g[id].op->name == "state_read") {
      for (Id init : g[id].in) reads(init, timeline_.level_end[static_cast<size_t>(plan.level[at(id)] - 1)], plan.level[at(id)] - 1);
      continue;
    }
    for (Id in : stored_inputs(plan, id)) reads(in, timeline_.of_region[static_cast<size_t>(region)], level);
  }
  whole_ = whole_run(false);
  whole_again_ = whole_run(true);
  find_kept();
}

void MemoryPlanner::find_kept() {
  const Graph& g = plan_.graph;
  lasts_.assign(at(g.size()), Kept::no);
  auto kept = [&](Id id) { return plan_.stored(id) ? plan_.regions[at(plan_.region_of[at(id)])].kept : Kept::no; };
  auto reads = [&](Id in, Kept by) {
    if (kept(in) != by) lasts_[at(in)] = kept(in);
  };
  std::vector<bool> seen(at(g.size()), false);
  for (Id id = 0; id < g.size(); ++id) {
    // Phases move on and cells begin in every run.
    const bool anew = is_closed_form(g, id) || (g[id].op->name == "state_read" && !g[id].in.empty());
    if (!plan_.stored(id) && !anew) continue;
    for (Id in : stored_inputs(plan_, id)) reads(in, anew ? Kept::no : kept(id));
    if (kept(id) == Kept::inputs) find_inputs(id, seen);
  }
  for (Id id : g.roots()) reads(id, Kept::no);
}

void MemoryPlanner::find_inputs(Id id, std::vector<bool>& seen) {
  std::vector<Id> todo{id};
  while (!todo.empty()) {
    id = todo.back();
    todo.pop_back();
    if (seen[at(id)]) continue;
    seen[at(id)] = true;
    const Node& node = plan_.graph[id];
    if (node.op->is(reads_inputs)) kept_inputs_.push_back(id);
    todo.insert(todo.end(), node.in.begin(), node.in.end());
    if (!node.attrs.has("cell")) continue;
    if (const Id write = plan_.graph.cells[at(node.attrs.i("cell"))].write; write != none) todo.push_back(write);
  }
}

bool MemoryPlanner::lasts(const MemoryPlan& m, Id id) const { return m.keeps(lasts_[at(id)]); }

int MemoryPlanner::run_level(Id id) const { return plan_.regions[static_cast<size_t>(plan_.region_of[at(id)])].level; }

// The step that makes a value: its region's, for a sum over time the end of its sweep.
int MemoryPlanner::made_at(Id id) const {
  return is_time_sum(plan_, id) ? timeline_.level_end[static_cast<size_t>(run_level(id))]
                                : timeline_.of_region[static_cast<size_t>(plan_.region_of[at(id)])];
}

// Kept for the whole run: results, what another sweep reads, and delay lines that a sweep adds to.
std::vector<bool> MemoryPlanner::whole_run(bool recompute) const {
  const Graph& g = plan_.graph;
  std::vector<bool> whole(at(g.size()), false);
  for (Id id : g.outputs) whole[at(id)] = true;
  for (Id id = 0; id < g.size(); ++id) {
    if (!is_stream(plan_, id)) continue;
    if (g[id].op->is(adds_in_place) || g[id].clock().is_static()) whole[at(id)] = true;
    int from = run_level(id);
    for (int level : reader_levels_[at(id)]) {
      bool again = recompute && from % 3 == 1 && level == from + 1;
      if (from != level && !again) whole[at(id)] = true;
    }
  }
  return whole;
}

double MemoryPlanner::bytes_a_frame(const std::vector<bool>& counted) const {
  double bytes = 0;
  for (Id id = 0; id < plan_.graph.size(); ++id) {
    const Node& node = plan_.graph[id];
    if (is_stream(plan_, id) && !node.clock().is_static() && counted[at(id)])
      bytes += 4.0 * static_cast<double>(node.shape().size()) / static_cast<double>(node.clock().period);
  }
  return bytes;
}

int64_t MemoryPlanner::whole_chunks(double frames) const {
  return std::max<int64_t>(1, static_cast<int64_t>(frames / static_cast<double>(plan_.chunk))) * plan_.chunk;
}

// Store what the reverse sweep needs, or, over budget, keep checkpoints at tile borders and compute each tile again.
void MemoryPlanner::choose_tiles(MemoryPlan& m, const MemoryLimits& limits) const {
  m.tile_frames = m.frames;
  if (plan_.chunk == 0 || limits.keep_all) return;
  double all = bytes_a_frame(std::vector<bool>(at(plan_.graph.size()), true)) + 1;
  std::vector<bool> whole = whole_;
  for (Id id = 0; id < plan_.graph.size(); ++id) whole[at(id)] = whole[at(id)] || lasts(m, id);
  double stored = bytes_a_frame(whole), kept = bytes_a_frame(whole_again_), budget = static_cast<double>(limits.budget);
  // Only one forward and one reverse sweep can be played again tile by tile.
  m.recompute = plan_.levels <= 4 && stored > kept && stored * static_cast<double>(m.frames) > budget;
  // Long tiles make checkpoints few and delay lines cheap to keep, and loops that are worth another thread.
  const int64_t shared = limits.threads > 1 ? (kLeastShared + plan_.chunk - 1) / plan_.chunk * plan_.chunk : 0;
  const int64_t cached = limits.threads * std::max(shared, whole_chunks(static_cast<double>(limits.tile_bytes) / all));
  m.tile_frames = m.recompute ? whole_chunks(budget / 4 / all) : cached;
  if (limits.tile_frames > 0) m.tile_frames = (limits.tile_frames + plan_.chunk - 1) / plan_.chunk * plan_.chunk;
  m.recompute = m.recompute && m.tiled();
}

// The steps that run again for each tile, together with a sweep.
MemoryPlanner::Span MemoryPlanner::loop_of(int level, const MemoryPlan& m) const {
  auto l = static_cast<size_t>(level);
  bool both = m.recompute && (level == 1 || level == 2);
  return {timeline_.level_begin[both ? 1 : l], timeline_.level_end[both ? std::min<size_t>(2, timeline_.level_end.size() - 1) : l]};
}

void MemoryPlanner::make_stream(MemoryPlan& m, Id id, bool whole) const {
  const Node& node = plan_.graph[id];
  const bool fixed = node.clock().is_static();
  Place p;
  p.id = id;
  p.size = node.shape().size();
  p.whole = whole || !m.tiled();
  p.pad = fixed ? 0 : plan_.history[at(id)];
  if (node.op->is(adds_in_place)) p.pad = std::max(p.pad, node.attrs.i("max") + 1);
  p.capacity = fixed ? 1 : ticks_before(node.clock().period, p.whole ? m.frames : m.tile_frames);
  p.bytes = plan_.exact[at(id)] ? 16 : (p.capacity + 2 * p.pad) * p.size * 4;  // exact: a float, then a double
  // Kernels count the elements of a stream in 32 bits.
  if (p.bytes / 4 > std::numeric_limits<int32_t>::max())
    throw Error(cat("[", node.op->name, "] a value of shape ", node.shape().str(), " at ", node.clock().str(), " over ", m.frames,
                    " frames is one piece of ", p.bytes >> 30, " GiB; run fewer frames at a time, or lower the memory budget"));
  m.stream[at(id)] = static_cast<int>(m.places.size());
  m.places.push_back(p);
}

void MemoryPlanner::make_sums(MemoryPlan& m, Id id) const {
  int64_t size = plan_.graph[id].shape().size();
  int64_t chunks = plan_.chunk == 0 ? 1 : (std::min(m.tile_frames, m.frames) + plan_.chunk - 1) / plan_.chunk;
  const bool onto = plan_.regions[static_cast<size_t>(plan_.region_of[at(id)])].onto.a != none;
  for (bool total : {false, true}) {
    if (onto && !total) continue;
    Place p;
    p.kind = total ? Place::total : Place::partial;
    p.id = id, p.size = size, p.capacity = total ? 1 : chunks;
    p.bytes = p.capacity * size * (total ? 8 : 4);
    (total ? m.total : m.partial)[at(id)] = static_cast<int>(m.places.size());
    m.places.push_back(p);
  }
}

void MemoryPlanner::set_life(Place& p, const MemoryPlan& m) const {
  const Graph& g = plan_.graph;
  const int level = run_level(p.id);
  const Span loop = loop_of(level, m);
  auto cover = [&p](Span s) { p.first = std::min(p.first, s.first), p.last = std::max(p.last, s.last); };
  if (p.kind == Place::partial) {
    p.first = p.last = timeline_.of_region[static_cast<size_t>(plan_.region_of[at(p.id)])];
    return;
  }
  if (p.kind == Place::total) {
    p.keep = Keep::sum;
    return cover({p.first = loop.first, p.last = loop.last});
  }
  p.first = p.last = made_at(p.id);
  for (int step : readers_[at(p.id)]) p.last = std::max(p.last, step);
  // What outlives a tile must not be overwritten in the next one.
  const bool reverse = g[p.id].clock().reverse, looped = m.tiled() && !is_static_level(level);
  if (p.pad > 0) {
    p.keep = Keep::carried;
    cover(reverse ? loop : Span{0, timeline_.end});
  } else if (looped && p.whole && (m.recompute || !is_time_sum(plan_, p.id))) {  // a sum is made after the loop, unless that runs again
    p.keep = Keep::stored;
    cover(loop);
  }
  if (m.tiled() && p.whole)
    for (int by : reader_levels_[at(p.id)])
      if (!is_static_level(by)) p.last = std::max(p.last, loop_of(by, m).last);
  auto root = [&](const std::vector<Id>& roots) { return std::find(roots.begin(), roots.end(), p.id) != roots.end(); };
  if (root(g.outputs) || root(g.effects)) p.keep = Keep::output, p.last = timeline_.end;
  if (lasts(m, p.id)) p.keep = Keep::kept, p.first = 0, p.last = timeline_.end;
}

// Largest first, each at the lowest address that is free for as long as it lives.
void MemoryPlanner::place_all(MemoryPlan& m) const {
  std::vector<size_t> order(m.places.size()), placed;
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return m.places[a].bytes > m.places[b].bytes; });
  for (size_t i : order) {  // placed is sorted by offset
    Place& p = m.places[i];
    p.offset = 0;
    for (size_t j : placed) {
      const Place& other = m.places[j];
      if (other.last < p.first || p.last < other.first) continue;
      if (p.offset + rounded(p.bytes) <= other.offset) break;
      p.offset = std::max(p.offset, other.offset + rounded(other.bytes));
    }
    m.bytes = std::max(m.bytes, p.offset + rounded(p.bytes));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i, [&](size_t a, size_t b) { return m.places[a].offset < m.places[b].offset; }), i);
  }
}

// Keeping as much as the limits allow.
MemoryPlan MemoryPlanner::plan(int64_t frames, const MemoryLimits& limits) const {
  const auto kinds = [this](Kept kept) { return std::find(lasts_.begin(), lasts_.end(), kept) != lasts_.end(); };
  for (Kept kept : {Kept::inputs, Kept::statics})
    if (kinds(kept))
      if (MemoryPlan m = lay_out(frames, limits, kept); fits(m, limits)) return m;
  return lay_out(frames, limits, Kept::no);
}

// What is kept from run to run must not be the reason for a program to compute a tile again, or to go over its budget.
bool MemoryPlanner::fits(const MemoryPlan& m, const MemoryLimits& limits) const {
  int64_t kept = m.input_bytes;
  for (const Place& p : m.places) kept += p.keep == Keep::kept ? p.bytes : 0;
  return kept <= limits.most_kept && (!m.keeps(Kept::inputs) || (!m.recompute && m.bytes + m.input_bytes <= limits.budget));
}

MemoryPlan MemoryPlanner::lay_out(int64_t frames, const MemoryLimits& limits, Kept kept) const {
  MemoryPlan m;
  m.frames = frames, m.kept = kept;
  if (m.keeps(Kept::inputs))
    for (Id id : kept_inputs_) {
      const Type& type = plan_.graph[id].type;
      m.input_bytes += 4 * type.shape.size() * ticks_before(type.clock.period, frames);
    }
  choose_tiles(m, limits);
  const std::vector<bool>& whole = m.recompute ? whole_again_ : whole_;
  const Graph& g = plan_.graph;
  m.stream.assign(at(g.size()), -1);
  m.partial = m.total = m.stream;
  for (Id id = 0; id < g.size(); ++id) {
    if (is_time_sum(plan_, id)) make_sums(m, id);
    if (is_stream(plan_, id)) make_stream(m, id, whole[at(id)] || lasts(m, id));
  }
  for (Place& p : m.places) {
    set_life(p, m);
    if (limits.keep_all) p.first = 0, p.last = timeline_.end;
  }
  m.tended.resize(static_cast<size_t>(plan_.levels));
  for (size_t i = 0; i < m.places.size(); ++i) {
    const Place& p = m.places[i];
    if (p.kind == Place::partial || (p.kind == Place::stream && p.pad == 0)) continue;
    int level = p.kind == Place::total ? run_level(p.id) : plan_.level[at(p.id)];
    m.tended[static_cast<size_t>(level)].push_back(static_cast<int>(i));
  }
  place_all(m);
  return m;
}

}  // namespace dgen::schedule
