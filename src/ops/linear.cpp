// matmul: [.., M, K] x [.., K, N], with equal batch axes, or one matrix on the right for the whole batch. zero = 1 or 2: the
// left or right factor is an adjoint, whose zeros stay zero beside infinite values.
// matmul_panels: the same with a right matrix that lies in panels of some columns, [N / columns, K, columns].
#include "ops/families.h"

namespace dgen::ops {
namespace {

// a is [batch, m, k], b [batch or none, k, n], both row-major.
struct Sizes {
  int64_t batch, m, k, n;
  bool shared;  // one right matrix for all

  Sizes(const Shape& a, const Shape& b) {
    m = a[a.rank() - 2], k = a.back(), n = b.back();
    batch = a.size() / (m * k);
    shared = b.rank() == 2;
  }
};

// How dg_matmul's right matrix lies (codegen/prelude_gemm.cpp).
enum RightMatrix : int64_t { plain = 0, transposed_rows = 1, panels = 2 };

Type infer(std::span<const Type> in, const Attrs&) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  std::string both = cat(a.str(), " x ", b.str());
  if (a.rank() < 2 || b.rank() < 2) fail("needs matrices: ", both);
  if (a.back() != b[b.rank() - 2]) fail("inner sizes differ: ", both);
  bool fits = b.rank() == 2 || a.rank() == b.rank();
  for (int i = 0; fits && b.rank() > 2 && i < a.rank() - 2; ++i) fits = a[i] == b[i];
  if (!fits) fail("batch sizes differ: ", both);
  Shape to = a;
  to[to.rank() - 1] = b.back();
  return {to, meet_all(in)};
}

void eval(EvalCtx& c) {
  Sizes s(c.input(0).shape(), c.input(1).shape());
  const double *a = c.in(0), *b = c.in(1);
  const int64_t zero = c.node.attrs.i("zero", 0);
  for (int64_t row = 0; row < s.batch * s.m; ++row) {
    const double* left = a + row * s.k;
    const double* right = b + (s.shared ? 0 : row / s.m * s.k * s.n);
    double* out = c.out + row * s.n;
    std::fill_n(out, s.n, 0.0);
    for (int64_t k = 0; k < s.k; ++k)
      for (int64_t j = 0; j < s.n; ++j) {
        double x = left[k], y = right[k * s.n + j];
        if ((zero == 1 ? x : zero == 2 ? y : 1) != 0) out[j] = c.round(out[j] + x * y);
      }
  }
}

Ex transposed(Ex x) {
  Ints axes;
  for (int i = 0; i < x.shape().rank(); ++i) axes.push_back(i);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return ex("permute", {x}, {{"axes", axes}});
}

// [.., m, k] as one matrix of all rows.
Ex all_rows(Ex x) {
  int64_t columns = x.shape().back();
  return ex("reshape", {x}, {{"shape", Ints{x.shape().size() / columns, columns}}});
}

void vjp(VjpCtx& v) {
  Ex a = v.x(0), b = v.x(1), d = v.dy();
  if (v.wanted(0)) v.give(0, ex("matmul", {d, transposed(b)}, {{"zero", int64_t{1}}}));
  if (!v.wanted(1)) return;
  bool shared = b.shape().rank() == 2 && a.shape().rank() > 2;
  Ex left = transposed(shared ? all_rows(a) : a);
  v.give(1, ex("matmul", {left, shared ? all_rows(d) : d}, {{"zero", int64_t{2}}}));
}

void call(StmtCtx& c, const Sizes& s, std::pair<int, int> right, RightMatrix layout) {
  LoopBuilder& l = c.l;
  const auto [left, at] = c.array_of(0);
  const int64_t m = s.shared ? s.batch * s.m : s.m, each = s.shared ? 0 : s.k * s.n;
  auto product = [&, left = left, at = at](int item) {
    const std::pair<int, int> a{left, l.add(at, l.mul(item, m * s.k))}, b{right.first, l.add(right.second, l.mul(item, each))},
        out{c.out, l.add(c.base, l.mul(item, m * s.n))};
    const int zero = l.i(c.attrs().i("zero", 0)), turn = layout == panels ? c.tick : l.i(0);
    l.call("dg_matmul", {a, b, out}, {l.i(0), l.i(layout), l.i(m), l.i(s.n), l.i(s.k), zero, turn}, {m * s.k, s.k * s.n, m * s.n}, 2);
  };
  if (s.shared || s.batch == 1) return product(l.i(0));
  l.loop(l.i(0), l.i(s.batch), LoopTag::serial, false, product);
}

void stmt(StmtCtx& c) {
  LoopBuilder& l = c.l;
  Sizes s(c.input(0).shape(), c.input(1).shape());
  if (is_large_product(c.input(1).shape())) {
    const auto [right, transposed] = c.matrix_of(1);
    return call(c, s, right, transposed ? transposed_rows : plain);
  }
  Shape lead(Ints(c.shape().begin(), c.shape().end() - 1));
  const int64_t zero = c.attrs().i("zero", 0);
  l.loop(lead.size(), [&](int row) {
    std::vector<int> left = c.unravel(row, lead), right;
    if (!s.shared) right.assign(left.begin(), left.end() - 1);
    left.push_back(-1);
    right.insert(right.end(), {-1, -1});
    l.loop(s.n, [&](int column) {
      right.back() = column;
      int sum = l.reduce("sum", {s.k}, [&](const std::vector<int>& vars) {
        left.back() = right[right.size() - 2] = vars[0];
        int x = c.in(0, left), y = c.in(1, right);
        return zero == 1 ? l.scalar("mulz", {x, y}) : zero == 2 ? l.scalar("mulz", {y, x}) : l.scalar("mul", {x, y});
      });
      l.store(c.out, l.add(c.base, l.add(l.mul(row, s.n), column)), sum);
    });
  });
}

// ---- a right matrix in panels --------------------------------------------------------------------------------------------

Shape matrix_of_panels(const Shape& b) { return Shape{b[1], b[0] * b[2]}; }

Type infer_panels(std::span<const Type> in, const Attrs& attrs) {
  const Shape& b = in[1].shape;
  if (b.rank() != 3 || b[2] != kPanel) fail("needs panels of ", kPanel, " columns, got ", b.str());
  return infer(std::vector<Type>{in[0], {matrix_of_panels(b), in[1].clock}}, attrs);
}

void eval_panels(EvalCtx& c) {
  const Shape& b = c.input(1).shape();
  const double *left = c.in(0), *right = c.in(1);
  const bool zero = c.node.attrs.i("zero", 0) == 1;
  const int64_t n = b[0] * b[2], depth = b[1], rows = c.input(0).shape().size() / depth;
  std::fill_n(c.out, rows * n, 0.0);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t j = 0; j < n; ++j) {
        const double x = left[row * depth + k];
        double& sum = c.out[row * n + j];
        if (!zero || x != 0) sum = c.round(sum + x * right[(j / b[2] * depth + k) * b[2] + j % b[2]]);
      }
}

