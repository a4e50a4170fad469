// Reductions: over axes (sum, prod, amax, amin, argmax) and running sums along one.
#include <cmath>

#include "ops/families.h"

namespace dgen::ops {
namespace {

// Which axes of the input are reduced.
std::vector<bool> reduced_axes(const Attrs& attrs, const Shape& from) {
  std::vector<bool> reduced(static_cast<size_t>(from.rank()), false);
  if (attrs.has("axis")) reduced[axis_of(attrs, from)] = true;
  else
    for (int64_t axis : attrs.ints("axes")) reduced[static_cast<size_t>(norm_axis(axis, from.rank()))] = true;
  return reduced;
}

// The input's shape split in two: the axes that stay (flag false) or those reduced (true).
Shape part_of(const Shape& from, const std::vector<bool>& reduced, bool flag) {
  Shape part;
  for (size_t i = 0; i < reduced.size(); ++i)
    if (reduced[i] == flag) part.push_back(from[static_cast<int>(i)]);
  return part;
}

// The input's shape with size 1 in reduced axes: the result, ready to broadcast against the input.
Shape kept_dims(const Shape& from, const std::vector<bool>& reduced) {
  Shape kept = from;
  for (size_t i = 0; i < reduced.size(); ++i)
    if (reduced[i]) kept[static_cast<int>(i)] = 1;
  return kept;
}

// The input's index from one of the result and one of the reduced axes.
template <class T>
std::vector<T> merge_index(const std::vector<bool>& reduced, const std::vector<T>& out, const std::vector<T>& inner) {
  std::vector<T> index;
  size_t i = 0, j = 0;
  for (bool r : reduced) index.push_back(r ? inner[j++] : out[i++]);
  return index;
}

Type infer_axes(std::span<const Type> in, const Attrs& attrs) {
  const Ints* axes = attrs.has("axes") ? &attrs.ints("axes") : nullptr;
  std::vector<bool> reduced = reduced_axes(attrs, in[0].shape);
  if (axes && static_cast<size_t>(std::count(reduced.begin(), reduced.end(), true)) != axes->size())
    fail("an axis is given twice for ", in[0].shape.str());
  return {part_of(in[0].shape, reduced, false), in[0].clock};
}

template <class F>
void eval_fold(EvalCtx& c, F combine) {
  const Shape& from = c.input(0).shape();
  std::vector<bool> reduced = reduced_axes(c.node.attrs, from);
  Ints strides = strides_of(from);
  const double* x = c.in(0);
  each_index(c.shape(), [&](int64_t n, const Ints& out) {
    bool first = true;
    each_index(part_of(from, reduced, true), [&](int64_t, const Ints& inner) {
      double value = x[offset_of(merge_index(reduced, out, inner), strides)];
      c.out[n] = first ? value : c.round(combine(c.out[n], value));
      first = false;
    });
  });
}

void eval_sum(EvalCtx& c) {
  eval_fold(c, [](double a, double b) { return a + b; });
}
void eval_prod(EvalCtx& c) {
  eval_fold(c, [](double a, double b) { return a * b; });
}
// Unlike max and min of two values, a NaN anywhere is the result: which element came first has no meaning here.
void eval_amax(EvalCtx& c) {
  eval_fold(c, [](double a, double b) { return b > a || std::isnan(b) ? b : a; });
}
void eval_amin(EvalCtx& c) {
  eval_fold(c, [](double a, double b) { return b < a || std::isnan(b) ? b : a; });
}

// Folds value(input element) over the reduced axes.
template <class F>
int reduce_elem(ElemCtx& c, std::string_view fold, F value) {
  const Shape& from = c.input(0).shape();
  std::vector<bool> reduced = reduced_axes(c.attrs(), from);
  Ints extents = part_of(from, reduced, true).sizes();
  auto at = [&](const std::vector<int>& vars) { return value(c.in(0, merge_index(reduced, c.idx, vars))); };
  return extents.empty() ? at({}) : c.l.reduce(fold, extents, at);
}

int elem_sum(ElemCtx& c) {
  return reduce_elem(c, "sum", [](int x) { return x; });
}
int elem_prod(ElemCtx& c) {
  return reduce_elem(c, "prod", [](int x) { return x; });
}
int elem_amax(ElemCtx& c) {
  return reduce_elem(c, "max", [](int x) { return x; });
}
int elem_amin(ElemCtx& c) {
  return c.l.scalar("neg", {reduce_elem(c, "max", [&](int x) { return c.l.scalar("neg", {x}); })});
}

// A value of the result's shape, spread over the input's.
Ex spread(VjpCtx& v, Ex value) {
  Shape from = v.x(0).shape();
  Shape kept = kept_dims(from, reduced_axes(v.attrs(), from));
  Ex column = ex("reshape", {value}, {{"shape", Ints(kept.sizes())}});
  return {&v.g, broadcast_to(v.g, column.id, from)};
}

void vjp_sum(VjpCtx& v) { v.give(0, spread(v, v.dy())); }

// d/dx[i] is the product of the others, made as a product of rows with element i replaced by 1, so that zeros do no harm.
void vjp_prod(VjpCtx& v) {
  Shape from = v.x(0).shape();
  std::vector<bool> reduced = reduced_axes(v.attrs(), from);
  Ints order, inverse(static_cast<size_t>(from.rank()));
  for (bool flag : {false, true})
    for (size_t i = 0; i < reduced.size(); ++i)
      if (reduced[i] == flag) inverse[i] = static_cast<int64_t>(order.size()), order.push_back(static_cast<int64_t>(i));
  Ex moved = ex("permute", {v.x(0)}, {{"axes", order}});
  int64_t n = part_of(from, reduced, true).size(), rest = part_of(from, reduced, false).size();
  Ex rows = ex("reshape", {moved}, {{"shape", Ints{rest, 1, n}}});
  Ex i = {&v.g, apply(v.g, "iota", {}, {{"n", n}})};
  Ex diagonal = eq(ex("reshape", {i}, {{"shape", Ints{n, 1}}}), i);
  Ex others = ex("prod", {select(diagonal, i.c(1), rows)}, {{"axes", Ints{2}}});
  others = ex("reshape", {others}, {{"shape", Ints(moved.shape().sizes())}});
  v.give(0, mulz(spread(v, v.dy()), ex("permute", {others}, {{"axes", inverse}})));
}

// Elements equal to the extreme share the adjoint.
void vjp_extreme(VjpCtx& v) {
  Ex ties = eq(v.x(0), spread(v, v.y()));
  Ex count = ex("sum", {ties}, {{"axes", v.attrs().ints("axes")}});
  v.give(0, mulz(spread(v, v.dy() / fn("max", count, count.c(1))), ties));
}

// argmax ----------------------------------------------------------------------------------------------------------------

void eval_argmax(EvalCtx& c) {
  const Shape& from = c.input(0).shape();
  size_t axis = axis_of(c.node.attrs, from);
  Ints strides = strides_of(from);
  const double* x = c.in(0);
  each_index(c.shape(), [&](int64_t n, Ints index) {
    index.insert(index.begin() + static_cast<std::ptrdiff_t>(axis), 0);
    const double* row = x + offset_of(index, strides);
    int64_t best = 0;
    bool number = true;
    for (int64_t i = 0; i < from[static_cast<int>(axis)]; ++i) {
      number = number && !std::isnan(row[i * strides[axis]]);
      if (row[i * strides[axis]] > row[best * strides[axis]]) best = i;
    }
    c.out[n] = number ? static_cast<double>(best) : 0;
  });
}

// The first place of the maximum is the one most elements from the end; none is found in a row with a NaN, which gives 0.
int elem_argmax(ElemCtx& c) {
  LoopBuilder& l = c.l;
  const Shape& from = c.input(0).shape();
  std::vector<bool> reduced = reduced_axes(c.attrs(), from);
  int64_t n = from[static_cast<int>(axis_of(c.attrs(), from))];
  int top = reduce_elem(c, "max", [](int x) { return x; });
  int from_end = l.reduce("max", {n}, [&](const std::vector<int>& vars) {
    int x = c.in(0, merge_index(reduced, c.idx, vars));
    return l.scalar("select", {l.scalar("eq", {x, top}), l.to_float(l.sub(l.i(n), vars[0])), l.f(0)});
  });
  return l.scalar("select", {from_end, l.scalar("sub", {l.f(static_cast<double>(n)), from_end}), l.f(0)});
}

// cumsum ----------------------------------------------------------------------------------------------------------------

Type infer_cumsum(std::span<const Type> in, const Attrs& attrs) {
  norm_axis(attrs.i("axis"), in[0].shape.rank());
  return in[0];
}

void eval_cumsum(EvalCtx& c) {
  size_t axis = axis_of(c.node.attrs, c.shape());
  int64_t step = strides_of(c.shape())[axis];
  const double* x = c.in(0);
  each_index(c.shape(), [&](int64_t n, const Ints& index) { c.out[n] = index[axis] == 0 ? x[n] : c.round(c.out[n - step] + x[n]); });
}

void vjp_cumsum(VjpCtx& v) {
  Attrs back{{"axes", Ints{v.attrs().i("axis")}}};
  v.give(0, ex("flip", {ex("cumsum", {ex("flip", {v.dy()}, back)}, v.attrs())}, back));
}

void stmt_cumsum(StmtCtx& c) {
  LoopBuilder& l = c.l;
  size_t axis = axis_of(c.attrs(), c.shape());
  int64_t n = c.shape()[static_cast<int>(axis)], step = strides_of(c.shape())[axis];
  Shape rest = c.shape();
  rest[static_cast<int>(axis)] = 1;
  l.loop(rest.size(), [&](int row) {
    std::vector<int> index = c.unravel(row, rest);
    auto place = [&](int i) {
      index[axis] = i;
      return l.add(c.base, c.ravel(index, c.shape()));
    };
    int first = place(l.i(0));
    l.store(c.out, first, c.in(0, index));
    l.loop(l.i(1), l.i(n), LoopTag::serial, false, [&](int i) {
      int at = place(i);
      l.store(c.out, at, l.scalar("add", {l.load(c.out, l.sub(at, l.i(step))), c.in(0, index)}));
    });
  });
}

Uses uses_axes(const OpDef&, int64_t) {
  Uses uses;
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 2, 19}})
    for (const Ints& axes : {Ints{1}, Ints{0, 2}, Ints{0, 1, 2}}) uses.push_back({{shape}, {{"axes", axes}}, {{0.8, 1.2}}});
  return uses;
}
Uses uses_argmax(const OpDef&, int64_t) { return {{{{3, 4}}, {{"axis", int64_t{1}}}}, {{{20}}, {{"axis", int64_t{0}}}}}; }
Uses uses_cumsum(const OpDef&, int64_t) { return {{{{5}}, {{"axis", int64_t{0}}}}, {{{2, 3, 4}}, {{"axis", int64_t{1}}}}}; }

