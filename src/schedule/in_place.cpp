#include "schedule/in_place.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

class InPlace {
 public:
  explicit InPlace(Plan& plan) : p_(plan), g_(plan.graph) {}

  void run() {
    for (Id effect : g_.effects) ++assigned_[slot(effect)];
    if (assigned_.empty()) return;
    for (Id id = 0; id < g_.size(); ++id) {
      read_.insert(g_[id].in.begin(), g_[id].in.end());
      if (p_.stored(id) && g_[id].op->name == "param" && assigned_.count(slot(id))) reads_[slot(id)].push_back({id, true});  // its copy
      if (!p_.stored(id) && !is_closed_form(g_, id)) continue;
      seen_.clear();
      walk(id, id, true);
    }
    for (Id effect : g_.effects)
      if (fits(effect)) p_.store[static_cast<size_t>(effect)] = Store::param;
  }

 private:
  int64_t slot(Id id) const { return g_[id].attrs.i("slot"); }
  int region(Id id) const { return p_.region_of[static_cast<size_t>(id)]; }

  // What computing `by` reads of assigned params, through inlined values.
  void walk(Id by, Id id, bool own_element) {
    static const Op param = op("param");
    own_element = own_element && g_[id].op->elementwise();
    for (Id in : g_[id].in) {
      if (!seen_.insert({in, own_element}).second) continue;
      if (g_[in].op == param && assigned_.count(slot(in))) reads_[slot(in)].push_back({by, own_element});
      if (!p_.stored(in)) walk(by, in, own_element);
    }
  }

  bool fits(Id effect) const {
    const Region& of = p_.regions[static_cast<size_t>(region(effect))];
    if (!of.clock.is_static() || of.strategy != Strategy::pointwise || assigned_.at(slot(effect)) > 1) return false;
    if (std::ranges::count(g_.outputs, effect) > 0 || read_.count(effect) > 0) return false;
    const auto found = reads_.find(slot(effect));
    return found == reads_.end() || std::ranges::all_of(found->second, [&](const Read& read) { return done(read, effect); });
  }

  struct Read {
    Id by;
    bool own_element;  // none but the one at the place of what is computed
  };

  // Is nothing that the assignment has written read?
  bool done(const Read& read, Id effect) const {
    if (!p_.stored(read.by)) return p_.level[static_cast<size_t>(read.by)] < p_.regions[static_cast<size_t>(region(effect))].level;
    if (region(read.by) != region(effect)) return region(read.by) < region(effect);
    const std::vector<Id>& nodes = p_.regions[static_cast<size_t>(region(effect))].nodes;
    return read.own_element && std::ranges::find(nodes, read.by) <= std::ranges::find(nodes, effect);
  }

  Plan& p_;
  const Graph& g_;
  std::map<int64_t, int> assigned_;           // by slot: how often
  std::map<int64_t, std::vector<Read>> reads_;  // by slot
  std::set<std::pair<Id, bool>> seen_;
  std::set<Id> read_;  // by any node
};

}  // namespace

void assign_in_place(Plan& plan) { InPlace(plan).run(); }

}  // namespace dgen::schedule
