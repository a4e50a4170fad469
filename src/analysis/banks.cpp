#include "analysis/banks.h"

#include <algorithm>
#include <map>

#include "analysis/feedback.h"
#include "analysis/recurrence.h"
#include "ir/expr.h"
#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

namespace {

class Banks {
 public:
  explicit Banks(const Graph& g) : g_(g), apart_(n(), false), whole_(n(), false), lanes_(n()) {
    if (std::none_of(g.cells.begin(), g.cells.end(), [](const Cell& cell) { return is_narrow(cell.type.shape.size()); })) return;
    find();
    if (!any_) return;
    follow();
    lead();
    for (Id id : g.outputs) whole_[at(id)] = true;
    for (Id id : g.effects) whole_[at(id)] = true;
    for (Id id = g.size() - 1; id >= 0; --id)
      for (Id in : g[id].in)
        if (!apart_[at(id)] || (whole_[at(id)] && !bank_[at(id)])) whole_[at(in)] = true;
  }
  bool any() const { return any_; }

  Graph split() {
    std::vector<Id> to;
    Graph out = rewrite(
        g_,
        [&](Graph& o, Id id, Node&& node) {
          if (!apart_[at(id)]) return o.add(std::move(node));
          for (int64_t i = 0; i < node.shape().size(); ++i) lanes_[at(id)].push_back(take_apart(o, id, i, to));
          if (bank_[at(id)]) return whole_[at(id)] ? put_together(o, id) : lanes_[at(id)][0];
          return whole_[at(id)] ? o.add(std::move(node)) : lanes_[at(id)][0];
        },
        &to);
    for (auto& [cell, cells] : cells_)
      for (size_t i = 0; i < cells.size(); ++i) out.cells[static_cast<size_t>(cells[i])].write = lanes_[at(g_.cells[cell].write)][i];
    return rebuild(out);
  }

 private:
  size_t n() const { return static_cast<size_t>(g_.size()); }
  static size_t at(Id id) { return static_cast<size_t>(id); }
  const Node& node(Id id) const { return g_[id]; }

  static bool is_narrow(int64_t lanes) { return lanes > 1 && lanes <= kWidestNarrowBank; }
  // Narrow banks whose cells nothing else looks at.
  void find() {
    std::map<int64_t, int> seen;
    for (const Node& node : g_.nodes())
      if (node.attrs.has("cell")) ++seen[node.attrs.i("cell")];
    for (const auto& component : components_with_cells(g_)) {
      const int64_t lanes = recurrence_lanes(g_, component);
      bool narrow = is_narrow(lanes);
      for (Id id : component) narrow = narrow && (!node(id).attrs.has("cell") || seen[node(id).attrs.i("cell")] == 2);
      for (Id id : component) apart_[at(id)] = narrow;
      any_ = any_ || narrow;
    }
  }

  // What is linear in a bank's values: a scan may make it.
  void follow() {
    const std::vector<int> component = feedback_components(g_);
    const std::vector<bool> feedback = are_feedback(component);
    for (Id id = 0; id < g_.size(); ++id) in_feedback_.push_back(feedback[static_cast<size_t>(component[at(id)])]);
    for (Id id = 0; id < g_.size(); ++id) {
      const Node& now = node(id);
      if (in_feedback_[at(id)] || now.op->family != Family::scalar || (now.op->linear | now.op->factors) == 0) continue;
      for (Id in : now.in) apart_[at(id)] = apart_[at(id)] || (apart_[at(in)] && node(in).type == now.type);
    }
    bank_ = apart_;
  }

