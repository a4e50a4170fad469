#include "ir/loop.h"

#include <algorithm>
#include <map>

#include "ir/helper.h"
#include "ir/op.h"

namespace dgen::ir {
namespace {

size_t hash_expr(const LoopExpr& e) {
  size_t h = static_cast<size_t>(e.op) * 131 + static_cast<size_t>(e.type);
  auto mix = [&h](size_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15ull; };
  for (int a : e.args) mix(static_cast<size_t>(a) + 7);
  mix(static_cast<size_t>(e.i));
  mix(std::hash<double>()(e.f));
  mix(reinterpret_cast<size_t>(e.row));
  if (!e.name.empty()) mix(std::hash<std::string>()(e.name));
  return h ^ h >> 32;  // chains take the low bits
}

bool same_expr(const LoopExpr& a, const LoopExpr& b) {
  bool same_f = a.f == b.f || (a.f != a.f && b.f != b.f);
  return a.op == b.op && a.type == b.type && a.args == b.args && a.i == b.i && same_f && a.row == b.row && a.name == b.name;
}

bool is_leaf(LoopOp op) { return op == LoopOp::fconst || op == LoopOp::iconst || op == LoopOp::var || op == LoopOp::arg; }

}  // namespace

std::string_view infix(LoopOp op) {
  switch (op) {
    case LoopOp::iadd: return "+";
    case LoopOp::isub: return "-";
    case LoopOp::imul: return "*";
    case LoopOp::idiv: return "/";
    case LoopOp::imod: return "%";
    case LoopOp::ilt: return "<";
    case LoopOp::ieq: return "==";
    case LoopOp::iand: return "&";
    default: return {};
  }
}

LoopBuilder::LoopBuilder(std::string name) {
  kernel_.name = std::move(name);
  scopes_.push_back({&kernel_.body, {}, false});
}

// The scope where everything an expression needs is known: loop-invariant work moves out of the loop by itself.
size_t LoopBuilder::home(const LoopExpr& e) const {
  size_t depth = 0;
  for (int a : e.args) depth = std::max(depth, depth_[static_cast<size_t>(a)]);
  if (e.op == LoopOp::load) {
    const ArrayRef& array = kernel_.arrays[static_cast<size_t>(e.i)];
    if (array.written || array.kind == ArrayRef::local || array.kind == ArrayRef::state || array.kind == ArrayRef::phase)
      return scopes_.size() - 1;
    for (size_t s = scopes_.size() - 1; s > depth; --s)
      if (scopes_[s].guarded) return s;
  }
  return depth;
}

int LoopBuilder::put(LoopExpr e) {
  size_t h = hash_expr(e);
  int& chain = chain_[h % kChains];
  for (int id = chain; id >= 0; id = next_[static_cast<size_t>(id)])
    if (hash_[static_cast<size_t>(id)] == h && same_expr(kernel_.exprs[static_cast<size_t>(id)], e)) return id;
  size_t scope = is_leaf(e.op) ? (e.op == LoopOp::var ? scopes_.size() - 1 : 0) : home(e);
  bool leaf = is_leaf(e.op);
  range_.push_back(range_of(e));
  kernel_.exprs.push_back(std::move(e));
  int id = static_cast<int>(kernel_.exprs.size()) - 1;
  depth_.push_back(scope);
  hash_.push_back(h);
  next_.push_back(std::exchange(chain, id));
  scopes_[scope].known.push_back(id);
  if (!leaf) {
    Stmt stmt{Stmt::let};
    stmt.value = id;
    scopes_[scope].list->push_back(std::move(stmt));
  }
  return id;
}

void LoopBuilder::forget(int id) {
  int* link = &chain_[hash_[static_cast<size_t>(id)] % kChains];
  while (*link >= 0 && *link != id) link = &next_[static_cast<size_t>(*link)];
  if (*link == id) *link = next_[static_cast<size_t>(id)];
}

void LoopBuilder::forget_loads(int array) {
  for (const Scope& scope : scopes_)
    for (int id : scope.known)
      if (const LoopExpr& e = (*this)[id]; e.op == LoopOp::load && e.i == array) forget(id);
}

void LoopBuilder::open(std::vector<Stmt>* list, bool guarded) { scopes_.push_back({list, {}, guarded}); }

void LoopBuilder::close() {
  for (int id : scopes_.back().known) forget(id);
  scopes_.pop_back();
}

int LoopBuilder::f(double value) {
  LoopExpr e{LoopOp::fconst};
  e.f = static_cast<double>(static_cast<float>(value));
  return put(std::move(e));
}

int LoopBuilder::i(int64_t value) {
  LoopExpr e{LoopOp::iconst, LoopType::i64};
  e.i = value;
  return put(std::move(e));
}

int LoopBuilder::arg(KernelArg::Kind kind, int64_t period) {
  KernelArg want{kind, period};
  auto it = std::find(kernel_.args.begin(), kernel_.args.end(), want);
  if (it == kernel_.args.end()) it = kernel_.args.insert(it, want);
  LoopExpr e{LoopOp::arg, LoopType::i64};
  e.i = it - kernel_.args.begin();
  return put(std::move(e));
}

int LoopBuilder::scalar(Op row, Args args) {
  if (const LoopExpr& of = (*this)[args[0]]; args.size() == 1 && of.op == LoopOp::call)
    for (auto& fused : find_helper(of.name).fused)
      if (fused.row == row->name) {
        Args of_what = of.args;  // of moves when expressions are added
        if (!fused.first.empty()) of_what[0] = call(fused.first, {of_what[0]});
        return call(fused.helper, std::move(of_what));
      }
  LoopExpr e{LoopOp::scalar, LoopType::f32, std::move(args)};
  for (int a : e.args)
    if ((*this)[a].type == LoopType::f64) e.type = LoopType::f64;
  for (int& a : e.args)
    if (e.type == LoopType::f64) a = widen(a);
  e.row = row;
  return put(std::move(e));
}

int LoopBuilder::scalar(std::string_view row, Args args) { return scalar(op(row), std::move(args)); }

// Integer expressions are kept as sums of terms times constants, so that index arithmetic cancels.
namespace {
struct Linear {
  std::map<int, int64_t> terms;
  int64_t constant = 0;
};
}  // namespace

static Linear linear_of(const LoopBuilder& l, int e) {
  const LoopExpr& x = l[e];
  Linear out;
  if (x.op == LoopOp::iconst) {
    out.constant = x.i;
  } else if (x.op == LoopOp::iadd) {
    out = linear_of(l, x.args[0]);
    Linear b = linear_of(l, x.args[1]);
    for (auto [t, c] : b.terms) out.terms[t] += c;
    out.constant += b.constant;
  } else if (x.op == LoopOp::imul && l[x.args[1]].op == LoopOp::iconst) {
    out = linear_of(l, x.args[0]);
    for (auto& [t, c] : out.terms) c *= l[x.args[1]].i;
    out.constant *= l[x.args[1]].i;
  } else {
    out.terms[e] = 1;
  }
  return out;
}

// x % n + x / n * n is x: an element's number taken apart by a shape and put together again.
static bool join_remainder(const LoopBuilder& l, Linear& sum) {
  for (auto [r, factor] : sum.terms)
    for (auto [q, other] : sum.terms) {
      const LoopExpr &remainder = l[r], &quotient = l[q];
      if (remainder.op != LoopOp::imod || quotient.op != LoopOp::idiv || remainder.args != quotient.args) continue;
      if (factor == 0 || other != factor * l[remainder.args[1]].i) continue;
      const Linear whole = linear_of(l, remainder.args[0]);
      sum.terms[r] = sum.terms[q] = 0;
      for (auto [t, c] : whole.terms) sum.terms[t] += c * factor;
      sum.constant += whole.constant * factor;
      return true;
    }
  return false;
}

int LoopBuilder::raw(LoopOp op, int a, int b) { return put(LoopExpr{op, LoopType::i64, {a, b}}); }

int LoopBuilder::binary(LoopOp op, int a, int b) {
  const bool ca = (*this)[a].op == LoopOp::iconst, cb = (*this)[b].op == LoopOp::iconst;
  const int64_t va = (*this)[a].i, vb = (*this)[b].i;
  auto single = [this](int e) {
    const LoopOp o = (*this)[e].op;
    return o != LoopOp::iconst && o != LoopOp::iadd && o != LoopOp::imul;
  };
  if (op == LoopOp::iadd && cb && vb == 0 && single(a)) return a;  // indices of single elements, without sums of one term
  if (op == LoopOp::imul && cb && vb == 1 && single(a)) return a;
  auto build = [this](const Linear& sum) {
    int e = -1;
    for (auto [t, c] : sum.terms) {
      if (c == 0) continue;
      int term = c == 1 ? t : raw(LoopOp::imul, t, i(c));
      e = e < 0 ? term : raw(LoopOp::iadd, e, term);
    }
    if (e < 0) return i(sum.constant);
    return sum.constant == 0 ? e : raw(LoopOp::iadd, e, i(sum.constant));
  };
  auto combine = [&](int64_t sign) {
    Linear sum = linear_of(*this, a), other = linear_of(*this, b);
    for (auto [t, c] : other.terms) sum.terms[t] += sign * c;
    sum.constant += sign * other.constant;
    while (join_remainder(*this, sum)) {
    }
    return build(sum);
  };
  int64_t lo = 0, hi = -1;
  switch (op) {
    case LoopOp::iadd: return combine(1);
    case LoopOp::isub: return combine(-1);
    case LoopOp::imul:
      if (ca && !cb) return binary(op, b, a);
      if (cb) {
        Linear sum = linear_of(*this, a);
        for (auto& [t, c] : sum.terms) c *= vb;
        sum.constant *= vb;
        return build(sum);
      }
      break;
    case LoopOp::idiv:
    case LoopOp::imod: {
      DGEN_ASSERT(cb && vb > 0);
      if (ca) return i(op == LoopOp::idiv ? va / vb : va % vb);
      Linear sum = linear_of(*this, a), quotient, rest;
      for (auto [t, c] : sum.terms) (c % vb == 0 ? quotient : rest).terms[t] = c;
      quotient.constant = (sum.constant >= 0 ? sum.constant / vb : -((-sum.constant + vb - 1) / vb)) * vb;
      rest.constant = sum.constant - quotient.constant;
      int r = build(rest);
      if (range(r, &lo, &hi) && lo >= 0 && hi <= vb) {
        if (op == LoopOp::imod) return r;
        for (auto& [t, c] : quotient.terms) c /= vb;
        quotient.constant /= vb;
        return build(quotient);
      }
      break;
    }
    case LoopOp::imin:
    case LoopOp::imax: {
      if (ca && cb) return i(op == LoopOp::imin ? std::min(va, vb) : std::max(va, vb));
      if (cb && range(a, &lo, &hi)) {
        if (op == LoopOp::imin ? hi - 1 <= vb : lo >= vb) return a;
        if (op == LoopOp::imin ? lo >= vb : hi - 1 <= vb) return b;
      }
      break;
    }
    case LoopOp::ilt: {
      if (ca && cb) return i(va < vb);
      if (cb && range(a, &lo, &hi)) {
        if (hi - 1 < vb) return i(1);
        if (lo >= vb) return i(0);
      }
      if (ca && range(b, &lo, &hi)) {
        if (va < lo) return i(1);
        if (va >= hi - 1) return i(0);
      }
      break;
    }
    case LoopOp::ieq:
      if (a == b) return i(1);
      if (ca && cb) return i(va == vb);
      break;
    case LoopOp::iand:
      if (ca) return va ? b : a;
      if (cb) return vb ? a : b;
      break;
    default: DGEN_ASSERT(false);
  }
  return raw(op, a, b);
}

int LoopBuilder::inside(int a, int64_t lo, int64_t hi) { return both(less(i(lo - 1), a), less(a, i(hi))); }

int LoopBuilder::where(int condition, int a, int b) {
  if ((*this)[condition].op == LoopOp::iconst) return (*this)[condition].i ? a : b;
  if (a == b) return a;
  return put(LoopExpr{LoopOp::where, (*this)[a].type, {condition, a, b}});
}

// Loop variables fit 32 bits, which vector units convert; only run-time arguments (stream positions) may not.
int LoopBuilder::to_float(int a) {
  if ((*this)[a].op == LoopOp::iconst) return f(static_cast<double>((*this)[a].i));
  int near = i(0), far = i(0);
  for (auto [t, c] : linear_of(*this, a).terms) {
    int& part = (*this)[t].op == LoopOp::arg ? far : near;
    part = add(part, mul(t, c));
  }
  near = add(near, i(linear_of(*this, a).constant));
  return put(LoopExpr{LoopOp::to_float, LoopType::f32, {near, far}});
}

int LoopBuilder::widen(int a) { return (*this)[a].type == LoopType::f64 ? a : put(LoopExpr{LoopOp::widen, LoopType::f64, {a}}); }

int LoopBuilder::to_int(int a) { return put(LoopExpr{LoopOp::to_int, LoopType::i64, {a}}); }

int LoopBuilder::load(int array, int index) {
  LoopExpr e{LoopOp::load, kernel_.arrays[static_cast<size_t>(array)].type, {index}};
  e.i = array;
  return put(std::move(e));
}

int LoopBuilder::call(std::string_view helper, Args args) {
  const auto through = find_helper(helper).through;
  if (const LoopExpr& of = (*this)[args[0]]; !through.empty() && of.op == LoopOp::call && of.name == through) {
    Args inner = of.args;  // of moves when expressions are added
    inner[0] = call(helper, {inner[0]});
    return call(through, std::move(inner));
  }
  LoopExpr e{LoopOp::call, find_helper(helper).result, std::move(args)};
  e.name = helper;
  return put(std::move(e));
}

int LoopBuilder::array(ArrayRef ref) {
  for (size_t a = 0; a < kernel_.arrays.size(); ++a) {
    ArrayRef& have = kernel_.arrays[a];
    if (have.kind == ref.kind && have.id == ref.id && ref.kind != ArrayRef::local) {
      have.written = have.written || ref.written;
      return static_cast<int>(a);
    }
  }
  kernel_.arrays.push_back(ref);
  return static_cast<int>(kernel_.arrays.size()) - 1;
}

int LoopBuilder::local(int64_t size, LoopType type) {
  kernel_.arrays.push_back({ArrayRef::local, none, size, type, true});
  return static_cast<int>(kernel_.arrays.size()) - 1;
}

int LoopBuilder::new_var(LoopType type, int64_t lo, int64_t hi) {
  LoopExpr e{LoopOp::var, type};
  e.i = kernel_.vars++;
  kernel_.var_range.push_back({lo, hi});
  return put(std::move(e));
}

void LoopBuilder::loop(int lo, int hi, LoopTag tag, bool reverse, const std::function<void(int)>& body) {
  Stmt stmt{Stmt::loop};
  stmt.lo = lo, stmt.hi = hi, stmt.tag = tag, stmt.reverse = reverse;
  open(&stmt.body, false);
  auto outside = std::exchange(trades_, {});
  bool fixed = (*this)[lo].op == LoopOp::iconst && (*this)[hi].op == LoopOp::iconst;
  stmt.var = new_var(LoopType::i64, fixed ? (*this)[lo].i : 0, fixed ? (*this)[hi].i : -1);
  body(stmt.var);
  close();
  stmt.trades = std::exchange(trades_, std::move(outside));
  scopes_.back().list->push_back(std::move(stmt));
}

void LoopBuilder::trade(int a, int b) { trades_.emplace_back(a, b); }

static bool is_product(const LoopExpr& x) { return x.op == LoopOp::scalar && x.type == LoopType::f32 && x.row->name == "mul"; }

int LoopBuilder::reduce_to(std::string_view op, const std::vector<int>& extents, const std::function<int(const std::vector<int>&)>& value) {
  Stmt stmt{Stmt::reduce};
  stmt.name = op;
  stmt.extents = extents;
  open(&stmt.body, false);
  for (int n : extents) {
    bool fixed = (*this)[n].op == LoopOp::iconst;
    stmt.vars.push_back(new_var(LoopType::i64, 0, fixed ? (*this)[n].i : -1));
  }
  stmt.value = value(stmt.vars);
  close();
  if (unrolls(stmt)) return unrolled(stmt, value);
  if (const LoopExpr& x = (*this)[stmt.value]; op == "sum" && is_product(x) && !stmt.body.empty() && stmt.body.back().kind == Stmt::let &&
                                              stmt.body.back().value == stmt.value)
    stmt.value = x.args[0], stmt.factor = x.args[1], stmt.body.pop_back();
  stmt.var = new_var(LoopType::f32, 0, -1);
  scopes_.back().list->push_back(stmt);
  return stmt.var;
}

// A few short terms: known indices fold, and the terms share what they have in common. Folds of 16 and more have partial results.
bool LoopBuilder::unrolls(const Stmt& reduce) const {
  constexpr int64_t longest = 16, most_statements = 256;
  auto plain = [this](const Stmt& s) {
    if (s.kind != Stmt::let) return false;
    const LoopExpr& e = (*this)[s.value];
    return e.op != LoopOp::call && (e.op != LoopOp::scalar || e.row->c_text[0] == '(' || e.row->is(masks));
  };
  if (reduce.name == "max" || !std::all_of(reduce.body.begin(), reduce.body.end(), plain)) return false;
  int64_t terms = 1;
  for (int n : reduce.extents) {
    const LoopExpr& extent = (*this)[n];
    if (extent.op != LoopOp::iconst || extent.i < 1 || extent.i >= longest) return false;
    terms *= extent.i;
  }
  return terms * static_cast<int64_t>(reduce.body.size() + 1) <= most_statements;
}

bool LoopBuilder::leaves_out(int term) const {
  const LoopExpr& x = (*this)[term];
  return leaves_out_zeros && is_product(x) && std::any_of(x.args.begin(), x.args.end(), [this](int e) { return zeros.count(e) > 0; });
}

int LoopBuilder::unrolled(const Stmt& reduce, const std::function<int(const std::vector<int>&)>& value) {
  int result = -1;
  int64_t terms = 1;
  for (int n : reduce.extents) terms *= (*this)[n].i;
  for (int64_t term = 0; term < terms; ++term) {
    std::vector<int> vars(reduce.extents.size());
    int64_t rest = term;
    for (size_t a = vars.size(); a-- > 0;) {
      const int64_t n = (*this)[reduce.extents[a]].i;
      vars[a] = i(rest % n), rest /= n;
    }
    const int x = value(vars);
    if (reduce.name == "sum" && leaves_out(x)) {
      left_out_ = true;
      continue;
    }
    if (result < 0) result = x;
    else if (reduce.name == "sum" && is_product((*this)[x])) result = scalar("fma", {(*this)[x].args[0], (*this)[x].args[1], result});
    else result = scalar(reduce.name == "sum" ? "add" : "mul", {result, x});
  }
  return result < 0 ? f(0) : result;
}

int LoopBuilder::reduce(std::string_view op, const std::vector<int64_t>& extents,
                        const std::function<int(const std::vector<int>&)>& value) {
  std::vector<int> counts;
  for (int64_t n : extents) counts.push_back(i(n));
  return reduce_to(op, counts, value);
}

void LoopBuilder::store(int array, int index, int value) {
  Stmt stmt{Stmt::store};
  stmt.array = array, stmt.index = index, stmt.value = value;
  kernel_.arrays[static_cast<size_t>(array)].written = true;
  scopes_.back().list->push_back(std::move(stmt));
  forget_loads(array);
}

void LoopBuilder::accumulate(int array, int index, int value) {
  store(array, index, value);
  scopes_.back().list->back().kind = Stmt::add;
}

void LoopBuilder::guard(int condition, const std::function<void()>& body) {
  Stmt stmt{Stmt::guard};
  stmt.value = condition;
  open(&stmt.body, true);
  body();
  close();
  scopes_.back().list->push_back(std::move(stmt));
}

void LoopBuilder::call(std::string name, std::vector<std::pair<int, int>> pointers, std::vector<int> numbers,
                       std::vector<int64_t> spans, int rows) {
  Stmt stmt{Stmt::call};
  stmt.rows = rows;
  stmt.name = std::move(name);
  stmt.pointers = std::move(pointers);
  stmt.numbers = std::move(numbers);
  stmt.spans = std::move(spans);
  for (auto [array, index] : stmt.pointers) forget_loads(array);
  scopes_.back().list->push_back(std::move(stmt));
}

LoopBuilder::Range LoopBuilder::range_of(const LoopExpr& x) const {
  if (x.op == LoopOp::iconst) return {x.i, x.i + 1};
  if (x.op == LoopOp::var) return {kernel_.var_range[static_cast<size_t>(x.i)].first, kernel_.var_range[static_cast<size_t>(x.i)].second};
  if (x.type != LoopType::i64 || x.args.size() != 2) return {};
  const Range a = range_[static_cast<size_t>(x.args[0])], b = range_[static_cast<size_t>(x.args[1])];
  if (a.hi <= a.lo || b.hi <= b.lo) return {};
  const int64_t amax = a.hi - 1, bmax = b.hi - 1;
  if (x.op == LoopOp::iadd) return {a.lo + b.lo, amax + bmax + 1};
  if (x.op == LoopOp::imul && b.lo == bmax) return {std::min(a.lo * b.lo, amax * b.lo), std::max(a.lo * b.lo, amax * b.lo) + 1};
  if (x.op == LoopOp::idiv && a.lo >= 0) return {a.lo / b.lo, amax / b.lo + 1};
  if (x.op == LoopOp::imod) return {0, b.lo};
  if (x.op == LoopOp::imin) return {std::min(a.lo, b.lo), std::min(amax, bmax) + 1};
  if (x.op == LoopOp::imax) return {std::max(a.lo, b.lo), std::max(amax, bmax) + 1};
  return {};
}

bool LoopBuilder::range(int e, int64_t* lo, int64_t* hi) const {
  const Range& known = range_[static_cast<size_t>(e)];
  *lo = known.lo, *hi = known.hi;
  return known.hi > known.lo;
}

namespace {

void find_reads(const Kernel& k, const std::vector<Stmt>& body, std::vector<bool>& read) {
  for (const Stmt& s : body) {
    const LoopExpr* x = s.kind == Stmt::let ? &k.exprs[static_cast<size_t>(s.value)] : nullptr;
    if (x && x->op == LoopOp::load) read[static_cast<size_t>(x->i)] = true;
    for (auto [array, index] : s.pointers) read[static_cast<size_t>(array)] = true;
    find_reads(k, s.body, read);
  }
}

bool does_something(const std::vector<Stmt>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt& s) { return s.kind != Stmt::let && s.kind != Stmt::reduce; });
}

