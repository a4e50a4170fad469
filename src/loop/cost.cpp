#include "loop/cost.h"

#include <algorithm>

#include "ir/op.h"
#include "loop/vectorise.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr int64_t kFunction = 12;      // a polynomial of the prelude
constexpr int64_t kTransform = 12;     // a transform, by element that goes in or out; a total in memory that takes another term
constexpr int64_t kElement = 16;       // terms in whose time an element of a product is stored
constexpr int64_t kFused = 8;          // terms of a product in the time of an operation
constexpr int64_t kMost = 1ll << 40;
constexpr int64_t kTicks = 128;        // that are looked at: what is done once for many of them counts by its share

class Cost {
 public:
  Cost(const Kernel& kernel, int64_t ticks) : k_(kernel), ticks_(ticks) {}

  int64_t of(const std::vector<Stmt>& body) const {
    int64_t sum = 0;
    for (const Stmt& s : body) sum = std::min(kMost, sum + of(s));
    return sum;
  }

  int64_t trips(const Stmt& loop) const {
    const int64_t n = value(loop.hi) - value(loop.lo);
    return loop.tag == LoopTag::vector ? (n + kVector - 1) / kVector : n;
  }

  int64_t shared(const std::vector<Stmt>& body) const {
    int64_t sum = 0;
    for (const Stmt& s : body) {
      sum = std::min(kMost, sum + (s.share > 0 ? of(s) : times(s.kind == Stmt::loop ? trips(s) : 1, shared(s.body))));
    }
    return sum;
  }

  int64_t of(const Stmt& s) const {
    switch (s.kind) {
      case Stmt::loop: return times(trips(s), of(s.body));
      case Stmt::reduce: {
        int64_t terms = 1;
        for (int extent : s.extents) terms = times(terms, value(extent));
        return times(terms, of(s.body) + 1);
      }
      case Stmt::let: return of(k_.exprs[static_cast<size_t>(s.value)]);
      case Stmt::call: return of_call(s);
      case Stmt::store: case Stmt::add: case Stmt::barrier: return 1;
      case Stmt::guard: case Stmt::single: case Stmt::part: return of(s.body);
    }
    return 0;
  }

 private:
  static int64_t of(const LoopExpr& e) {
    const bool function = e.op == LoopOp::call || (e.op == LoopOp::scalar && e.row->c_text[0] != '(');
    return function ? kFunction : 1;
  }
  int64_t of_call(const Stmt& s) const {
    if (s.name.starts_with("dg_matmul"))
      return times(times(value(s.numbers[2]), value(s.numbers[3])), value(s.numbers[4]) + kElement) / kFused;
    if (s.name == "dg_sines") return times(value(s.numbers.front()), value(s.numbers.back()));
    if (s.name.starts_with("dg_scan_")) return times(kTransform, value(s.numbers.front()));
    int64_t elements = s.numbers.empty() ? 1 : std::max<int64_t>(1, value(s.numbers.back()));
    for (int64_t span : s.spans) elements = std::max(elements, span);
    return times(kTransform, elements);
  }
  static int64_t times(int64_t a, int64_t b) { return std::min(kMost, std::max<int64_t>(0, a) * std::max<int64_t>(0, b)); }

  // With ticks from 0 to kTicks, chunk 0, and a tile of one chunk.
  int64_t value(int e) const {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    auto arg = [&](size_t i) { return value(x.args[i]); };
    switch (x.op) {
      case LoopOp::iconst: return x.i;
      case LoopOp::arg: return of(k_.args[static_cast<size_t>(x.i)]);
      case LoopOp::iadd: return arg(0) + arg(1);
      case LoopOp::isub: return arg(0) - arg(1);
      case LoopOp::imul: return arg(0) * arg(1);
      case LoopOp::idiv: return arg(0) / std::max<int64_t>(1, arg(1));
      case LoopOp::imin: return std::min(arg(0), arg(1));
      case LoopOp::imax: return std::max(arg(0), arg(1));
      case LoopOp::where: return x.type == LoopType::i64 ? std::max(arg(1), arg(2)) : 0;
      default: return 0;
    }
  }
  int64_t of(const KernelArg& a) const {
    if (a.kind == KernelArg::hi) return kTicks;
    return a.kind == KernelArg::ticks || a.kind == KernelArg::tile_ticks ? ticks_ : 0;
  }

  const Kernel& k_;
  int64_t ticks_;
};

}  // namespace

static int64_t a_tick(const Kernel& kernel, int64_t operations) {
  const bool any = std::any_of(kernel.args.begin(), kernel.args.end(), [](auto& arg) { return arg.kind == KernelArg::hi; });
  return any ? (operations + kTicks - 1) / kTicks : operations;
}

int64_t operations(const Kernel& kernel, int64_t ticks) {
  return std::max<int64_t>(1, a_tick(kernel, Cost(kernel, ticks).of(kernel.body)));
}

int64_t operations(const Kernel& kernel, const Stmt& statement) { return Cost(kernel, 1).of(statement); }

int64_t shared_operations(const Kernel& kernel, int64_t ticks) {
  return std::max<int64_t>(1, a_tick(kernel, Cost(kernel, ticks).shared(kernel.body)));
}

}  // namespace dgen::loop
