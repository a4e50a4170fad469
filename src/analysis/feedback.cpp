#include "analysis/feedback.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::analysis {

using namespace ir;

namespace {

// Tarjan's algorithm without recursion; edges lead from a node to what it needs.
class Tarjan {
 public:
  explicit Tarjan(const Graph& g) : g_(g), index_(n(), -1), low_(n(), 0), component_(n(), -1), on_stack_(n(), false) {}

  std::vector<int> run() {
    for (Id id = 0; id < g_.size(); ++id)
      if (index_[at(id)] < 0) visit(id);
    return component_;
  }

 private:
  struct Frame {
    Id id;
    size_t next;
  };
  size_t n() const { return static_cast<size_t>(g_.size()); }
  static size_t at(Id id) { return static_cast<size_t>(id); }

  // The i-th node that id needs; a state read needs its cell's write.
  Id need(Id id, size_t i) const {
    const Node& node = g_[id];
    if (i < node.in.size()) return node.in[i];
    if (i > node.in.size() || node.clock().is_static() || !node.attrs.has("cell")) return none;
    Id write = g_.cells[static_cast<size_t>(node.attrs.i("cell"))].write;
    return write == id ? none : write;
  }

  void enter(Id id) {
    index_[at(id)] = low_[at(id)] = counter_++;
    stack_.push_back(id);
    on_stack_[at(id)] = true;
    calls_.push_back({id, 0});
  }

  void visit(Id root) {
    enter(root);
    while (!calls_.empty()) {
      Frame& frame = calls_.back();
      Id id = frame.id, to = need(id, frame.next);
      if (to != none) {
        ++frame.next;
        if (index_[at(to)] < 0) enter(to);
        else if (on_stack_[at(to)]) low_[at(id)] = std::min(low_[at(id)], index_[at(to)]);
        continue;
      }
      calls_.pop_back();
      if (!calls_.empty()) low_[at(calls_.back().id)] = std::min(low_[at(calls_.back().id)], low_[at(id)]);
      if (low_[at(id)] == index_[at(id)]) pop_component(id);
    }
  }

  void pop_component(Id root) {
    for (Id id = none; id != root;) {
      id = stack_.back();
      stack_.pop_back();
      on_stack_[at(id)] = false;
      component_[at(id)] = components_;
    }
    ++components_;
  }

  const Graph& g_;
  std::vector<int> index_, low_, component_;
  std::vector<bool> on_stack_;
  std::vector<Id> stack_;
  std::vector<Frame> calls_;
  int counter_ = 0, components_ = 0;
};

}  // namespace

std::vector<int> feedback_components(const Graph& g) {
  std::vector<int> component = Tarjan(g).run();
  // A read without a loop still belongs with its write: both touch the cell.
  for (Id id = 0; id < g.size(); ++id) {
    const Node& node = g[id];
    if (node.clock().is_static() || !node.attrs.has("cell")) continue;
    Id write = g.cells[static_cast<size_t>(node.attrs.i("cell"))].write;
    if (write != none) component[static_cast<size_t>(id)] = component[static_cast<size_t>(write)];
  }
  return component;
}

std::vector<bool> are_feedback(const std::vector<int>& component_of_node) {
  std::vector<int> size(component_of_node.size(), 0);
  std::vector<bool> feedback(size.size());
  for (int c : component_of_node) feedback[static_cast<size_t>(c)] = ++size[static_cast<size_t>(c)] > 1;
  return feedback;
}

}  // namespace dgen::analysis
