#include "schedule/sines.h"

#include <algorithm>

#include "analysis/levels.h"
#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kMostVoices = 2048;  // a table of 2 MB

// Static, or a view of what is held from static.
bool rests(const Graph& g, Id x) {
  while (!g[x].clock().is_static()) {
    const Node& node = g[x];
    if (node.op->name == "hold") return g[node.in[0]].clock().is_static();
    if (!node.op->is(view_only) || node.in.size() != 1) return false;
    x = node.in[0];
  }
  return true;
}
// Such a value at the static clock.
Id at_rest(Graph& o, Id x) {
  std::vector<Id> views;
  for (; !o[x].clock().is_static(); x = o[x].in[0])
    if (o[x].op->name != "hold") views.push_back(x);
  for (auto view = views.rbegin(); view != views.rend(); ++view) x = apply(o, o[*view].op, {x}, o[*view].attrs, o[*view].loc);
  return x;
}

class Sines {
 public:
  explicit Sines(const Graph& g)
      : g_(g), level_(analysis::sweep_levels(g)), readers_(level_.size(), 0), terms_(level_.size(), none), part_(level_.size(), false) {
    for (auto& node : g.nodes())
      for (Id in : node.in) ++readers_[at(in)];
    for (Id root : g.roots()) ++readers_[at(root)];
    for (Id id = 0; id < g.size(); ++id) look_at(id);
  }

  Graph run() {
    bool any = false;
    Graph out = rewrite(
        g_,
        [&](Graph& o, Id old, Node&& node) {
          if (!is_bank(old)) return o.add(std::move(node));
          const Id now = sum_of(o, old);
          if (o.rewrites) o.rewrites->push_back({"sines", print_node(g_, old), print_node(o, now)});
          any = true;
          return now;
        },
        &now_);
    return any ? rebuild(out) : out;
  }

 private:
  static size_t at(Id id) { return static_cast<size_t>(id); }

  // Inputs come first, so each node only looks at what is known of its own.
  void look_at(Id id) {
    const Node& node = g_[id];
    if (is_wave(id)) terms_[at(id)] = id;
    auto take = [&](Id in) { terms_[at(id)] = in, part_[at(in)] = true; };
    const bool scales = node.op->name == "mul", sums = node.op->name == "sum" && node.shape().size() == 1;
    for (size_t i = 0; i < node.in.size() && (scales || sums); ++i) {
      const Id in = node.in[i];
      if (terms_[at(in)] == none || g_[in].op->name == "sum" || readers_[at(in)] > 1) continue;
      if (scales && (!rests(g_, node.in[1 - i]) || level_[at(node.in[1 - i])] > level_[at(in)])) continue;
      return take(in);
    }
  }

  bool is_wave(Id id) const {
    const Node& node = g_[id];
    if (node.op->name != "sin_turns" && node.op->name != "cos_turns") return false;
    const Id phasor = node.in[0];
    return is_closed_form(g_, phasor) && node.type == g_[phasor].type && node.shape().size() <= kMostVoices &&
           level_[at(id)] == level_[at(phasor)];
  }

  // A sine, a product with what rests, or a sum of such; not a part of a larger one.
  bool is_bank(Id id) const { return terms_[at(id)] != none && g_[id].shape().size() == 1 && !part_[at(id)]; }

  Id sum_of(Graph& o, Id id) const {
    Id weight = none, wave = id;
    for (; terms_[at(wave)] != wave; wave = terms_[at(wave)]) {
      const Node& node = g_[wave];
      if (node.op->name == "sum") continue;
      const Id factor = at_rest(o, now_[at(node.in[0] == terms_[at(wave)] ? node.in[1] : node.in[0])]);
      weight = weight == none ? factor : apply(o, "mul", {weight, factor});
    }
    if (weight == none) weight = constant(o, 1);
    const Node& sine = g_[wave];
    const Id phasor = now_[at(sine.in[0])], table = apply(o, "sine_table", {o[phasor].in[0]});
    const Attrs attrs{{"cosine", int64_t{sine.op->name == "cos_turns"}}};
    const Id sum = apply(o, "sine_sum", {phasor, broadcast_to(o, weight, sine.shape()), table}, attrs);
    const Shape& shape = g_[id].shape();
    return shape.rank() == 0 ? sum : apply(o, "reshape", {sum}, {{"shape", Ints(shape.sizes())}});
  }

  const Graph& g_;
  std::vector<int> level_, readers_;
  std::vector<Id> terms_, now_;  // terms: the input that is a sine, or a product with one; of a sine itself; none of others
  std::vector<bool> part_;       // of a larger product or sum
};

bool holds_static(const Graph& g, Id x) { return g[x].op->name == "hold" && g[g[x].in[0]].clock().is_static(); }

}  // namespace

Graph sum_angles(const Graph& g) { return Sines(g).run(); }

bool is_angle_sum(const Graph& g, Id id) {
  const Node& node = g[id];
  if (node.op->name != "sine_sum" || !is_closed_form(g, node.in[0]) || !holds_static(g, node.in[1]) || !holds_static(g, node.in[2]))
    return false;
  const Node& table = g[g[node.in[2]].in[0]];
  return table.op->name == "sine_table" && table.in[0] == g[node.in[0]].in[0];
}

}  // namespace dgen::schedule
