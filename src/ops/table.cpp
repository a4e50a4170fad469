// All operators, from every family.
#include "ops/families.h"

namespace dgen::ir {

const std::vector<Op>& all_ops() {
  static const std::vector<Op> table = [] {
    std::vector<Op> all;
    for (auto part : {ops::scalar_ops(), ops::leaf_ops(), ops::view_ops(), ops::reduce_ops(), ops::linear_ops(), ops::index_ops(),
                      ops::spectral_ops(), ops::window_ops(), ops::clock_ops(), ops::state_ops(), ops::delay_ops(), ops::phasor_ops(),
                      ops::effect_ops(), ops::grad_ops()})
      for (const OpDef& def : part) all.push_back(&def);
    return all;
  }();
  return table;
}

}  // namespace dgen::ir
