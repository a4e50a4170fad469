// grad{slot, shape}(loss): d loss / d param slot, a static value. The gradient pass replaces it by graph.
#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer(std::span<const Type> in, const Attrs& attrs) {
  if (in[0].shape.size() != 1 || !in[0].clock.is_static())
    fail("differentiates a static value of one element, got ", in[0].shape.str(), " at ", in[0].clock.str());
  return {Shape(attrs.ints("shape")), static_clock};
}

const OpDef rows[] = {{"grad", "derivative of a static loss with respect to a param", Family::effect, 1, 1, 0, infer}};

}  // namespace

std::span<const OpDef> grad_ops() { return rows; }

}  // namespace dgen::ops
