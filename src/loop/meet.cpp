#include "loop/meet.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ir/lower.h"
#include "loop/lane_bounds.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr int64_t kGroup = 1 << 18;  // multiplications, some 5 us: a meeting takes about one

// Numbers of a product's call (ops/linear.cpp).
enum Number : size_t { right_layout = 1, rows, columns, terms };
constexpr int64_t kInPanels = 2;

class Finder {
 public:
  explicit Finder(Kernel& k) : k_(k) {}

  void run() {
    find(k_.body, false);
    if (products_.empty()) return;
    int64_t lanes = 0, work = 0;
    for (const Stmt* s : products_) {
      lanes = std::gcd(lanes, number(*s, columns) / kPanel);
      work += number(*s, rows) * number(*s, columns) * number(*s, terms);
    }
    if (lanes == 0 || work < 2 * kGroup) return;
    k_.meet = true, k_.lanes = lanes;
    k_.lane_group = std::max<int64_t>(1, (kGroup * lanes + work - 1) / work);
    for (Stmt* s : products_) s->share = number(*s, columns) / lanes;
  }

 private:
  bool is_number(const Stmt& s, Number n) const { return k_.exprs[static_cast<size_t>(s.numbers[n])].op == LoopOp::iconst; }
  int64_t number(const Stmt& s, Number n) const { return k_.exprs[static_cast<size_t>(s.numbers[n])].i; }

  // In loops over ticks in order only: those over elements or chunks are other threads' work.
  void find(std::vector<Stmt>& body, bool in_ticks) {
    for (Stmt& s : body) {
      if (s.kind == Stmt::guard) find(s.body, in_ticks);
      if (s.kind == Stmt::loop && s.tag == LoopTag::serial) find(s.body, true);
      if (s.kind != Stmt::call || s.name != "dg_matmul" || !in_ticks) continue;
      const bool panels = is_number(s, right_layout) && number(s, right_layout) == kInPanels;
      if (panels && is_number(s, rows) && is_number(s, columns) && is_number(s, terms)) products_.push_back(&s);
    }
  }

  Kernel& k_;
  std::vector<Stmt*> products_;
};

class Together : Edit {
 public:
  explicit Together(Kernel& k) : Edit(k), bounds_(k) {}

  bool run() {
    k_.name += "_columns";
    bounds_.argument(KernelArg::meeting);
    for (ArrayRef& a : k_.arrays)
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory, a.room = 0;  // all threads see it
    in_step(k_.body);
    leave_values(k_.body);
    k_.body.insert(k_.body.begin(), bounds_.lets.begin(), bounds_.lets.end());
    return possible_;
  }

 private:
  using Values = std::set<int>;
  static bool shares(const Stmt& s) { return s.share > 0 || std::any_of(s.body.begin(), s.body.end(), shares); }

  // Statements that all threads go through: what holds no product is one thread's, but for values that all may compute.
  void in_step(std::vector<Stmt>& body) {
    std::vector<Stmt> out, alone;
    auto close = [&] {
      if (!alone.empty()) out.push_back(single(std::exchange(alone, {})));
    };
    for (Stmt& s : body) {
      const bool reads_theirs = !read(s, theirs_).empty();
      if (shares(s)) {
        if (reads_theirs || !s.carried.empty()) possible_ = false;
        close();
        share(s, out);
      } else if (s.kind == Stmt::let && !reads_theirs && !reads_written(s)) {
        out.push_back(std::move(s));
      } else {
        for_defined(s, [&](int e) { theirs_.insert(e); });
        alone.push_back(std::move(s));
      }
    }
    close();
    body = std::move(out);
  }

  void share(Stmt& s, std::vector<Stmt>& out) {
    if (s.kind != Stmt::call) {
      in_step(s.body);
      return out.push_back(std::move(s));
    }
    for (auto [array, index] : s.pointers)
      if (ArrayRef& a = k_.arrays[static_cast<size_t>(array)]; a.kind == ArrayRef::local && a.home == ArrayRef::memory)
        a.home = ArrayRef::shared;
    s.name = "dg_matmul_columns";
    const auto [first, end] = bounds_.of(s.share);
    s.numbers.insert(s.numbers.end(), {first, end});
    out.push_back({Stmt::barrier});
    out.push_back(std::move(s));
    out.push_back({Stmt::barrier});
  }

  // Those of values that a statement or one inside it reads.
  Values read(const Stmt& s, const Values& values) const {
    Values found;
    for_all_reads(k_, s, [&](int e) {
      if (values.count(e) > 0) found.insert(e);
    });
    return found;
  }
  bool reads_written(const Stmt& s) const {
    bool written = s.array >= 0;
    for_accesses(k_, s, [&](int a) { written = written || k_.arrays[static_cast<size_t>(a)].written; });
    return written;
  }

  // ---- values that one thread makes in one place and needs in another lie in an array of its own ------------------------------

  Stmt single(std::vector<Stmt> body) {
    Values missing, made;
    for (const Stmt& s : body) {
      missing.merge(read(s, theirs_));
      for_statements({s}, [&](const Stmt& inner) { for_defined(inner, [&](int e) { made.insert(e); }); });
    }
    Stmt s{Stmt::single};
    for (int e : missing) {
      if (made.count(e) > 0) continue;
      if (expr(e).type == LoopType::i64) possible_ = false;
      Stmt& let = s.body.emplace_back(Stmt{Stmt::let});
      let.value = e, std::tie(let.array, let.index) = place(e);
    }
    std::ranges::move(body, std::back_inserter(s.body));
    return s;
  }

  std::pair<int, int> place(int e) {
    const auto [found, fresh] = places_.insert({e, {}});
    if (!fresh) return found->second;
    const auto [array, first] = left_.insert({expr(e).type, static_cast<int>(k_.arrays.size())});
    if (first) k_.arrays.push_back({.kind = ArrayRef::local, .type = expr(e).type, .written = true});
    return found->second = {array->second, number(k_.arrays[static_cast<size_t>(array->second)].size++)};
  }

  void leave_values(std::vector<Stmt>& body) {
    for (Stmt& s : body) {
      if (s.kind != Stmt::single) {
        leave_values(s.body);
        continue;
      }
      std::vector<Stmt> stores;
      for (const Stmt& made : s.body) {
        if (made.kind != Stmt::let && made.kind != Stmt::reduce) continue;
        const int e = made.kind == Stmt::let ? made.value : made.var;
        const auto found = places_.find(e);
        if (found == places_.end() || found->second == std::pair(made.array, made.index)) continue;
        Stmt& store = stores.emplace_back(Stmt{Stmt::store});
        store.value = e, std::tie(store.array, store.index) = found->second;
      }
      std::ranges::move(stores, std::back_inserter(s.body));
    }
  }

  LaneBounds bounds_;
  bool possible_ = true;
  Values theirs_;  // values that one thread makes
  std::map<LoopType, int> left_;
  std::map<int, std::pair<int, int>> places_;  // by value: array and index
};

}  // namespace

Kernel find_shared_columns(Kernel kernel) {
  Finder(kernel).run();
  return kernel;
}

std::optional<Kernel> cut_columns(Kernel kernel) {
  DGEN_ASSERT(kernel.meet);
  if (!Together(kernel).run()) return {};
  return kernel;
}

}  // namespace dgen::loop
