// Random graphs with feedback, hops and several shapes, for tests of passes and texts.
#pragma once
#include <random>

#include "ir/expr.h"
#include "ir/op.h"

namespace dgen::test {

using namespace ir;

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : rng_(seed) {}

  // A graph of about n operators with one output, and the gradient of its sum over time to every param as further outputs.
  Graph make(int n) {
    leaves();
    for (int i = 0; i < n; ++i) step();
    close_cells();
    finish();
    return rebuild(g_);
  }

 private:
  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(rng_); }
  Ex any() { return {&g_, pool_[static_cast<size_t>(pick(static_cast<int>(pool_.size())))]}; }
  Ex leaf(std::string_view name, Attrs attrs = {}) { return {&g_, apply(g_, name, {}, std::move(attrs))}; }
  void keep(Ex x) {
    if (x.shape().size() <= 64) pool_.push_back(x.id);
  }
  static Ints sizes(const Shape& shape) { return Ints(shape.sizes()); }

  void leaves() {
    const Shape shapes[] = {{}, {3}, {2, 3}};
    for (int64_t slot = 0; slot < 3; ++slot) {
      params_.push_back(shapes[slot]);
      keep(leaf("param", {{"slot", slot}, {"shape", sizes(shapes[slot])}}));
    }
    keep(leaf("input", {{"channel", int64_t{0}}, {"shape", Ints{}}, {"period", int64_t{1}}}));
    keep(leaf("input", {{"channel", int64_t{1}}, {"shape", Ints{3}}, {"period", int64_t{4}}}));
    keep(leaf("noise", {{"seed", int64_t{7}}, {"number", int64_t{0}}, {"shape", Ints{3}}, {"period", int64_t{1}}}));
    int cells = 1 + pick(3);
    for (int c = 0; c < cells; ++c) cell(c);
  }

  void cell(int number) {
    const int64_t periods[] = {1, 1, 4};
    Type type{pick(2) ? Shape{} : Shape{3}, {periods[number], false}};
    Attrs attrs{{"cell", int64_t{number}}, {"shape", sizes(type.shape)}, {"period", type.clock.period}};
    g_.cells.push_back({type, none, {}});
    cell_attrs_.push_back(attrs);
    keep(leaf("state_read", attrs));
  }

  void step() {
    static const std::string_view unary[] = {"sin", "tanh", "neg", "sigmoid", "abs"}, binary[] = {"add", "sub", "mul", "max"};
    Ex x = any();
    bool has_axis = x.shape().rank() > 0;
    switch (pick(9)) {
      case 0: return keep(fn(unary[pick(5)], x));
      case 1: return keep(ex("sum", {x}, {{"axes", has_axis ? Ints{0} : Ints{}}}));
      case 2: return keep(ex("flip", {x}, {{"axes", has_axis ? Ints{-1} : Ints{}}}));
      case 3: return keep(ex("buffer", {x}, {{"size", int64_t{4}}, {"hop", int64_t{2}}}));
      case 4: return keep(has_axis ? ex("overlap_add", {x}, {{"hop", int64_t{2}}}) : fn("sin", x));
      case 5: return keep(ex("delay", {x, fn("abs", x)}, {{"max", int64_t{3}}}));
      case 6: return keep(ex("phasor", {x}));
      case 7: return keep(has_axis ? ex("concat", {x, x * 2.0}, {{"axis", int64_t{0}}}) : fn("neg", x));
      default: return keep(combine(binary[pick(4)], x, any()));
    }
  }

  Ex combine(std::string_view op, Ex a, Ex b) {
    try {
      broadcast_shapes(a.shape(), b.shape());
    } catch (const Error&) {
      return a;
    }
    return fn(op, a, b);
  }
  static Ex total(Ex x) {
    while (x.shape().rank() > 0) x = ex("sum", {x}, {{"axes", Ints{0}}});
    return x;
  }

  void close_cells() {
    for (size_t c = 0; c < cell_attrs_.size(); ++c) {
      Id value = broadcast_to(g_, total(any() * 0.5).id, g_.cells[c].type.shape);
      g_.cells[c].write = apply(g_, "state_write", {value}, cell_attrs_[c]);
    }
  }

  void finish() {
    Ex sum = any();
    for (int i = 0; i < 3; ++i) sum = combine("add", sum, any());
    sum = total(sum);
    g_.outputs.push_back(sum.id);
    Id loss = sum.clock().is_static() ? sum.id : apply(g_, "sum_time", {sum.id});
    for (size_t slot = 0; slot < params_.size(); ++slot)
      g_.outputs.push_back(apply(g_, "grad", {loss}, {{"slot", static_cast<int64_t>(slot)}, {"shape", sizes(params_[slot])}}));
  }

  std::mt19937 rng_;
  Graph g_;
  std::vector<Id> pool_;
  std::vector<Shape> params_;
  std::vector<Attrs> cell_attrs_;
};

}  // namespace dgen::test
