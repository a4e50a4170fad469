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

constexpr size_t kLongest = 500;  // statements of a function

class Parts : Edit {
 public:
  explicit Parts(Kernel& k) : Edit(k) {}

  void run() {
    cut(k_.body);
    if (found_ == 0) return;
    for (ArrayRef& a : k_.arrays)
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory;  // registers are a function's
  }

 private:
  // Cuts the lists inside a list, then the list; how many statements its own function has of it.
  size_t cut(std::vector<Stmt>& list) {
    std::vector<size_t> lengths;
    size_t all = 0;
    for (Stmt& s : list) all += lengths.emplace_back(cut_inside(s));
    if (all <= kLongest || list.size() == 1) return all;
    std::vector<Stmt> parts;
    for (size_t i = 0; i < list.size(); ++i) {
      if (parts.empty() || length_ + lengths[i] > kLongest) parts.push_back({Stmt::part}), length_ = 0;
      parts.back().body.push_back(std::move(list[i])), length_ += lengths[i];
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

  // What a part reads that one before it has made.
  void pass_on(std::vector<Stmt>& parts) {
    std::unordered_map<int, size_t> maker;
    std::vector<std::vector<int>> left(parts.size()), taken(parts.size());
    std::unordered_set<int> passed;
    for (size_t i = 0; i < parts.size(); ++i) {
      std::unordered_set<int> asked;
      const auto take = [&](const auto& again, int e) -> void {
        const auto made = maker.find(e);
        if (made == maker.end() || made->second == i || !asked.insert(e).second) return;
        if (is_integer(e)) {
          for (int a : expr(e).args) again(again, a);
        } else if (passed.insert(e).second) {
          left[made->second].push_back(e);
        }
        taken[i].push_back(e);
      };
      for (const Stmt& s : parts[i].body) {
        for_all_reads(k_, s, [&](int e) { take(take, e); });
        if (s.kind == Stmt::let) maker[s.value] = i;
        if (s.kind == Stmt::reduce) maker[s.var] = i;
      }
    }
    std::unordered_map<int, Place> places = find_places(left);
    for (size_t i = 0; i < parts.size(); ++i) {
      std::vector<Stmt> body;
      for (int e : taken[i]) {
        Stmt& s = body.emplace_back(Stmt{Stmt::let});
        s.value = e;
        if (!is_integer(e)) std::tie(s.array, s.index) = places.at(e);
      }
      std::ranges::move(parts[i].body, std::back_inserter(body));
      for (int e : left[i]) {
        Stmt& s = body.emplace_back(Stmt{Stmt::store});
        s.value = e, std::tie(s.array, s.index) = places.at(e);
      }
      parts[i].body = std::move(body);
    }
  }
  bool is_integer(int e) const { return expr(e).type == LoopType::i64; }

  // Where values lie: arrays and indices, an array for each type.
  using Place = std::pair<int, int>;
  std::unordered_map<int, Place> find_places(const std::vector<std::vector<int>>& left) {
    std::map<std::pair<LoopType, bool>, int> arrays;
    std::unordered_map<int, Place> places;
    for (const std::vector<int>& values : left) {
      for (int e : values) {
        const LoopExpr& x = expr(e);
        const auto [array, fresh] = arrays.insert({{x.type, x.lanes}, static_cast<int>(k_.arrays.size())});
        if (fresh) k_.arrays.push_back({.kind = ArrayRef::local, .type = x.type, .written = true, .lanes = x.lanes});
        int64_t& size = k_.arrays[static_cast<size_t>(array->second)].size;
        places[e] = {array->second, number(size++)};
      }
    }
    return places;
  }

  size_t length_ = 0;   // of the part that is filled
  int found_ = 0;       // parts so far
};

}  // namespace

Kernel cut_parts(Kernel kernel) {
  Parts(kernel).run();
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
