#include "analysis/banks.h"

#include <algorithm>
#include <map>

#include "analysis/feedback.h"
#include "analysis/recurrence.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::analysis {

using namespace ir;

namespace {

constexpr int kMostLed = 256;  // nodes ahead of banks that follow them: all of these are computed once a lane

class Banks {
 public:
  explicit Banks(const Graph& g) : g_(g), apart_(n(), false), whole_(n(), false), lanes_(n()) {
    if (std::none_of(g.cells.begin(), g.cells.end(), [](const Cell& c) { return is_narrow(c.type.shape.size(), kWidestConstant); })) return;
    if (!find()) return;
    follow();
    lead();
  }
  bool any() const { return !bank_.empty(); }

  Graph split() {
    std::vector<Id> to;
    Graph out = rewrite(
        g_,
        [&](Graph& o, Id id, Node&& node) {
          if (!apart_[at(id)]) return o.add(std::move(node));
          for (int64_t i = 0; i < g_[id].shape().size(); ++i) lanes_[at(id)].push_back(take_apart(o, id, i, to));
          if (!whole_[at(id)]) return lanes_[at(id)][0];  // nobody reads it
          return bank_[at(id)] ? put_together(o, id) : o.add(std::move(node));
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

  static bool is_narrow(int64_t lanes, int64_t widest) { return lanes > 1 && lanes <= widest; }
  static bool is_narrow(const LinearLanes& l) {
    if (l.copies) return false;
    if (l.varying) return is_narrow(l.lanes, kWidestVarying) && l.order <= kHighestVarying;
    return is_narrow(l.lanes, l.order > 2 && !l.own ? kWidestOrdered : kWidestConstant);
  }
  // Narrow banks whose cells nothing else looks at.
  bool find() {
    std::map<int64_t, int> seen;
    bool any = false;
    for (const Node& node : g_.nodes())
      if (node.attrs.has("cell")) ++seen[node.attrs.i("cell")];
    for (const auto& component : components_with_cells(g_)) {
      bool narrow = is_narrow(linear_lanes(g_, component));
      for (Id id : component) narrow = narrow && (!node(id).attrs.has("cell") || seen[node(id).attrs.i("cell")] == 2);
      for (Id id : component) apart_[at(id)] = narrow;
      any = any || narrow;
    }
    return any;
  }

  // What is linear in a bank's values, which a scan may make, and its sums over time.
  void follow() {
    static const Op sum_time = op("sum_time");
    const std::vector<int> component = feedback_components(g_);
    const std::vector<bool> feedback = are_feedback(component);
    for (Id id = 0; id < g_.size(); ++id) in_feedback_.push_back(feedback[static_cast<size_t>(component[at(id)])]);
    for (Id id = 0; id < g_.size(); ++id) {
      const Node& now = node(id);
      if (in_feedback_[at(id)]) continue;
      if (now.op == sum_time) apart_[at(id)] = apart_[at(now.in[0])];
      if (now.op->family != Family::scalar || (now.op->linear | now.op->factors) == 0) continue;
      for (Id in : now.in) apart_[at(id)] = apart_[at(id)] || (apart_[at(in)] && node(in).type == now.type);
    }
    bank_ = apart_;
  }

  // What else is computed lane by lane: pointwise values that lanes alone read, and static numbers, which lose digits in an array.
  void lead() {
    const std::vector<Ids> readers = users(g_);
    for (Id id : g_.outputs) whole_[at(id)] = true;
    for (Id id : g_.effects) whole_[at(id)] = true;
    int led = 0;
    for (Id id = g_.size() - 1; id >= 0; --id) {
      bool by_lanes = false;
      for (Id reader : readers[at(id)]) {
        by_lanes = by_lanes || apart_[at(reader)];
        whole_[at(id)] = whole_[at(id)] || !apart_[at(reader)] || (whole_[at(reader)] && !bank_[at(reader)]);
      }
      if (apart_[at(id)] || !by_lanes || in_feedback_[at(id)] || is_number(id) || led == kMostLed) continue;
      apart_[at(id)] = (node(id).op->family == Family::scalar || moves(id)) && (node(id).clock().is_static() || !whole_[at(id)]);
      led += apart_[at(id)] ? 1 : 0;
    }
  }
  // Lane by lane, too: a value of a slower clock, of another shape, the same number in every lane, or one number a lane.
  bool moves(Id id) const {
    static const Op hold = op("hold"), reshape = op("reshape");
    return node(id).op == hold || node(id).op == reshape || is_spread(id) || is_stack(id);
  }
  bool is_number(Id id) const { return node(id).shape().size() == 1; }
  bool is_spread(Id id) const {
    static const Op expand = op("expand");
    return node(id).op == expand && is_number(node(id).in[0]);
  }
  bool is_stack(Id id) const {
    static const Op concat = op("concat");
    const Ids& in = node(id).in;
    return node(id).op == concat && std::all_of(in.begin(), in.end(), [this](Id i) { return is_number(i); });
  }

  Id number(Graph& out, Id now, Loc loc) const {
    return out[now].shape().rank() == 0 ? now : out.add(op("reshape"), {now}, {{"shape", Ints()}}, loc);
  }

  Id take_apart(Graph& out, Id id, int64_t i, const std::vector<Id>& to) {
    static const Op reshape = op("reshape");
    if (is_stack(id)) return lane_of(out, node(id).in[static_cast<size_t>(i)], 0, to);
    Node lane = node(id);
    for (Id& in : lane.in) in = lane_of(out, in, i, to);
    if (lane.op == reshape || is_spread(id)) return lane.in[0];
    lane.type.shape = {};
    if (!lane.label.empty()) lane.label += cat("[", i, "]");
    if (lane.attrs.has("cell")) {
      lane.attrs.set("cell", cell_of(out, lane.attrs.i("cell"), i));
      lane.attrs.set("shape", Ints());
    }
    const Id made = out.add(std::move(lane));
    if (out.rewrites) out.rewrites->push_back({"bank", print_node(g_, id), print_node(out, made)});
    return made;
  }
  Id lane_of(Graph& out, Id id, int64_t i, const std::vector<Id>& to) const {
    if (apart_[at(id)]) return lanes_[at(id)][static_cast<size_t>(i)];
    const Id now = to[at(id)];
    const int64_t size = out[now].shape().size();
    const Loc loc = node(id).loc;
    if (size == 1) return number(out, now, loc);
    const Id row = out[now].shape().rank() == 1 ? now : out.add(op("reshape"), {now}, {{"shape", Ints{size}}}, loc);
    return number(out, out.add(op("slice"), {row}, {{"starts", Ints{i}}, {"ends", Ints{i + 1}}}, loc), loc);
  }
  int64_t cell_of(Graph& out, int64_t cell, int64_t i) {
    std::vector<int64_t>& cells = cells_[static_cast<size_t>(cell)];
    if (static_cast<size_t>(i) == cells.size()) {
      cells.push_back(i == 0 ? cell : static_cast<int64_t>(out.cells.size()));
      Cell lane = g_.cells[static_cast<size_t>(cell)];
      lane.type.shape = {}, lane.write = none;
      if (!lane.key.empty()) lane.key += cat("[", i, "]");
      if (i == 0) out.cells[static_cast<size_t>(cell)] = std::move(lane);
      else out.cells.push_back(std::move(lane));
    }
    return cells[static_cast<size_t>(i)];
  }
  Id put_together(Graph& out, Id id) const {
    const Loc loc = node(id).loc;
    Ids rows;
    for (Id lane : lanes_[at(id)]) rows.push_back(out.add(op("reshape"), {lane}, {{"shape", Ints{1}}}, loc));
    const Id row = out.add(op("concat"), rows, {{"axis", int64_t{0}}}, loc);
    return node(id).shape().rank() == 1 ? row : out.add(op("reshape"), {row}, {{"shape", Ints(node(id).shape().sizes())}}, loc);
  }

  const Graph& g_;
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
