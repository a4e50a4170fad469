#include "loop/lanes.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "ir/op.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr double kManyTrips = 256;
constexpr double kFunction = 8, kContiguous = 1, kStrided = 10, kStridedStore = 16, kGather = 12, kDivision = 8, kTransform = 12, kTurn = 3;
constexpr double kClamped = 3;
constexpr int64_t kMostOwn = 12288;  // elements a lane of all arrays of vectors together: they lie on a thread's stack
constexpr int64_t kNear = 512;       // so many lie in a nearest cache

// Run-time numbers that fit 32 bits: all that do not count from the stream's start.
bool is_small(const KernelArg& arg) {
  return arg.kind != KernelArg::tile_frame && arg.kind != KernelArg::tick0 && arg.kind != KernelArg::step;
}

class Walk {
 public:
  Walk(const Kernel& k, const std::vector<int>& accesses) : k_(k), accesses_(accesses) {}

  Lanes run(const Stmt& loop) {
    find_own(loop);
    size_t candidates;
    do {
      candidates = out_.own.size();
      walk(loop);
    } while (out_.own.size() < candidates);
    return std::move(out_);
  }

 private:
  void walk(const Stmt& loop) {
    out_.value.clear(), out_.why_not.clear(), stored_.clear(), loaded_.clear();
    accesses_to_.clear(), strided_cost_.clear(), not_rows_.clear(), out_.rows.clear();
    out_.cost = 0, out_.copies = 0, out_.repeatable = out_.maskable = out_.contiguous = true, times_ = 1;
    out_.value[lane_var(loop)] = {LaneValue::affine, 1};
    list(loop.body);
    if (loop.kind == Stmt::reduce && of(loop.value).kind == Value::affine) cannot("a sum of positions");
    if (out_.why_not.empty()) find_rows(loop);
    out_.maskable &= out_.rows.empty();
    for (int array : stored_)
      if (loaded_.count(array) && !out_.rows.count(array)) out_.repeatable = false;
    int64_t size = out_.copies;
    for (int a : out_.own) size += array(a).size;
    for (auto& [a, row] : out_.rows) size += row.size;
    if (size > kMostOwn) cannot("arrays too large for vectors");
  }

  using Value = LaneValue;
  const LoopExpr& expr(int e) const { return k_.exprs[static_cast<size_t>(e)]; }
  const ArrayRef& array(int64_t a) const { return k_.arrays[static_cast<size_t>(a)]; }
  Value of(int e) const { return out_.of(e); }
  bool uniform(int e) const { return of(e).kind == Value::uniform; }
  void cannot(const std::string& why) {
    if (out_.why_not.empty()) out_.why_not = why;
  }

  void find_own(const Stmt& loop) {
    std::unordered_map<int, int> inside;
    for_statements(loop.body, [&](const Stmt& s) { for_accesses(k_, s, [&](int a) { ++inside[a]; }); });
    int64_t size = 0;
    for (auto [a, n] : inside) {
      if (array(a).kind != ArrayRef::local || n != accesses_[static_cast<size_t>(a)]) continue;
      out_.own.insert(a);
      size += array(a).size;
    }
    own_cost_ = size > kNear ? 2 * kContiguous : kContiguous;
  }

  // Rows are turned where that costs less than strided access, which is charged here.
  void find_rows(const Stmt& loop) {
    std::unordered_set<int> inside;
    for (auto& [e, value] : out_.value) inside.insert(e);
    for_statements(loop.body, [&](const Stmt& s) {
      if (s.kind == Stmt::loop) inside.insert(s.var);
      inside.insert(s.vars.begin(), s.vars.end());
    });
    for (auto& [a, accesses] : accesses_to_) {
      std::optional<Row> row;
      if (!not_rows_.count(a)) row = row_of(k_, accesses, lane_var(loop), inside);
      const double turned = row ? kTurn * static_cast<double>(row->size) + uses_[a] : 0;
      if (row && turned < strided_cost_[a]) out_.rows[a] = *row;
      else for (auto& access : accesses) out_.copies += access.span > 1 ? access.span : 0;
      out_.cost += out_.rows.count(a) ? turned : strided_cost_[a];
    }
  }

