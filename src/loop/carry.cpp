#include "loop/carry.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

#include "ir/op.h"
#include "loop/edit.h"
#include "loop/lanes.h"
#include "loop/rows.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr size_t kFewestTerms = 10, kMostTerms = 64;  // nine gain a tenth with AVX-512 and lose more with AVX2
constexpr int64_t kMostCarried = 12;                 // vectors, of 16 registers
constexpr int kFewestLanes = 4;
constexpr int64_t kMostRows = 8;                     // of a window: each has a sum in a register
constexpr int64_t kFewestRows = 4;                   // of a plane for each row before the first sum is whole, which is additional work

// x * factor, x being a load of vectors. A factor is an expression from outside, or a load.
struct Term {
  IndexSum index;        // of x; without what the row in the window adds
  int64_t row = 0;       // in the window
  int factor = -1;
  std::optional<IndexSum> factor_index;  // of a load that is made inside: its index
};

struct WindowSum {
  int result = -1, array = -1;
  bool from_zero = false;   // the first product is added too, to 0
  std::vector<Term> terms;  // in order
  int64_t pitch = 0;        // elements from row to row
  int64_t rows() const { return terms.back().row + 1; }
};

// One nest: rows of a plane, and in each a loop over columns in vectors.
class Plane : Edit {
 public:
  Plane(Kernel& k, Stmt& rows) : Edit(k), rows_(rows), columns_(rows.body.back()) {
    inside_ = {rows_.var};
    for_statements(rows_.body, [this](const Stmt& s) {
      for_defined(s, [this](int e) { inside_.insert(e); });
      if (s.kind == Stmt::store || s.kind == Stmt::add) stored_.insert(s.array);
    });
  }

  static bool fits(const Stmt& s) {
    const auto is = [](Stmt::Kind kind) { return [kind](const Stmt& one) { return one.kind == kind; }; };
    if (s.kind != Stmt::loop || s.tag != LoopTag::lanes || s.reverse || s.body.empty()) return false;
    const Stmt& columns = s.body.back();
    const bool nest = std::all_of(s.body.begin(), s.body.end() - 1, is(Stmt::let)) && columns.kind == Stmt::loop;
    if (!nest || columns.tag != LoopTag::vector || columns.reverse) return false;
    return std::ranges::all_of(columns.body, [&](const Stmt& one) {
      return is(Stmt::let)(one) || is(Stmt::store)(one) || is(Stmt::reduce)(one);
    });
  }

  std::optional<WindowSum> find_sum() {
    for (auto s = columns_.body.rbegin(); s != columns_.body.rend(); ++s) {
      if (s->kind == Stmt::let && parts_.count(s->value)) continue;  // of a sum that cannot be carried
      WindowSum sum = s->kind == Stmt::reduce ? statement(*s) : s->kind == Stmt::let ? chain(s->value) : WindowSum{};
      if (sum.terms.size() >= kFewestTerms && sum.terms.size() <= kMostTerms && in_rows(sum)) return sum;
    }
    return {};
  }

  // The nest with columns outside, and the sums of rows not yet whole carried along.
  Stmt carried(const WindowSum& sum) {
    const auto [lo, hi] = k_.var_range[static_cast<size_t>(expr(rows_.var).i)];
    const int64_t before = sum.rows() - 1;
    Stmt columns = columns_, rows{Stmt::loop}, whole{Stmt::guard};
    columns.body.clear();
    columns.abreast = abreast(sum), columns.share = 0;
    if (!columns_.rest.empty()) columns.rest = {one_column()};
    rows.var = variable({LoopOp::var, LoopType::i64}, lo, hi + before);
    rows.lo = rows_.lo, rows.hi = let({LoopOp::iadd, LoopType::i64, {rows_.hi, number(before)}}, columns.body);
    const int last = let({LoopOp::iadd, LoopType::i64, {rows_.lo, number(before - 1)}}, columns.body);  // with which no sum is whole
    add_terms(sum, columns, rows, whole);
    whole.value = let({LoopOp::ilt, LoopType::i64, {last, rows.var}}, rows.body);
    new_[rows_.var] = let({LoopOp::isub, LoopType::i64, {rows.var, number(before)}}, whole.body);
    rest_of_body(sum, whole.body);
    rows.body.push_back(std::move(whole));
    columns.body.push_back(std::move(rows));
    return columns;
  }

