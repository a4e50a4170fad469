#include "loop/parts.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "loop/edit.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

class Parts : Edit {
 public:
  Parts(Kernel& k, size_t longest) : Edit(k), longest_(longest) {}

  void run() {
    cut(k_.body);
    if (found_ == 0) return;
    for (ArrayRef& a : k_.arrays)
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory, a.room = 0;  // registers are a function's
  }

 private:
  // Cuts the lists inside a list, then the list; how many statements its own function has of it.
  size_t cut(std::vector<Stmt>& list) {
    std::vector<size_t> lengths;
    size_t all = 0;
    for (Stmt& s : list) all += lengths.emplace_back(cut_inside(s));
    if (all <= longest_ || list.size() == 1) return all;
    std::vector<Stmt> parts;
    for (size_t i = 0, length = 0; i < list.size(); ++i) {
      lengths[i] *= static_cast<size_t>(2 * list[i].abreast - 1);  // four vectors, two and one
      if (parts.empty() || length + lengths[i] > longest_) parts.push_back({Stmt::part}), length = 0;
      parts.back().body.push_back(std::move(list[i])), length += lengths[i];
    }
    found_ += static_cast<int>(parts.size());
    pass_on(parts);
    list = std::move(parts);
    return list.size();
  }

  size_t cut_inside(Stmt& s) {
    const bool read_at_end = s.kind == Stmt::reduce || !s.carried.empty();
    if (read_at_end || s.body.empty()) {
      size_t count = 1;
      for_statements(s.body, [&](const Stmt&) { ++count; });
      return count;
    }
    const int before = found_;
    const size_t length = cut(s.body), rest = cut(s.rest);
    if (found_ > before) s.abreast = 1;
    return 1 + length + rest;
  }

  // Values that parts of a list leave to later ones: where they lie, an array for each type.
  struct Passed {
    std::unordered_map<int, size_t> maker;                 // by expression: which part
    std::vector<std::vector<Stmt>> stores;                 // by part
    std::map<std::pair<LoopType, bool>, int> arrays;
    std::unordered_map<int, std::pair<int, int>> places;   // by expression: array and index
  };

  void pass_on(std::vector<Stmt>& parts) {
    Passed passed;
    passed.stores.resize(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      for (const Stmt& s : parts[i].body) {
        if (s.kind == Stmt::let) passed.maker[s.value] = i;
        if (s.kind == Stmt::reduce) passed.maker[s.var] = i;
      }
      read_back(parts[i].body, i, passed);
    }
    for (size_t i = 0; i < parts.size(); ++i) std::ranges::move(passed.stores[i], std::back_inserter(parts[i].body));
  }

  // What the function of a body inside part i reads that a part before has made. Those inside it read for themselves.
  void read_back(std::vector<Stmt>& body, size_t i, Passed& passed) {
    std::unordered_set<int> seen;
    std::vector<Stmt> lets;
    const auto take = [&](const auto& again, int e) -> void {
      const auto made = passed.maker.find(e);
      if (made == passed.maker.end() || made->second == i || !seen.insert(e).second) return;
      Stmt let{Stmt::let};
      let.value = e;
      const Args args = expr(e).args;  // a copy: places are new expressions
      if (expr(e).type == LoopType::i64)
        for (int a : args) again(again, a);
      else
        std::tie(let.array, let.index) = place(e, made->second, passed);
      lets.push_back(std::move(let));
    };
    const auto visit = [&](const auto& again, std::vector<Stmt>& list) -> void {
      for (Stmt& s : list) {
        std::vector<int> reads;
        for_reads(k_, s, [&](int e) { reads.push_back(e); });
        for (int e : reads) take(take, e);
        if (s.kind == Stmt::part) read_back(s.body, i, passed);
        else for (auto* inner : {&s.body, &s.rest}) again(again, *inner);
      }
    };
    visit(visit, body);
    body.insert(body.begin(), std::make_move_iterator(lets.begin()), std::make_move_iterator(lets.end()));
  }

  std::pair<int, int> place(int e, size_t maker, Passed& passed) {
    const auto [found, first] = passed.places.insert({e, {}});
    if (!first) return found->second;
    const LoopExpr& x = expr(e);
    const auto [array, fresh] = passed.arrays.insert({{x.type, x.lanes}, static_cast<int>(k_.arrays.size())});
    if (fresh) k_.arrays.push_back({.kind = ArrayRef::local, .type = x.type, .written = true, .lanes = x.lanes});
    const int index = number(k_.arrays[static_cast<size_t>(array->second)].size++);
    Stmt& store = passed.stores[maker].emplace_back(Stmt{Stmt::store});
    store.value = e, store.array = array->second, store.index = index;
    return found->second = {array->second, index};
  }

  size_t longest_;
  int found_ = 0;  // parts so far
};

}  // namespace

Kernel cut_parts(Kernel kernel, size_t longest) {
  Parts(kernel, longest).run();
  return kernel;
}

static void add_arrays(const Kernel& k, const std::vector<Stmt>& body, bool in_part, Needs& into) {
  std::set<int>& arrays = in_part ? into.of_parts : into.arrays;
  for (const Stmt& s : body) {
    for_accesses(k, s, [&](int a) { arrays.insert(a); });
    for (auto [a, b] : s.trades) arrays.insert({a, b});
    for (auto* inner : {&s.body, &s.rest}) add_arrays(k, *inner, in_part || s.kind == Stmt::part, into);
  }
}

Needs needs_of(const Kernel& k, const std::vector<Stmt>& body) {
  Needs needs;
  add_arrays(k, body, false, needs);
  std::unordered_set<int> seen;
  for_statements(body, [&](const Stmt& s) { for_defined(s, [&](int e) { seen.insert(e); }); });
  for (const Stmt& s : body) {
    for_all_reads(k, s, [&](int e) {
      const LoopOp op = k.exprs[static_cast<size_t>(e)].op;
      const bool everywhere = op == LoopOp::fconst || op == LoopOp::iconst || op == LoopOp::arg;
      if (!everywhere && seen.insert(e).second) needs.values.push_back(e);
    });
  }
  return needs;
}

}  // namespace dgen::loop
