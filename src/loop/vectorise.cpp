#include "loop/vectorise.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/check.h"
#include "ir/helper.h"
#include "ir/op.h"
#include "loop/edit.h"
#include "loop/lanes.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr double kPartialResults = 16;
constexpr double kFewest = 4, kFewestInOrder = 3;  // iterations that may be worth a vector
constexpr int kMostAbreast = 4;
constexpr size_t kMostStatements = 500;  // of a body that stands several times, for vectors abreast
constexpr int64_t kStrip = 64;           // elements of a row that are turned at a time: a few KB
constexpr size_t kMostTwice = 30;        // statements of a body that is written again for the last vector: a mask a vector slows short ones

// ---- which loops -----------------------------------------------------------------------------------------------------

struct Choice {
  const Stmt* loop;
  Lanes lanes;
  int abreast = 1;
  std::vector<int> bank = {};  // arrays of a bank that fills no vectors, which are to have room for those
};

// The cheapest choice: a loop in vectors, or one by one with the best choice for the loops inside it.
class Chooser {
 public:
  explicit Chooser(const Kernel& k) : k_(k), analysis_(k), is_read_(k.arrays.size(), false) {
    for (const LoopExpr& x : k.exprs)
      if (x.op == LoopOp::load) is_read_[static_cast<size_t>(x.i)] = true;
    for_statements(k.body, [this](const Stmt& s) {
      for (auto [array, index] : s.pointers) is_read_[static_cast<size_t>(array)] = true;
    });
    cost(k.body);
  }
  std::vector<Choice> take() { return std::move(chosen_); }

 private:
  double cost(const std::vector<Stmt>& body) {
    double sum = 0;
    for (auto& s : body) sum += cost(s);
    return sum;
  }

