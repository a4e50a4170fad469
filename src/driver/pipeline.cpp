#include "driver/pipeline.h"

#include "analysis/clocks.h"
#include "autodiff/gradients.h"
#include "ir/verify.h"

namespace dgen::driver {

ir::Graph prepare(const ir::Graph& captured) {
  ir::verify(captured, ir::Clocks::implicit);
  ir::Graph aligned = analysis::align_clocks(captured);
  ir::verify(aligned, ir::Clocks::aligned);
  ir::Graph graph = autodiff::expand_gradients(aligned);
  ir::verify(graph, ir::Clocks::aligned);
  return graph;
}

}  // namespace dgen::driver
