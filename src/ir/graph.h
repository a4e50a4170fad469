// Graph: what a program computes. Nodes are immutable, numbered in dependency order, and feedback goes through cells:
//   %4 = state_read {cell=0} : ()@frame        the value one tick ago, a leaf
//   %6 = state_write %5 {cell=0} : ()@frame    a root: it happens even if nobody reads it
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/blocks.h"
#include "base/function_ref.h"
#include "base/small_vector.h"
#include "dgen/shape.h"
#include "ir/attrs.h"
#include "ir/clock.h"

namespace dgen::ir {

struct OpDef;
using Op = const OpDef*;
using Id = int32_t;
using Ids = SmallVector<Id, 4>;
inline constexpr Id none = -1;

struct Type {
  Shape shape;
  Clock clock;
  bool operator==(const Type&) const = default;
};

// Where the user called; file is a literal from __builtin_FILE().
struct Loc {
  const char* file = nullptr;
  int line = 0;
};

struct Node {
  Op op = nullptr;
  Ids in;
  Attrs attrs;
  Type type;
  Loc loc;
  std::string label;

  const Shape& shape() const { return type.shape; }
  Clock clock() const { return type.clock; }
};

// A feedback cell: read by state_read, written once by state_write. key is set by named(), else empty.
struct Cell {
  Type type;
  Id write = none;  // the state_write node
  std::string key;
};

// A rule that a pass applied: nodes as text, before and after it.
struct Rewrite {
  std::string rule, before, after;
};

// Nodes come before their users; roots are computed even when nothing reads them, outputs are roots whose values leave.
class Graph {
 public:
  const Node& operator[](Id id) const { return nodes_[static_cast<size_t>(id)]; }
  Id size() const { return static_cast<Id>(nodes_.size()); }
  const Blocks<Node>& nodes() const { return nodes_; }

  // Adds a node, or returns an equal one that exists (operators with identity, such as noise, are never merged).
  Id add(Node&& node);
  // Type by the operator's own rule; throws dgen::Error naming the operator and the shapes.
  Id add(Op op, Ids in, Attrs attrs = {}, Loc loc = {});

  std::vector<Cell> cells;
  std::vector<Id> outputs;
  std::vector<Id> effects;  // assign nodes; state writes are found through cells
  std::vector<Rewrite>* rewrites = nullptr;  // where passes note what they do, or nowhere; copies and results go on noting there

  // All nodes that must be computed: outputs, effects and the writes of cells that are read.
  std::vector<Id> roots() const;

 private:
  // Ids by hash: open addressing, a power of two of slots, at most half of them used.
  struct Slot {
    size_t hash;
    Id id;
  };
  size_t first_slot(size_t hash) const { return hash & (index_.size() - 1); }
  void grow_index();

  Blocks<Node> nodes_;  // references to nodes survive additions
  std::vector<Slot> index_;
  size_t indexed_ = 0;
};

size_t hash_node(const Node& node);
// Users of each node, by node.
std::vector<Ids> users(const Graph& g);
// What outputs and effects need, in a new order where inputs come first again; a node in `instead` is replaced by what it
// maps to, wherever that stands.
Graph rebuild(const Graph& g, const std::unordered_map<Id, Id>& instead = {});

// Copies a graph node by node through rewrite(old node with new inputs), which returns the new id (a pass's main loop).
// Cells, outputs and effects are carried over; map, if given, holds what is done so far while the pass runs.
Graph rewrite(const Graph& g, function_ref<Id(Graph& out, Id old, Node&& node)> rewrite_node,
              std::vector<Id>* map = nullptr);

}  // namespace dgen::ir
