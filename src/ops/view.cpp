// Views: operators that move elements and compute nothing; each one's transpose is another of this file or a sum.
#include "ops/families.h"

namespace dgen::ops {
namespace {

Id view(VjpCtx& v, std::string_view name, Attrs attrs) { return apply(v.g, name, {v.d}, std::move(attrs)); }
Ints sizes(const Shape& shape) { return shape.sizes(); }
const Shape& input_shape(VjpCtx& v) { return v.g[v.in(0)].shape(); }

// Copies input element offset(index) to every output element.
template <class F>
void copy_by_index(EvalCtx& c, F offset) {
  const double* x = c.in(0);
  each_index(c.shape(), [&](int64_t n, const Ints& index) { c.out[n] = x[offset(index)]; });
}

// An index brought into [0, n), and, if it could be outside, the condition that it was inside.
struct Checked {
  int index;
  int inside = -1;
};

Checked check_index(LoopBuilder& l, int index, int64_t n) {
  int64_t lo = 0, hi = 0;
  if (l.range(index, &lo, &hi) && lo >= 0 && hi <= n) return {index};
  return {l.clamp(index, 0, n - 1), l.inside(index, 0, n)};
}

int both(LoopBuilder& l, int a, int b) { return a < 0 ? b : b < 0 ? a : l.both(a, b); }

using ValueAt = std::function<int(std::vector<int>)>;

// out[first + i] = value(i) for all indices i of a shape.
void store_box(StmtCtx& c, const Shape& shape, const Ints& first, const ValueAt& value, std::vector<int> index = {}) {
  const size_t axis = index.size();
  if (axis == first.size()) {
    std::vector<int> to = index;
    for (size_t i = 0; i < to.size(); ++i) to[i] = c.l.add(to[i], c.l.i(first[i]));
    return c.l.store(c.out, c.l.add(c.base, c.ravel(to, c.shape(), c.rows)), value(std::move(index)));
  }
  auto inner = [&](int at) {
    std::vector<int> next = index;
    next.push_back(at);
    store_box(c, shape, first, value, std::move(next));
  };
  const int64_t n = shape[static_cast<int>(axis)];
  if (n == 1) inner(c.l.i(0));
  else if (n > 1) c.l.loop(n, inner);
}

// reshape ---------------------------------------------------------------------------------------------------------------

Type infer_reshape(std::span<const Type> in, const Attrs& attrs) {
  Shape to = shape_attr(attrs);
  if (to.size() != in[0].shape.size()) fail("sizes differ: ", in[0].shape.str(), " to ", to.str());
  return {to, in[0].clock};
}

void eval_reshape(EvalCtx& c) { std::copy_n(c.in(0), c.shape().size(), c.out); }
void vjp_reshape(VjpCtx& v) { v.add(0, view(v, "reshape", {{"shape", sizes(input_shape(v))}})); }

// Axes are matched in the smallest groups of equal size, so that an axis that stays keeps its plain index.
int elem_reshape(ElemCtx& c) {
  const Shape &from = c.input(0).shape(), &to = c.shape();
  std::vector<int> index;
  int i = 0, j = 0;
  while (i < from.rank() || j < to.rank()) {
    Shape in_group, out_group;
    std::vector<int> out_index;
    auto take_in = [&] { in_group.push_back(from[i++]); };
    auto take_out = [&] { out_index.push_back(c.idx[static_cast<size_t>(j)]), out_group.push_back(to[j++]); };
    if (i < from.rank() && from[i] == 1) take_in();
    else if (j < to.rank() && to[j] == 1) take_out();
    else take_in(), take_out();
    while (in_group.size() != out_group.size()) {
      if (in_group.size() < out_group.size()) take_in();
      else take_out();
    }
    if (in_group == out_group) {
      index.insert(index.end(), out_index.begin(), out_index.end());
    } else {
      std::vector<int> split = c.unravel(c.ravel(out_index, out_group), in_group);
      index.insert(index.end(), split.begin(), split.end());
    }
  }
  return c.in(0, std::move(index));
}

Uses uses_reshape(const OpDef&, int64_t) { return {{{{2, 3, 4}}, {{"shape", Ints{4, 6}}}}, {{{1}}, {{"shape", Ints{}}}}}; }

// permute ---------------------------------------------------------------------------------------------------------------

Type infer_permute(std::span<const Type> in, const Attrs& attrs) {
  const Ints& axes = attrs.ints("axes");
  int rank = in[0].shape.rank();
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  Shape to;
  for (int64_t axis : axes) {
    int a = norm_axis(axis, rank);
    if (seen[static_cast<size_t>(a)]) fail("axis ", axis, " is given twice for ", in[0].shape.str());
    seen[static_cast<size_t>(a)] = true;
    to.push_back(in[0].shape[a]);
  }
  if (to.rank() != rank) fail("needs ", rank, " axes for ", in[0].shape.str(), ", got ", axes.size());
  return {to, in[0].clock};
}

size_t permuted(const Node& node, size_t i) {
  return static_cast<size_t>(norm_axis(node.attrs.ints("axes")[i], node.shape().rank()));
}

void eval_permute(EvalCtx& c) {
  Ints in = strides_of(c.input(0).shape()), strides(in.size());
  for (size_t i = 0; i < in.size(); ++i) strides[i] = in[permuted(c.node, i)];
  copy_by_index(c, [&](const Ints& index) { return offset_of(index, strides); });
}

void vjp_permute(VjpCtx& v) {
  Ints inverse(static_cast<size_t>(v.node().shape().rank()));
  for (size_t i = 0; i < inverse.size(); ++i) inverse[permuted(v.node(), i)] = static_cast<int64_t>(i);
  v.add(0, view(v, "permute", {{"axes", inverse}}));
}

int elem_permute(ElemCtx& c) {
  std::vector<int> index(c.idx.size());
  for (size_t i = 0; i < index.size(); ++i) index[permuted(c.node, i)] = c.idx[i];
  return c.in(0, std::move(index));
}

Uses uses_permute(const OpDef&, int64_t) { return {{{{2, 3, 4}}, {{"axes", Ints{2, 0, 1}}}}}; }

// expand ----------------------------------------------------------------------------------------------------------------

Type infer_expand(std::span<const Type> in, const Attrs& attrs) {
  Shape to = shape_attr(attrs), from = in[0].shape;
  int lead = to.rank() - from.rank();
  bool fits = lead >= 0;
  for (int i = 0; fits && i < from.rank(); ++i) fits = from[i] == 1 || from[i] == to[i + lead];
  if (!fits) fail("cannot expand ", from.str(), " to ", to.str());
  return {to, in[0].clock};
}

void eval_expand(EvalCtx& c) {
  const Shape& from = c.input(0).shape();
  Ints in = strides_of(from), strides(static_cast<size_t>(c.shape().rank()), 0);
  size_t lead = strides.size() - in.size();
  for (size_t i = 0; i < in.size(); ++i) strides[i + lead] = from[static_cast<int>(i)] == 1 ? 0 : in[i];
  copy_by_index(c, [&](const Ints& index) { return offset_of(index, strides); });
}

void vjp_expand(VjpCtx& v) { v.add(0, unbroadcast(v.g, v.d, input_shape(v))); }

int elem_expand(ElemCtx& c) {
  const Shape& from = c.input(0).shape();
  size_t lead = c.idx.size() - static_cast<size_t>(from.rank());
  std::vector<int> index(c.idx.begin() + static_cast<std::ptrdiff_t>(lead), c.idx.end());
  for (size_t i = 0; i < index.size(); ++i)
    if (from[static_cast<int>(i)] == 1) index[i] = c.l.i(0);
  return c.in(0, std::move(index));
}

Uses uses_expand(const OpDef&, int64_t) { return {{{{}}, {{"shape", Ints{3, 2}}}}, {{{2, 1, 3}}, {{"shape", Ints{5, 2, 4, 3}}}}}; }

// slice, pad ------------------------------------------------------------------------------------------------------------

Type infer_slice(std::span<const Type> in, const Attrs& attrs) {
  const Ints &starts = attrs.ints("starts"), &ends = attrs.ints("ends");
  const Shape& from = in[0].shape;
  size_t rank = static_cast<size_t>(from.rank());
  if (starts.size() != rank || ends.size() != rank) fail("needs a range for each axis of ", from.str());
  Shape to;
  for (size_t i = 0; i < rank; ++i) {
    if (starts[i] < 0 || starts[i] >= ends[i] || ends[i] > from[static_cast<int>(i)])
      fail("range [", starts[i], ",", ends[i], ") does not lie in axis ", i, " of ", from.str());
    to.push_back(ends[i] - starts[i]);
  }
  return {to, in[0].clock};
}

void eval_slice(EvalCtx& c) {
  Ints strides = strides_of(c.input(0).shape());
  int64_t first = offset_of(c.node.attrs.ints("starts"), strides);
  copy_by_index(c, [&](const Ints& index) { return first + offset_of(index, strides); });
}

void vjp_slice(VjpCtx& v) {
  Ints pairs;
  for (size_t i = 0; i < v.attrs().ints("starts").size(); ++i) {
    pairs.push_back(v.attrs().ints("starts")[i]);
    pairs.push_back(input_shape(v)[static_cast<int>(i)] - v.attrs().ints("ends")[i]);
  }
  v.add(0, view(v, "pad", {{"pairs", pairs}, {"value", 0.0}}));
}

int elem_slice(ElemCtx& c) {
  std::vector<int> index = c.idx;
  for (size_t i = 0; i < index.size(); ++i) index[i] = c.l.add(index[i], c.l.i(c.attrs().ints("starts")[i]));
  return c.in(0, std::move(index));
}

Uses uses_slice(const OpDef&, int64_t) { return {{{{4, 5}}, {{"starts", Ints{1, 0}}, {"ends", Ints{3, 5}}}}}; }

Type infer_pad(std::span<const Type> in, const Attrs& attrs) {
  const Ints& pairs = attrs.ints("pairs");
  Shape to = in[0].shape;
  if (pairs.size() != 2 * static_cast<size_t>(to.rank())) fail("needs a pair for each axis of ", to.str());
  for (int64_t p : pairs)
    if (p < 0) fail("padding ", p, " of ", to.str(), " is negative");
  for (int i = 0; i < to.rank(); ++i) to[i] += pairs[static_cast<size_t>(2 * i)] + pairs[static_cast<size_t>(2 * i + 1)];
  return {to, in[0].clock};
}

void eval_pad(EvalCtx& c) {
  const double* x = c.in(0);
  const Ints& pairs = c.node.attrs.ints("pairs");
  std::fill_n(c.out, c.shape().size(), c.round(c.node.attrs.f("value")));
  Ints strides = strides_of(c.shape());
  each_index(c.input(0).shape(), [&](int64_t n, Ints index) {
    for (size_t i = 0; i < index.size(); ++i) index[i] += pairs[2 * i];
    c.out[offset_of(index, strides)] = x[n];
  });
}

void vjp_pad(VjpCtx& v) {
  Ints starts, ends;
  for (int i = 0; i < input_shape(v).rank(); ++i) {
    starts.push_back(v.attrs().ints("pairs")[static_cast<size_t>(2 * i)]);
    ends.push_back(starts.back() + input_shape(v)[i]);
  }
  v.add(0, view(v, "slice", {{"starts", starts}, {"ends", ends}}));
}

int elem_pad(ElemCtx& c) {
  const Ints& pairs = c.attrs().ints("pairs");
  std::vector<int> index = c.idx;
  int inside = -1;
  for (size_t i = 0; i < index.size(); ++i) {
    if (pairs[2 * i] == 0 && pairs[2 * i + 1] == 0) continue;
    int64_t n = c.input(0).shape()[static_cast<int>(i)];
    Checked at = check_index(c.l, c.l.sub(index[i], c.l.i(pairs[2 * i])), n);
    index[i] = at.index;
    inside = both(c.l, inside, at.inside);
  }
  int x = c.in(0, std::move(index));
  return inside < 0 ? x : c.l.where(inside, x, c.l.f(c.attrs().f("value")));
}

// No element is asked where it lies: the input in the middle, and two boxes an axis around it.
void stmt_pad(StmtCtx& c) {
  const Ints& pairs = c.attrs().ints("pairs");
  Shape box = c.shape();
  Ints first(static_cast<size_t>(box.rank()), 0);
  const int value = c.l.f(c.attrs().f("value"));
  for (size_t a = 0; a < first.size(); ++a) {
    const int axis = static_cast<int>(a);
    for (int64_t part : {int64_t{0}, box[axis] - pairs[2 * a + 1]}) {
      Shape side = box;
      side[axis] = part == 0 ? pairs[2 * a] : pairs[2 * a + 1];
      first[a] = part;
      store_box(c, side, first, [value](std::vector<int>) { return value; });
    }
    box[axis] = c.input(0).shape()[axis], first[a] = pairs[2 * a];
  }
  store_box(c, box, first, [&c](std::vector<int> index) { return c.in(0, std::move(index)); });
}

Uses uses_pad(const OpDef&, int64_t) { return {{{{4, 5}}, {{"pairs", Ints{1, 2, 0, 3}}, {"value", 0.5}}}}; }

// flip ------------------------------------------------------------------------------------------------------------------

Type infer_flip(std::span<const Type> in, const Attrs& attrs) {
  for (int64_t axis : attrs.ints("axes")) norm_axis(axis, in[0].shape.rank());
  return in[0];
}

void eval_flip(EvalCtx& c) {
  Ints strides = strides_of(c.shape());
  copy_by_index(c, [&](Ints index) {
    for (int64_t axis : c.node.attrs.ints("axes")) {
      int a = norm_axis(axis, c.shape().rank());
      index[static_cast<size_t>(a)] = c.shape()[a] - 1 - index[static_cast<size_t>(a)];
    }
    return offset_of(index, strides);
  });
}

void vjp_flip(VjpCtx& v) { v.add(0, view(v, "flip", v.attrs())); }

int elem_flip(ElemCtx& c) {
  std::vector<int> index = c.idx;
  for (int64_t axis : c.attrs().ints("axes")) {
    int a = norm_axis(axis, c.shape().rank());
    index[static_cast<size_t>(a)] = c.l.sub(c.l.i(c.shape()[a] - 1), index[static_cast<size_t>(a)]);
  }
  return c.in(0, std::move(index));
}

Uses uses_flip(const OpDef&, int64_t) { return {{{{2, 3, 4}}, {{"axes", Ints{0, -1}}}}}; }

// concat ----------------------------------------------------------------------------------------------------------------

Type infer_concat(std::span<const Type> in, const Attrs& attrs) {
  Shape to = in[0].shape;
  int axis = norm_axis(attrs.i("axis"), to.rank());
  for (auto& type : in.subspan(1)) {
    bool fits = type.shape.rank() == to.rank();
    for (int i = 0; fits && i < to.rank(); ++i) fits = i == axis || type.shape[i] == to[i];
    if (!fits) fail("shapes differ beside axis ", axis, ": ", in[0].shape.str(), " x ", type.shape.str());
    to[axis] += type.shape[axis];
  }
  return {to, meet_all(in)};
}

void eval_concat(EvalCtx& c) {
  size_t axis = axis_of(c.node.attrs, c.shape());
  Ints strides = strides_of(c.shape());
  int64_t first = 0;
  for (int i = 0; i < static_cast<int>(c.node.in.size()); ++i) {
    const double* x = c.in(i);
    const Shape& part = c.input(i).shape();
    each_index(part, [&](int64_t n, const Ints& index) { c.out[first * strides[axis] + offset_of(index, strides)] = x[n]; });
    first += part[static_cast<int>(axis)];
  }
}

void vjp_concat(VjpCtx& v) {
  Shape whole = v.node().shape();
  size_t axis = axis_of(v.attrs(), whole);
  int64_t first = 0;
  for (int i = 0; i < static_cast<int>(v.node().in.size()); ++i) {
    Ints starts(static_cast<size_t>(whole.rank()), 0), ends = sizes(whole);
    starts[axis] = first;
    ends[axis] = first += v.g[v.in(i)].shape()[static_cast<int>(axis)];
    if (v.wanted(i)) v.add(i, view(v, "slice", {{"starts", starts}, {"ends", ends}}));
  }
}

int elem_concat(ElemCtx& c) {
  size_t axis = axis_of(c.attrs(), c.shape());
  int at = c.idx[axis], result = -1;
  int64_t first = c.shape()[static_cast<int>(axis)];
  for (int i = static_cast<int>(c.node.in.size()); i-- > 0;) {
    int64_t n = c.input(i).shape()[static_cast<int>(axis)];
    int64_t end = first;
    first -= n;
    std::vector<int> index = c.idx;
    index[axis] = check_index(c.l, c.l.sub(at, c.l.i(first)), n).index;
    int x = c.in(i, std::move(index));
    result = result < 0 ? x : c.l.where(c.l.less(at, c.l.i(end)), x, result);
  }
  return result;
}

void stmt_concat(StmtCtx& c) {
  const size_t axis = axis_of(c.attrs(), c.shape());
  Ints first(static_cast<size_t>(c.shape().rank()), 0);
  for (int i = 0; i < static_cast<int>(c.node.in.size()); ++i) {
    store_box(c, c.input(i).shape(), first, [&c, i](std::vector<int> index) { return c.in(i, std::move(index)); });
    first[axis] += c.input(i).shape()[static_cast<int>(axis)];
  }
}

Uses uses_concat(const OpDef&, int64_t) { return {{{{2, 3}, {2, 1}, {2, 4}}, {{"axis", int64_t{-1}}}}}; }

// windows, fold ---------------------------------------------------------------------------------------------------------

struct Windows {
  explicit Windows(const Attrs& attrs) : stride(attrs.i("stride")), dilation(attrs.i("dilation")) {}
  int64_t stride, dilation;
  int64_t span(int64_t size) const { return (size - 1) * dilation + 1; }
  int64_t count(int64_t length, int64_t size) const { return (length - span(size)) / stride + 1; }
};

void check_windows(const Windows& w, int64_t length, int64_t size, const Shape& shape) {
  if (size < 1 || w.stride < 1 || w.dilation < 1) fail("size, stride and dilation must be positive, for ", shape.str());
  if (w.span(size) > length) fail("a window of ", w.span(size), " is longer than the axis, for ", shape.str());
}

Type infer_windows(std::span<const Type> in, const Attrs& attrs) {
  Shape to = in[0].shape;
  int axis = norm_axis(attrs.i("axis"), to.rank());
  int64_t size = attrs.i("size");
  Windows w(attrs);
  check_windows(w, to[axis], size, to);
  to[axis] = w.count(to[axis], size);
  to.push_back(size);
  return {to, in[0].clock};
}

void eval_windows(EvalCtx& c) {
  Windows w(c.node.attrs);
  Ints strides = strides_of(c.input(0).shape());
  int64_t step = strides[axis_of(c.node.attrs, c.input(0).shape())];
  strides[axis_of(c.node.attrs, c.input(0).shape())] *= w.stride;
  strides.push_back(step * w.dilation);
  copy_by_index(c, [&](const Ints& index) { return offset_of(index, strides); });
}

void vjp_windows(VjpCtx& v) {
  int64_t axis = static_cast<int64_t>(axis_of(v.attrs(), input_shape(v)));
  v.add(0, view(v, "fold", {{"axis", axis},
                            {"length", input_shape(v)[static_cast<int>(axis)]},
                            {"stride", v.attrs().i("stride")},
                            {"dilation", v.attrs().i("dilation")}}));
}

int elem_windows(ElemCtx& c) {
  Windows w(c.attrs());
  size_t axis = axis_of(c.attrs(), c.input(0).shape());
  std::vector<int> index(c.idx.begin(), c.idx.end() - 1);
  index[axis] = c.l.add(c.l.mul(index[axis], w.stride), c.l.mul(c.idx.back(), w.dilation));
  return c.in(0, std::move(index));
}

Attrs steps(int64_t stride, int64_t dilation) { return {{"axis", int64_t{0}}, {"stride", stride}, {"dilation", dilation}}; }
Uses uses_windows(const OpDef&, int64_t) {
  return {{{{8, 2}}, steps(1, 1).set("size", int64_t{3})}, {{{9, 2}}, steps(2, 3).set("size", int64_t{2})}};
}

// The axis counts those of the result.
Type infer_fold(std::span<const Type> in, const Attrs& attrs) {
  const Shape& from = in[0].shape;
  if (from.rank() < 2) fail("needs windows in the last axis, got ", from.str());
  Shape to(Ints(from.begin(), from.end() - 1));
  int axis = norm_axis(attrs.i("axis"), to.rank());
  int64_t length = attrs.i("length");
  Windows w(attrs);
  check_windows(w, length, from.back(), from);
  if (w.count(length, from.back()) != from[axis])
    fail("length ", length, " has ", w.count(length, from.back()), " windows of ", from.back(), ", not those of ", from.str());
  to[axis] = length;
  return {to, in[0].clock};
}

void eval_fold(EvalCtx& c) {
  Windows w(c.node.attrs);
  const double* x = c.in(0);
  Ints strides = strides_of(c.shape());
  int64_t step = strides[axis_of(c.node.attrs, c.shape())];
  strides[axis_of(c.node.attrs, c.shape())] *= w.stride;
  strides.push_back(step * w.dilation);
  std::fill_n(c.out, c.shape().size(), 0.0);
  each_index(c.input(0).shape(), [&](int64_t n, const Ints& index) {
    double& sum = c.out[offset_of(index, strides)];
    sum = c.round(sum + x[n]);
  });
}

void vjp_fold(VjpCtx& v) {
  v.add(0, view(v, "windows", {{"axis", static_cast<int64_t>(axis_of(v.attrs(), v.node().shape()))},
                               {"size", input_shape(v).back()},
                               {"stride", v.attrs().i("stride")},
                               {"dilation", v.attrs().i("dilation")}}));
}

// One term of a folded element: window and element number, and whether there is such a term.
struct Term {
  int window, element;
  int inside;
};

// Undilated windows: only those that cover position p are visited, from the newest back.
Term covering_term(LoopBuilder& l, int p, int j, const Windows& w, int64_t count, int64_t size) {
  Checked window = check_index(l, l.sub(l.div(p, w.stride), j), count);
  Checked element = check_index(l, l.add(l.mod(p, w.stride), l.mul(j, w.stride)), size);
  return {window.index, element.index, both(l, window.inside, element.inside)};
}

// Element e stands at p - e * dilation; a window begins there or not.
Term dilated_term(LoopBuilder& l, int p, int e, const Windows& w, int64_t count) {
  int start = l.sub(p, l.mul(e, w.dilation));
  int from_zero = l.binary(LoopOp::imax, start, l.i(0));
  Checked window = check_index(l, l.div(from_zero, w.stride), count);
  int aligned = w.stride == 1 ? -1 : l.equal(l.mod(from_zero, w.stride), l.i(0));
  int positive = l.less(l.i(-1), start);
  return {window.index, e, both(l, both(l, positive, aligned), window.inside)};
}

int elem_fold(ElemCtx& c) {
  LoopBuilder& l = c.l;
  Windows w(c.attrs());
  size_t axis = axis_of(c.attrs(), c.shape());
  const Shape& from = c.input(0).shape();
  int64_t count = from[static_cast<int>(axis)], size = from.back();
  auto term = [&](const std::vector<int>& vars) {
    Term t = w.dilation == 1 ? covering_term(l, c.idx[axis], vars[0], w, count, size)
                             : dilated_term(l, c.idx[axis], vars[0], w, count);
    std::vector<int> index = c.idx;
    index[axis] = t.window;
    index.push_back(t.element);
    int x = c.in(0, std::move(index));
    return t.inside < 0 ? x : l.where(t.inside, x, l.f(0));
  };
  int64_t terms = w.dilation == 1 ? (size + w.stride - 1) / w.stride : size;
  return terms == 1 ? term({l.i(0)}) : l.reduce("sum", {terms}, term);
}

Uses uses_fold(const OpDef&, int64_t) {
  return {{{{6, 2, 3}}, steps(1, 1).set("length", int64_t{8})}, {{{3, 2, 2}}, steps(2, 3).set("length", int64_t{9})}};
}

// -----------------------------------------------------------------------------------------------------------------------

const OpDef rows[] = {
    {.name = "reshape", .doc = "the same elements in another `shape`", .family = Family::view, .traits = stateless | view_only,
     .infer = infer_reshape, .eval = eval_reshape, .vjp = vjp_reshape, .elem = elem_reshape, .uses = uses_reshape},
    {.name = "permute", .doc = "axis i of the result is axis `axes`[i]", .family = Family::view, .traits = stateless | view_only,
     .infer = infer_permute, .eval = eval_permute, .vjp = vjp_permute, .elem = elem_permute, .uses = uses_permute},
    {.name = "expand", .doc = "repeats axes of size 1, and new leading axes, to `shape`", .family = Family::view,
     .traits = stateless | view_only | rereads, .infer = infer_expand, .eval = eval_expand, .vjp = vjp_expand, .elem = elem_expand,
     .uses = uses_expand},
    {.name = "slice", .doc = "the range [`starts`, `ends`) of every axis", .family = Family::view, .traits = stateless | view_only,
     .infer = infer_slice, .eval = eval_slice, .vjp = vjp_slice, .elem = elem_slice, .uses = uses_slice},
    {.name = "pad", .doc = "`value` around it: two counts in `pairs` an axis", .family = Family::view,
     .traits = stateless | view_only | pieces,
     .infer = infer_pad, .eval = eval_pad, .vjp = vjp_pad, .elem = elem_pad, .stmt = stmt_pad, .uses = uses_pad},
    {.name = "flip", .doc = "`axes` reversed", .family = Family::view, .traits = stateless | view_only,
     .infer = infer_flip, .eval = eval_flip, .vjp = vjp_flip, .elem = elem_flip, .uses = uses_flip},
    {.name = "concat", .doc = "inputs one after the other along `axis`", .family = Family::view, .max_inputs = -1,
     .traits = stateless | view_only | pieces, .infer = infer_concat, .eval = eval_concat, .vjp = vjp_concat, .elem = elem_concat,
     .stmt = stmt_concat, .uses = uses_concat},
    {.name = "windows", .doc = "`axis` becomes the number of windows; their elements are a new last axis of `size`",
     .family = Family::view, .traits = stateless | view_only | rereads, .infer = infer_windows, .eval = eval_windows,
     .vjp = vjp_windows, .elem = elem_windows, .uses = uses_windows},
    {.name = "fold", .doc = "the transpose of windows: overlapping windows summed into `axis` of `length`", .family = Family::reduce,
     .traits = stateless | materialise, .infer = infer_fold, .eval = eval_fold, .vjp = vjp_fold, .elem = elem_fold, .uses = uses_fold},
};

}  // namespace

std::span<const OpDef> view_ops() { return rows; }

}  // namespace dgen::ops
