#include "loop/verify.h"

#include <utility>

#include "ir/op.h"
#include "ir/print_loop.h"

namespace dgen::loop {

using namespace ir;

namespace {

class Verifier {
 public:
  explicit Verifier(const Kernel& k) : k_(k), known_(k.exprs.size(), false) {}

  void run() {
    for (size_t e = 0; e < k_.exprs.size(); ++e) {
      const LoopExpr& x = k_.exprs[e];
      if (x.op == LoopOp::arg && (x.i < 0 || x.i >= static_cast<int64_t>(k_.args.size()))) wrong("no argument n", x.i);
      known_[e] = x.op == LoopOp::fconst || x.op == LoopOp::iconst || x.op == LoopOp::arg;
    }
    list(k_.body);
  }

 private:
  template <class... T>
  [[noreturn]] void wrong(const T&... parts) const {
    throw InternalError(cat("invalid kernel: ", parts..., " in:\n", print(k_)));
  }

  const LoopExpr& expr(int e) const {
    if (e < 0 || e >= static_cast<int>(k_.exprs.size())) throw InternalError(cat("invalid kernel ", k_.name, ": no expression ", e));
    return k_.exprs[static_cast<size_t>(e)];
  }
  void use(int e, LoopType type, const char* what) const {
    if (expr(e).type != type) wrong(what, " '", print_expr(k_, e), "' is of the wrong type");
    use(e);
  }
  void use(int e) const {
    expr(e);
    if (!known_[static_cast<size_t>(e)]) wrong("'", print_expr(k_, e), "' (number ", e, ") is used where it is not known");
  }
  const ArrayRef& array(int64_t a) const {
    if (a < 0 || a >= static_cast<int64_t>(k_.arrays.size())) wrong("no array a", a);
    return k_.arrays[static_cast<size_t>(a)];
  }

  // ---- expressions ---------------------------------------------------------------------------------------------------

  void arity(int e, size_t n) const {
    if (expr(e).args.size() != n) wrong("'", print_expr(k_, e), "' takes ", n, " operands");
  }
  void all(int e, size_t n, LoopType type) const {
    arity(e, n);
    for (int a : expr(e).args) use(a, type, "operand");
  }

  void compute(int e) const {
    const LoopExpr& x = expr(e);
    switch (x.op) {
      case LoopOp::fconst: case LoopOp::iconst: case LoopOp::var: case LoopOp::arg:
        wrong("a let of '", print_expr(k_, e), "'");
      case LoopOp::scalar: return all(e, static_cast<size_t>(x.row->min_inputs), x.type);
      case LoopOp::widen: return all(e, 1, LoopType::f32);
      case LoopOp::to_int: return all(e, 1, LoopType::f32);
      case LoopOp::ramp: return all(e, 1, LoopType::i64);
      case LoopOp::gather: return all(e, 1, LoopType::i64);
      case LoopOp::clamped: return all(e, 4, LoopType::i64);
      case LoopOp::where: return where(e);
      case LoopOp::load: return load(e);
      case LoopOp::call:
        for (int a : x.args) use(a);
        return;
      case LoopOp::idiv: case LoopOp::imod:
        if (x.args.size() == 2 && (expr(x.args[1]).op != LoopOp::iconst || expr(x.args[1]).i <= 0))
          wrong("'", print_expr(k_, e), "' by no positive constant");
        [[fallthrough]];
      default: return all(e, 2, LoopType::i64);
    }
  }

  void where(int e) const {
    arity(e, 3);
    const LoopExpr& x = expr(e);
    use(x.args[0], LoopType::i64, "condition");
    use(x.args[1], x.type, "choice");
    use(x.args[2], x.type, "choice");
  }

  void load(int e) const {
    arity(e, 1);
    const LoopExpr& x = expr(e);
    if (array(x.i).type != x.type) wrong("'", print_expr(k_, e), "' has not the array's type");
    use(x.args[0], LoopType::i64, "index");
  }

  // ---- statements ----------------------------------------------------------------------------------------------------

  void define(int e) {
    expr(e);
    if (known_[static_cast<size_t>(e)]) return;  // a part inside a part that has read it back, too
    known_[static_cast<size_t>(e)] = true;
    defined_.push_back(e);
  }

  // What a scope defines is forgotten where it ends.
  void list(const std::vector<Stmt>& body) {
    size_t before = defined_.size();
    for (auto& s : body) statement(s);
    leave(before);
  }
  void leave(size_t before) {
    for (; defined_.size() > before; defined_.pop_back()) known_[static_cast<size_t>(defined_.back())] = false;
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let:
        if (s.array < 0) compute(s.value);
        else read_back(s);
        return define(s.value);
      case Stmt::store: case Stmt::add: return store(s);
      case Stmt::guard:
        use(s.value, LoopType::i64, "condition");
        return list(s.body);
      case Stmt::call: return call(s);
      case Stmt::loop: return loop(s);
      case Stmt::reduce: return reduce(s);
      case Stmt::barrier: return;
      case Stmt::single: case Stmt::part: return list(s.body);
    }
  }

