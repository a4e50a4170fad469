#include "schedule/order.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace dgen::schedule {

// At frame rate scalar work is vectorised over frames and long rows over elements, so they keep apart from each other and from
// what is in between. Static weights in panels are regions of their own, which need not run again where a knob turns.
int width_apart(const Unit& unit) {
  if (unit.strategy != Strategy::pointwise) return 0;
  if (unit.clock.is_static()) return unit.kept != analysis::Kept::no && unit.width == Unit::long_rows;
  return unit.clock.period == 1 ? unit.width : 0;
}

namespace {

bool fuses(const Unit& from, const Unit& to, bool same_tick) {
  if (from.strategy != to.strategy || from.clock != to.clock || from.kept != to.kept) return false;
  if (to.strategy == Strategy::serial) return true;
  if (to.strategy != Strategy::pointwise) return false;
  return (to.clock.is_static() || same_tick) && width_apart(from) == width_apart(to);
}

// A group of fused units that could as well run later joins what reads it, so that what it makes is not stored, or not for long.
class Joining {
 public:
  Joining(std::vector<Unit>& units, const std::vector<Edge>& edges) : units_(units), edges_(edges), parent_(units.size()) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }

  void run() {
    for (const Edge& e : edges_)
      if (fuses(e) && units_[e.from].depth == units_[e.to].depth) parent_[group(e.from)] = group(e.to);
    members_.resize(units_.size());
    readers_.resize(units_.size());
    for (size_t u = 0; u < units_.size(); ++u) members_[group(u)].push_back(u);
    begins_.assign(units_.size(), true);
    for (const Edge& e : edges_)
      if (group(e.from) != group(e.to)) readers_[group(e.from)].push_back(&e), begins_[group(e.to)] = false;
    std::vector<size_t> order(units_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [this](size_t a, size_t b) { return units_[a].depth > units_[b].depth; });
    for (size_t head : order)
      if (!readers_[head].empty() && units_[head].strategy == Strategy::pointwise && !units_[head].clock.is_static()) join(head);
  }

 private:
  bool fuses(const Edge& e) const { return schedule::fuses(units_[e.from], units_[e.to], e.same_tick); }
  size_t group(size_t unit) {
    for (; parent_[unit] != unit; unit = parent_[unit]) parent_[unit] = parent_[parent_[unit]];
    return unit;
  }

  void join(size_t head) {
    int latest = std::numeric_limits<int>::max();
    for (const Edge* e : readers_[head]) latest = std::min(latest, units_[e->to].depth - (fuses(*e) ? 0 : 1));
    auto here = [&](const Edge* e) { return fuses(*e) && units_[e->to].depth == latest; };
    // One that begins a reverse sweep waits, too: the forward values that it reads lie in memory for the whole sweep anyway.
    const bool waits = begins_[head] && units_[head].clock.reverse;
    if (!waits && std::none_of(readers_[head].begin(), readers_[head].end(), here)) return;
    for (size_t unit : members_[head]) units_[unit].depth = latest;
  }

  std::vector<Unit>& units_;
  const std::vector<Edge>& edges_;
  std::vector<size_t> parent_;
  std::vector<std::vector<size_t>> members_;       // by group
  std::vector<bool> begins_;                       // by group: reads nothing that others make in its sweep
  std::vector<std::vector<const Edge*>> readers_;  // by group: of other groups
};

}  // namespace

void order_units(std::vector<Unit>& units, const std::vector<Edge>& edges) {
  std::vector<std::vector<const Edge*>> inputs(units.size());
  for (const Edge& e : edges) inputs[e.to].push_back(&e);
  for (size_t u = 0; u < units.size(); ++u)
    for (const Edge* e : inputs[u])
      units[u].depth = std::max(units[u].depth, units[e->from].depth + (fuses(units[e->from], units[u], e->same_tick) ? 0 : 1));
  Joining(units, edges).run();
  // Sums that can share a loop wait for the last of them.
  std::map<std::tuple<int, int64_t, analysis::Kept>, int> last;
  auto latest = [&last](const Unit& unit) -> int& { return last[{unit.level, unit.clock.period, unit.kept}]; };
  for (const Unit& unit : units)
    if (unit.joins_sums) latest(unit) = std::max(latest(unit), unit.depth);
  for (Unit& unit : units)
    if (unit.joins_sums) unit.depth = latest(unit);
}

}  // namespace dgen::schedule