  void access(int a, int index, bool store, int64_t span, double cost) {
    accesses_to_[a].push_back({index, store, of(index).stride, span});
    strided_cost_[a] += times_ * cost;
    if (span == 1) uses_[a] += times_ * kContiguous;  // a call's transform is charged with what it reads
    if (guarded_) not_rows_.insert(a);
  }

  // Lanes use different elements of the array: it is memory that they share.
  void disown(int array) {
    out_.own.erase(array);
    cannot("a local array of which every lane uses other elements");
  }

  // ---- expressions ---------------------------------------------------------------------------------------------------

  // Is an integer that is the same in all lanes known to fit 32 bits?
  bool small(int e) const {
    const LoopExpr& x = expr(e);
    if (x.op == LoopOp::iconst) return x.i > -(1 << 30) && x.i < (1 << 30);
    if (x.op == LoopOp::arg) return is_small(k_.args[static_cast<size_t>(x.i)]);
    if (x.op == LoopOp::to_int) return false;
    return std::all_of(x.args.begin(), x.args.end(), [this](int a) { return small(a); });
  }

  Value value(int e) {
    const LoopExpr& x = expr(e);
    bool all_uniform = std::all_of(x.args.begin(), x.args.end(), [this](int a) { return uniform(a); });
    if (x.op == LoopOp::load) return load(x, all_uniform);
    if (all_uniform) return charge(cost_of(x), {});
    if (x.type == LoopType::i64) return integer(x);
    switch (x.op) {
      case LoopOp::where:
        if (x.type == LoopType::u64) cannot("a choice of long numbers");
        [[fallthrough]];
      case LoopOp::scalar: return charge(cost_of(x), {Value::lanes});
      case LoopOp::to_float:
        if (!uniform(x.args[1]) || !fits(x.args[0])) cannot("a stream position in every lane");
        return charge(2, {Value::lanes});
      case LoopOp::call: return charge(kFunction, {Value::lanes});
      default: return cannot("an unknown expression"), Value{Value::lanes};
    }
  }

  void spend(double cost) { out_.cost += times_ * cost; }
  Value charge(double cost, Value v) {
    spend(cost);
    return v;
  }

  // May an operand be an integer of 32 bits a lane?
  bool fits(int e) const {
    Value v = of(e);
    return v.kind == Value::lanes ? !v.no_least && !v.no_most : small(e);
  }
  bool operands_fit(const LoopExpr& x) {
    bool fit = std::all_of(x.args.begin(), x.args.end(), [this](int a) { return fits(a); });
    if (!fit) cannot("integers that may not fit 32 bits");
    return fit;
  }

  Value integer(const LoopExpr& x) {
    Value a = of(x.args[0]), b = x.args.size() > 1 ? of(x.args[1]) : Value{};
    bool linear = a.kind != Value::lanes && b.kind != Value::lanes;
    if (x.op == LoopOp::iadd && linear) return charge(1, line(a.stride + b.stride));
    if (x.op == LoopOp::isub && linear) return charge(1, line(a.stride - b.stride));
    if (x.op == LoopOp::imul && linear && expr(x.args[1]).op == LoopOp::iconst) return charge(1, line(a.stride * expr(x.args[1]).i));
    if (x.op == LoopOp::to_int) return charge(4, {Value::lanes, 0, true, true});
    if (x.op == LoopOp::imin || x.op == LoopOp::imax) return bound(x, a, b);
    operands_fit(x);
    return charge(x.op == LoopOp::idiv || x.op == LoopOp::imod ? kDivision : 1, {Value::lanes});
  }
  static Value line(int64_t stride) { return {stride ? Value::affine : Value::uniform, stride}; }

  Value bound(const LoopExpr& x, Value a, Value b) {
    if ((a.kind != Value::lanes && !small(x.args[0])) || (b.kind != Value::lanes && !small(x.args[1])))
      cannot("integers that may not fit 32 bits");
    bool min = x.op == LoopOp::imin;
    bool no_least = min ? a.no_least || b.no_least : a.no_least && b.no_least;
    bool no_most = min ? a.no_most && b.no_most : a.no_most || b.no_most;
    return charge(1, {Value::lanes, 0, no_least, no_most});
  }

