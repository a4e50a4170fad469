#include "autodiff/gradients.h"

#include <map>

#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"
#include "ir/vjp.h"

namespace dgen::autodiff {

using namespace ir;

namespace {

// Nodes that the loss is computed from, through feedback too: reading a cell leads to its write.
std::vector<bool> reaches(const Graph& g, Id loss) {
  std::vector<bool> seen(static_cast<size_t>(g.size()), false);
  std::vector<Id> todo{loss};
  while (!todo.empty()) {
    Id id = todo.back();
    todo.pop_back();
    if (seen[static_cast<size_t>(id)]) continue;
    seen[static_cast<size_t>(id)] = true;
    const Node& node = g[id];
    todo.insert(todo.end(), node.in.begin(), node.in.end());
    if (node.attrs.has("cell") && g.cells[static_cast<size_t>(node.attrs.i("cell"))].write != none)
      todo.push_back(g.cells[static_cast<size_t>(node.attrs.i("cell"))].write);
  }
  return seen;
}

// Nodes whose value depends on a param: a least fixpoint, since a cell carries it from its write to its read.
std::vector<bool> depends_on_params(const Graph& g) {
  static const Op param = op("param");
  std::vector<bool> depends(static_cast<size_t>(g.size()), false);
  for (bool changed = true; changed;) {
    changed = false;
    for (Id id = 0; id < g.size(); ++id) {
      if (depends[static_cast<size_t>(id)]) continue;
      const Node& node = g[id];
      bool on = node.op == param;
      for (Id in : node.in) on = on || depends[static_cast<size_t>(in)];
      if (node.attrs.has("cell")) {
        Id write = g.cells[static_cast<size_t>(node.attrs.i("cell"))].write;
        on = on || (write != none && depends[static_cast<size_t>(write)]);
      }
      if (on) depends[static_cast<size_t>(id)] = true, changed = true;
    }
  }
  return depends;
}

// The walk from one loss back to the params.
class Walk {
 public:
  Walk(Graph& g, Id loss) : g_(g), loss_(loss), count_(g.size()), adjoint_(static_cast<size_t>(count_), none) {
    std::vector<bool> up = reaches(g, loss), down = depends_on_params(g);
    active_.resize(static_cast<size_t>(count_));
    for (size_t i = 0; i < active_.size(); ++i) active_[i] = up[i] && down[i];
  }

  void run() {
    adjoint_[static_cast<size_t>(loss_)] = broadcast_to(g_, constant(g_, 1), g_[loss_].shape());
    for (Id id = count_ - 1; id >= 0; --id) {
      const Node& node = g_[id];
      Id d = adjoint_[static_cast<size_t>(id)];
      if (!active_[static_cast<size_t>(id)] || (d == none && !node.op->is(reverse_root))) continue;
      if (touches_reverse(node)) throw Error(cat("[", node.op->name, "] a gradient of a gradient through time is not supported"));
      if (node.op->vjp) visit(id, d);
    }
  }

  Id adjoint(Id id) const { return adjoint_[static_cast<size_t>(id)]; }

 private:
  bool touches_reverse(const Node& node) const {
    bool reverse = node.clock().reverse;
    for (Id in : node.in) reverse = reverse || g_[in].clock().reverse;
    return reverse;
  }

  void visit(Id id, Id d) {
    VjpCtx ctx{g_, id, d, {}, {}, {}, {}};
    auto input = [this, id](int i) { return g_[id].in[static_cast<size_t>(i)]; };
    ctx.wanted = [&](int i) { return static_cast<bool>(active_[static_cast<size_t>(input(i))]); };
    ctx.add = [&](int i, Id adjoint) {
      if (ctx.wanted(i)) accumulate(input(i), adjoint);
    };
    ctx.new_cell = [&](Type type) {
      g_.cells.push_back({std::move(type), none, {}});
      return static_cast<int64_t>(g_.cells.size()) - 1;
    };
    ctx.reverse_cell = [&](int64_t cell) {
      auto found = reverse_cell_.find(cell);
      if (found != reverse_cell_.end()) return found->second;
      Type type = g_.cells[static_cast<size_t>(cell)].type;
      type.clock.reverse = true;
      return reverse_cell_[cell] = ctx.new_cell(type);
    };
    Id before = g_.size();
    g_[id].op->vjp(ctx);
    if (g_.rewrites) note(id, before);
  }

  // The nodes that one transpose added.
  void note(Id id, Id before) {
    std::string added;
    for (Id n = before; n < g_.size(); ++n) added += (added.empty() ? "" : "\n") + print_node(g_, n);
    g_.rewrites->push_back({"transpose", print_node(g_, id), added});
  }

  // An adjoint lives at the reverse of the value's clock; of a static value it is the sum over time.
  Id to_clock(Id adjoint, Clock clock) {
    Clock now = g_[adjoint].clock();
    if (clock.is_static()) return now.is_static() ? adjoint : g_.add(op("sum_time"), {adjoint});
    if (now.is_static() || (now.period == clock.period && !now.reverse))
      return g_.add(op("hold"), {adjoint}, {{"period", clock.period}, {"reverse", int64_t{1}}});
    DGEN_ASSERT(now.period == clock.period);
    return adjoint;
  }

  void accumulate(Id target, Id adjoint) {
    DGEN_ASSERT(g_[adjoint].shape() == g_[target].shape());
    Id& sum = adjoint_[static_cast<size_t>(target)];
    adjoint = to_clock(adjoint, g_[target].clock());
    sum = sum == none ? adjoint : apply(g_, "add", {sum, adjoint});
  }

  Graph& g_;
  Id loss_;
  Id count_;  // nodes of the forward graph; those that the walk adds come after
  std::vector<Id> adjoint_;
  std::vector<bool> active_;
  std::map<int64_t, int64_t> reverse_cell_;
};

using Losses = std::map<Id, std::vector<Id>>;  // by loss: its grad nodes

// Losses that are made without gradients: those of gradients come after, in a graph where the inner ones are expanded.
Losses innermost(const Graph& g) {
  static const Op grad = op("grad");
  Losses all, inner;
  for (Id id = 0; id < g.size(); ++id)
    if (g[id].op == grad) all[g[id].in[0]].push_back(id);
  for (auto& [loss, grads] : all) {
    std::vector<bool> made_from = reaches(g, loss);
    bool plain = true;
    for (Id id = 0; id < g.size(); ++id) plain = plain && !(made_from[static_cast<size_t>(id)] && g[id].op == grad);
    if (plain) inner[loss] = grads;
  }
  return inner;
}

// The adjoint of a slot's param node, zeros if the loss does not depend on it.
Id slot_adjoint(const Walk& walk, const Graph& g, Graph& out, Id grad) {
  static const Op param = op("param");
  for (Id id = 0; id < g.size(); ++id)
    if (g[id].op == param && g[id].attrs.i("slot") == g[grad].attrs.i("slot") && walk.adjoint(id) != none) return walk.adjoint(id);
  return broadcast_to(out, constant(out, 0), g[grad].shape());
}

}  // namespace

Graph expand_gradients(const Graph& g) {
  Losses losses = innermost(g);
  if (losses.empty()) return g;
  Graph out = g;
  std::unordered_map<Id, Id> instead;
  for (auto& [loss, grads] : losses) {
    Walk walk(out, loss);
    walk.run();
    for (Id id : grads) {
      instead[id] = slot_adjoint(walk, g, out, id);
      if (out.rewrites) out.rewrites->push_back({"gradient", print_node(g, id), print_node(out, instead[id])});
    }
  }
  return expand_gradients(rebuild(out, instead));
}

}  // namespace dgen::autodiff
