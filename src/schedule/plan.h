// The plan: which values are stored, which are computed where they are read, and in which regions the rest is computed.
// A region is one loop over the ticks of one clock; its strategy says how, its reason why.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "analysis/kept.h"
#include "analysis/late.h"
#include "analysis/recurrence.h"
#include "ir/graph.h"
#include "schedule/trades.h"

namespace dgen::schedule {

enum class Store {
  inlined,  // computed wherever it is read
  local,    // stored for one tick inside its region
  stream,   // stored for the tile (or the run) in [tick][element]
  param,    // an assignment's, stored in its param's memory (schedule/in_place.h)
};

enum class Strategy {
  pointwise,  // ticks in parallel
  serial,     // ticks one after the other
  scan,       // a linear recurrence, in segments of the stream
  ordered,    // a linear recurrence, tick by tick in float64
  shift,      // cells that only keep values for a tick: a copy
  blocks,     // ticks in order, a vector of them at once where feedback comes back late
  phase_sum,  // a phasor of varying frequency: sums of integers
  sines,      // of static frequencies, by angle sums
  gemm,
  sum_time,
};

// What follows a product over all ticks and is done with it: a bias a column, then a function of every element.
struct ProductEnding {
  ir::Id sum = ir::none;                    // of product and bias; none if nothing fits
  ir::Id last = ir::none;                   // what comes out
  ir::Id bias = ir::none;                   // static, [n]
  std::string function;                     // of the prelude, dg_ left out; "" if there is none
};

// A product a^T b whose sum over time is one product: the two factors; none if there is no such product.
struct TimeProduct {
  ir::Id a = ir::none, b = ir::none;  // a: [rows, m], b: [rows, n] a tick
  int64_t zero = 0;                   // of the matmul
};

struct Region {
  Strategy strategy = Strategy::pointwise;
  int level = 0;            // sweep in which it runs (analysis/levels.h)
  int depth = 0;            // order within the sweep
  ir::Clock clock;          // of the loop
  std::vector<ir::Id> nodes;  // stored values it computes, inputs first
  analysis::Kept kept = analysis::Kept::no;  // until then it need not run again, if the memory plan keeps its values that others read
  std::string reason;
  analysis::Recurrence recurrence;  // of a scan, one in order, or a shift
  analysis::LateFeedback late;      // of blocks
  ProductEnding ending;             // of a product
  TimeProduct onto;                 // of a sum over time whose chunks are added to the total as they are made, without partial sums

  bool is_recurrence() const { return strategy == Strategy::scan || strategy == Strategy::ordered; }
};

inline constexpr int64_t kBlock = 16;  // ticks: the widest vector

struct PlanOptions {
  int64_t chunk_frames = 0;  // about how many frames one partial sum over time adds up; 0: see schedule/chunk.h
  bool scans = false;        // linear recurrences may be computed in other orders than tick by tick
  bool blocks = false;       // so may feedback that comes back late
  bool trades = false;       // cells may trade memory
  bool in_place = false;     // assignments may write their params as they are computed
  bool onto = false;         // threads share the elements of products that are summed over time, not the chunks of the stream
  bool keep = false;         // what follows from inputs gets regions of its own, to be kept while they are the same
  int64_t largest_local = 1 << 14;  // elements of what lives for one tick of a loop; larger values are streams
};

struct Plan {
  ir::Graph graph;
  std::vector<int> level;       // by node
  std::vector<int> component;   // by node: feedback components
  std::vector<Store> store;     // by node
  std::vector<int> region_of;   // by node; -1 if inlined
  std::vector<bool> exact;      // by node: static numbers that are kept in double, too, since a scan's constants are made of them
  std::vector<int64_t> history; // by node: ticks read before the tile in clock order
  std::vector<Region> regions;  // in order of execution
  std::vector<Trade> trades;    // of cells that may trade memory
  int levels = 0;
  int64_t chunk = 0;            // most stream frames of one partial sum; tiles are multiples of it (schedule/chunk.h)

  const ir::Node& node(ir::Id id) const { return graph[id]; }
  bool stored(ir::Id id) const { return store[static_cast<size_t>(id)] != Store::inlined; }
  bool in_memory(ir::Id id) const { return stored(id) && store[static_cast<size_t>(id)] != Store::local; }
  // The recurrence that keeps more than its cells, whose first this write belongs to; else null.
  const Region* recurrence_of(ir::Id write) const {
    const int at = region_of[static_cast<size_t>(write)];
    const Region* region = at < 0 ? nullptr : &regions[static_cast<size_t>(at)];
    return region && region->is_recurrence() && region->recurrence.write[0] == write ? region : nullptr;
  }
};

// g has explicit clocks and no grad nodes.
Plan make_plan(ir::Graph g, const PlanOptions& options = {});

// The stored values that computing a node reads, through inlined ones.
std::vector<ir::Id> stored_inputs(const Plan& plan, ir::Id id);

// The static right-hand matrix of a product behind hold and permute, and whether it is transposed; none if x is not
// such a thing.
struct StaticMatrix {
  ir::Id id = ir::none;
  bool transposed = false;
};
StaticMatrix static_matrix(const ir::Graph& g, ir::Id x);
ir::Id static_panels(const ir::Graph& g, ir::Id product);  // of a matmul_panels
// Does x lie in memory as its input does? Reshapes, and views and holds that change nothing.
bool keeps_layout(const ir::Graph& g, ir::Id x);
// The stored value, or the input, that lies in memory as x would.
using IsStored = std::function<bool(ir::Id)>;
ir::Id array_behind(const ir::Graph& g, ir::Id x, const IsStored& stored);
ir::Id array_behind(const Plan& plan, ir::Id x);
// The static value that a recurrence's coefficient has at every tick; none if it varies.
ir::Id static_number(const ir::Graph& g, ir::Id x);
Strategy recurrence_strategy(const ir::Graph& g, const analysis::Recurrence& r);
// What a recurrence adds as static multiples of one stream: the multiple by cell, none where something else is added or the
// product is stored anyway. If it adds no multiples, an angle sum that it adds is the stream.
struct ScanGains {
  ir::Id input = ir::none;
  std::vector<ir::Id> gain;
};
ScanGains scan_gains(const ir::Graph& g, const analysis::Recurrence& r, const IsStored& stored);
// A sum of static multiples of a recurrence's cells before the tick and of its input, or of its cells after the tick: the factors,
// by cell, then of the input; none is 0. No factors if x is not such a sum.
struct ScanSum {
  std::vector<ir::Id> factors;
  bool after = false;
};
ScanSum scan_sum(const ir::Graph& g, const analysis::Recurrence& r, ir::Id x, const IsStored& stored);
// The readers of a value that nothing outside of the graph reads; else empty.
using UsersOf = std::function<ir::Ids(ir::Id)>;
ProductEnding product_ending(const ir::Graph& g, ir::Id product, const UsersOf& users);
TimeProduct time_product(const ir::Graph& g, ir::Id product);

}  // namespace dgen::schedule
