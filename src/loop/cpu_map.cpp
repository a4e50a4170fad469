#include "loop/cpu_map.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "loop/carry.h"
#include "loop/hoist.h"
#include "loop/parts.h"
#include "loop/share.h"
#include "loop/vectorise.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

// Local arrays that are too much for a thread's stack lie in memory that the caller has for them, the largest ones first, and those of
// threads that meet in memory of all.
static void place_locals(Kernel& k) {
  constexpr int64_t stack = 1 << 18, line = 16;  // bytes, floats of a cache line
  const auto bytes = [](const ArrayRef& a) {
    return std::max(a.size, a.room) * (a.lanes ? kVector : 1) * (a.type == LoopType::f32 ? 4 : 8);
  };
  const auto put = [&](ArrayRef& a, int64_t& floats) { a.at = floats, floats += (bytes(a) / 4 + line - 1) / line * line; };
  std::vector<ArrayRef*> locals;
  int64_t all = 0;
  for (ArrayRef& a : k.arrays) {
    if (a.home == ArrayRef::shared) put(a, k.common);
    if (a.kind == ArrayRef::local && a.home == ArrayRef::memory) locals.push_back(&a), all += bytes(a);
  }
  std::ranges::stable_sort(locals, std::greater<>(), [&](const ArrayRef* a) { return bytes(*a); });
  for (size_t i = 0; all > stack; ++i) {
    all -= bytes(*locals[i]);
    locals[i]->home = ArrayRef::scratch, put(*locals[i], k.scratch);
  }
  const auto tell = [&](KernelArg::Kind kind, int64_t floats) {
    if (floats > 0 && std::ranges::count(k.args, kind, &KernelArg::kind) == 0) k.args.push_back({kind});
  };
  tell(KernelArg::scratch, k.scratch), tell(KernelArg::common, k.common);
}

CpuKernels map_to_cpu(Kernel kernel, bool vectors, bool by_lanes) {
  CpuKernels made{hoist(std::move(kernel)), {}};
  if (vectors) made.whole = hoist(vectorise(std::move(made.whole)));
  made.whole = cut_parts(std::move(made.whole));
  place_locals(made.whole);
  if (by_lanes && made.whole.lanes > 0) made.by_lanes = cut_lanes(made.whole);
  if (made.by_lanes) place_locals(*made.by_lanes);
  if (!vectors) return made;
  made.whole = carry_rows(std::move(made.whole));
  if (made.by_lanes) made.by_lanes = carry_rows(std::move(*made.by_lanes));
  return made;
}

static bool over_ticks(const Kernel& kernel, const Stmt& s) {
  if (s.tag != LoopTag::vector || s.kind == Stmt::reduce) return false;
  const LoopExpr& hi = kernel.exprs[static_cast<size_t>(s.hi)];
  return hi.op == LoopOp::arg && kernel.args[static_cast<size_t>(hi.i)].kind == KernelArg::hi;
}

bool has_ticks_in_lanes(const Kernel& kernel) {
  bool found = false;
  for_statements(kernel.body, [&](const Stmt& s) { found = found || over_ticks(kernel, s); });
  return found;
}

std::string say_lanes(const Kernel& kernel) {
  bool ticks = false, elements = false, terms = false, carried = false;
  for_statements(kernel.body, [&](const Stmt& s) {
    carried = carried || !s.carried.empty();
    if (s.tag != LoopTag::vector) return;
    (s.kind == Stmt::reduce ? terms : over_ticks(kernel, s) ? ticks : elements) = true;
  });
  std::string lanes;
  for (auto [are, what] : {std::pair(ticks, "ticks"), {elements, "elements"}, {terms, "terms of sums"}})
    if (are) lanes += cat(lanes.empty() ? "lanes are " : ", ", what);
  return carried ? cat(lanes, ", rows of windows in registers") : lanes;
}

}  // namespace dgen::loop
