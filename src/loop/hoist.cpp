#include "loop/hoist.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "loop/lanes.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr double kWorthwhile = 6;                                   // of a load's cost
constexpr int64_t kLargest = 1 << 14, kLargestOfVectors = 1 << 10;  // elements kept
constexpr int64_t kFewestTicks = 16;                                // of a loop that is worth it, if known

class Hoister {
 public:
  explicit Hoister(Kernel kernel) : k_(std::move(kernel)) {}

  Kernel run() {
    std::vector<Stmt> out;
    for (Stmt& s : k_.body) {
      bool many = s.kind == Stmt::loop && trips(k_, s.lo, s.hi) >= kFewestTicks;
      if (many) ticks(s);
      for (Stmt& before : std::exchange(before_, {})) out.push_back(std::move(before));
      out.push_back(std::move(s));
    }
    k_.body = std::move(out);
    return std::move(k_);
  }

 private:
  static size_t at(int e) { return static_cast<size_t>(e); }
  const LoopExpr& expr(int e) const { return k_.exprs[at(e)]; }

  void ticks(Stmt& loop) {
    inside_.assign(k_.exprs.size(), false), stored_.clear();
    collect(loop);
    for (Stmt& s : loop.body) visit(s);
  }

  // Everything that is computed inside the tick loop.
  void collect(const Stmt& s) {
    for_defined(s, [&](int e) { inside_[at(e)] = true; });
    if (s.kind == Stmt::store || s.kind == Stmt::add) stored_.insert(s.array);
    for (auto [array, index] : s.pointers) stored_.insert(array);
    for (auto [a, b] : s.trades) stored_.insert({a, b});
    for (auto* body : {&s.body, &s.rest})
      for (auto& inner : *body) collect(inner);
  }

  void visit(Stmt& s) {
    int var = s.kind == Stmt::loop ? s.var : s.kind == Stmt::reduce ? s.vars.back() : -1;
    int end = s.kind == Stmt::loop ? s.hi : s.kind == Stmt::reduce ? s.extents.back() : -1;
    bool from_zero = s.kind == Stmt::reduce || (s.kind == Stmt::loop && expr(s.lo).op == LoopOp::iconst && expr(s.lo).i == 0);
    if (var >= 0 && from_zero && s.tag != LoopTag::vector && expr(end).op == LoopOp::iconst && expr(end).i <= kLargest)
      elements(s, var, end);
    for (Stmt& inner : s.body) visit(inner);
  }

  // Hoists from the statements directly in a loop over elements.
  void elements(Stmt& loop, int var, int end) {
    cost_.clear();
    std::vector<int> order;
    for (Stmt& s : loop.body)
      if (s.kind == Stmt::let && follows(s.value, var)) order.push_back(s.value);
    if (order.empty()) return;
    std::unordered_set<int> needed;
    for (Stmt& s : loop.body)
      if (s.kind != Stmt::let || !cost_.count(s.value)) for_all_reads(k_, s, [&](int e) { needed.insert(e); });
    for (int e : {loop.value, loop.factor})
      if (e >= 0) needed.insert(e);
    for (Stmt& s : loop.body)
      if (s.kind == Stmt::let && cost_.count(s.value) && needed.count(s.value) && cost_[s.value] >= kWorthwhile) keep(s, order, var, end);
    remove_unused(loop);
  }

  // Is e the same on every tick, but for the element? Then its cost is known.
  bool follows(int e, int var) {
    const LoopExpr& x = expr(e);
    if (x.op == LoopOp::load && stored_.count(static_cast<int>(x.i))) return false;
    double cost = cost_of(x);
    for (int a : x.args) {
      if (auto found = cost_.find(a); found != cost_.end())
        cost += found->second;
      else if (a != var && at(a) < inside_.size() && inside_[at(a)])
        return false;
    }
    cost_[e] = cost;
    return true;
  }

  // A loop before the ticks computes the value for every element; here it is loaded.
  void keep(Stmt& s, const std::vector<int>& order, int var, int end) {
    LoopExpr value = expr(s.value);
    if (value.type == LoopType::i64 || (value.lanes && expr(end).i > kLargestOfVectors)) return;
    auto array = static_cast<int>(k_.arrays.size());
    k_.arrays.push_back({ArrayRef::local, none, expr(end).i, value.type, true});
    k_.arrays.back().lanes = value.lanes;
    Stmt loop{Stmt::loop};
    loop.tag = LoopTag::lanes;
    loop.lo = add({LoopOp::iconst, LoopType::i64}), loop.hi = end;
    LoopExpr element = expr(var);
    element.i = k_.vars++;
    k_.var_range.push_back({0, expr(end).i});
    std::unordered_map<int, int> copy{{var, loop.var = add(element)}};
    for (int e : order) {
      LoopExpr x = expr(e);
      for (int& a : x.args)
        if (auto found = copy.find(a); found != copy.end()) a = found->second;
      Stmt let{Stmt::let};
      copy[e] = let.value = add(std::move(x));
      loop.body.push_back(std::move(let));
      if (e == s.value) break;
    }
    Stmt store{Stmt::store};
    store.array = array, store.index = loop.var, store.value = copy[s.value];
    loop.body.push_back(std::move(store));
    remove_unused(loop);
    before_.push_back(std::move(loop));
    LoopExpr load{LoopOp::load, value.type, {var}};
    load.i = array, load.lanes = value.lanes;
    k_.exprs[static_cast<size_t>(s.value)] = std::move(load);
  }

  int add(LoopExpr e) {
    k_.exprs.push_back(std::move(e));
    return static_cast<int>(k_.exprs.size()) - 1;
  }

  // Drops lets of the loop's own body that nothing reads any more.
  void remove_unused(Stmt& loop) {
    std::unordered_set<int> needed;
    for (int e : {loop.value, loop.factor})
      if (e >= 0) needed.insert(e);
    std::vector<Stmt> kept;
    for (auto s = loop.body.rbegin(); s != loop.body.rend(); ++s) {
      if (s->kind == Stmt::let && !needed.count(s->value)) continue;
      for_all_reads(k_, *s, [&](int e) { needed.insert(e); });
      kept.push_back(std::move(*s));
    }
    loop.body.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  }
  Kernel k_;
  std::vector<Stmt> before_;
  std::vector<bool> inside_;         // by expression: is it computed in the tick loop?
  std::unordered_set<int> stored_;   // arrays written to there
  std::unordered_map<int, double> cost_;     // by expression that follows the element only
};

}  // namespace

Kernel hoist(Kernel kernel) { return Hoister(std::move(kernel)).run(); }

}  // namespace dgen::loop
