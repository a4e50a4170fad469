#include "loop/rows.h"

#include <algorithm>

namespace dgen::loop {

using namespace ir;

namespace {

void add_to(IndexSum& sum, const Kernel& k, int e, int64_t factor) {
  const LoopExpr& x = k.exprs[static_cast<size_t>(e)];
  if (x.op == LoopOp::iconst) return void(sum.constant += factor * x.i);
  if (x.op == LoopOp::iadd || x.op == LoopOp::isub) {
    add_to(sum, k, x.args[0], factor);
    return add_to(sum, k, x.args[1], x.op == LoopOp::iadd ? factor : -factor);
  }
  if (x.op == LoopOp::imul && k.exprs[static_cast<size_t>(x.args[1])].op == LoopOp::iconst)
    return add_to(sum, k, x.args[0], factor * k.exprs[static_cast<size_t>(x.args[1])].i);
  sum.terms[e] += factor;
}

// Elements [lo, hi) that an access reaches as the loops inside run, all of them if dense.
struct Reach {
  int64_t lo = 0, hi = 0;
  bool dense = true;
};

// Splits an index into the base and what the loops inside add.
bool split(const Kernel& k, const RowAccess& access, int loop_var, const std::unordered_set<int>& inside, std::map<int, int64_t>* base,
           Reach* reach) {
  const IndexSum sum = index_sum(k, access.index);
  reach->lo = sum.constant, reach->hi = sum.constant + access.span;
  std::vector<std::pair<int64_t, int64_t>> loops;  // factor, count
  for (auto [e, factor] : sum.terms) {
    if (factor == 0) continue;
    if (e == loop_var || !inside.count(e)) {
      (*base)[e] = factor;
      continue;
    }
    const LoopExpr& x = k.exprs[static_cast<size_t>(e)];
    if (x.op != LoopOp::var) return false;
    auto [from, to] = k.var_range[static_cast<size_t>(x.i)];
    if (to <= from) return false;
    reach->lo += std::min(factor * from, factor * (to - 1));
    reach->hi += std::max(factor * from, factor * (to - 1));
    loops.push_back({std::abs(factor), to - from});
  }
  std::sort(loops.begin(), loops.end());
  int64_t covered = access.span;
  for (auto [factor, count] : loops) {
    reach->dense = reach->dense && factor <= covered;
    covered = std::max(covered, factor * (count - 1) + covered);
  }
  return true;
}

// Do the intervals cover [lo, hi)?
bool cover(std::vector<Reach> parts, int64_t lo, int64_t hi) {
  std::sort(parts.begin(), parts.end(), [](auto& a, auto& b) { return a.lo < b.lo; });
  for (auto& part : parts) {
    if (part.lo > lo) return false;
    lo = std::max(lo, part.hi);
  }
  return lo >= hi;
}

}  // namespace

IndexSum index_sum(const Kernel& k, int index) {
  IndexSum sum;
  add_to(sum, k, index, 1);
  return sum;
}

std::optional<Range> range_of(const Kernel& k, int e) {
  const LoopExpr& x = k.exprs[static_cast<size_t>(e)];
  if (x.op == LoopOp::var) {
    const auto [lo, hi] = k.var_range[static_cast<size_t>(x.i)];
    return hi > lo ? std::optional(Range{lo, hi - 1}) : std::nullopt;
  }
  if (x.op != LoopOp::imin && x.op != LoopOp::imax) {
    const IndexSum sum = index_sum(k, e);
    return sum.terms.contains(e) ? std::nullopt : range_of(k, sum);
  }
  const std::optional<Range> a = range_of(k, x.args[0]), b = range_of(k, x.args[1]);
  if (!a || !b) return {};
  if (x.op == LoopOp::imin) return Range{std::min(a->least, b->least), std::min(a->most, b->most)};
  return Range{std::max(a->least, b->least), std::max(a->most, b->most)};
}

std::optional<Range> range_of(const Kernel& k, const IndexSum& sum) {
  Range all{sum.constant, sum.constant};
  for (auto [e, factor] : sum.terms) {
    if (factor == 0) continue;
    const std::optional<Range> range = range_of(k, e);
    if (!range) return {};
    all.least += std::min(factor * range->least, factor * range->most);
    all.most += std::max(factor * range->least, factor * range->most);
  }
  return all;
}

std::optional<Row> row_of(const Kernel& k, const std::vector<RowAccess>& accesses, int loop_var, const std::unordered_set<int>& inside) {
  Row row;
  std::vector<Reach> written, all;
  for (auto& access : accesses) {
    std::map<int, int64_t> base;
    Reach reach;
    if (!split(k, access, loop_var, inside, &base, &reach) || !reach.dense) return {};
    bool first = all.empty();
    if (!first && (base != row.base || access.stride != row.stride)) return {};
    if (first) row.base = base, row.stride = access.stride, row.first = reach.lo, row.size = reach.hi;
    row.first = std::min(row.first, reach.lo), row.size = std::max(row.size, reach.hi);
    all.push_back(reach);
    (access.store ? row.store : row.load) = true;
    if (access.store) written.push_back(reach);
    else if (written.empty() && std::any_of(accesses.begin(), accesses.end(), [](auto& a) { return a.store; })) return {};
  }
  int64_t end = row.size;
  row.size -= row.first;
  if (!cover(row.store ? written : all, row.first, end)) return {};
  if (row.store && row.size > std::abs(row.stride)) return {};  // rows of other lanes
  return row;
}

}  // namespace dgen::loop
