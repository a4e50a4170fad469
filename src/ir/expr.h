// Ex: graph written as arithmetic, for gradients, passes and tests. Shapes broadcast and clocks are aligned here, so that
// every node added this way is legal after the clock pass.
#pragma once
#include "ir/graph.h"

namespace dgen::ir {

// Brings x to the period of clock: hold when slower, decimate when faster.
Id align(Graph& g, Id x, Clock clock);
// x expanded to shape the NumPy way.
Id broadcast_to(Graph& g, Id x, const Shape& shape);
// Sum of x over broadcast axes, so that it has the given shape again (the transpose of broadcast_to).
Id unbroadcast(Graph& g, Id x, const Shape& shape);
// Adds op over inputs: scalar operators broadcast, every input is brought to the clock the operator wants, constants fold.
Id apply(Graph& g, Op op, Ids in, Attrs attrs = {}, Loc loc = {}, std::string label = {});
Id apply(Graph& g, std::string_view op, Ids in, Attrs attrs = {});
// A rank-0 static constant.
Id constant(Graph& g, double value);
// The value of x if it is a constant, seen through expand, reshape and hold.
const double* constant_value(const Graph& g, Id x);
Shape broadcast_shapes(const Shape& a, const Shape& b);  // throws dgen::Error "shapes do not broadcast: (2) x (3)"

struct Ex {
  Graph* g = nullptr;
  Id id = none;
  const Shape& shape() const { return (*g)[id].shape(); }
  Clock clock() const { return (*g)[id].clock(); }
  // A constant in the same graph.
  Ex c(double value) const { return {g, constant(*g, value)}; }
  Ex operator-() const { return {g, apply(*g, "neg", {id})}; }
};

inline Ex ex(std::string_view op, std::initializer_list<Ex> in, Attrs attrs = {}) {
  Ids ids;
  for (const Ex& e : in) ids.push_back(e.id);
  return {in.begin()->g, apply(*in.begin()->g, op, std::move(ids), std::move(attrs))};
}
#define DGEN_EX_BINARY(symbol, name)                                     \
  inline Ex operator symbol(Ex a, Ex b) { return ex(name, {a, b}); }     \
  inline Ex operator symbol(Ex a, double b) { return ex(name, {a, a.c(b)}); } \
  inline Ex operator symbol(double a, Ex b) { return ex(name, {b.c(a), b}); }
DGEN_EX_BINARY(+, "add")
DGEN_EX_BINARY(-, "sub")
DGEN_EX_BINARY(*, "mul")
DGEN_EX_BINARY(/, "div")
DGEN_EX_BINARY(<, "lt")
DGEN_EX_BINARY(<=, "le")
DGEN_EX_BINARY(>, "gt")
DGEN_EX_BINARY(>=, "ge")
#undef DGEN_EX_BINARY

// d * local derivative, where a zero adjoint stays zero whatever the derivative is (0 x inf = 0).
inline Ex mulz(Ex d, Ex local) { return ex("mulz", {d, local}); }
inline Ex mulz(Ex d, double local) { return ex("mul", {d, d.c(local)}); }
inline Ex select(Ex c, Ex a, Ex b) { return ex("select", {c, a, b}); }
inline Ex eq(Ex a, Ex b) { return ex("eq", {a, b}); }
inline Ex eq(Ex a, double b) { return ex("eq", {a, a.c(b)}); }
inline Ex ne(Ex a, Ex b) { return ex("ne", {a, b}); }
inline Ex fn(std::string_view name, Ex a) { return ex(name, {a}); }
inline Ex fn(std::string_view name, Ex a, Ex b) { return ex(name, {a, b}); }

}  // namespace dgen::ir