  double cost(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let: return cost_of(k_.exprs[static_cast<size_t>(s.value)]);
      case Stmt::loop: return loop(s);
      case Stmt::reduce: return reduce(s);
      case Stmt::call: {
        double elements = 100;
        for (int64_t n : s.spans) elements += static_cast<double>(n);
        return 10 * elements;
      }
      default: return 1 + cost(s.body);
    }
  }

  double loop(const Stmt& s) {
    size_t before = chosen_.size();
    const bool groups = s.tag == LoopTag::groups, any_order = s.tag == LoopTag::lanes || s.tag == LoopTag::parallel;
    const bool outside = std::exchange(in_order_, in_order_ || s.tag == LoopTag::serial || groups);
    double times = trips(k_, s.lo, s.hi), one_by_one = times * (cost(s.body) + 1);
    in_order_ = outside;
    if (!(groups || (any_order && !s.reverse)) || times < (in_order_ ? kFewestInOrder : kFewest)) return one_by_one;
    Lanes lanes = analysis_.of(s);
    if (!lanes.why_not.empty()) return one_by_one;
    double vectors = std::ceil(times / kCostLanes) * (lanes.cost + 1);
    if (vectors >= one_by_one) return one_by_one;
    std::vector<int> bank;
    if (in_order_ || groups) lanes.maskable = is_bank(s, lanes, &bank);
    if (times < kFewest && !lanes.maskable) return one_by_one;
    chosen_.resize(before);
    const int count = in_order_ ? abreast(s, lanes) : sums_abreast(s, lanes);
    chosen_.push_back({&s, std::move(lanes), count, std::move(bank)});
    return vectors;
  }

  // In feedback the next tick would wait for masked stores: they are not forwarded to loads. So masks are for memory that no
  // tick reads back, and the kernel's own arrays of one such bank, as far as it reads them, have room for whole vectors.
  bool is_bank(const Stmt& s, const Lanes& lanes, std::vector<int>* own) const {
    const LoopExpr &first = k_.exprs[static_cast<size_t>(s.lo)], &end = k_.exprs[static_cast<size_t>(s.hi)];
    const bool fixed = s.tag == LoopTag::lanes && first.op == LoopOp::iconst && first.i == 0 && end.op == LoopOp::iconst;
    if (!fixed || end.i >= kLongestBank || !lanes.maskable || !lanes.contiguous || !lanes.own.empty()) return false;
    for (const Stmt& one : s.body) {
      const LoopExpr* x = one.kind == Stmt::let ? &k_.exprs[static_cast<size_t>(one.value)] : nullptr;
      if (!x && one.kind != Stmt::store) return false;
      if (x && x->op != LoopOp::load) continue;
      const int array = x ? static_cast<int>(x->i) : one.array, index = x ? x->args[0] : one.index;
      const ArrayRef& a = k_.arrays[static_cast<size_t>(array)];
      const bool in_kernel = a.kind == ArrayRef::local || a.home == ArrayRef::registers;
      if (lanes.of(index).kind == LaneValue::uniform) continue;
      if (in_kernel && a.size == end.i && index == s.var && a.type == LoopType::f32) own->push_back(array);
      else if (x ? a.written : in_kernel || is_read_[static_cast<size_t>(array)]) return false;
    }
    return true;
  }

  // A tick's few vectors have little else to do while results are awaited. As many as there are of the shortest vectors.
  int abreast(const Stmt& s, const Lanes& lanes) const {
    auto number = [this](int e) { return k_.exprs[static_cast<size_t>(e)].op == LoopOp::iconst; };
    auto simple = [](const Stmt& one) { return one.kind == Stmt::let || one.kind == Stmt::store || one.kind == Stmt::add; };
    if (s.tag != LoopTag::lanes || !number(s.lo) || !number(s.hi) || !lanes.own.empty() || !lanes.rows.empty()) return 1;
    if (!std::all_of(s.body.begin(), s.body.end(), simple)) return 1;
    const double fit = trips(k_, s.lo, s.hi) / kFewest;
    int count = fit >= kMostAbreast ? kMostAbreast : fit >= 2 ? 2 : 1;
    while (count > 1 && static_cast<size_t>(2 * count - 1) * s.body.size() > kMostStatements) count /= 2;  // four, two and one alone
    return count;
  }

  // Ticks of a bank: what is the same for all of them, a weight or a phase's step, is read once for several vectors.
  static int sums_abreast(const Stmt& s, const Lanes& lanes) {
    size_t statements = 0;
    const bool sums = std::any_of(s.body.begin(), s.body.end(), [](const Stmt& one) { return one.kind == Stmt::reduce; });
    if (s.tag != LoopTag::parallel || !sums || !lanes.own.empty() || !lanes.rows.empty() || !only_sums(s.body, &statements)) return 1;
    return statements <= kMostStatements / 12 ? 4 : statements <= kMostStatements / 5 ? 2 : 1;
  }
  static bool only_sums(const std::vector<Stmt>& body, size_t* statements) {
    *statements += body.size();
    return std::all_of(body.begin(), body.end(), [&](const Stmt& one) {
      return one.kind == Stmt::let || one.kind == Stmt::store || one.kind == Stmt::add ||
             (one.kind == Stmt::reduce && only_sums(one.body, statements));
    });
  }

  // Sums keep their 16 partial results in vectors, if there are enough terms.
  double reduce(const Stmt& s) {
    size_t before = chosen_.size();
    double times = 1, terms = trips(k_, -1, s.extents.back());
    for (size_t i = 0; i + 1 < s.extents.size(); ++i) times *= trips(k_, -1, s.extents[i]);
    double one_by_one = times * terms * (cost(s.body) + 1) + 16;
    if (terms < kPartialResults) return one_by_one;
    Lanes lanes = analysis_.of(s);
    double vectors = times * std::ceil(terms / kCostLanes) * (lanes.cost + 1) + 16;
    if (!lanes.why_not.empty() || !lanes.maskable || !lanes.own.empty() || vectors >= one_by_one) return one_by_one;
    chosen_.resize(before);
    chosen_.push_back({&s, std::move(lanes)});
    return vectors;
  }

  const Kernel& k_;
  LaneAnalysis analysis_;
  std::vector<bool> is_read_;  // by array
  std::vector<Choice> chosen_;
  bool in_order_ = false;  // within ticks that wait for those before
};