 private:
  // Vectors side by side go through memory in longer pieces, as long as their sums fit registers.
  int abreast(const WindowSum& sum) const {
    int count = 4;
    while (count > 1 && (count * sum.rows() > kMostCarried || count * kFewestLanes > trips(k_, columns_.lo, columns_.hi))) count /= 2;
    return count;
  }

  // ---- what can be carried ---------------------------------------------------------------------------------------------

  bool is_load(int e) const {
    const LoopExpr& x = expr(e);
    return x.op == LoopOp::load && x.type == LoopType::f32 && !stored_.count(static_cast<int>(x.i));
  }
  bool is_row(int e) const { return is_load(e) && expr(e).lanes && expr(e).stride == 1 && inside_.count(e); }

  // fma(x3, k3, fma(x2, k2, x1 * k1))
  WindowSum chain(int e) {
    static const Op fma = op("fma"), mul = op("mul");
    WindowSum sum{.result = e};
    const auto is = [&](Op row) { return expr(e).op == LoopOp::scalar && expr(e).row == row && inside_.count(e); };
    while (is(fma) && sum.terms.size() <= kMostTerms && add_product(sum, expr(e).args[0], expr(e).args[1], {}))
      parts_.insert(e = expr(e).args[2]);
    if (!is(mul) || !add_product(sum, expr(e).args[0], expr(e).args[1], {})) return {};
    std::reverse(sum.terms.begin(), sum.terms.end());
    return sum;
  }

  // sum over i < 3, j < 3 of x * k
  WindowSum statement(const Stmt& s) const {
    size_t count = 1;
    for (int n : s.extents) count *= expr(n).op == LoopOp::iconst ? static_cast<size_t>(expr(n).i) : kMostTerms + 1;
    if (s.name != "sum" || s.factor < 0 || s.tag == LoopTag::vector || count > kMostTerms) return {};
    WindowSum sum{.result = s.var, .from_zero = true};
    for (size_t term = 0; term < count; ++term) {
      std::map<int, int64_t> at;
      auto left = static_cast<int64_t>(term);
      for (size_t v = s.vars.size(); v-- > 0; left /= expr(s.extents[v]).i) at[s.vars[v]] = left % expr(s.extents[v]).i;
      if (!add_product(sum, s.value, s.factor, at)) return {};
    }
    return sum;
  }

  // at: what variables of the sum are for this term.
  bool add_product(WindowSum& sum, int x, int factor, const std::map<int, int64_t>& at) const {
    if (!is_row(x)) std::swap(x, factor);
    if (!is_row(x) || (sum.array >= 0 && sum.array != expr(x).i)) return false;
    sum.array = static_cast<int>(expr(x).i);
    Term term{.index = index_at(x, at), .factor = factor};
    if (inside_.count(factor)) {
      if (!is_load(factor) || expr(factor).lanes) return false;
      term.factor_index = index_at(factor, at);
      if (std::ranges::any_of(term.factor_index->terms, [this](auto& part) { return inside_.count(part.first) > 0; })) return false;
    }
    sum.terms.push_back(std::move(term));
    return true;
  }
  IndexSum index_at(int load, const std::map<int, int64_t>& at) const {
    IndexSum index = index_sum(k_, expr(load).args[0]);
    for (auto [var, value] : at)
      if (auto found = index.terms.find(var); found != index.terms.end()) index.constant += found->second * value, found->second = 0;
    std::erase_if(index.terms, [](auto& term) { return term.second == 0; });
    return index;
  }

