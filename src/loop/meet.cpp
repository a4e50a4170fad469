#include "loop/meet.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ir/lower.h"
#include "loop/cost.h"
#include "loop/lane_bounds.h"
#include "loop/vectorise.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

// Operations of vectors; a thread does some 7 a nanosecond, a meeting takes .1 to .4 us.
constexpr int64_t kLeast = 1 << 13;  // of a loop or product that is worth a meeting
constexpr int64_t kGroup = 1 << 14;  // of all in a tick, or in statics, that are worth a thread
constexpr int64_t kPiece = 1 << 12;  // of what a thread does between meetings
constexpr int64_t kShares = 64;      // that threads get equal numbers of
constexpr int64_t kAddresses = 3;    // a loop's operations are twice as many addresses
constexpr int64_t kProducts = 2;     // a product's are counted by the time of a loop's

// Numbers of a product's call (ops/linear.cpp).
enum Number : size_t { right_layout = 1, columns = 3 };
constexpr int64_t kInPanels = 2;

// What is cut among threads: units of so many iterations or columns, from `from` on; none if it cannot be.
struct Units {
  int64_t from = 0, count = 0, size = 1;
};
Units units_of(const Kernel& k, const Stmt& s) {
  if (s.kind == Stmt::call) {
    if (s.name != "dg_matmul" || !is_number(k, s.numbers[right_layout]) || !is_number(k, s.numbers[columns])) return {};
    const int64_t count = number_of(k, s.numbers[columns]);
    if (number_of(k, s.numbers[right_layout]) != kInPanels || count % kPanel != 0) return {};
    return {0, count / kPanel, kPanel};
  }
  const bool elements = s.kind == Stmt::loop && (s.tag == LoopTag::lanes || s.tag == LoopTag::vector) && !s.reverse;
  if (!elements || !is_number(k, s.lo) || !is_number(k, s.hi)) return {};
  const int64_t from = number_of(k, s.lo), count = number_of(k, s.hi) - from;
  if (s.tag == LoopTag::lanes) return {from, count, 1};
  return count % kVector == 0 ? Units{from, count / kVector, kVector} : Units{};
}

int64_t work_of(const Kernel& k, const Stmt& s) { return operations(k, s) / (s.kind == Stmt::call ? kProducts : kAddresses); }

class Finder {
 public:
  explicit Finder(Kernel& k) : k_(k) {}

  void run() {
    find(k_.body);
    if (parts_.empty()) return;
    k_.meet = true, k_.lanes = kShares, k_.lane_group = 1;
    for (Stmt* s : parts_) s->share = 1;
  }

 private:
  // Loops over ticks in any order and over chunks are cut among threads as they are.
  void find(std::vector<Stmt>& body) {
    for (Stmt& s : body) {
      const bool in_order = s.kind == Stmt::guard || (s.kind == Stmt::loop && s.tag == LoopTag::serial);
      if (in_order) find(s.body);
      else if (units_of(k_, s).count > 1 && work_of(k_, s) >= kLeast) parts_.push_back(&s);
    }
  }

  Kernel& k_;
  std::vector<Stmt*> parts_;
};

class Together : Edit {
 public:
  explicit Together(Kernel& k) : Edit(k), bounds_(k) {}

  // Whether it has become a kernel for a share.
  bool run() {
    const bool ticks = std::ranges::count(k_.args, KernelArg::hi, &KernelArg::kind) > 0;
    const Load load = choose_all(ticks);
    if (load.work < 2 * kGroup) return false;
    k_.name += "_together";
    const int64_t threads = std::clamp<int64_t>(std::min(load.work / kGroup, load.work / load.cuts / kPiece), 2, kShares);
    k_.lane_group = kShares / threads;
    bounds_.argument(KernelArg::meeting);
    for (ArrayRef& a : k_.arrays)
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory, a.room = 0;  // all threads see it
    share_arrays();
    in_step(k_.body);
    leave_values(k_.body);
    k_.body.insert(k_.body.begin(), bounds_.lets.begin(), bounds_.lets.end());
    return possible_;
  }

 private:
  using Values = std::set<int>;

  struct Load {
    int64_t work = 0, cuts = 0;
  };
  // Loops have become others since they were marked, of vectors most of them.
  Load choose(Stmt& s) {
    if (is_cut(s)) {
      const int64_t work = units_of(k_, s).count > 1 ? work_of(k_, s) : 0;
      s.share = work >= kLeast;
      return s.share > 0 ? Load{work, 1} : Load{};
    }
    Load all;
    for (Stmt& inner : s.body) {
      const Load load = choose(inner);
      all.work += load.work, all.cuts += load.cuts;
    }
    return all;
  }
  // Of a tick, or of all if there are none: of loops over ticks one runs at a time.
  Load choose_all(bool ticks) {
    Load all;
    for (Stmt& s : k_.body) {
      const Load load = choose(s);
      if (!ticks) all.work += load.work, all.cuts += load.cuts;
      else if (load.work > all.work && s.kind == Stmt::loop && s.tag == LoopTag::serial) all = load;
    }
    return all;
  }

