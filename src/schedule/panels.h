// A matrix that every tick of a loop reads anew lies in panels of columns, put there once a run:
//   before:  %5 = matmul %4, hold(%w)                       (%w static (512,1536), in feedback)
//   after:   %3 = permute reshape(%w)                       (static (48,512,32), stored)
//            %5 = matmul_panels %4, hold(%3)
#pragma once
#include "ir/graph.h"

namespace dgen::schedule {

ir::Graph lay_out_panels(const ir::Graph& g);

}  // namespace dgen::schedule