  Value load(const LoopExpr& x, bool all_uniform) {
    auto a = static_cast<int>(x.i);
    if (out_.own.count(a)) {
      if (!all_uniform) disown(a);
      if (array(a).type != LoopType::f32) cannot("a local array of long numbers");
      return charge(own_cost_, {Value::lanes});
    }
    loaded_.insert(a);
    if (all_uniform) return not_rows_.insert(a), charge(1, {});
    Value index = of(x.args[0]);
    if (array(a).kind == ArrayRef::total || (x.type == LoopType::u64 && index.stride != 1)) cannot("vectors of an array of long numbers");
    if (index.kind == Value::affine && index.stride == 1) return not_rows_.insert(a), charge(kContiguous, {Value::lanes});
    if (x.type == LoopType::f32 && index.kind == Value::lanes && clamped_index(k_, out_, x.args[0]))
      return not_rows_.insert(a), charge(kClamped, {Value::lanes});
    out_.contiguous = false;
    if (index.kind == Value::affine) return access(a, x.args[0], false, 1, kStrided), Value{Value::lanes};
    not_rows_.insert(a);
    if (index.no_least || index.no_most) cannot("an index that may be anything");
    return charge(kGather, {Value::lanes});
  }

  // ---- statements ----------------------------------------------------------------------------------------------------

  void list(const std::vector<Stmt>& body) {
    for (auto& s : body)
      if (out_.why_not.empty()) statement(s);
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let: out_.value[s.value] = value(s.value); return;
      case Stmt::store: case Stmt::add: return store(s);
      case Stmt::loop: return loop(s);
      case Stmt::reduce: return reduce(s);
      case Stmt::guard:
        if (!uniform(s.value)) cannot("a condition that differs from lane to lane");
        ++guarded_;
        list(s.body);
        --guarded_;
        return;
      case Stmt::call: return call(s);
      case Stmt::barrier: case Stmt::single: case Stmt::part: return cannot("not of a loop's body before it is mapped");
    }
  }

  void store(const Stmt& s) {
    Value index = of(s.index);
    if (out_.own.count(s.array)) {
      if (index.kind != Value::uniform) disown(s.array);
      return spend(s.kind == Stmt::add ? 2 * own_cost_ : own_cost_);
    }
    if (index.kind != Value::affine) return cannot("lanes that write to one place");
    const ArrayRef& a = array(s.array);
    if (a.kind == ArrayRef::total || (a.type == LoopType::u64 && index.stride != 1)) return cannot("vectors of an array of long numbers");
    stored_.insert(s.array);
    if (s.kind == Stmt::add) out_.repeatable = false;
    if (index.stride == 1 || s.kind == Stmt::add) not_rows_.insert(s.array);
    if (index.stride == 1) return spend(s.kind == Stmt::add ? 2 * kContiguous : kContiguous);
    out_.contiguous = false;
    access(s.array, s.index, true, 1, s.kind == Stmt::add ? kStrided + kStridedStore : kStridedStore);
  }

  // Transforms take rows of vectors: rows in memory are copied, turned, to and fro.
  void call(const Stmt& s) {
    if (s.spans.empty() || !s.numbers.empty()) return cannot("a call of " + s.name);  // only transforms do lanes of rows
    out_.maskable = false;
    for (size_t i = 0; i < s.pointers.size(); ++i) {
      auto [a, index] = s.pointers[i];
      bool result = i + 1 == s.pointers.size();
      spend(kTransform * static_cast<double>(s.spans[i]));
      if (out_.own.count(a)) {
        if (!uniform(index)) disown(a);
        continue;
      }
      if (of(index).kind == Value::lanes) return cannot("a transform of rows anywhere");
      if (result && uniform(index)) return cannot("lanes that write to one place");
      access(a, index, result, s.spans[i], kTurn * static_cast<double>(s.spans[i]));
      (result ? stored_ : loaded_).insert(a);
    }
  }

  // Statements inside are charged as often as they run.
  void repeated(double times, const std::vector<Stmt>& body, double more = 0) {
    double before = std::exchange(times_, times_ * times);
    list(body);
    spend(more);
    times_ = before;
  }

  void loop(const Stmt& s) {
    if (!uniform(s.lo) || !uniform(s.hi)) return cannot("a loop of another length in every lane");
    repeated(trips(k_, s.lo, s.hi), s.body);
  }

  void reduce(const Stmt& s) {
    double times = 1;
    for (int n : s.extents) {
      if (!uniform(n)) return cannot("a sum of another length in every lane");
      times *= trips(k_, -1, n);
    }
    repeated(times, s.body, 2);
    spend(16);
    if (of(s.value).kind == Value::affine) cannot("a sum of positions");
    const bool lanes = of(s.value).kind == Value::lanes || (s.factor >= 0 && of(s.factor).kind == Value::lanes);
    out_.value[s.var] = {lanes ? Value::lanes : Value::uniform};
  }

  const Kernel& k_;
  const std::vector<int>& accesses_;
  Lanes out_;
  std::unordered_set<int> stored_, loaded_;
  double own_cost_ = kContiguous;  // of an access to an array of vectors
  double times_ = 1;  // how often what is looked at runs
  int guarded_ = 0;
  std::map<int, std::vector<RowAccess>> accesses_to_;  // strided ones, by array
  std::unordered_map<int, double> strided_cost_, uses_;  // by array; uses_: of its row of vectors
  std::unordered_set<int> not_rows_;  // arrays also accessed in another way
};

}  // namespace