// ---- the loops in vectors --------------------------------------------------------------------------------------------

// Copies the body of a loop with new expressions, those that differ from lane to lane as vectors.
class Widen : Edit {
 public:
  Widen(Kernel& k, const Lanes& lanes, bool bank) : Edit(k), lanes_(lanes), bank_(bank) {}

  Stmt run(Stmt loop) {
    std::vector<Stmt> body = std::exchange(loop.body, {});
    if (lanes_.maskable && (lanes_.contiguous || iterations(loop) >= kVector)) {
      if (!fills_vectors(loop)) loop.mask = bank_ ? Stmt::bank : statements(body) > kMostTwice ? Stmt::every : Stmt::last;
    } else {
      DGEN_ASSERT(loop.kind == Stmt::loop);  // sums mask the last terms
      loop.overlaps = lanes_.repeatable && loop.tag != LoopTag::groups;
      loop.rest = body, loop.rest_var = lane_var(loop);
    }
    loop.tag = LoopTag::vector;
    int& var = loop.kind == Stmt::reduce ? loop.vars.back() : loop.var;
    var = widened(var);
    find_strips(body);
    for (auto& [array, row] : lanes_.rows) begin_row(array, row, loop.body);
    list(std::move(body), loop.body);
    for (auto& [array, row] : lanes_.rows)
      if (row.store && !turned_.at(array).by_strips) loop.body.push_back(turn_row(array, row));
    if (loop.kind == Stmt::reduce) loop.value = map(loop.value), loop.factor = map(loop.factor);
    return loop;
  }

 private:
  static size_t statements(const std::vector<Stmt>& body) {
    size_t count = 0;
    for_statements(body, [&](const Stmt&) { ++count; });
    return count;
  }

  // Are there as many iterations as whole vectors have, however wide?
  bool fills_vectors(const Stmt& loop) const {
    const bool sum = loop.kind == Stmt::reduce;
    if ((!sum && expr(loop.lo).op != LoopOp::iconst) || expr(sum ? loop.extents.back() : loop.hi).op != LoopOp::iconst) return false;
    return iterations(loop) % kVector == 0;
  }
  int64_t iterations(const Stmt& loop) const {
    return static_cast<int64_t>(loop.kind == Stmt::reduce ? trips(k_, -1, loop.extents.back()) : trips(k_, loop.lo, loop.hi));
  }

  LaneValue::Kind kind(int e) const { return lanes_.of(e).kind; }

  int map(int e) const {
    auto found = new_.find(e);
    return found == new_.end() ? e : found->second;
  }
  int widened(int old) {
    new_[old] = copy_variable(old);
    k_.exprs.back().lanes = kind(old) == LaneValue::lanes;
    return new_[old];
  }
  int counter(int64_t end) { return variable({LoopOp::var, LoopType::i64}, 0, end); }

  // An operand of a vector: positions that step from lane to lane become a vector of them.
  int operand(int old, bool of_call, std::vector<Stmt>& into) {
    LaneValue v = lanes_.of(old);
    if (v.kind != LaneValue::affine) return map(old);
    LoopExpr ramp{LoopOp::ramp, of_call ? LoopType::u64 : LoopType::i64, {map(old)}};
    ramp.lanes = true, ramp.i = v.stride;
    return let(std::move(ramp), into);
  }

  int vectors_of(int array) {
    auto [found, fresh] = own_.insert({array, 0});
    if (fresh) {
      ArrayRef twin = k_.arrays[static_cast<size_t>(array)];
      twin.lanes = true;
      k_.arrays.push_back(twin);
      found->second = static_cast<int>(k_.arrays.size()) - 1;
    }
    return found->second;
  }

  // A row's place in memory, and the vectors that it becomes: all of it, or kStrip elements at a time.
  struct Turned {
    int vectors, begin;
    bool by_strips = false;
    int at = -1;  // by strips: the element of the strip
  };