  void store(const Stmt& s) const {
    const ArrayRef& a = array(s.array);
    if (!a.written) wrong("a store to a", s.array, ", which is read only");
    use(s.index, LoopType::i64, "index");
    use(s.value, a.type, "stored value");
  }

  void read_back(const Stmt& s) const {
    const LoopExpr& x = expr(s.value);
    const ArrayRef& a = array(s.array);
    if (a.kind != ArrayRef::local || a.type != x.type || a.lanes != x.lanes)
      wrong("'", print_expr(k_, s.value), "' cannot lie in a", s.array);
    use(s.index, LoopType::i64, "index");
  }

  void call(const Stmt& s) const {
    if (masked_) wrong("a call where lanes may be missing");
    for (auto [a, index] : s.pointers) {
      array(a);
      use(index, LoopType::i64, "index");
    }
    for (int n : s.numbers) use(n, LoopType::i64, "argument");
  }

  void variable(int e, LoopType type) {
    if (expr(e).op != LoopOp::var || expr(e).type != type) wrong("'", print_expr(k_, e), "' is no variable of its type");
    define(e);
  }

  void loop(const Stmt& s) {
    if (s.share > 0 && k_.lanes == 0) wrong("a loop of shared lanes in a kernel that has none");
    for (auto [a, b] : s.trades) trade(s, array(a), array(b));
    use(s.lo, LoopType::i64, "bound");
    use(s.hi, LoopType::i64, "bound");
    size_t before = defined_.size();
    if (!s.carried.empty() && (s.tag != LoopTag::serial || s.reverse)) wrong("values carried where iterations are in no order");
    for (auto& c : s.carried) use(c.first, expr(c.var).type, "carried value"), variable(c.var, expr(c.var).type);
    variable(s.var, LoopType::i64);
    if (s.mask == Stmt::bank) bank(s);
    vectors(s, [&] {
      for (auto& inner : s.body) statement(inner);
    });
    for (auto& c : s.carried) use(c.next, expr(c.var).type, "carried value");
    leave(before);
    if (s.rest.empty()) return;
    variable(s.rest_var, LoopType::i64);
    list(s.rest);
    leave(before);
  }

  // Arrays with room have it for vectors that begin where they do.
  void bank(const Stmt& s) const {
    const bool from_first = expr(s.lo).op == LoopOp::iconst && expr(s.lo).i == 0;
    for (const Stmt& inner : s.body) {
      const LoopExpr* load = inner.kind == Stmt::let && expr(inner.value).op == LoopOp::load ? &expr(inner.value) : nullptr;
      const int at = load ? static_cast<int>(load->i) : inner.kind == Stmt::store ? inner.array : -1;
      const int index = load ? load->args[0] : inner.index;
      if (at < 0 || array(at).room == 0 || (load && !load->lanes)) continue;
      if (!from_first || index != s.var || array(at).room < expr(s.hi).i) wrong("a vector beyond a", at);
    }
  }

  void trade(const Stmt& s, const ArrayRef& a, const ArrayRef& b) const {
    if (s.tag != LoopTag::serial) wrong("arrays that trade places where ticks are in no order");
    const bool alike = a.size == b.size && a.type == b.type && a.kind == b.kind && a.home == b.home && a.lanes == b.lanes;
    if (!alike || !a.written || !b.written || a.home != ArrayRef::memory) wrong("arrays trade places that are not alike");
  }

  // Calls body, the inside of a loop or reduce.
  template <class F>
  void vectors(const Stmt& s, const F& body) {
    const bool wide = s.tag == LoopTag::vector;
    if (wide && in_vectors_) wrong("vectors of vectors");
    if (!wide && (s.mask != Stmt::whole || s.overlaps || !s.rest.empty())) wrong("a rest of vectors where there are none");
    if (s.mask != Stmt::whole && (s.overlaps || !s.rest.empty())) wrong("masked vectors that leave a rest");
    const bool outside = std::exchange(in_vectors_, in_vectors_ || wide),
               all_there = std::exchange(masked_, masked_ || s.mask != Stmt::whole);
    body();
    in_vectors_ = outside, masked_ = all_there;
  }

  void reduce(const Stmt& s) {
    if (s.vars.empty() || s.vars.size() != s.extents.size())
      wrong("a reduction of ", s.vars.size(), " variables over ", s.extents.size(), " extents");
    for (int n : s.extents) use(n, LoopType::i64, "extent");
    size_t before = defined_.size();
    for (int v : s.vars) variable(v, LoopType::i64);
    vectors(s, [&] {
      for (auto& inner : s.body) statement(inner);
    });
    use(s.value, LoopType::f32, "reduced value");
    if (s.factor >= 0) use(s.factor, LoopType::f32, "factor");
    leave(before);
    variable(s.var, LoopType::f32);
  }

  const Kernel& k_;
  std::vector<bool> known_;
  std::vector<int> defined_;
  bool in_vectors_ = false, masked_ = false;
};

}  // namespace

void verify(const Kernel& kernel) { Verifier(kernel).run(); }

}  // namespace dgen::loop