double trips(const Kernel& k, int lo, int hi) {
  auto constant = [&k](int e) { return e < 0 || k.exprs[static_cast<size_t>(e)].op == LoopOp::iconst; };
  auto number = [&k](int e) { return e < 0 ? 0 : k.exprs[static_cast<size_t>(e)].i; };
  return constant(lo) && constant(hi) ? static_cast<double>(std::max<int64_t>(0, number(hi) - number(lo))) : kManyTrips;
}

LaneAnalysis::LaneAnalysis(const Kernel& kernel) : k_(kernel), accesses_(kernel.arrays.size(), 0) {
  for_statements(k_.body, [this](const Stmt& s) { for_accesses(k_, s, [this](int a) { ++accesses_[static_cast<size_t>(a)]; }); });
}

// A bound that is not there was left out because the position never reaches it.
static std::optional<ClampedIndex> clamped_position(const Kernel& k, int e) {
  auto at = [&k](int x) -> const LoopExpr& { return k.exprs[static_cast<size_t>(x)]; };
  constexpr int64_t none = int64_t{1} << 31;
  ClampedIndex found{{}, e, -none, none};
  auto bound = [&](LoopOp op) {
    const LoopExpr& x = at(found.position);
    if (x.op != op || at(x.args[1]).op != LoopOp::iconst) return;
    (op == LoopOp::imin ? found.most : found.least) = at(x.args[1]).i;
    found.position = x.args[0];
  };
  bound(LoopOp::imin), bound(LoopOp::imax);
  if (found.position == e) return std::nullopt;
  const Range position = range_of(k, found.position).value_or(Range{-none, none});
  found.least = std::max(found.least, position.least), found.most = std::min(found.most, position.most);
  return found.least > -none / 2 && found.most < none / 2 ? std::optional(found) : std::nullopt;
}

std::optional<ClampedIndex> clamped_index(const Kernel& k, const Lanes& lanes, int index) {
  const IndexSum begin = index_sum(k, index);
  std::optional<ClampedIndex> found;
  for (auto [e, factor] : begin.terms) {
    if (factor == 0 || lanes.of(e).kind == LaneValue::uniform) continue;
    if (found || factor != 1 || !(found = clamped_position(k, e))) return std::nullopt;
    if (lanes.of(found->position).kind != LaneValue::affine || lanes.of(found->position).stride != 1) return std::nullopt;
    found->begin = begin;
    found->begin.terms.erase(e);
  }
  return found;
}

double cost_of(const LoopExpr& x) {
  if (x.op == LoopOp::scalar) return x.row->c_text.substr(0, 3) == "dg_" ? kFunction : 1;
  return x.op == LoopOp::call ? kFunction : 1;
}

Lanes LaneAnalysis::of(const Stmt& loop) const { return Walk(k_, accesses_).run(loop); }

}  // namespace dgen::loop