  // Local arrays that no more than one loop or product touches stay each thread's own.
  void share_arrays() {
    std::vector<std::set<const Stmt*>> users(k_.arrays.size());
    find_users(k_.body, nullptr, users);
    for (size_t i = 0; i < users.size(); ++i) {
      ArrayRef& a = k_.arrays[i];
      const bool own = users[i].size() < 2 && (users[i].empty() || !*users[i].begin() || (*users[i].begin())->kind == Stmt::loop);
      if (a.kind == ArrayRef::local && !own) a.home = ArrayRef::shared;
    }
  }
  void find_users(const std::vector<Stmt>& body, const Stmt* inside, std::vector<std::set<const Stmt*>>& users) const {
    for (const Stmt& s : body) {
      const Stmt* here = is_cut(s) ? &s : inside;
      for_accesses(k_, s, [&](int a) { users[static_cast<size_t>(a)].insert(here); });
      for (auto [a, b] : s.trades)  // each is two arrays
        for (int array : {a, b}) users[static_cast<size_t>(array)].insert({nullptr, &s});
      for (auto* inner : {&s.body, &s.rest}) find_users(*inner, here, users);
    }
  }

  static bool is_cut(const Stmt& s) { return s.share > 0; }
  static bool has_cut(const Stmt& s) { return is_cut(s) || std::any_of(s.body.begin(), s.body.end(), has_cut); }

  // What has been done since all threads met: what one of them does it may do on.
  enum Since { nothing, by_one, by_all };

  // Statements that all threads go through: what holds nothing to be cut is one thread's, but for values that all may compute.
  void in_step(std::vector<Stmt>& body) {
    std::vector<Stmt> out, alone;
    Values here;  // values of one thread that all have read back
    auto meet = [&] { out.push_back({Stmt::barrier}), since_ = nothing; };
    auto close = [&] {
      if (alone.empty()) return;
      if (since_ == by_all) meet();
      out.push_back(single(std::exchange(alone, {}))), since_ = by_one;
    };
    for (Stmt& s : body) {
      const bool reads_theirs = !read(s, theirs_).empty();
      if (has_cut(s)) {
        if (!s.carried.empty()) possible_ = false;
        close();
        if (is_cut(s)) {
          if (since_ != nothing) meet();
          for (int e : read(s, theirs_))
            if (here.insert(e).second) out.push_back(read_back(e));
          cut(s), since_ = by_all;
        } else {
          if (since_ == by_all && s.kind == Stmt::loop) meet();
          inside(s);
        }
        out.push_back(std::move(s));
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

  // The body of a loop, whose end is what its beginning follows, of a guard, which may be passed over, or of a part.
  void inside(Stmt& s) {
    for_reads(k_, s, [&](int e) { possible_ = possible_ && theirs_.count(e) == 0; });
    const Since before = s.kind == Stmt::loop ? by_one : since_;
    since_ = before;
    in_step(s.body);
    if (s.kind == Stmt::part) return;
    if (since_ == by_all) s.body.push_back({Stmt::barrier});
    since_ = std::max(before, by_one);
  }

  void cut(Stmt& s) {
    const Units units = units_of(k_, s);
    const auto [first, end] = bounds_.of_units(units.from, units.count, units.size);
    if (s.kind == Stmt::call) s.name = "dg_matmul_columns", s.numbers.insert(s.numbers.end(), {first, end});
    else s.lo = first, s.hi = end, s.rest.clear(), s.mask = Stmt::whole, s.overlaps = false;
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

  // ---- values that one thread makes in one place and that are needed in another lie in an array --------------------------------

  Stmt single(std::vector<Stmt> body) {
    Values missing, made;
    for (const Stmt& s : body) {
      missing.merge(read(s, theirs_));
      for_statements({s}, [&](const Stmt& inner) { for_defined(inner, [&](int e) { made.insert(e); }); });
    }
    Stmt s{Stmt::single};
    for (int e : missing)
      if (made.count(e) == 0) s.body.push_back(read_back(e));
    std::ranges::move(body, std::back_inserter(s.body));
    return s;
  }

  Stmt read_back(int e) {
    if (expr(e).type == LoopType::i64) possible_ = false;
    Stmt let{Stmt::let};
    let.value = e, std::tie(let.array, let.index) = place(e);
    return let;
  }

  std::pair<int, int> place(int e) {
    const auto [found, fresh] = places_.insert({e, {}});
    if (!fresh) return found->second;
    const auto [array, first] = left_.insert({expr(e).type, static_cast<int>(k_.arrays.size())});
    if (first) k_.arrays.push_back({.kind = ArrayRef::local, .type = expr(e).type, .written = true, .home = ArrayRef::shared});
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
  Since since_ = nothing;
  Values theirs_;  // values that one thread makes
  std::map<LoopType, int> left_;
  std::map<int, std::pair<int, int>> places_;  // by value: array and index
};

}  // namespace

Kernel find_shared_work(Kernel kernel) {
  Finder(kernel).run();
  return kernel;
}

std::optional<Kernel> cut_work(Kernel kernel) {
  DGEN_ASSERT(kernel.meet);
  if (!Together(kernel).run()) return {};
  return kernel;
}

}  // namespace dgen::loop
