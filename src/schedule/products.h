// A weight that several products read has a gradient each, summed over time apart: a sum over time of one product is a product
// over all ticks, that of a sum of products would keep a matrix a tick.
//   before:  %9 = sum_time(%7 + %8)              (%7 and %8 are matmul of a transposed left factor)
//   after:   %9 = sum_time(%7) + sum_time(%8)
#pragma once
#include "ir/graph.h"

namespace dgen::schedule {

ir::Graph sum_products_apart(const ir::Graph& g);

}  // namespace dgen::schedule
