// A failing patch made smaller: nodes are replaced by one of their inputs, or by a constant, while it still fails.
#pragma once
#include "fuzz/check.h"
#include "ir/print.h"

namespace dgen::fuzz {

class Shrinker {
 public:
  // fails: is this patch still wrong in the same way?
  Shrinker(Patch patch, std::function<bool(Patch&)> fails) : p_(std::move(patch)), fails_(std::move(fails)) {}

  Patch run(int64_t attempts = 400) {
    attempts_ = attempts;
    for (bool smaller = true; smaller;) {
      smaller = false;
      for (size_t o = p_.g().outputs.size(); o-- > 0 && p_.g().outputs.size() > 1;) smaller |= drop_output(o);
      for (Id id = p_.g().size() - 1; id >= 0; --id)
        if (id < p_.g().size()) smaller |= replace(id);
    }
    return p_;
  }

 private:
  bool attempt(Graph g) {
    if (g.size() >= p_.g().size() && g.outputs.size() >= p_.g().outputs.size()) return false;
    if (attempts_-- <= 0) return false;
    Patch next = p_;
    next.g() = std::move(g);
    if (!fails_(next)) return false;
    p_ = std::move(next);
    return true;
  }

  bool drop_output(size_t o) {
    std::vector<Id> fewer = p_.g().outputs;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(o));
    return attempt(rebuild(with_outputs(p_, fewer).g()));
  }

  bool replace(Id id) {
    const Node node = p_.g()[id];
    if (node.clock().reverse || node.op->name == "grad" || node.op->name == "state_write" || node.in.empty()) return false;
    for (Id in : node.in)
      if (p_.g()[in].type == node.type && attempt(rebuild(p_.g(), {{id, in}}))) return true;
    Graph g = p_.g();
    Id plain = align(g, broadcast_to(g, constant(g, 0.3), node.shape()), node.clock());
    return plain != id && attempt(rebuild(g, {{id, plain}}));
  }

  Patch p_;
  std::function<bool(Patch&)> fails_;
  int64_t attempts_ = 0;
};

}  // namespace dgen::fuzz
