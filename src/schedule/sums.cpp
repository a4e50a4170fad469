#include "schedule/sums.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

size_t at(Id id) { return static_cast<size_t>(id); }

// Of what is stored, rests or is such arithmetic itself: nothing behind it is wide or takes long.
bool is_arithmetic(const Graph& g, Id id, const IsStored& stored, const std::vector<bool>& arithmetic) {
  static const Op hold = op("hold");
  const Node& node = g[id];
  if (node.shape().size() > 1 || node.op->family != Family::scalar || node.op->is(function)) return false;
  return std::all_of(node.in.begin(), node.in.end(), [&](Id in) {
    if (g[in].op == hold) in = g[in].in[0];
    const bool known = stored(in) || g[in].op->family == Family::leaf || g[in].clock().is_static() || arithmetic[at(in)];
    return known && g[in].shape().size() == 1;
  });
}

}  // namespace

std::vector<bool> only_summed(const Graph& g, const std::vector<int>& level, const IsStored& stored, const IsStored& in_feedback) {
  static const Op sum_time = op("sum_time");
  const std::vector<Ids> users = ir::users(g);
  std::vector<bool> only(at(g.size()), false);
  for (Id id = 0; id < g.size(); ++id) only[at(id)] = !in_feedback(id) && is_arithmetic(g, id, stored, only);
  for (Id root : g.roots()) only[at(root)] = false;
  for (Id id = g.size() - 1; id >= 0; --id) {
    auto sums = [&](Id user) {
      return g[user].op == sum_time || (only[at(user)] && g[user].clock() == g[id].clock() && level[at(user)] == level[at(id)]);
    };
    only[at(id)] = only[at(id)] && std::all_of(users[at(id)].begin(), users[at(id)].end(), sums);
  }
  return only;
}

}  // namespace dgen::schedule
