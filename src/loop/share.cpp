#include "loop/share.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "loop/lane_bounds.h"
#include "loop/meet.h"
#include "loop/rows.h"
#include "loop/vectorise.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr int64_t kGroup = 64;   // elements of a group: vectors that are computed side by side take hardly longer than one
constexpr int64_t kRows = 8;     // of a call: each group reads all of the matrix, which takes as long as some rows

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Every array that the ticks write is cut into rows, one a lane: whatever touches it does so in its own lane's row.
class Sharing {
 public:
  explicit Sharing(Kernel& k) : k_(k) {}

  void run() {
    for (Stmt& s : k_.body) find_ticks(s);
    if (!possible_ || !ticks_ || parts_.empty()) return;
    for (const Stmt* part : parts_) lanes_ = std::gcd(lanes_, iterations(*part));
    const int64_t group = group_size();
    if (group == 0 || lanes_ < 2 * group) return;
    find_written(k_.body, false);
    for (int array : same_)
      if (rows_.count(array)) possible_ = false;
    look(k_.body);
    trade(k_.body);
    if (!possible_) return;
    k_.lanes = lanes_, k_.lane_group = group;
    for (Stmt* part : parts_) part->share = iterations(*part) / lanes_;
  }

 private:
  // Loops over ticks in order, and what is done for all lanes before and after them.
  void find_ticks(Stmt& s) {
    if (s.kind == Stmt::let) return;
    ticks_ = ticks_ || is_ticks(s);
    if (is_ticks(s) || s.kind == Stmt::guard) find_parts(s.body);
    else possible_ = false;
  }

  static bool is_ticks(const Stmt& outside_lanes) { return outside_lanes.kind == Stmt::loop && outside_lanes.tag == LoopTag::serial; }

  // What is done for all lanes in a tick: the outermost loops over elements, and calls that take rows.
  void find_parts(std::vector<Stmt>& body) {
    for (Stmt& s : body) {
      if (s.kind == Stmt::guard) find_parts(s.body);
      if (s.kind != Stmt::loop && s.kind != Stmt::call) continue;
      const bool loop =
          s.kind == Stmt::loop && s.tag == LoopTag::lanes && is_number(k_, s.lo) && number_of(k_, s.lo) == 0 && is_number(k_, s.hi);
      const bool call = s.kind == Stmt::call && s.rows >= 0 && is_number(k_, count_of(s));
      if (loop || call) parts_.push_back(&s);
      else possible_ = false;
    }
  }
  static int count_of(const Stmt& s) { return s.kind == Stmt::call ? s.numbers[static_cast<size_t>(s.rows)] : s.hi; }
  int64_t iterations(const Stmt& s) const { return number_of(k_, count_of(s)); }

  // Elements that a loop visits with the loops and sums that stand directly in it.
  int64_t elements(const Stmt& s) const {
    if (s.kind == Stmt::call) return s.spans.back();
    int64_t count = s.kind == Stmt::loop ? extent(s.hi) : 1, inside = 1;
    for (int e : s.extents) count *= extent(e);
    for (const Stmt& inner : s.body)
      if (inner.kind == Stmt::loop || inner.kind == Stmt::reduce) inside = std::max(inside, elements(inner));
    return count * inside;
  }
  int64_t extent(int e) const { return is_number(k_, e) ? number_of(k_, e) : 1; }

  // Groups of a loop are whole vectors, as many as go side by side; none where a vector would be left over, or there is no vector.
  int64_t group_size() const {
    int64_t group = 1, most = 0, loops = 0;
    for (const Stmt* part : parts_) {
      const int64_t all = elements(*part);
      most = std::max(most, all);
      if (part->kind == Stmt::call) {
        group = std::lcm(group, kRows / std::gcd(kRows, iterations(*part) / lanes_));
      } else {
        if (all >= kVector && all % kVector != 0) return 0;
        if (all >= kVector) group = std::lcm(group, kVector / std::gcd(kVector, all / lanes_));
        loops = std::max(loops, all);
      }
    }
    if (loops > 0) group = std::lcm(group, kGroup / std::gcd(kGroup, loops / lanes_));
    while (group * (most / lanes_) < kGroup) group *= 2;
    return most < kVector ? 0 : group;
  }

  // ---- what is touched -------------------------------------------------------------------------------------------------

  void find_written(const std::vector<Stmt>& body, bool in_lane) {
    for (const Stmt& s : body) {
      if (s.kind == Stmt::store || s.kind == Stmt::add) write(s.array, in_lane);
      if (s.kind == Stmt::call) write(s.pointers.back().first, true);
      find_written(s.body, in_lane || (s.kind == Stmt::loop && !is_ticks(s)));
    }
  }

  // What no lane's loop writes each thread has for itself.
  void write(int array, bool in_lane) {
    if (in_lane) rows_.insert({array, 0});
    else if (k_.arrays[static_cast<size_t>(array)].kind == ArrayRef::local) same_.insert(array);
    else possible_ = false;
  }

  // Arrays that take each other's place have the same rows.
  void trade(const std::vector<Stmt>& body) {
    for (const Stmt& s : body) {
      for (auto [a, b] : s.trades) possible_ = possible_ && rows_.count(a) && rows_.count(b) && rows_.at(a) == rows_.at(b);
      trade(s.body);
    }
  }

  void look(const std::vector<Stmt>& body) {
    for (const Stmt& s : body) {
      if (!possible_) return;
      if (s.kind == Stmt::call) call(s);
      if (s.kind == Stmt::let) load(s.value);
      if (s.kind == Stmt::store || s.kind == Stmt::add) touch(s.array, s.index);
      const bool outermost = s.kind == Stmt::loop && !lane_ && !is_ticks(s);
      if (outermost) lane_ = &s;
      look(s.body);
      if (outermost) lane_ = nullptr;
    }
  }

