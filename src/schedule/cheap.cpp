#include "schedule/cheap.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kFarSmaller = 8;

class Counting {
 public:
  Counting(const Graph& g, Id id, int64_t most, const IsStored& stored)
      : g_(g), stored_(stored), size_(g[id].shape().size()), most_(most) {
    computed(id);
  }
  Work work;

 private:
  bool small(Id id) const { return g_[id].shape().size() * kFarSmaller <= size_; }

  void value(Id id) {
    const Node& node = g_[id];
    if (node.clock().is_static() || work.operations > most_) return;  // what is static is stored for its readers at a clock
    if (stored_(id) || node.op->family == Family::leaf) {
      if (!small(id) && std::ranges::find(work.arrays, id) == work.arrays.end()) work.arrays.push_back(id);
    } else if (keeps_layout(g_, id) || (node.in.size() == 1 && node.op->is(view_only) && small(node.in[0])) || held(id)) {
      value(node.in[0]);
    } else {
      computed(id);
    }
  }
  bool held(Id id) const {
    static const Op hold = op("hold");
    return g_[id].op == hold && g_[g_[id].in[0]].clock().is_static();
  }

  void computed(Id id) {
    const Node& node = g_[id];
    const bool plain = node.op->family == Family::scalar && node.op->c_text[0] == '(';
    work.operations += plain ? 1 : most_ + 1;
    for (Id in : node.in) value(in);
  }

  const Graph& g_;
  const IsStored& stored_;
  const int64_t size_, most_;
};

}  // namespace

Work work_of(const Graph& g, Id id, int64_t most, const IsStored& stored) { return Counting(g, id, most, stored).work; }

}  // namespace dgen::schedule