void drop_stores(std::vector<Stmt>& body, const std::vector<int>& number) {
  std::vector<Stmt> kept;
  for (Stmt& s : body) {
    drop_stores(s.body, number);
    if (s.kind == Stmt::loop && !does_something(s.body)) continue;
    if (s.array >= 0 && (s.array = number[static_cast<size_t>(s.array)]) < 0) continue;
    for (auto& [array, index] : s.pointers) array = number[static_cast<size_t>(array)];
    for (auto& [a, b] : s.trades) a = number[static_cast<size_t>(a)], b = number[static_cast<size_t>(b)];
    kept.push_back(std::move(s));
  }
  body = std::move(kept);
}

// What is only stored in the kernel's own arrays is not stored: values are often known where they are computed.
void drop_unread(Kernel& k) {
  std::vector<bool> read(k.arrays.size(), false);
  find_reads(k, k.body, read);
  std::vector<int> number;
  std::vector<ArrayRef> kept;
  for (size_t a = 0; a < read.size(); ++a) {
    const bool keep = read[a] || k.arrays[a].kind != ArrayRef::local;
    number.push_back(keep ? static_cast<int>(kept.size()) : -1);
    if (keep) kept.push_back(k.arrays[a]);
  }
  if (kept.size() == number.size()) return;
  k.arrays = std::move(kept);
  drop_stores(k.body, number);
  for (LoopExpr& e : k.exprs)
    if (e.op == LoopOp::load) e.i = number[static_cast<size_t>(e.i)];
}

}  // namespace

Kernel LoopBuilder::finish() {
  DGEN_ASSERT(scopes_.size() == 1);
  drop_unread(kernel_);
  return std::move(kernel_);
}

}  // namespace dgen::ir
