// Feedback: strongly connected components of the graph with an edge from each cell's write to its read.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

// By node: a component number. Nodes in no feedback have one of their own; a cell's read and write always share one.
std::vector<int> feedback_components(const ir::Graph& g);
// By component: is it feedback?
std::vector<bool> are_feedback(const std::vector<int>& component_of_node);

}  // namespace dgen::analysis
