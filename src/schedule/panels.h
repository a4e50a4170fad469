// A matrix that every tick of a loop reads anew, or one that products over many ticks share, lies in panels of columns, put
// there once a run:
//   before:  %5 = matmul %4, hold(%w)                       (%w static (512,1536), in feedback)
//   after:   %3 = permute reshape(%w)                       (static (48,512,32), stored)
//            %5 = matmul_panels %4, hold(%3)
#pragma once
#include "ir/graph.h"

namespace dgen::schedule {

ir::Graph lay_out_panels(const ir::Graph& g);  // in loops
ir::Graph pack_weights(const ir::Graph& g);    // outside of them, but for transposed ones, which a product turns as fast as this would

}  // namespace dgen::schedule
