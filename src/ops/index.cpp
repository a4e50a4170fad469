// gather reads rows by computed index, scatter_add adds to them. Indices truncate toward zero and NaN is 0; gather clamps
// them, scatter_add drops those out of range. Each is the other's transpose; indices have zero gradient.
#include <cmath>

#include "ops/families.h"

namespace dgen::ops {
namespace {

// [lo, hi] also bounds what an index may say, so that every double converts.
int64_t row_number(double index, int64_t lo, int64_t hi) {
  if (std::isnan(index)) return std::clamp<int64_t>(0, lo, hi);
  return static_cast<int64_t>(std::clamp(std::trunc(index), static_cast<double>(lo), static_cast<double>(hi)));
}

Shape without_first(const Shape& shape, int count) { return Shape(Ints(shape.begin() + count, shape.end())); }

Shape joined(const Shape& a, const Shape& b) {
  Shape all = a;
  for (int64_t n : b) all.push_back(n);
  return all;
}

std::vector<int> part(const std::vector<int>& index, size_t begin, size_t end) {
  return {index.begin() + static_cast<std::ptrdiff_t>(begin), index.begin() + static_cast<std::ptrdiff_t>(end)};
}

// gather ----------------------------------------------------------------------------------------------------------------

Type infer_gather(std::span<const Type> in, const Attrs&) {
  if (in[0].shape.rank() == 0) fail("needs rows to choose from, got a value of shape ()");
  return {joined(in[1].shape, without_first(in[0].shape, 1)), meet_all(in)};
}

void eval_gather(EvalCtx& c) {
  const Shape& from = c.input(0).shape();
  int64_t rows = from[0], width = from.size() / rows;
  const double *x = c.in(0), *index = c.in(1);
  for (int64_t i = 0, n = c.input(1).shape().size(); i < n; ++i)
    std::copy_n(x + row_number(index[i], 0, rows - 1) * width, width, c.out + i * width);
}

void vjp_gather(VjpCtx& v) {
  if (!v.wanted(0)) return;
  int64_t rows = v.x(0).shape()[0];
  Ex index = v.x(1);
  // max(0, NaN) is 0, and scatter_add truncates.
  Ex clamped = fn("min", fn("max", index.c(0), index), index.c(static_cast<double>(rows - 1)));
  v.give(0, ex("scatter_add", {clamped, v.dy()}, {{"size", rows}}));
}

int elem_gather(ElemCtx& c) {
  size_t rank = static_cast<size_t>(c.input(1).shape().rank());
  int row = c.l.clamp(c.l.to_int(c.in(1, part(c.idx, 0, rank))), 0, c.input(0).shape()[0] - 1);
  std::vector<int> index = part(c.idx, rank, c.idx.size());
  index.insert(index.begin(), row);
  return c.in(0, std::move(index));
}

// scatter_add -----------------------------------------------------------------------------------------------------------

Type infer_scatter(std::span<const Type> in, const Attrs& attrs) {
  const Shape &index = in[0].shape, &values = in[1].shape;
  int64_t size = attrs.i("size");
  if (size < 1) fail("size ", size, " is not positive");
  bool fits = values.rank() >= index.rank();
  for (int i = 0; fits && i < index.rank(); ++i) fits = values[i] == index[i];
  if (!fits) fail("values do not start with the axes of the indices: ", index.str(), " x ", values.str());
  return {joined({size}, without_first(values, index.rank())), meet_all(in)};
}

void eval_scatter(EvalCtx& c) {
  int64_t size = c.shape()[0], width = c.shape().size() / size;
  const double *index = c.in(0), *values = c.in(1);
  std::fill_n(c.out, c.shape().size(), 0.0);
  for (int64_t i = 0, n = c.input(0).shape().size(); i < n; ++i) {
    int64_t row = row_number(index[i], -1, size);
    if (row < 0 || row >= size) continue;
    for (int64_t j = 0; j < width; ++j) {
      double& sum = c.out[row * width + j];
      sum = c.round(sum + values[i * width + j]);
    }
  }
}

void vjp_scatter(VjpCtx& v) {
  if (!v.wanted(1)) return;
  Ex index = v.x(0);
  Ex dropped = fn("or_", index <= -1.0, index >= static_cast<double>(v.attrs().i("size")));
  Shape column = index.shape();
  while (column.rank() < v.x(1).shape().rank()) column.push_back(1);
  dropped = ex("reshape", {dropped}, {{"shape", Ints(column.sizes())}});
  v.give(1, select(dropped, index.c(0), ex("gather", {v.dy(), index})));
}

void stmt_scatter(StmtCtx& c) {
  LoopBuilder& l = c.l;
  const Shape& indices = c.input(0).shape();
  Shape rest = without_first(c.shape(), 1);
  if (!c.onto) l.loop(c.shape().size(), [&](int i) { l.store(c.out, l.add(c.base, i), l.f(0)); });
  l.loop(l.i(0), l.i(indices.size()), LoopTag::serial, false, [&](int i) {  // in order: two may hit one row
    std::vector<int> index = c.unravel(i, indices);
    int row = l.to_int(c.in(0, index));
    l.guard(l.inside(row, 0, c.shape()[0]), [&] {
      l.loop(rest.size(), [&](int j) {
        std::vector<int> inner = c.unravel(j, rest), at = index;
        at.insert(at.end(), inner.begin(), inner.end());
        l.accumulate(c.out, l.add(c.base, l.add(l.mul(row, rest.size()), j)), c.in(1, at));
      });
    });
  });
}

Uses uses_gather(const OpDef&, int64_t) {
  return {{{{3, 2}, {2, 4}}, {}, {{-1, 1}, {-1, 4}}}, {{{5}, {}}, {}, {{-1, 1}, {0, 5}}}, {{{16, 3}, {}}, {}, {{-1, 1}, {0, 16}}, 1}};
}
Uses uses_scatter(const OpDef&, int64_t) {
  Attrs size{{"size", int64_t{3}}};
  return {{{{2, 4}, {2, 4, 2}}, size, {{-2, 5}, {-1, 1}}}, {{{}, {}}, size, {{0, 3}, {-1, 1}}}};
}

const OpDef rows[] = {
    {.name = "gather", .doc = "rows of the first input chosen by the second, clamped", .family = Family::index, .min_inputs = 2,
     .max_inputs = 2, .traits = stateless | rereads, .infer = infer_gather, .eval = eval_gather, .vjp = vjp_gather,
     .elem = elem_gather, .uses = uses_gather},
    {.name = "scatter_add", .doc = "values (second) added in order to rows (first) of `size`; others are dropped",
     .family = Family::index, .min_inputs = 2, .max_inputs = 2, .traits = stateless | materialise | scatters, .infer = infer_scatter,
     .eval = eval_scatter, .vjp = vjp_scatter, .stmt = stmt_scatter,
     .uses = uses_scatter},
};

}  // namespace

std::span<const OpDef> index_ops() { return rows; }

}  // namespace dgen::ops
