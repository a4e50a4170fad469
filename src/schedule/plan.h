// The plan: which values are stored, which are computed where they are read, and in which regions the rest is computed.
// A region is one loop over the ticks of one clock; its strategy says how, its reason why.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dgen::schedule {

enum class Store {
  inlined,  // computed wherever it is read
  local,    // stored for one tick inside its region
  stream,   // stored for the tile (or the run) in [tick][element]
};

enum class Strategy { pointwise, serial, gemm, sum_time };

struct Region {
  Strategy strategy = Strategy::pointwise;
  int level = 0;            // sweep in which it runs (analysis/levels.h)
  int depth = 0;            // order within the sweep
  ir::Clock clock;          // of the loop
  std::vector<ir::Id> nodes;  // stored values it computes, inputs first
  std::string reason;
};

struct Plan {
  ir::Graph graph;
  std::vector<int> level;       // by node
  std::vector<int> component;   // by node: feedback components
  std::vector<Store> store;     // by node
  std::vector<int> region_of;   // by node; -1 if inlined
  std::vector<int64_t> history; // by node: ticks read before the tile in clock order
  std::vector<Region> regions;  // in order of execution
  int levels = 0;
  int64_t chunk = 4096;         // stream frames of one partial sum; tiles are multiples of it

  const ir::Node& node(ir::Id id) const { return graph[id]; }
  bool stored(ir::Id id) const { return store[static_cast<size_t>(id)] != Store::inlined; }
};

// g has explicit clocks and no grad nodes. chunk_frames: about how many frames one partial sum over time adds up; 0: 4096.
Plan make_plan(ir::Graph g, int64_t chunk_frames = 0);

// The stored values that computing a node reads, through inlined ones.
std::vector<ir::Id> stored_inputs(const Plan& plan, ir::Id id);

// For a Gemm region: the static right-hand matrix behind hold and permute, and whether it is transposed; none if x is not
// such a thing.
struct StaticMatrix {
  ir::Id id = ir::none;
  bool transposed = false;
};
StaticMatrix static_matrix(const ir::Graph& g, ir::Id x);
// x without reshapes, which do not change the layout.
ir::Id without_reshape(const ir::Graph& g, ir::Id x);
// sum_time of a^T b over ticks: the two stored factors; none if the node is not such a sum.
struct TimeProduct {
  ir::Id a = ir::none, b = ir::none;  // a: [rows, m], b: [rows, n] a tick
  int64_t zero = 0;                   // of the matmul
};
TimeProduct time_product(const ir::Graph& g, ir::Id sum_time);

}  // namespace dgen::schedule