  // Do the terms follow each other row by row?
  bool in_rows(WindowSum& sum) const {
    const std::map<int, int64_t> same = sum.terms[0].index.terms;
    if (!same.count(rows_.var) || (sum.pitch = same.at(rows_.var)) <= 0) return false;
    int64_t least = sum.terms[0].index.constant, last = 0;
    for (const Term& term : sum.terms) least = std::min(least, term.index.constant);
    std::unordered_set<int64_t> loads;
    for (Term& term : sum.terms) {
      term.row = (term.index.constant - least + sum.pitch / 2) / sum.pitch;  // the nearest: columns lie to both sides
      term.index.constant -= term.row * sum.pitch;
      loads.insert(term.index.constant);
      if (term.index.terms != same || term.row < std::exchange(last, term.row)) return false;
    }
    const auto [lo, hi] = k_.var_range[static_cast<size_t>(expr(rows_.var).i)];
    const bool few = last < kMostRows && hi - lo >= kFewestRows * last;
    const bool worthwhile = last > 0 && few && 3 * loads.size() <= 2 * sum.terms.size();
    return worthwhile && sum.terms[0].row == 0 && std::ranges::all_of(sum.terms, [&](const Term& t) { return stays_inside(sum, t); });
  }

  // Every column of a window is loaded of every row that any of its columns is loaded of: do all lie in the array?
  bool stays_inside(const WindowSum& sum, const Term& term) const {
    const int64_t size = k_.arrays[static_cast<size_t>(sum.array)].size;
    IndexSum index = term.index;
    for (auto& [e, factor] : index.terms) {
      if (e == rows_.var || e == columns_.var) continue;
      if (inside_.count(e)) return false;
      if (factor % size == 0) factor = 0;  // other ticks
    }
    const std::optional<Range> range = range_of(k_, index);
    return range && range->least >= 0 && range->most + (sum.rows() - 1) * sum.pitch < size;
  }

  // ---- the new nest ----------------------------------------------------------------------------------------------------

  int zero() { return add({LoopOp::fconst}); }
  int sum_variable() {
    LoopExpr e{LoopOp::var, LoopType::f32};
    e.lanes = true;
    return variable(std::move(e));
  }
  int index(const IndexSum& sum, std::vector<Stmt>& into) {
    int all = number(sum.constant);
    for (auto [e, factor] : sum.terms)
      all = let({LoopOp::iadd, LoopType::i64, {all, let({LoopOp::imul, LoopType::i64, {e, number(factor)}}, into)}}, into);
    return all;
  }

  // What a column that fills no vector does, row by row.
  Stmt one_column() const {
    Stmt rows = rows_;
    rows.share = 0;
    rows.body.pop_back();
    rows.body.insert(rows.body.end(), columns_.rest.begin(), columns_.rest.end());
    return rows;
  }

  // Adds a row to the sums that are carried, and to the one that is then whole.
  void add_terms(const WindowSum& sum, Stmt& columns, Stmt& rows, Stmt& whole) {
    const int64_t before = sum.rows() - 1;
    for (int64_t row = before; row >= 1; --row) rows.carried.push_back({sum_variable(), zero(), -1});
    const auto carried = [&](int64_t row) -> Stmt::Carried& { return rows.carried[static_cast<size_t>(before - row)]; };
    std::map<int64_t, int> loads;  // of this row, by what the index adds
    const int base = row_begin(sum, rows);
    for (int64_t row = 0; row <= before; ++row) {
      int value = row > 0 ? carried(row).var : sum.from_zero ? zero() : -1;
      for (const Term& t : sum.terms) {
        if (t.row != row) continue;
        const int x = load(sum, t, base, loads, rows.body), k = factor(t, columns.body);
        value = add_term(value, x, k, row == before ? whole.body : rows.body);
      }
      (row == before ? new_[sum.result] : carried(row + 1).next) = value;
    }
  }

