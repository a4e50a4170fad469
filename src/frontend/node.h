// What handles point to: immutable nodes, feedback cells and the groups that own them.
//
// Nodes point to cells weakly, so a loop of values is no loop of owners. A handle owns the groups its value depends on,
// a group owns its cells and what is written to them, and depends on the groups those values need. Groups form no loop:
// a write that would close one merges the groups on it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dgen/tensor.h"
#include "driver/driver.h"
#include "ir/op.h"

namespace dgen::detail {

struct Cell;
struct Group;
struct Prepared;
using GroupPtr = std::shared_ptr<Group>;

struct Node {
  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  ir::Op op = nullptr;
  std::vector<NodePtr> in;
  ir::Attrs attrs;  // without slots and cell numbers: those belong to a captured graph
  ir::Type type;
  ir::Loc loc;
  mutable std::string label;
  driver::StoragePtr storage;  // param, tensor, assign, grad
  std::weak_ptr<Cell> cell;    // state_read, state_write
  bool unseeded = false;       // noise that takes its number in the captured graph
  mutable std::shared_ptr<const Prepared> prepared;  // to realize it again; see run.cpp

  const Shape& shape() const { return type.shape; }
};

struct Cell {
  ir::Type type;
  std::weak_ptr<Group> group;
  NodePtr write;  // owned by the cell, which its group owns
};

struct Group {
  Group() = default;
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  std::vector<std::shared_ptr<Cell>> cells;
  std::vector<GroupPtr> needs;  // groups that the written values depend on
  GroupPtr merged_into;         // what this group became part of
  bool needed = false;          // some group depends on this one
};

// A new cell in a group of its own.
std::shared_ptr<Cell> new_cell(ir::Type type, GroupPtr* group);
// Stores what is written to a cell; value needs the given groups. A second write is an Error.
void set_write(const std::shared_ptr<Cell>& cell, NodePtr write, const Groups& groups);
Groups groups_of(GroupPtr group);
Groups unite(const Groups& a, const Groups& b);

// Nodes alive in the process, for tests of ownership.
int64_t live_nodes();
// How often existing nodes got another label or a cell its write: what was captured since still holds.
uint64_t graph_edits();
void count_graph_edit();

// Building
// -------------------------------------------------------------------------------------------------------------

using NewNode = std::shared_ptr<Node>;

// Any operator over inputs: type by the operator's rule, groups united. Errors get label and source line.
Value apply(std::string_view op, std::vector<Value> in, ir::Attrs attrs, Loc loc);
Value make_value(NewNode node, Groups groups);
// A leaf bound to storage: param where it may be assigned, else tensor.
Value leaf(driver::StoragePtr storage, bool assigned, Loc loc);
driver::StoragePtr make_storage(const Shape& shape, std::vector<float> data, bool learnable);

// The sum over all ticks of the run, static; and how many ticks those were.
Value sum_over_time(const Value& x, Loc loc);
Value tick_count(const Value& x, Loc loc);

// The call that the user made: nodes built inside a library function carry its line.
ir::Loc call_site(Loc loc);
std::string where(const ir::Loc& loc);
// Axes of at least one element; 2^36 elements, 256 GiB, are taken for a mistake before memory is asked for.
inline constexpr int64_t kMostValues = int64_t{1} << 36;  // of one handle or run; beyond it there is no memory
void check_shape(std::string_view op, const Shape& shape, Loc loc);
void check_handle(std::string_view op, const Value& x, Loc loc);
[[noreturn]] void fail_at(std::string_view op, const std::string& what, const Value* in, size_t n, Loc loc);

}  // namespace dgen::detail
