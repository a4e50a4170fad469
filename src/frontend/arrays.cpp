// Shape operators, reductions, linear algebra, indexing and spectra over untyped values.
#include <numeric>

#include "frontend/node.h"

namespace dgen::detail {
namespace {

int norm_axis(const char* op, int axis, int rank, const Value& x, Loc loc) {
  if (axis < -rank || axis >= rank)
    fail_at(op, cat("axis ", axis, " is out of range for ", x.shape().str()), &x, 1, loc);
  return axis < 0 ? axis + rank : axis;
}

ir::Ints to_ints(const Shape& shape) { return shape.sizes(); }

ir::Ints norm_axes(const char* op, const Axes& axes, const Value& x, Loc loc) {
  ir::Ints out;
  for (int axis : axes) out.push_back(norm_axis(op, axis, x.rank(), x, loc));
  return out;
}

ir::Ints all_axes(const Value& x) {
  ir::Ints axes(static_cast<size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Where a range lies in an axis of size n.
std::pair<int64_t, int64_t> resolve(Range range, int64_t n) {
  int64_t begin = range.begin < 0 ? range.begin + n : range.begin;
  int64_t end = range.end < 0 ? range.end + n : std::min(range.end, std::max(n, range.begin));
  return {begin, end == std::numeric_limits<int64_t>::max() ? n : end};
}

}  // namespace

Value reshape(const Value& x, const Shape& shape, Loc loc) {
  if (x && x.shape() == shape) return x;
  return apply("reshape", {x}, {{"shape", to_ints(shape)}}, loc);
}

Value as_scalar(const Value& x, Loc loc) {
  if (x && x.size() != 1) fail_at("scalar", cat("a value of shape ", x.shape().str(), " is no single value"), &x, 1, loc);
  return reshape(x, {}, loc);
}

Value permute(const Value& x, const Axes& axes, Loc loc) {
  return apply("permute", {x}, {{"axes", norm_axes("permute", axes, x, loc)}}, loc);
}

Value transpose(const Value& x, const Axes& axes, Loc loc) {
  CallSite site(loc);
  if (!axes.empty()) return permute(x, axes, loc);
  Axes reversed(static_cast<size_t>(x.rank()));
  for (size_t i = 0; i < reversed.size(); ++i) reversed[i] = static_cast<int>(reversed.size() - 1 - i);
  return permute(x, reversed, loc);
}

Value expand(const Value& x, const Shape& shape, Loc loc) {
  if (x && x.shape() == shape) return x;
  return apply("expand", {x}, {{"shape", to_ints(shape)}}, loc);
}

Value shrink(const Value& x, const std::vector<Range>& ranges, Loc loc) {
  CallSite site(loc);
  if (static_cast<int>(ranges.size()) > x.rank())
    fail_at("shrink", cat(ranges.size(), " ranges for ", x.shape().str()), &x, 1, loc);
  ir::Ints starts(static_cast<size_t>(x.rank()), 0), ends = to_ints(x.shape());
  for (size_t i = 0; i < ranges.size(); ++i) {
    std::tie(starts[i], ends[i]) = resolve(ranges[i], x.shape()[static_cast<int>(i)]);
    if (starts[i] < 0 || starts[i] >= ends[i] || ends[i] > x.shape()[static_cast<int>(i)])
      fail_at("shrink",
              cat("range [", ranges[i].begin, ",", ranges[i].end == Range{}.end ? ends[i] : ranges[i].end, ") does not lie in axis ", i,
                  " of ", x.shape().str()),
              &x, 1, loc);
  }
  return apply("slice", {x}, {{"starts", starts}, {"ends", ends}}, loc);
}

Value slice_axis(const Value& x, int axis, Range range, Loc loc) {
  check_handle("slice", x, loc);
  std::vector<Range> ranges(static_cast<size_t>(norm_axis("slice", axis, x.rank(), x, loc)) + 1);
  ranges.back() = range;
  return shrink(x, ranges, loc);
}

Value take(const Value& x, int64_t i, Loc loc) {
  check_handle("index", x, loc);
  if (x.rank() == 0) fail_at("index", "a value of shape () has no rows", &x, 1, loc);
  int64_t n = x.shape()[0], row = i < 0 ? i + n : i;
  if (row < 0 || row >= n) fail_at("index", cat("index ", i, " is out of range for ", x.shape().str()), &x, 1, loc);
  return squeeze(slice_axis(x, 0, {row, row + 1}, loc), {0}, loc);
}

Value pad(const Value& x, const std::vector<std::pair<int, int>>& pairs, float value, Loc loc) {
  ir::Ints flat;
  for (auto& pair : pairs) flat.push_back(pair.first), flat.push_back(pair.second);
  return apply("pad", {x}, {{"pairs", flat}, {"value", static_cast<double>(value)}}, loc);
}

Value flip(const Value& x, const Axes& axes, Loc loc) {
  return apply("flip", {x}, {{"axes", norm_axes("flip", axes, x, loc)}}, loc);
}

// [a, b] with counts (m, n) is [m, a, n, b] of the expanded [1, a, 1, b].
Value repeat(const Value& x, const std::vector<int>& counts, Loc loc) {
  if (static_cast<int>(counts.size()) != x.rank())
    fail_at("repeat", cat(counts.size(), " counts for ", x.shape().str()), &x, 1, loc);
  Shape narrow, wide, flat;
  for (int i = 0; i < x.rank(); ++i) {
    int64_t n = x.shape()[i], count = counts[static_cast<size_t>(i)];
    if (count < 1) fail_at("repeat", cat("count ", count, " for ", x.shape().str()), &x, 1, loc);
    narrow.push_back(1), narrow.push_back(n);
    wide.push_back(count), wide.push_back(n);
    flat.push_back(count * n);
  }
  return reshape(expand(reshape(x, narrow, loc), wide, loc), flat, loc);
}

Value concat(const std::vector<Value>& x, int axis, Loc loc) {
  if (x.empty()) fail_at("concat", "nothing to join", nullptr, 0, loc);
  int64_t at = norm_axis("concat", axis, x[0].rank(), x[0], loc);
  return x.size() == 1 ? x[0] : apply("concat", x, {{"axis", at}}, loc);
}

Value stack(const std::vector<Value>& x, int axis, Loc loc) {
  if (x.empty()) fail_at("stack", "nothing to join", nullptr, 0, loc);
  std::vector<Value> rows;
  for (const Value& v : x) {
    if (v.shape() != x[0].shape())
      fail_at("stack", cat("shapes differ: ", x[0].shape().str(), " x ", v.shape().str()), x.data(), x.size(), loc);
    rows.push_back(unsqueeze(v, axis, loc));
  }
  return concat(rows, axis, loc);
}

Value squeeze(const Value& x, const Axes& axes, Loc loc) {
  std::vector<bool> drop(static_cast<size_t>(x.rank()), false);
  for (int axis : axes) {
    int at = norm_axis("squeeze", axis, x.rank(), x, loc);
    if (x.shape()[at] != 1)
      fail_at("squeeze", cat("axis ", axis, " of ", x.shape().str(), " is not of size 1"), &x, 1, loc);
    drop[static_cast<size_t>(at)] = true;
  }
  Shape to;
  for (int i = 0; i < x.rank(); ++i)
    if (axes.empty() ? x.shape()[i] != 1 : !drop[static_cast<size_t>(i)]) to.push_back(x.shape()[i]);
  return reshape(x, to, loc);
}

Value unsqueeze(const Value& x, int axis, Loc loc) {
  int at = norm_axis("unsqueeze", axis, x.rank() + 1, x, loc);
  std::vector<int64_t> to = x.shape().sizes();
  to.insert(to.begin() + at, 1);
  return reshape(x, Shape(std::move(to)), loc);
}

Value known_zeros(const Value& x) {
  constexpr int64_t most = 64;
  const driver::StoragePtr& storage = x.node()->storage;
  if (!storage || !x.node()->in.empty() || storage->learnable || x.size() > most) return x;
  return apply("known_zeros", {x}, {{"elements", ir::Ints{}}}, Loc{});
}

Value windows_of(const Value& x, int axis, int64_t size, int64_t stride, int64_t dilation, Loc loc) {
  return apply("windows", {x}, {{"axis", int64_t{axis}}, {"size", size}, {"stride", stride}, {"dilation", dilation}},
               loc);
}

Value windows(const Value& x, int size, int stride, Loc loc) {
  if (x.rank() < 2) return windows_of(x, 0, size, stride, 1, loc);
  return windows_of(windows_of(x, x.rank() - 2, size, stride, 1, loc), x.rank() - 1, size, stride, 1, loc);
}

Value reduce(const char* op, const Value& x, const Axes& axes, bool keepdims, Loc loc) {
  check_handle(op, x, loc);
  ir::Ints which = axes.empty() ? all_axes(x) : norm_axes(op, axes, x, loc);
  if (which.empty()) return x;
  Value y = apply(op, {x}, {{"axes", which}}, loc);
  if (!keepdims) return y;
  Shape kept = x.shape();
  for (int64_t axis : which) kept[static_cast<int>(axis)] = 1;
  return reshape(y, kept, loc);
}

Value mean(const Value& x, const Axes& axes, bool keepdims, Loc loc) {
  Value total = reduce("sum", x, axes, keepdims, loc);
  double count = static_cast<double>(x.size()) / static_cast<double>(total.size());
  return scalar("mul", {total, number(1 / count)}, loc);
}

Value argmax(const Value& x, int axis, bool keepdims, Loc loc) {
  int64_t at = norm_axis("argmax", axis, x.rank(), x, loc);
  Value y = apply("argmax", {x}, {{"axis", at}}, loc);
  return keepdims ? unsqueeze(y, static_cast<int>(at), loc) : y;
}

Value cumsum(const Value& x, int axis, Loc loc) {
  return apply("cumsum", {x}, {{"axis", int64_t{norm_axis("cumsum", axis, x.rank(), x, loc)}}}, loc);
}

namespace {

Shape without_last(const Shape& shape, int count) {
  return Shape(std::vector<int64_t>(shape.begin(), shape.end() - count));
}

Shape join(Shape a, std::initializer_list<int64_t> b) {
  for (int64_t n : b) a.push_back(n);
  return a;
}

// Batch axes of both broadcast; a single matrix on the right serves the whole batch as it is.
std::pair<Value, Value> batched(const Value& a, const Value& b, Loc loc) {
  if (b.rank() == 2 || without_last(a.shape(), 2) == without_last(b.shape(), 2)) return {a, b};
  Shape batch;
  Shape left = without_last(a.shape(), 2), right = without_last(b.shape(), 2);
  int rank = std::max(left.rank(), right.rank());
  for (int i = 0; i < rank; ++i) {
    int64_t m = i < rank - left.rank() ? 1 : left[i - rank + left.rank()];
    int64_t n = i < rank - right.rank() ? 1 : right[i - rank + right.rank()];
    if (m != n && m != 1 && n != 1) {
      Value both[] = {a, b};
      fail_at("matmul", cat("batch sizes differ: ", a.shape().str(), " x ", b.shape().str()), both, 2, loc);
    }
    batch.push_back(m == 1 ? n : m);
  }
  auto widen = [&](const Value& x) { return expand(x, join(batch, {x.shape()[x.rank() - 2], x.shape().back()}), loc); };
  return {widen(a), widen(b)};
}

}  // namespace

// A vector on the left is a row, on the right a column; its axis goes again.
Value matmul(const Value& a, const Value& b, Loc loc) {
  if (!a || !b || a.rank() == 0 || b.rank() == 0) return apply("matmul", {a, b}, {}, loc);
  bool row = a.rank() == 1, column = b.rank() == 1;
  int64_t inner = b.shape()[column ? 0 : b.rank() - 2];
  if (a.shape().back() != inner) {
    Value both[] = {a, b};
    fail_at("matmul", cat("inner sizes differ: ", a.shape().str(), " x ", b.shape().str()), both, 2, loc);
  }
  auto [left, right] = batched(row ? unsqueeze(a, 0, loc) : a, column ? unsqueeze(b, 1, loc) : b, loc);
  Value y = apply("matmul", {left, right}, {}, loc);
  if (column) y = squeeze(y, {-1}, loc);
  if (row) y = squeeze(y, {column ? -1 : -2}, loc);
  return y;
}

Value gather(const Value& x, const Value& indices, Loc loc) { return apply("gather", {x, indices}, {}, loc); }

Value scatter_add(const Value& indices, const Value& values, int64_t size, Loc loc) {
  return apply("scatter_add", {indices, values}, {{"size", size}}, loc);
}

Value real_planes(const Value& x, Loc loc) {
  Value plane = unsqueeze(x, -2, loc);
  std::vector<std::pair<int, int>> pairs(static_cast<size_t>(plane.rank()));
  pairs[pairs.size() - 2].second = 1;
  return pad(plane, pairs, 0, loc);
}

Value spectrum(const char* op, const Value& x, std::optional<int64_t> n, Loc loc) {
  ir::Attrs attrs;
  if (n) attrs.set("n", *n);
  return apply(op, {x}, std::move(attrs), loc);
}

}  // namespace dgen::detail
