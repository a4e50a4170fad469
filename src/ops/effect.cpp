// Effects: roots that change something outside the graph.
#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer(std::span<const Type> in, const Attrs&) {
  if (!in[0].clock.is_static()) fail("needs a static value, got one at ", in[0].clock.str());
  return in[0];
}

void eval(EvalCtx& c) { std::copy_n(c.in(0), c.shape().size(), c.out); }
int elem(ElemCtx& c) { return c.in(0); }

const OpDef rows[] = {
    {.name = "assign",
     .doc = "the value of param `slot` after the run",
     .family = Family::effect,
     .traits = materialise,
     .infer = infer,
     .eval = eval,
     .elem = elem},
};

}  // namespace

std::span<const OpDef> effect_ops() { return rows; }

}  // namespace dgen::ops
