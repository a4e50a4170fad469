#include "analysis/kept.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

namespace {

size_t at(Id id) { return static_cast<size_t>(id); }

unsigned of_node(const Graph& g, const Node& node) {
  const Op op = node.op;
  unsigned own = (op->is(reads_params) ? follows_params : 0u) | (op->is(reads_step) ? follows_step : 0u) |
                 (op->is(reads_inputs) ? follows_inputs : 0u) | (op->is(reads_run) ? follows_run : 0u);
  const bool over_time = std::any_of(node.in.begin(), node.in.end(), [&](Id in) { return !g[in].clock().is_static(); });
  if (node.clock().is_static() && over_time) own |= follows_run;
  if (op->is(in_order) || node.attrs.has("cell")) own |= follows_state;
  return own;
}

// A program that learns runs on the same inputs again.
bool learns(const Graph& g) {
  return !g.effects.empty() || std::any_of(g.nodes().begin(), g.nodes().end(), [](const Node& node) { return node.clock().reverse; });
}

// Walks back from what changes in every run to values that do not.
class Cut {
 public:
  explicit Cut(const Graph& g) : g_(g), kept_(kept_until(g)), costly_(at(g.size()), false), needed_(costly_), worth_(costly_) {
    least_.assign(at(g.size()), 0);
    for (Id id = 0; id < g.size(); ++id) {
      costly_[at(id)] = lasts(id) && (works(id) || !costly_inputs(id).empty());
      least_[at(id)] = works(id) ? size(id) : std::min(size(id), behind(id));
    }
  }

  std::vector<bool> run() {
    const std::vector<unsigned> from = follows(g_);
    for (Id id = 0; id < g_.size(); ++id)
      if (from[at(id)] & (follows_params | follows_step))
        for (Id in : g_[id].in) need(in);
    for (Id id = g_.size() - 1; id >= 0; --id)
      if (needed_[at(id)]) choose(id);
    return std::move(worth_);
  }

 private:
  bool lasts(Id id) const { return kept_[at(id)] == Kept::inputs && !g_[id].clock().is_static(); }
  bool works(Id id) const {
    const Family family = g_[id].op->family;
    if (is_closed_form(g_, id)) return false;
    return g_[id].op->is(materialise) || family == Family::reduce || family == Family::linear || family == Family::spectral ||
           family == Family::state;
  }
  bool moves(Id id) const {
    const Node& node = g_[id];
    return node.in.size() == 1 && !works(id) && (node.op->is(view_only) || node.op->family == Family::time) && size(node.in[0]) <= size(id);
  }
  // Elements a frame.
  double size(Id id) const {
    const Node& node = g_[id];
    return node.clock().is_static() ? 0 : static_cast<double>(node.shape().size()) / static_cast<double>(node.clock().period);
  }

  // What only moves elements, without leaving any out, is done where they are read.
  Id source(Id id) const {
    while (moves(id)) id = g_[id].in[0];
    return id;
  }
  void need(Id id) {
    id = source(id);
    needed_[at(id)] = needed_[at(id)] || costly_[at(id)];
  }
  std::vector<Id> costly_inputs(Id id) const {
    std::vector<Id> found;
    for (Id in : g_[id].in)
      if (Id from = source(in); costly_[at(from)] && std::find(found.begin(), found.end(), from) == found.end()) found.push_back(from);
    return found;
  }

  // Elements that must be kept for it to be computed from them.
  double behind(Id id) const {
    double all = 0;
    for (Id in : costly_inputs(id)) all += least_[at(in)];
    return all;
  }

  void choose(Id id) {
    const bool kept = works(id) || (size(id) <= behind(id) && !follows_needed(id));
    if (kept && !g_[id].clock().reverse) return void(worth_[at(id)] = true);
    for (Id in : costly_inputs(id)) need(in);
  }
  // Is it pointwise work over one value that must be there anyway?
  bool follows_needed(Id id) const {
    while (!works(id)) {
      const std::vector<Id> inputs = costly_inputs(id);
      if (inputs.size() != 1) return false;
      id = inputs[0];
      if (needed_[at(id)]) return true;
    }
    return false;
  }

  const Graph& g_;
  std::vector<Kept> kept_;
  std::vector<bool> costly_, needed_, worth_;
  std::vector<double> least_;
};

}  // namespace

// A cell's read follows what is written, which follows the read: the least solution.
std::vector<unsigned> follows(const Graph& g) {
  std::vector<unsigned> from(at(g.size()), 0);
  for (bool changed = true; changed;) {
    changed = false;
    for (Id id = 0; id < g.size(); ++id) {
      const Node& node = g[id];
      unsigned all = of_node(g, node);
      for (Id in : node.in) all |= from[at(in)];
      if (node.attrs.has("cell"))
        if (const Id write = g.cells[at(node.attrs.i("cell"))].write; write != none) all |= from[at(write)];
      changed = changed || all != from[at(id)];
      from[at(id)] = all;
    }
  }
  return from;
}

std::vector<Kept> kept_until(const Graph& g) {
  const std::vector<unsigned> from = follows(g);
  const bool again = learns(g);
  std::vector<Kept> kept(at(g.size()), Kept::no);
  for (Id id = 0; id < g.size(); ++id) {
    const bool varies = (from[at(id)] & (follows_params | follows_step)) != 0;
    const bool fixed = g[id].clock().is_static(), by_run = (from[at(id)] & (follows_inputs | follows_run | follows_state)) != 0;
    const bool a_number = fixed && from[at(id)] == follows_run;  // such as one over the frames: not worth a region
    if (fixed && !by_run && !(varies && !g.effects.empty())) kept[at(id)] = Kept::statics;
    else if (again && !varies && !a_number && !g[id].op->is(adds_in_place)) kept[at(id)] = Kept::inputs;
  }
  return kept;
}

std::vector<bool> worth_keeping(const Graph& g) {
  return learns(g) ? Cut(g).run() : std::vector<bool>(at(g.size()), false);
}

}  // namespace dgen::analysis
