// Array functions made of others: softmax and its kin, convolution over windows, reading between rows.
#include <cmath>
#include <numeric>

#include "dgen/operators.h"

namespace dgen::detail {
namespace {

using X = SignalTensor;
X handle(const Value& v) { return as<X>(v); }

[[noreturn]] void shape_error(const char* op, const std::string& what, const Value& a, const Value& b) {
  raise(op, what + ": " + a.shape().str() + " x " + b.shape().str(), {a, b});
}

X kept(const char* op, const X& x, const Axes& axes) {
  Axes all(static_cast<size_t>(x.rank()));
  std::iota(all.begin(), all.end(), 0);
  return handle(reduce(op, x, axes.empty() ? all : axes, true, Loc{}));
}

// x less its maximum, which changes no softmax and keeps exp in range.
X shifted(const X& x, const Axes& axes) { return x - kept("amax", x, axes).detach(); }

}  // namespace

Value softmax(const Value& v, int axis, Loc loc) {
  CallSite site(loc);
  X e = exp(shifted(handle(v), {axis}));
  return e / e.sum(axis, true);
}

Value log_softmax(const Value& v, int axis, Loc loc) {
  CallSite site(loc);
  X s = shifted(handle(v), {axis});
  return s - log(exp(s).sum(axis, true));
}

Value logsumexp(const Value& v, const Axes& axes, bool keepdims, Loc loc) {
  CallSite site(loc);
  X x = handle(v), largest = kept("amax", x, axes).detach();
  // Where no finite value is largest nothing is taken away.
  X top = select(abs(largest) <= std::numeric_limits<float>::max(), largest, 0.0f);
  X y = top + log(kept("sum", exp(x - top), axes));
  return reshape(y, reduce("sum", x, axes, keepdims, loc).shape(), loc);
}

Value norm(const Value& v, const Axes& axes, bool keepdims, Loc loc) {
  CallSite site(loc);
  X x = handle(v);
  return sqrt(handle(reduce("sum", x * x, axes, keepdims, loc)));
}

Value var(const Value& v, const Axes& axes, bool keepdims, Loc loc) {
  CallSite site(loc);
  X x = handle(v), sum = kept("sum", x, axes);
  X d = x - sum * (static_cast<float>(sum.size()) / static_cast<float>(x.size()));
  return mean(d * d, axes, keepdims, loc);
}

namespace {

void check_conv(const char* op, const X& x, const ConvOptions& o) {
  if (o.stride < 1 || o.dilation < 1 || o.padding < 0)
    raise(op, "stride and dilation must be positive, padding not negative", {x});
}

// Windows over the last dims axes, whose elements become new last axes.
X patches(const X& x, const Shape& kernel, int dims, const ConvOptions& o) {
  std::vector<std::pair<int, int>> pairs(static_cast<size_t>(x.rank()), {0, 0});
  for (int i = 0; i < dims; ++i) pairs[pairs.size() - 1 - static_cast<size_t>(i)] = {o.padding, o.padding};
  X y = o.padding > 0 ? x.pad(pairs) : x;
  for (int i = 0; i < dims; ++i)
    y = handle(windows_of(y, x.rank() - dims + i, kernel[kernel.rank() - dims + i], o.stride, o.dilation, Loc{}));
  return y;
}

// dims spatial axes: [spatial] * [kernel], or [N,C,spatial] * [O,C,kernel] as a product of matrices.
X convolved(const char* op, const X& x, const X& kernel, int dims, const ConvOptions& o) {
  check_conv(op, x, o);
  bool channels = x.rank() == dims + 2;
  if (x.rank() != kernel.rank() || (!channels && x.rank() != dims)) shape_error(op, "ranks do not fit", x, kernel);
  if (channels && x.shape()[1] != kernel.shape()[1]) shape_error(op, "channels differ", x, kernel);
  for (int i = 0; i < dims; ++i) {
    int axis = x.rank() - dims + i;
    if ((kernel.shape()[axis] - 1) * o.dilation + 1 > x.shape()[axis] + 2 * o.padding)
      shape_error(op, "the kernel is larger than the input", x, kernel);
  }
  X p = patches(x, kernel.shape(), dims, o);
  Axes last;
  for (int i = 0; i < dims; ++i) last.push_back(i - dims);
  if (!channels) return (p * handle(known_zeros(kernel))).sum(last);
  // [N, C, spatial, kernel] to [N, C, kernel, spatial], whose columns are patches and whose rows are pieces of x; [O, C kernel] times that.
  const int64_t batch = x.shape()[0], outputs = kernel.shape()[0], depth = kernel.size() / outputs;
  Axes order{0, 1};
  Shape result{batch, outputs};
  for (int i = 0; i < dims; ++i) order.push_back(2 + dims + i);
  for (int i = 0; i < dims; ++i) order.push_back(2 + i), result.push_back(p.shape()[2 + i]);
  const int64_t positions = result.size() / (batch * outputs);
  X columns = p.permute(order).reshape(batch == 1 ? Shape{depth, positions} : Shape{batch, depth, positions});
  return kernel.reshape({outputs, depth}).matmul(columns).reshape(result);
}

}  // namespace

Value conv1d(const Value& x, const Value& kernel, const ConvOptions& options, Loc loc) {
  CallSite site(loc);
  return convolved("conv1d", handle(x), handle(kernel), 1, options);
}

Value conv2d(const Value& x, const Value& kernel, const ConvOptions& options, Loc loc) {
  CallSite site(loc);
  return convolved("conv2d", handle(x), handle(kernel), 2, options);
}

namespace {

// The rows on both sides of an index and how far it is between them.
struct Between {
  X below, above, part;
};

// NaN as 0, with no gradient.
X numbers(const X& x) { return select(x == x, x, 0.0f); }

Between between(const X& index, int64_t rows, Edge edge) {
  float n = static_cast<float>(rows);
  X i = numbers(index);
  if (edge == Edge::clamp) i = clamp(i, 0.0f, n - 1);
  X below = floor(i), above = below + 1.0f;
  if (edge == Edge::wrap) return {mod(below, n), mod(above, n), i - below};
  return {below, min(above, n - 1), i - below};
}

}  // namespace

Value peek_row(const Value& v, const Value& index, const PeekOptions& options, Loc loc) {
  CallSite site(loc);
  X x = handle(v);
  if (x.rank() == 0) raise("peek_row", "needs rows, got a value of shape ()", {x});
  Between at = between(handle(index), x.shape()[0], options.edge);
  X a = x.gather(at.below), b = x.gather(at.above);
  std::vector<int64_t> wide = at.part.shape().sizes();
  wide.resize(static_cast<size_t>(a.rank()), 1);
  return a + (b - a) * at.part.reshape(Shape(std::move(wide)));
}

Value peek(const Value& v, const Value& index, const Value& channel, const PeekOptions& options, Loc loc) {
  CallSite site(loc);
  X x = handle(v);
  if (x.rank() != 2) raise("peek", "needs samples of shape (N,C), got " + x.shape().str(), {x});
  float channels = static_cast<float>(x.shape()[1]);
  X c = clamp(floor(numbers(handle(channel))), 0.0f, channels - 1);
  Between at = between(handle(index), x.shape()[0], options.edge);
  X flat = x.reshape({x.size()});
  X a = flat.gather(at.below * channels + c), b = flat.gather(at.above * channels + c);
  return a + (b - a) * at.part;
}

}  // namespace dgen::detail