  void call(const Stmt& s) {
    if (lane_) return void(possible_ = false);
    for (size_t p = 0; p < s.pointers.size(); ++p) {
      const auto [array, index] = s.pointers[p];
      if (p == 0 || p + 1 == s.pointers.size()) touch_rows(array, index, s.spans[p] / iterations(s), iterations(s));
      else touch(array, index);
    }
  }

  void load(int e) {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    if (x.op == LoopOp::load) touch(static_cast<int>(x.i), x.args[0]);
  }

  // Elements from, from + 1, .. of a tick, in steps from lane to lane or from one of its iterations to the next.
  struct Access {
    bool known = false;
    int64_t step = 0, from = 0, to = 1;
  };

  // What an index adds to multiples of the array's size, which are other ticks.
  Access access(int array, int index) const {
    const int64_t size = k_.arrays[static_cast<size_t>(array)].size;
    IndexSum sum = index_sum(k_, index);
    Access a{size > 0};
    if (!a.known) return a;
    if (lane_) a.step = std::exchange(sum.terms[lane_->var], 0);
    for (auto& [e, factor] : sum.terms)
      if (factor % size == 0) factor = 0;
    const std::optional<Range> range = range_of(k_, sum);
    if (!range) return {};
    a.from = range->least, a.to = range->most + 1;
    return a;
  }

  void touch(int array, int index) {
    if (!rows_.count(array)) return;
    const Access a = access(array, index);
    in_row(array, a, lane_ ? iterations(*lane_) : 0);
  }
  void touch_rows(int array, int index, int64_t row, int64_t count) {
    if (!rows_.count(array)) return;
    Access a = access(array, index);
    a.known = a.known && a.step == 0, a.step = row, a.to += row - 1;
    in_row(array, a, count);
  }

  // An access has to be in the row of its lane, and all rows of an array have one length.
  void in_row(int array, const Access& a, int64_t count) {
    const int64_t size = k_.arrays[static_cast<size_t>(array)].size, tick = a.known ? floor_div(a.from, size) * size : 0;
    int64_t& row = rows_.at(array);
    const int64_t now = a.step * (count / lanes_);
    possible_ = possible_ && a.known && now > 0 && a.to - tick <= a.step && now * lanes_ <= size && (row == 0 || row == now);
    row = now;
  }

  Kernel& k_;
  std::vector<Stmt*> parts_;
  int64_t lanes_ = 0;
  bool possible_ = true, ticks_ = false;
  std::map<int, int64_t> rows_;     // by array that lanes write: elements of a row, 0 if not yet known
  std::unordered_set<int> same_;    // local arrays that are the same for all lanes
  const Stmt* lane_ = nullptr;      // the loop that is looked at
};

// Bounds of the marked loops, from the groups to do.
class Cut {
 public:
  explicit Cut(Kernel& k) : k_(k), bounds_(k) {}

  void run() {
    k_.name += "_lanes";
    list(k_.body);
    k_.body.insert(k_.body.begin(), bounds_.lets.begin(), bounds_.lets.end());
    for (ArrayRef& a : k_.arrays) {
      a.room = 0;  // vectors begin at any lane
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory;  // others' lanes stay theirs
    }
  }

 private:
  void list(std::vector<Stmt>& body) {
    std::vector<Stmt> out;
    for (Stmt& s : body) {
      if (s.share > 0 && s.kind == Stmt::loop) cut_loop(s, bounds_.of(s.share));
      if (s.share > 0 && s.kind == Stmt::call) cut_call(s, bounds_.of(s.share), out);
      list(s.body);
      out.push_back(std::move(s));
    }
    body = std::move(out);
  }

  void cut_loop(Stmt& s, std::pair<int, int> range) {
    std::tie(s.lo, s.hi) = range;
    if (s.tag != LoopTag::vector) return;
    const bool fill = k_.lane_group * s.share % kVector == 0 && k_.lanes * s.share % kVector == 0;
    if (fill)
      s.rest.clear(), s.mask = Stmt::whole;
    else if (s.rest.empty() && s.mask == Stmt::whole)
      s.mask = Stmt::last;
  }

  // Of a call: the first array and the result from their rows on, and how many.
  void cut_call(Stmt& s, std::pair<int, int> rows, std::vector<Stmt>& before) {
    int& count = s.numbers[static_cast<size_t>(s.rows)];
    const int64_t all = k_.exprs[static_cast<size_t>(count)].i;
    for (size_t p : {size_t{0}, s.pointers.size() - 1}) {
      const int elements = bounds_.integer(LoopOp::imul, rows.first, bounds_.number(s.spans[p] / all), bounds_.lets);
      s.pointers[p].second = bounds_.integer(LoopOp::iadd, s.pointers[p].second, elements, before);
    }
    count = bounds_.integer(LoopOp::isub, rows.second, rows.first, bounds_.lets);
  }

  Kernel& k_;
  LaneBounds bounds_;
};

}  // namespace

Kernel find_shared_lanes(Kernel kernel) {
  Sharing(kernel).run();
  return kernel.lanes > 0 ? kernel : find_shared_work(std::move(kernel));
}

std::optional<Kernel> cut_lanes(Kernel kernel) {
  DGEN_ASSERT(kernel.lanes > 0);
  if (kernel.meet) return cut_work(std::move(kernel));
  Cut(kernel).run();
  return kernel;
}

}  // namespace dgen::loop
