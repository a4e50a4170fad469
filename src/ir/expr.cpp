#include "ir/expr.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/print.h"

namespace dgen::ir {

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  int rank = std::max(a.rank(), b.rank());
  std::vector<int64_t> out(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    int ia = i - rank + a.rank(), ib = i - rank + b.rank();
    int64_t na = ia < 0 ? 1 : a[ia], nb = ib < 0 ? 1 : b[ib];
    if (na != nb && na != 1 && nb != 1) fail("shapes do not broadcast: ", a.str(), " x ", b.str());
    out[static_cast<size_t>(i)] = na == 1 ? nb : na;
  }
  return Shape(std::move(out));
}

Id broadcast_to(Graph& g, Id x, const Shape& shape) {
  if (g[x].shape() == shape) return x;
  return g.add(op("expand"), {x}, {{"shape", Ints(shape.sizes())}});
}

Id unbroadcast(Graph& g, Id x, const Shape& shape) {
  Shape from = g[x].shape();
  if (from == shape) return x;
  int lead = from.rank() - shape.rank();
  Ints axes;
  for (int i = 0; i < from.rank(); ++i)
    if (i < lead || (shape[i - lead] == 1 && from[i] != 1)) axes.push_back(i);
  Id sum = g.add(op("sum"), {x}, {{"axes", axes}});
  return g[sum].shape() == shape ? sum : g.add(op("reshape"), {sum}, {{"shape", Ints(shape.sizes())}});
}

Id align(Graph& g, Id x, Clock clock) {
  Clock now = g[x].clock();
  if (now.period == clock.period) return x;
  if (clock.is_static()) throw InternalError(cat("a value at ", now.str(), " cannot be read as static"));
  bool slower = now.is_static() || now.period % clock.period == 0;
  if (!slower && clock.period % now.period != 0) return align(g, align(g, x, meet(now, clock)), clock);
  Id aligned = slower ? g.add(op("hold"), {x}, {{"period", clock.period}}) : g.add(op("decimate"), {x}, {{"hop", clock.period}});
  if (g.rewrites) g.rewrites->push_back({"align", print_node(g, x), print_node(g, aligned)});
  return aligned;
}

Id constant(Graph& g, double value) { return g.add(op("const"), {}, {{"value", value}}); }

const double* constant_value(const Graph& g, Id x) {
  static const Op expand = op("expand"), hold = op("hold"), reshape = op("reshape"), constant = op("const");
  const Node* node = &g[x];
  while (node->op == expand || node->op == hold || node->op == reshape) node = &g[node->in[0]];
  if (node->op != constant) return nullptr;
  for (auto& item : node->attrs.items())
    if (item.name == "value") return std::get_if<double>(&item.value);
  return nullptr;
}

namespace {

// x * 1, x + 0 and the like. A product with 0 stays: it may be a NaN.
Id simplify_scalar(Graph& g, Op o, const Ids& in) {
  static const Op add = op("add"), sub = op("sub"), mul = op("mul"), div = op("div"), mulz = op("mulz");
  if (in.size() != 2) return none;
  const double* a = constant_value(g, in[0]);
  const double* b = constant_value(g, in[1]);
  if (b && *b == 1 && (o == mul || o == div || o == mulz)) return in[0];
  if (a && *a == 1 && (o == mul || o == mulz)) return in[1];
  if (b && *b == 0 && (o == add || o == sub)) return in[0];
  if (a && *a == 0 && o == add) return in[1];
  if (a && *a == 0 && o == mulz) return in[0];
  return none;
}

Id note(const char* rule, Graph& g, Op o, const Ids& in, Id result) {
  if (g.rewrites) g.rewrites->push_back({rule, print_call(o, in, {}), print_node(g, result)});
  return result;
}

Id fold_scalar(Graph& g, Op o, const Ids& in) {
  double v[3] = {0, 0, 0};
  for (size_t i = 0; i < in.size(); ++i) {
    const double* value = constant_value(g, in[i]);
    if (!value) return none;
    v[i] = *value;
  }
  return constant(g, static_cast<double>(static_cast<float>(o->f(v[0], v[1], v[2]))));
}

}  // namespace

Id apply(Graph& g, Op o, Ids in, Attrs attrs, Loc loc, std::string label) {
  if (o->family == Family::scalar) {
    Shape shape;
    Clock clock;
    for (Id i : in) shape = broadcast_shapes(shape, g[i].shape()), clock = meet(clock, g[i].clock());
    Id folded = fold_scalar(g, o, in);
    if (folded != none) return note("fold", g, o, in, align(g, broadcast_to(g, folded, shape), clock));
    for (Id& i : in) i = align(g, broadcast_to(g, i, shape), clock);
    if (Id simple = simplify_scalar(g, o, in); simple != none) return note("identity", g, o, in, simple);
  }
  std::vector<Type> types;
  types.reserve(in.size());
  for (Id i : in) types.push_back(g[i].type);
  Type type = infer_type(o, types, attrs);
  Node node{o, std::move(in), std::move(attrs), std::move(type), loc, std::move(label)};
  for (size_t i = 0; i < node.in.size(); ++i) {
    Id& input = node.in[i];
    const Clock now = g[input].clock();
    input = align(g, input, o->want ? o->want(node, static_cast<int>(i), now) : node.clock());
  }
  return g.add(std::move(node));
}

Id apply(Graph& g, std::string_view name, Ids in, Attrs attrs) {
  return apply(g, op(name), std::move(in), std::move(attrs));
}

}  // namespace dgen::ir
