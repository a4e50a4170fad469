#include "loop/cpu_map.h"

#include <utility>

#include "loop/carry.h"
#include "loop/hoist.h"
#include "loop/share.h"
#include "loop/vectorise.h"

namespace dgen::loop {

CpuKernels map_to_cpu(ir::Kernel kernel, bool vectors, bool by_lanes) {
  CpuKernels made{hoist(std::move(kernel)), {}};
  if (vectors) made.whole = hoist(vectorise(std::move(made.whole)));
  if (by_lanes && made.whole.lanes > 0) made.by_lanes = cut_lanes(made.whole);
  if (!vectors) return made;
  made.whole = carry_rows(std::move(made.whole));
  if (made.by_lanes) made.by_lanes = carry_rows(std::move(*made.by_lanes));
  return made;
}

}  // namespace dgen::loop