  // What else is computed lane by lane: pointwise values that are read by lanes alone, and numbers, whose digits would be lost
  // in an array.
  void lead() {
    const std::vector<Ids> readers = users(g_);
    std::vector<bool> root(n(), false);
    for (Id id : g_.roots()) root[at(id)] = true;
    for (Id id = g_.size() - 1; id >= 0; --id) {
      const auto& all = readers[at(id)];
      auto apart = [this](Id reader) { return apart_[at(reader)]; };
      if (apart_[at(id)] || in_feedback_[at(id)] || node(id).shape().size() == 1) continue;
      const bool alone = std::all_of(all.begin(), all.end(), apart) && !root[at(id)];
      const bool pointwise = node(id).op->family == Family::scalar && (alone || node(id).clock().is_static());
      apart_[at(id)] = (pointwise || moves(id)) && std::any_of(all.begin(), all.end(), apart);
    }
  }
  // Lane by lane, too: a value of a slower clock, of another shape, or the same number in every lane.
  bool moves(Id id) const {
    static const Op hold = op("hold"), reshape = op("reshape"), expand = op("expand");
    const Op of = node(id).op;
    return of == hold || of == reshape || (of == expand && node(node(id).in[0]).shape().size() == 1);
  }

  Id number(Graph& out, Id now) const { return out[now].shape().rank() == 0 ? now : out.add(op("reshape"), {now}, {{"shape", Ints()}}); }

  Id take_apart(Graph& out, Id id, int64_t i, const std::vector<Id>& to) {
    static const Op reshape = op("reshape"), expand = op("expand");
    Node lane = node(id);
    for (Id& in : lane.in) in = lane_of(out, in, i, to);
    if (lane.op == reshape || lane.op == expand) return lane.in[0];
    lane.type.shape = {};
    if (lane.attrs.has("cell")) {
      lane.attrs.set("cell", cell_of(out, lane.attrs.i("cell"), i));
      lane.attrs.set("shape", Ints());
    }
    return out.add(std::move(lane));
  }
  Id lane_of(Graph& out, Id id, int64_t i, const std::vector<Id>& to) const {
    if (apart_[at(id)]) return lanes_[at(id)][static_cast<size_t>(i)];
    const Id now = to[at(id)];
    const int64_t size = out[now].shape().size();
    if (size == 1) return number(out, now);
    const Id row = out[now].shape().rank() == 1 ? now : out.add(op("reshape"), {now}, {{"shape", Ints{size}}});
    return number(out, out.add(op("slice"), {row}, {{"starts", Ints{i}}, {"ends", Ints{i + 1}}}));
  }
  int64_t cell_of(Graph& out, int64_t cell, int64_t i) {
    std::vector<int64_t>& cells = cells_[static_cast<size_t>(cell)];
    if (static_cast<size_t>(i) == cells.size()) {
      cells.push_back(i == 0 ? cell : static_cast<int64_t>(out.cells.size()));
      Cell lane = out.cells[static_cast<size_t>(cell)];
      lane.type.shape = {}, lane.write = none;
      if (i == 0) out.cells[static_cast<size_t>(cell)] = std::move(lane);
      else out.cells.push_back(std::move(lane));
    }
    return cells[static_cast<size_t>(i)];
  }
  Id put_together(Graph& out, Id id) const {
    Ids rows;
    for (Id lane : lanes_[at(id)]) rows.push_back(out.add(op("reshape"), {lane}, {{"shape", Ints{1}}}));
    const Id row = out.add(op("concat"), rows, {{"axis", int64_t{0}}});
    return node(id).shape().rank() == 1 ? row : out.add(op("reshape"), {row}, {{"shape", Ints(node(id).shape().sizes())}});
  }

  const Graph& g_;
  bool any_ = false;
  std::vector<bool> apart_, whole_, bank_, in_feedback_;  // by node: computed lane by lane, read whole, only lane by lane
  std::vector<std::vector<Id>> lanes_;                    // by node, in the copy
  std::map<size_t, std::vector<int64_t>> cells_;          // by cell, of its lanes
};

}  // namespace

Graph split_banks(const Graph& g) {
  Banks banks(g);
  return banks.any() ? banks.split() : g;
}

}  // namespace dgen::analysis
