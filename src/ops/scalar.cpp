// Scalar operators: every column comes from the rows of ops.def.
#include <cmath>
#include <numbers>

#include "ops/families.h"

namespace dgen::ops {
namespace {

Type infer(std::span<const Type> in, const Attrs&) {
  for (auto& type : in)
    if (type.shape != in[0].shape) fail("shapes differ: ", in[0].shape.str(), " x ", type.shape.str());
  return {in[0].shape, meet_all(in)};
}

void eval(EvalCtx& c) {
  int64_t n = c.shape().size();
  size_t arity = c.node.in.size();
  const double* a = c.in(0);
  const double* b = arity > 1 ? c.in(1) : a;
  const double* x = arity > 2 ? c.in(2) : a;
  for (int64_t i = 0; i < n; ++i) c.out[i] = c.round(c.node.op->f(a[i], b[i], x[i]));
}

int elem(ElemCtx& c) {
  Args args;
  for (size_t i = 0; i < c.node.in.size(); ++i) args.push_back(c.in(static_cast<int>(i)));
  return c.l.scalar(c.node.op, std::move(args));
}

// The inputs of OpDef::linear and OpDef::factors.
constexpr unsigned linear_in(std::string_view name) {
  if (name == "add" || name == "sub") return 0b11;
  if (name == "neg" || name == "div") return 0b1;
  return name == "select" ? 0b110 : 0;
}
constexpr unsigned factors_in(std::string_view name) { return name == "mul" || name == "mulz" ? 0b11 : 0; }

constexpr unsigned traits_of(std::string_view name) {
  if (name == "select" || name == "mulz") return stateless | masks;
  for (std::string_view f : {"exp", "log", "log2", "log10", "pow", "sin", "cos", "sin_turns", "cos_turns", "tan", "tanh", "sinh", "cosh",
                             "asin", "acos", "atan", "atan2", "mod", "sigmoid", "softplus"})
    if (name == f) return stateless | function;
  return stateless;
}

// One element, and several.
Uses uses(const OpDef& op, int64_t) {
  auto n = static_cast<size_t>(op.min_inputs);
  std::vector<std::pair<double, double>> ranges(n, {op.lo, op.hi});
  return {{std::vector<Shape>(n), {}, ranges}, {std::vector<Shape>(n, Shape{2, 3}), {}, ranges}};
}

// Of at most a quarter turn, so that half a turn gives exactly 0.
double sin_turns(double a) {
  double r = a - std::round(a);
  if (std::fabs(r) > .25) r = std::copysign(.5, r) - r;
  return std::sin(2 * std::numbers::pi * r);
}
double cos_turns(double a) { return sin_turns(.25 - std::fabs(a - std::round(a))); }

// x / (a^2 + b^2) for x = a or b, whose squares may leave float's range; 0 at (0, 0).
Ex over_square(Ex x, Ex a, Ex b) {
  Ex r = fn("max", fn("abs", a), fn("abs", b)), u = a / r, v = b / r;
  return select(r, x / r / (u * u + v * v) / r, a.c(0));
}

// 1 / cosh(a)^2 with one division, and all its digits where tanh saturates.
Ex tanh_slope(Ex a) {
  Ex e = fn("exp", -2.0 * fn("abs", a)), sum = 1.0 + e;
  return 4.0 * e / (sum * sum);
}

// A gradient expression, or nothing.
struct Grad {
  Grad() = default;
  Grad(Ex e) : ex(e) {}
  Ex ex;
};

#define Z Grad()
#define G1(da) if (v.wanted(0)) give(v, 0, da);
#define G2(da, db) if (v.wanted(0)) give(v, 0, da); if (v.wanted(1)) give(v, 1, db);
#define G3(da, db, dc) G2(da, db) if (v.wanted(2)) give(v, 2, dc);

void give(VjpCtx& v, int i, Grad grad) {
  if (grad.ex.g) v.give(i, grad.ex);
}

// clang-format off
#define ROW(name, arity, doc, value, text, grads, lo, hi)                                                     \
  [[maybe_unused]] double value_##name([[maybe_unused]] double a, [[maybe_unused]] double b, [[maybe_unused]] double c) { return value; } \
  void vjp_##name(VjpCtx& v) {                                                                                \
    [[maybe_unused]] Ex a = v.x(0), b = arity > 1 ? v.x(1) : a, c = arity > 2 ? v.x(2) : a, y = v.y(), d = v.dy(); \
    grads                                                                                                     \
  }
#include "ops/ops.def"
#undef ROW

const OpDef rows[] = {
#define ROW(name, arity, doc, value, text, grads, lo, hi) \
  OpDef{#name, doc, Family::scalar, arity, arity, traits_of(#name), infer, nullptr, nullptr, eval, \
        vjp_##name, elem, nullptr, uses, value_##name, text, #value, lo, hi, linear_in(#name), factors_in(#name)},
#include "ops/ops.def"
#undef ROW
};
// clang-format on

}  // namespace

std::span<const OpDef> scalar_ops() { return rows; }

}  // namespace dgen::ops
