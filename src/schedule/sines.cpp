#include "schedule/sines.h"

#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kMostVoices = 2048;  // a table of 2 MB

// A value that is the same at every tick, as a static one; none if it varies.
Id at_rest(Graph& o, Id x) {
  const Node node = o[x];
  if (node.clock().is_static()) return x;
  if (node.op->name == "hold") return o[node.in[0]].clock().is_static() ? node.in[0] : none;
  if (!node.op->is(view_only) || node.in.size() != 1) return none;
  const Id inner = at_rest(o, node.in[0]);
  return inner == none ? none : apply(o, node.op, {inner}, node.attrs, node.loc);
}

class Sines {
 public:
  explicit Sines(const Graph& g) : g_(g), readers_(static_cast<size_t>(g.size()), 0) {
    for (auto& node : g.nodes())
      for (Id in : node.in) ++readers_[at(in)];
    for (Id root : g.roots()) ++readers_[at(root)];
  }

  Graph run() {
    bool any = false;
    Graph out = rewrite(
        g_,
        [&](Graph& o, Id old, Node node) {
          const Bank bank = bank_of(o, old);
          if (bank.wave == none) return o.add(std::move(node));
          const Id now = sum_of(o, bank, node.shape());
          if (o.rewrites) o.rewrites->push_back({"sines", print_node(g_, old), print_node(o, now)});
          any = true;
          return now;
        },
        &now_);
    return any ? rebuild(out) : out;
  }

 private:
  static size_t at(Id id) { return static_cast<size_t>(id); }

  // Sines or cosines, in the old graph, and what they are multiplied by, in the new one; none: 1.
  struct Bank {
    Id wave = none, weight = none;
  };

  // Of one sine or of a sum of many; what is made of a smaller bank inside it is left to nobody.
  Bank bank_of(Graph& o, Id id) const {
    const Node& node = g_[id];
    if (node.shape().size() != 1) return {};
    return node.op->name == "sum" ? inner_terms(o, node.in[0]) : terms_of(o, id);
  }
  Bank inner_terms(Graph& o, Id id) const { return readers_[at(id)] > 1 ? Bank{} : terms_of(o, id); }

  Bank terms_of(Graph& o, Id id) const {
    const Node& node = g_[id];
    if (is_wave(id)) return {id};
    if (node.op->name != "mul") return {};
    for (size_t i : {0, 1}) {
      Bank bank = inner_terms(o, node.in[i]);
      if (bank.wave == none) continue;
      const Id factor = at_rest(o, now_[at(node.in[1 - i])]);
      if (factor == none) return {};
      bank.weight = bank.weight == none ? factor : apply(o, "mul", {bank.weight, factor});
      return bank;
    }
    return {};
  }

  bool is_wave(Id id) const {
    const Node& node = g_[id];
    if (node.op->name != "sin_turns" && node.op->name != "cos_turns") return false;
    return is_closed_form(g_, node.in[0]) && node.type == g_[node.in[0]].type && node.shape().size() <= kMostVoices;
  }

  Id sum_of(Graph& o, const Bank& bank, const Shape& shape) const {
    const Node& wave = g_[bank.wave];
    const Id phasor = now_[at(wave.in[0])], ramp = apply(o, "phase_ramp", {o[phasor].in[0]});
    const Id table = apply(o, "concat", {apply(o, "cos_turns", {ramp}), apply(o, "sin_turns", {ramp})}, {{"axis", int64_t{0}}});
    const Id weight = broadcast_to(o, bank.weight == none ? constant(o, 1) : bank.weight, wave.shape());
    const Id sum = apply(o, "sine_sum", {phasor, weight, table}, {{"cosine", int64_t{wave.op->name == "cos_turns"}}});
    return shape.rank() == 0 ? sum : apply(o, "reshape", {sum}, {{"shape", Ints(shape.sizes())}});
  }

  const Graph& g_;
  std::vector<int> readers_;
  std::vector<Id> now_;
};

bool holds_static(const Graph& g, Id x) { return g[x].op->name == "hold" && g[g[x].in[0]].clock().is_static(); }

}  // namespace

Graph sum_angles(const Graph& g) { return Sines(g).run(); }

bool is_angle_sum(const Graph& g, Id id) {
  const Node& node = g[id];
  return node.op->name == "sine_sum" && is_closed_form(g, node.in[0]) && holds_static(g, node.in[1]) && holds_static(g, node.in[2]);
}

}  // namespace dgen::schedule