  void begin_row(int array, const Row& row, std::vector<Stmt>& into) {
    const int begin = sum({row.base, row.first}, into);
    const bool by_strips = std::any_of(strips_.begin(), strips_.end(), [array = array](auto& s) { return s.second.count(array) > 0; });
    k_.arrays.push_back({.kind = ArrayRef::local, .size = by_strips ? kStrip : row.size, .written = true, .lanes = true});
    turned_[array] = {static_cast<int>(k_.arrays.size()) - 1, begin, by_strips};
    if (!row.store && !by_strips) into.push_back(turn_row(array, row));
  }

  Stmt turn_row(int array, const Row& row) {
    const Turned& turned = turned_.at(array);
    return turn(row.store, {turned.vectors, number(0)}, {array, turned.begin}, row.stride, number(row.size));
  }

  Stmt turn(bool to_memory, std::pair<int, int> vectors, std::pair<int, int> memory, int64_t stride, int count) {
    Stmt s{Stmt::call};
    s.name = to_memory ? "dg_unpack" : "dg_pack", s.lanes = true;
    s.pointers = {to_memory ? memory : vectors, to_memory ? vectors : memory};
    s.numbers = {number(stride), count};
    return s;
  }

  int sum(const IndexSum& index, std::vector<Stmt>& into) {
    int begin = number(index.constant);
    for (auto [term, factor] : index.terms)
      begin = let({LoopOp::iadd, LoopType::i64, {begin, let({LoopOp::imul, LoopType::i64, {map(term), number(factor)}}, into)}}, into);
    return begin;
  }

  // Where an index in memory lies in the row of vectors.
  int in_row(const Turned& row, int index, std::vector<Stmt>& into) {
    return row.by_strips ? row.at : let({LoopOp::isub, LoopType::i64, {map(index), row.begin}}, into);
  }

  // Rows that one loop goes through element by element, and nothing else reads or writes.
  void find_strips(const std::vector<Stmt>& body) {
    for (auto& [array, row] : lanes_.rows) {
      const Stmt* only = nullptr;
      int users = 0;
      for (const Stmt& s : body)
        if (accesses(s, array)) only = &s, ++users;
      if (users == 1 && row.size > kStrip && row.load != row.store && steps_through(*only, array, row)) strips_[only].insert(array);
    }
  }
  bool accesses(const Stmt& s, int array) const {
    bool found = false;
    for_accesses(k_, s, [&](int a) { found = found || a == array; });
    return found || std::any_of(s.body.begin(), s.body.end(), [&](const Stmt& one) { return accesses(one, array); });
  }
  bool steps_through(const Stmt& loop, int array, const Row& row) const {
    if (loop.kind != Stmt::loop || loop.reverse || expr(loop.lo).op != LoopOp::iconst || expr(loop.hi).op != LoopOp::iconst) return false;
    if (expr(loop.lo).i != 0 || expr(loop.hi).i != row.size) return false;
    bool all = true;
    auto element = [&](int index) {
      IndexSum sum = index_sum(k_, index);
      all = all && sum.constant == row.first && sum.terms[loop.var] == 1;
      sum.terms.erase(loop.var);
      std::erase_if(sum.terms, [](auto& term) { return term.second == 0; });
      all = all && sum.terms == row.base;
    };
    for_statements(loop.body, [&](const Stmt& s) {
      if (s.kind == Stmt::let && expr(s.value).op == LoopOp::load && expr(s.value).i == array) element(expr(s.value).args[0]);
      if ((s.kind == Stmt::store || s.kind == Stmt::add) && s.array == array) element(s.index);
      if (s.kind == Stmt::call && accesses(s, array)) all = false;
    });
    return all;
  }

