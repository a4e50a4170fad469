#include "schedule/recompute.h"

#include <algorithm>

#include "analysis/feedback.h"
#include "analysis/kept.h"
#include "ir/helper.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kMostStored = 256;  // elements a tick

class Recompute {
 public:
  explicit Recompute(const Graph& g)
      : g_(g),
        again_(static_cast<size_t>(g.size()), none),
        kept_(analysis::worth_keeping(g)),
        component_(analysis::feedback_components(g)),
        feedback_(analysis::are_feedback(component_)) {}

  Graph run() {
    Graph out = rewrite(
        g_,
        [this](Graph& o, Id id, Node&& node) {
          if (node.clock().reverse)
            for (size_t i = 0; i < node.in.size(); ++i)
              if (forward(g_[id].in[i])) node.in[i] = again(o, g_[id].in[i]);
          return o.add(std::move(node));
        },
        &to_);
    return rebuild(out);
  }

 private:
  static bool forward(const Node& node) { return !node.clock().is_static() && !node.clock().reverse; }
  bool forward(Id id) const { return forward(g_[id]); }

  bool pointwise(Id id) const {
    const Node& node = g_[id];
    if (kept_[static_cast<size_t>(id)] || loop_function(id) || of_phase(id)) return false;
    return node.op->family == Family::scalar || (node.op->is(view_only) && !node.in.empty());
  }

  // A loop in order waits for its functions, so that to store what they give costs it less than to compute them again; but for many
  // elements a tick, where it waits for nothing and a sweep's worth of them is much memory.
  bool loop_function(Id id) const {
    const bool in_loop = feedback_[static_cast<size_t>(component_[static_cast<size_t>(id)])];
    return in_loop && g_[id].op->is(function) && g_[id].shape().size() < kMostStored;
  }

  // Straight from a phasor's integers it has other digits than from what is stored of them: an amax would not know it again.
  bool of_phase(Id id) const {
    if (!may_fuse(g_[id].op->name)) return false;
    Id x = g_[id].in[0];
    while (g_[x].op->is(view_only) && !g_[x].in.empty()) x = g_[x].in[0];
    return g_[x].op->is(keeps_phase);
  }

  bool done(Id id) const { return again_[static_cast<size_t>(id)] != none; }

  // A forward value as one of the reverse sweep, after what it is computed from. Chains are too long for recursion.
  Id again(Graph& o, Id wanted) {
    std::vector<Id> todo{wanted};
    while (!todo.empty()) {
      Id id = todo.back();
      const size_t before = todo.size();
      const Ids& in = g_[id].in;
      if (!done(id) && pointwise(id))
        std::copy_if(in.rbegin(), in.rend(), std::back_inserter(todo), [this](Id i) { return forward(i) && !done(i); });
      if (todo.size() > before) continue;
      todo.pop_back();
      if (!done(id)) again_[static_cast<size_t>(id)] = compute(o, id);
    }
    return again_[static_cast<size_t>(wanted)];
  }

  Id compute(Graph& o, Id id) {
    if (!pointwise(id) || std::none_of(g_[id].in.begin(), g_[id].in.end(), [this](Id in) { return forward(in); })) return relabel(o, id);
    Node copy = g_[id];
    for (Id& in : copy.in) in = (forward(in) ? again_ : to_)[static_cast<size_t>(in)];
    copy.type.clock.reverse = true;
    Id computed = o.add(std::move(copy));
    if (o.rewrites) o.rewrites->push_back({"recompute", print_node(g_, id), print_node(o, computed)});
    return computed;
  }

  // hold with the reverse flag: the same value, read in the reverse sweep. A hold is read through.
  Id relabel(Graph& o, Id id) {
    static const Op hold = op("hold");
    const Node& node = g_[id];
    Id from = node.op == hold ? node.in[0] : id;
    return o.add(hold, {to_[static_cast<size_t>(from)]}, {{"period", node.clock().period}, {"reverse", int64_t{1}}});
  }

  const Graph& g_;
  std::vector<Id> to_;
  std::vector<Id> again_;
  std::vector<bool> kept_;
  std::vector<int> component_;
  std::vector<bool> feedback_;  // by component
};

}  // namespace

Graph recompute_pointwise(const Graph& g) { return Recompute(g).run(); }

}  // namespace dgen::schedule