constexpr OpDef axes_row(std::string_view name, std::string_view doc, void (*eval)(EvalCtx&), void (*vjp)(VjpCtx&),
                         int (*elem)(ElemCtx&), Uses (*uses)(const OpDef&, int64_t) = uses_axes, unsigned traits = 0) {
  return {.name = name, .doc = doc, .family = Family::reduce, .traits = stateless | materialise | traits,
          .infer = infer_axes, .eval = eval, .vjp = vjp, .elem = elem, .uses = uses};
}

const OpDef rows[] = {
    axes_row("sum", "sum over `axes`", eval_sum, vjp_sum, elem_sum),
    axes_row("prod", "product over `axes`; the gradient is exact with zeros", eval_prod, vjp_prod, elem_prod),
    axes_row("amax", "largest over `axes`; ties share the gradient", eval_amax, vjp_extreme, elem_amax),
    axes_row("amin", "smallest over `axes`; ties share the gradient", eval_amin, vjp_extreme, elem_amin),
    axes_row("argmax", "index of the first largest element along `axis`; 0 where one is NaN", eval_argmax, nullptr, elem_argmax,
             uses_argmax, rereads),
    {.name = "cumsum",
     .doc = "sums of the elements up to each one along `axis`",
     .family = Family::reduce,
     .traits = stateless | materialise,
     .infer = infer_cumsum,
     .eval = eval_cumsum,
     .vjp = vjp_cumsum,
     .stmt = stmt_cumsum,
     .uses = uses_cumsum},
};

}  // namespace

std::span<const OpDef> reduce_ops() { return rows; }

}  // namespace dgen::ops