  // for j: ... row[j] ...   becomes   for strips: turn kStrip elements; for those: ... strip[j - first] ...
  void strips(Stmt&& strip, const std::unordered_set<int>& arrays, std::vector<Stmt>& into) {
    const int64_t n = iterations(strip), count = (n + kStrip - 1) / kStrip;
    const int element = strip.var;
    std::vector<Stmt> body = std::exchange(strip.body, {});
    Stmt all{Stmt::loop};
    all.lo = number(0), all.hi = number(count), all.var = counter(count);
    const int from = let({LoopOp::imul, LoopType::i64, {all.var, number(kStrip)}}, all.body);
    int size = number(kStrip);
    if (n % kStrip) {
      const int left = let({LoopOp::isub, LoopType::i64, {number(n), from}}, all.body);
      size = let({LoopOp::imin, LoopType::i64, {size, left}}, all.body);
    }
    strip.lo = number(0), strip.hi = size, strip.var = counter(kStrip);
    new_[element] = let({LoopOp::iadd, LoopType::i64, {from, strip.var}}, strip.body);
    std::vector<Stmt> after;
    for (int array : arrays) {
      Turned& turned = turned_.at(array);
      const Row& row = lanes_.rows.at(array);
      turned.at = strip.var;
      const int begin = let({LoopOp::iadd, LoopType::i64, {turned.begin, from}}, all.body);
      (row.store ? after : all.body).push_back(turn(row.store, {turned.vectors, number(0)}, {array, begin}, row.stride, size));
    }
    list(std::move(body), strip.body);
    all.body.push_back(std::move(strip));
    for (Stmt& store : after) all.body.push_back(std::move(store));
    into.push_back(std::move(all));
  }

  using Edit::let;
  void let(int old, std::vector<Stmt>& into) {
    LoopExpr e = expr(old);
    e.lanes = kind(old) == LaneValue::lanes;
    if (e.op == LoopOp::load && e.lanes) return load(old, into);
    if (e.op == LoopOp::call && is_ramp(e)) return ramp(old, into);
    for (int& a : e.args) a = e.lanes ? operand(a, e.op == LoopOp::call, into) : map(a);
    new_[old] = let(std::move(e), into);
  }

  // The value of lane 0, and what the others add to it, which is often the same at all ticks.
  void ramp(int old, std::vector<Stmt>& into) {
    LoopExpr first = expr(old), lanes = first, sum = first;
    for (int& a : first.args) a = map(a);
    lanes.name = find_helper(first.name).ramp, lanes.lanes = sum.lanes = true;
    lanes.args = {first.args[first.args.size() - 2]};
    sum.name = "dg_phase_plus";
    sum.args = {let(std::move(first), into), let(std::move(lanes), into)};
    new_[old] = let(std::move(sum), into);
  }

  // A helper's values at consecutive numbers, one a lane.
  bool is_ramp(const LoopExpr& e) const {
    auto uniform = [this](int a) { return kind(a) == LaneValue::uniform; };
    return !find_helper(e.name).ramp.empty() && std::all_of(e.args.begin(), e.args.end() - 1, uniform) &&
           lanes_.of(e.args.back()).stride == 1;
  }

  void load(int old, std::vector<Stmt>& into) {
    LoopExpr e = expr(old);
    int index = e.args[0];
    e.lanes = true;
    e.args = {map(index)};
    if (lanes_.own.count(static_cast<int>(e.i))) {
      e.i = vectors_of(static_cast<int>(e.i));
    } else if (auto row = turned_.find(static_cast<int>(e.i)); row != turned_.end()) {
      e.args = {in_row(row->second, index, into)};
      e.i = row->second.vectors;
    } else if (kind(index) == LaneValue::affine) {
      e.stride = lanes_.of(index).stride;
    } else if (auto clamped = clamped_index(k_, lanes_, index); clamped && e.type == LoopType::f32) {
      e.op = LoopOp::clamped;
      e.args = {sum(clamped->begin, into), map(clamped->position), number(clamped->least), number(clamped->most)};
    } else {
      e.op = LoopOp::gather;
    }
    new_[old] = let(std::move(e), into);
  }