  int row_begin(const WindowSum& sum, Stmt& rows) {
    IndexSum begin{sum.terms[0].index.terms, 0};
    begin.terms.erase(rows_.var);
    begin.terms[rows.var] = sum.pitch;
    return index(begin, rows.body);
  }
  int load(const WindowSum& sum, const Term& term, int base, std::map<int64_t, int>& loads, std::vector<Stmt>& into) {
    auto [found, fresh] = loads.insert({term.index.constant, -1});
    if (!fresh) return found->second;
    LoopExpr x{LoopOp::load, LoopType::f32, {let({LoopOp::iadd, LoopType::i64, {base, number(term.index.constant)}}, into)}, sum.array};
    x.lanes = true, x.stride = 1;
    return found->second = let(std::move(x), into);
  }
  int factor(const Term& term, std::vector<Stmt>& into) {
    if (!term.factor_index) return term.factor;
    return let({LoopOp::load, LoopType::f32, {index(*term.factor_index, into)}, expr(term.factor).i}, into);
  }
  int add_term(int sum, int x, int factor, std::vector<Stmt>& into) {
    LoopExpr e{LoopOp::scalar, LoopType::f32, {x, factor}};
    e.row = op(sum < 0 ? "mul" : "fma"), e.lanes = true;
    if (sum >= 0) e.args.push_back(sum);
    return let(std::move(e), into);
  }

  // What else a row makes, of what its sum and its number now are; what only the sum needed is left out.
  void rest_of_body(const WindowSum& sum, std::vector<Stmt>& into) {
    std::vector<const Stmt*> all;
    for (auto* body : {&rows_.body, &columns_.body})
      for (const Stmt& s : *body)
        if (&s != &columns_) all.push_back(&s);
    std::unordered_set<int> needed;
    std::vector<const Stmt*> kept;
    for (auto s = all.rbegin(); s != all.rend(); ++s) {
      const int made = (*s)->kind == Stmt::let ? (*s)->value : (*s)->kind == Stmt::reduce ? (*s)->var : -1;
      if (made == sum.result || (made >= 0 && !needed.count(made))) continue;
      kept.push_back(*s);
      for_all_reads(k_, **s, [&](int e) { needed.insert(e); });
    }
    for (auto s = kept.rbegin(); s != kept.rend(); ++s) copy(**s, into);
  }
  int map(int e) const {
    auto found = new_.find(e);
    return found == new_.end() ? e : found->second;
  }
  void copy(const Stmt& s, std::vector<Stmt>& into) {
    if (s.kind == Stmt::let) {
      LoopExpr e = expr(s.value);
      for (int& a : e.args) a = map(a);
      new_[s.value] = let(std::move(e), into);
      return;
    }
    Stmt out = s;
    out.body.clear();
    for (int& v : out.vars) v = new_[v] = copy_variable(v);
    for (const Stmt& one : s.body) copy(one, out.body);
    for (int* e : {&out.index, &out.value, &out.factor}) *e = map(*e);
    for (int& n : out.extents) n = map(n);
    if (s.kind == Stmt::reduce) out.var = new_[s.var] = copy_variable(s.var);
    into.push_back(std::move(out));
  }
  const Stmt &rows_, &columns_;
  std::unordered_set<int> inside_, stored_;  // expressions, arrays
  std::unordered_set<int> parts_;            // of chains that were looked at
  std::map<int, int> new_;
};

void visit(Kernel& k, std::vector<Stmt>& body) {
  for (Stmt& s : body) {
    if (!Plane::fits(s)) {
      visit(k, s.body);
      continue;
    }
    Plane plane(k, s);
    const std::optional<WindowSum> sum = plane.find_sum();
    if (!sum) continue;
    s = plane.carried(*sum);
  }
}

}  // namespace

Kernel carry_rows(Kernel kernel) {
  visit(kernel, kernel.body);
  return kernel;
}

}  // namespace dgen::loop
