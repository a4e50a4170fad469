// The oracle: evaluates a graph in float64 (or rounding every step to float32), one tick after the other, with no
// scheduling at all. Every backend is judged by it.
#pragma once
#include <functional>
#include <map>

#include "ir/eval.h"
#include "ir/graph.h"

namespace dgen::interp {

// What lasts between runs, by node or cell.
struct State {
  std::map<int64_t, std::vector<double>> cells;
  std::map<ir::Id, std::vector<double>> phases;
  std::map<ir::Id, std::vector<double>> history;  // the last ticks of values that others read back in time
  uint64_t position = 0;
};

struct Result {
  std::vector<std::vector<double>> outputs;  // [tick][element] of each output's own clock
  std::vector<std::vector<double>> effects;
  std::vector<std::vector<double>> nodes;    // every value, when asked for
};

struct Leaves {
  // The data of a param, tensor, literal or input node, at a stream tick counted from the run's first.
  std::function<const double*(const ir::Node& node, int64_t tick)> data;
};

// g has explicit clocks and no grad nodes. state null: a fresh run.
Result run(const ir::Graph& g, const ir::RunInfo& info, const Leaves& leaves, State* state, bool single = false, bool keep_nodes = false);

}  // namespace dgen::interp