  void list(std::vector<Stmt> body, std::vector<Stmt>& into) {
    into.reserve(into.size() + body.size());
    for (Stmt& s : body) statement(std::move(s), into);
  }

  // A row in memory a lane becomes one row of vectors before a transform, or is written from it after.
  void call(const Stmt& s, std::vector<Stmt>& into) {
    Stmt out = s;
    out.lanes = true;
    std::vector<Stmt> after;
    for (size_t i = 0; i < s.pointers.size(); ++i) {
      auto [array, index] = s.pointers[i];
      if (lanes_.own.count(array)) {
        out.pointers[i] = {vectors_of(array), map(index)};
        continue;
      }
      if (auto row = turned_.find(array); row != turned_.end()) {
        out.pointers[i] = {row->second.vectors, in_row(row->second, index, into)};
        continue;
      }
      bool result = i + 1 == s.pointers.size();
      k_.arrays.push_back({.kind = ArrayRef::local, .size = s.spans[i], .written = true, .lanes = true});
      out.pointers[i] = {static_cast<int>(k_.arrays.size()) - 1, number(0)};
      (result ? after : into).push_back(turn(result, out.pointers[i], {array, map(index)}, lanes_.of(index).stride, number(s.spans[i])));
    }
    into.push_back(std::move(out));
    for (Stmt& store : after) into.push_back(std::move(store));
  }

  void statement(Stmt&& s, std::vector<Stmt>& into) {
    if (s.kind == Stmt::let) return let(s.value, into);
    if (s.kind == Stmt::call) return call(s, into);
    if (auto found = strips_.find(&s); found != strips_.end()) return strips(std::move(s), found->second, into);
    const int index = s.index;
    for (int* e : {&s.lo, &s.hi, &s.index}) *e = map(*e);
    for (int& n : s.extents) n = map(n);
    for (int& v : s.vars) v = widened(v);
    if (s.kind == Stmt::loop) s.var = widened(s.var);
    list(std::exchange(s.body, {}), s.body);
    if (s.kind == Stmt::store || s.kind == Stmt::add) {
      auto row = turned_.find(s.array);
      if (lanes_.own.count(s.array)) s.array = vectors_of(s.array);
      else if (row != turned_.end()) s.array = row->second.vectors, s.index = in_row(row->second, index, into);
      else s.stride = lanes_.of(index).stride;
      s.value = operand(s.value, false, into);
    } else {
      s.value = map(s.value), s.factor = map(s.factor);
    }
    if (s.kind == Stmt::reduce) s.var = widened(s.var);
    into.push_back(std::move(s));
  }

  const Lanes& lanes_;
  const bool bank_;
  std::unordered_map<int, int> new_, own_;
  std::unordered_map<int, Turned> turned_;
  std::unordered_map<const Stmt*, std::unordered_set<int>> strips_;  // by loop: arrays
};

// Chosen loops become vectors; they were chosen in this order.
void widen(Kernel& kernel, std::vector<Stmt>& body, std::span<const Choice>& chosen) {
  for (Stmt& s : body) {
    if (chosen.empty()) return;
    if (chosen[0].loop != &s) {
      widen(kernel, s.body, chosen);
      continue;
    }
    s = Widen(kernel, chosen[0].lanes, !chosen[0].bank.empty()).run(std::move(s));
    s.abreast = chosen[0].abreast;
    if (s.mask == Stmt::bank)
      for (int array : chosen[0].bank) {
        ArrayRef& a = kernel.arrays[static_cast<size_t>(array)];
        a.room = (a.size + kVector - 1) / kVector * kVector;
      }
    chosen = chosen.subspan(1);
  }
}

}  // namespace

Kernel vectorise(Kernel kernel) {
  const std::vector<Choice> choices = Chooser(kernel).take();
  std::span<const Choice> chosen = choices;
  widen(kernel, kernel.body, chosen);
  DGEN_ASSERT(chosen.empty());
  return kernel;
}

}  // namespace dgen::loop