void vjp_panels(VjpCtx& v) {
  const Ex a = v.x(0), b = v.x(1), d = v.dy();
  const Shape panels = b.shape(), matrix = matrix_of_panels(panels);
  const Ints by_row{1, 0, 2};
  auto reshape = [](Ex x, const Shape& to) { return ex("reshape", {x}, {{"shape", Ints(to.begin(), to.end())}}); };
  const Ex rows = reshape(ex("permute", {b}, {{"axes", by_row}}), matrix);
  if (v.wanted(0)) v.give(0, ex("matmul", {d, transposed(rows)}, {{"zero", int64_t{1}}}));
  if (!v.wanted(1)) return;
  const Ex whole = ex("matmul", {transposed(all_rows(a)), all_rows(d)}, {{"zero", int64_t{2}}});
  v.give(1, ex("permute", {reshape(whole, Shape{panels[1], panels[0], panels[2]})}, {{"axes", by_row}}));
}

void stmt_panels(StmtCtx& c) {
  const Sizes s(c.input(0).shape(), matrix_of_panels(c.input(1).shape()));
  call(c, s, c.array_of(1), panels);
}

Uses uses_panels(const OpDef&, int64_t) {
  return {{{{2, 3}, {2, 3, kPanel}}}, {{{1, 5}, {1, 5, kPanel}}}, {{{3, 2, 9}, {2, 9, kPanel}}, {}, {}, 2}};
}

// The last two with one matrix for every tick.
Uses uses(const OpDef&, int64_t) {
  return {{{{2, 3}, {3, 4}}},   {{{5, 2, 3}, {5, 3, 4}}},      {{{5, 2, 17}, {17, 4}}},
          {{{1, 1}, {1, 1}}}, {{{4, 6}, {6, 3}}, {}, {}, 2}, {{{1, 24}, {24, 8}}, {}, {}, 2},
          {{{3, 64}, {64, 70}}, {}, {}, 2}, {{{2, 3, 64}, {2, 64, 66}}}};
}

const OpDef rows[] = {
    {.name = "matmul", .doc = "matrix product of the last two axes", .family = Family::linear, .min_inputs = 2, .max_inputs = 2,
     .traits = stateless | materialise | rereads, .infer = infer, .eval = eval, .vjp = vjp, .stmt = stmt, .uses = uses},
    {.name = "matmul_panels", .doc = "matrix product with a right matrix in panels of columns: what each tick reads anew is read in order",
     .family = Family::linear, .min_inputs = 2, .max_inputs = 2, .traits = stateless | materialise | rereads, .infer = infer_panels,
     .eval = eval_panels, .vjp = vjp_panels, .stmt = stmt_panels, .uses = uses_panels},
};

}  // namespace

std::span<const OpDef> linear_ops() { return rows; }

}  // namespace dgen::ops
