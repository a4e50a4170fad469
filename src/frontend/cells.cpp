// Feedback cells and the groups that own them.
#include <algorithm>
#include <unordered_set>

#include "frontend/node.h"

namespace dgen::detail {
namespace {

// The group that g is part of now.
GroupPtr current(GroupPtr g) {
  while (g->merged_into) g = g->merged_into;
  return g;
}

// Groups on a way from start to goal, start and goal included; empty if there is none.
std::vector<GroupPtr> groups_between(const GroupPtr& start, const GroupPtr& goal) {
  std::vector<GroupPtr> path_members{goal};
  std::unordered_set<const Group*> reaching{goal.get()}, seen;
  // Depth first; a group is judged when all it needs has been judged. Groups form no loop, so that is enough.
  std::vector<std::pair<GroupPtr, size_t>> stack{{start, 0}};
  while (!stack.empty()) {
    GroupPtr g = stack.back().first;
    if (size_t i = stack.back().second++; i < g->needs.size()) {
      GroupPtr next = current(g->needs[i]);
      if (next != goal && seen.insert(next.get()).second) stack.push_back({next, 0});
      continue;
    }
    stack.pop_back();
    bool reaches = std::any_of(g->needs.begin(), g->needs.end(),
                               [&](const GroupPtr& n) { return reaching.count(current(n).get()) != 0; });
    if (reaches && reaching.insert(g.get()).second) path_members.push_back(g);
  }
  return reaching.count(start.get()) ? path_members : std::vector<GroupPtr>{};
}

void add_need(Group& g, const GroupPtr& need) {
  if (std::find(g.needs.begin(), g.needs.end(), need) != g.needs.end()) return;
  need->needed = true;
  g.needs.push_back(need);
}

// Makes all of part a part of whole.
void merge(const GroupPtr& whole, const GroupPtr& part) {
  for (auto& cell : part->cells) {
    cell->group = whole;
    whole->cells.push_back(std::move(cell));
  }
  part->cells.clear();
  std::vector<GroupPtr> needs = std::move(part->needs);
  part->needs.clear();
  part->merged_into = whole;
  whole->needed = whole->needed || part->needed;
  for (auto& need : needs) add_need(*whole, need);
}

// After a merge: no group needs itself.
void drop_self(const GroupPtr& g) {
  std::vector<GroupPtr> kept;
  for (auto& need : g->needs) {
    GroupPtr now = current(need);
    if (now != g && std::find(kept.begin(), kept.end(), now) == kept.end()) kept.push_back(std::move(now));
  }
  g->needs = std::move(kept);
}

}  // namespace

// Long chains of groups are released without recursion.
Group::~Group() {
  std::vector<GroupPtr> todo = std::move(needs);
  if (merged_into) todo.push_back(std::move(merged_into));
  while (!todo.empty()) {
    GroupPtr g = std::move(todo.back());
    todo.pop_back();
    if (g.use_count() != 1) continue;
    std::move(g->needs.begin(), g->needs.end(), std::back_inserter(todo));
    g->needs.clear();
    if (g->merged_into) todo.push_back(std::move(g->merged_into));
  }
}

std::shared_ptr<Cell> new_cell(ir::Type type, GroupPtr* group) {
  auto cell = std::make_shared<Cell>();
  cell->type = std::move(type);
  *group = std::make_shared<Group>();
  (*group)->cells.push_back(cell);
  cell->group = *group;
  return cell;
}

void set_write(const std::shared_ptr<Cell>& cell, NodePtr write, const Groups& groups) {
  GroupPtr own = current(cell->group.lock());
  cell->write = std::move(write);
  count_graph_edit();
  if (!groups) return;
  bool merged = false;
  for (const GroupPtr& named : *groups) {
    GroupPtr need = current(named);
    if (need == own) continue;
    std::vector<GroupPtr> loop = own->needed ? groups_between(need, own) : std::vector<GroupPtr>{};
    if (loop.empty()) add_need(*own, need);
    for (const GroupPtr& part : loop)
      if (part != own) merge(own, part), merged = true;
  }
  if (merged) drop_self(own);
}

Groups groups_of(GroupPtr group) { return std::make_shared<const std::vector<GroupPtr>>(1, current(std::move(group))); }

Groups unite(const Groups& a, const Groups& b) {
  if (!b || a == b) return a;
  if (!a) return b;
  // Groups named apart may have been merged since.
  auto resolved = [](std::initializer_list<Groups> of) {
    std::vector<GroupPtr> all;
    for (const Groups& part : of)
      for (const GroupPtr& g : *part) all.push_back(current(g));
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  std::vector<GroupPtr> all = resolved({a, b});
  if (all == resolved({a})) return a;
  if (all == resolved({b})) return b;
  return std::make_shared<const std::vector<GroupPtr>>(std::move(all));
}

}  // namespace dgen::detail
