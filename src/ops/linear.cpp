// matmul: [.., M, K] x [.., K, N], with equal batch axes, or one matrix on the right for the whole batch. zero = 1 or 2: the
// left or right factor is an adjoint, whose zeros stay zero beside infinite values.
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

void stmt(StmtCtx& c) {
  LoopBuilder& l = c.l;
  Sizes s(c.input(0).shape(), c.input(1).shape());
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

// The last two with one matrix for every tick.
Uses uses(const OpDef&, int64_t) {
  return {{{{2, 3}, {3, 4}}},   {{{5, 2, 3}, {5, 3, 4}}},      {{{5, 2, 17}, {17, 4}}},
          {{{1, 1}, {1, 1}}}, {{{4, 6}, {6, 3}}, {}, {}, 2}, {{{1, 24}, {24, 8}}, {}, {}, 2}};
}

const OpDef rows[] = {
    {.name = "matmul", .doc = "matrix product of the last two axes", .family = Family::linear, .min_inputs = 2, .max_inputs = 2,
     .traits = stateless | materialise | rereads, .infer = infer, .eval = eval, .vjp = vjp, .stmt = stmt, .uses = uses},
};

}  // namespace

std::span<const OpDef> linear_ops() { return rows; }

}  // namespace dgen::ops
