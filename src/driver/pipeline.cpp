#include "driver/pipeline.h"

#include "analysis/clocks.h"
#include "autodiff/gradients.h"

namespace dgen::driver {

ir::Graph prepare(const ir::Graph& captured) { return autodiff::expand_gradients(analysis::align_clocks(captured)); }

}  // namespace dgen::driver
