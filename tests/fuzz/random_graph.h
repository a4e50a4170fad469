// Random patches: several cells, cross-coupled feedback, hop clocks, delays, gathers, banks, reductions, transforms.
#pragma once
#include "support/graphs.h"

namespace dgen::fuzz {

using namespace test;

class Random {
 public:
  explicit Random(uint64_t seed) : rng_(seed * 0x9E3779B97F4A7C15ull + 1) {}
  int64_t below(int64_t n) { return static_cast<int64_t>(rng_() % static_cast<uint64_t>(n)); }
  bool chance(double p) { return uniform() < p; }
  double uniform(double lo = 0, double hi = 1) { return lo + (hi - lo) * static_cast<double>(rng_() >> 11) * 0x1p-53; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(below(static_cast<int64_t>(from.size())))];
  }

 private:
  std::mt19937_64 rng_;
};

// Grows a patch. Values stay near [-1, 1], so that rounding is what differs between backends.
class RandomGraph {
 public:
  RandomGraph(uint64_t seed, int64_t size) : r_(seed) {
    periods_ = {1, one_of({2, 3, 4, 5})};
    periods_.push_back(r_.chance(0.5) ? periods_[1] * one_of({2, 3}) : one_of({2, 3, 5, 7}));
    leaves();
    for (int64_t i = 0; i < size; ++i) pool_.push_back(grow());
    for (Ex prev : cells_) close(prev);
    finish();
  }

  Patch take() { return std::move(p_); }

 private:
  int64_t one_of(const std::vector<int64_t>& values) { return r_.pick(values); }
  std::string_view one_of(const std::vector<std::string_view>& names) { return r_.pick(names); }
  int64_t size() const { return static_cast<int64_t>(pool_.size()); }
  Ex any() { return r_.chance(0.5) ? pool_[static_cast<size_t>(size() - 1 - r_.below(std::min<int64_t>(5, size())))] : r_.pick(pool_); }
  int64_t any_period() { return r_.pick(periods_); }
  Shape any_shape() {
    static const std::vector<Shape> shapes = {{}, {}, {3}, {4}, {2, 3}, {4, 2}, {1}, {17}};
    return r_.pick(shapes);
  }
  static int64_t rank(Ex x) { return x.shape().rank(); }

  void leaves() {
    for (int64_t i = 0, n = 2 + r_.below(3); i < n; ++i) pool_.push_back(p_.param(any_shape()));
    for (int64_t i = 0, n = 1 + r_.below(3); i < n; ++i) pool_.push_back(p_.input(any_shape(), any_period()));
    if (r_.chance(0.4)) pool_.push_back(p_.noise(any_shape(), any_period()));
    for (int64_t i = 0, n = r_.below(r_.chance(0.3) ? 9 : 5); i < n; ++i) {
      Shape shape = any_shape();
      Ex init = r_.chance(0.4) ? p_.param(shape) : Ex{};
      cells_.push_back(p_.cell(shape, any_period(), init));
      pool_.push_back(cells_.back());
    }
  }

  // ---- fitting values together ---------------------------------------------------------------------------------------

  Ex sum_all(Ex x) {
    if (rank(x) == 0) return x;
    Ints axes;
    for (int64_t a = 0; a < rank(x); ++a) axes.push_back(a);
    return ex("sum", {x}, {{"axes", axes}}) * (1.0 / std::sqrt(static_cast<double>(x.shape().size())));
  }
  Ex reshape(Ex x, const Shape& shape) { return ex("reshape", {x}, {{"shape", Ints(shape.sizes())}}); }
  Ex broadcast(Ex x, const Shape& shape) { return {&p_.g(), broadcast_to(p_.g(), x.id, shape)}; }
  Ex fit(Ex x, const Shape& shape) {
    if (x.shape() == shape) return x;
    if (x.shape().size() == shape.size()) return reshape(x, shape);
    if (rank(x) == 1 && shape.rank() == 1 && x.shape()[0] > shape[0] && r_.chance(0.5))
      return ex("slice", {x}, {{"starts", Ints{0}}, {"ends", Ints{shape[0]}}});
    return broadcast(sum_all(x), shape);
  }
  Ex at_period(Ex x, int64_t period) {
    if (!x.clock().is_static() && period % x.clock().period != 0 && x.clock().period % period != 0)
      x = Ex{&p_.g(), align(p_.g(), x.id, frame_clock)};
    return {&p_.g(), align(p_.g(), x.id, {period, false})};
  }
  Ex tamed(Ex x) { return fn(r_.chance(0.5) ? "tanh" : "sin", x); }

  // ---- one more value --------------------------------------------------------------------------------------------------

  Ex grow() {
    switch (r_.below(21)) {
      case 0: case 1: case 2: return unary();
      case 3: case 4: case 5: return binary();
      case 6: return choice();
      case 7: return view();
      case 8: return reduction();
      case 9: return product();
      case 10: return transform();
      case 11: return gather();
      case 12: case 13: return window();
      case 14: case 15: return delay();
      case 16: return phasor();
      case 17: return at_period(any(), any_period());
      case 18: return recurrence();
      case 19: return echo();
      default: return comparison();
    }
  }

  Ex unary() {
    std::string_view name = one_of({"sin", "cos", "tanh", "sigmoid", "softplus", "atan", "abs", "neg", "exp", "sqrt", "log"});
    Ex x = any();
    if (name == "exp") return fn(name, tamed(x)) * 0.5;
    if (name == "sqrt" || name == "log") return fn(name, x * x + 0.3);
    return fn(name, x);
  }

  Ex binary() {
    Ex a = any(), b = fit(any(), r_.chance(0.7) ? a.shape() : Shape{});
    switch (r_.below(8)) {
      case 0: return (a + b) * 0.7;
      case 1: return a - b * r_.uniform(-1, 1);
      case 2: return tamed(a * b);
      case 3: return a / (b * b + 1.0);
      case 4: return fn("min", a, b);
      case 5: return fn("max", a, b);
      case 6: return fn("atan2", a, b * b + 0.5);
      default: return fn("mod", a * 1.1 + 0.123, b * b + 0.7);
    }
  }

  Ex comparison() { return ex(one_of({"lt", "gt", "le", "ge"}), {sum_all(any()), p_.c(r_.uniform(-0.5, 0.5))}); }
  Ex choice() {
    Ex a = any();
    return select(comparison(), a, fit(any(), a.shape()));
  }

  Ex view() {
    Ex x = any();
    if (rank(x) == 0) return broadcast(x, any_shape());
    int64_t n = x.shape()[0];
    bool one = rank(x) == 1;
    switch (r_.below(6)) {
      case 0: return ex("flip", {x}, {{"axes", Ints{rank(x) - 1}}});
      case 1: return n > 8 ? x : ex("concat", {x, x * 0.5}, {{"axis", int64_t{0}}});
      case 2: return rank(x) == 2 ? ex("permute", {x}, {{"axes", Ints{1, 0}}}) : reshape(x, {1, x.shape().size()});
      case 3: return one ? ex("pad", {x}, {{"pairs", Ints{1, 2}}, {"value", 0.25}}) : reshape(x, {x.shape().size()});
      case 4:
        if (n < 3 || x.shape().size() > 30) return x;
        return ex("windows", {x}, {{"axis", int64_t{0}}, {"size", int64_t{2}}, {"stride", 1 + r_.below(2)}, {"dilation", 1 + r_.below(2)}});
      default: return one && n > 1 ? ex("slice", {x}, {{"starts", Ints{1}}, {"ends", Ints{n}}}) : x;
    }
  }

  Ex reduction() {
    Ex x = any();
    if (rank(x) == 0) return tamed(x + 0.1);
    int64_t axis = r_.below(rank(x));
    std::string_view name = one_of({"sum", "amax", "amin", "prod", "cumsum"});
    if (name == "cumsum") return ex(name, {x * 0.4}, {{"axis", axis}});
    return ex(name, {x}, {{"axes", Ints{axis}}}) * (name == "sum" ? 0.5 : 1.0);
  }

  Ex product() {
    int64_t m = 1 + r_.below(3), k = 1 + r_.below(4), n = 1 + r_.below(3);
    Ex right = r_.chance(0.5) ? p_.param(Shape{k, n}) : fit(any(), {k, n});
    return tamed(ex("matmul", {fit(any(), {m, k}), right}));
  }

  Ex transform() {
    int64_t n = one_of({4, 6, 8});
    Ex x = r_.chance(0.5) ? ex("buffer", {at_period(sum_all(any()), 1)}, {{"size", n}, {"hop", periods_[1]}}) : fit(any(), {n});
    // The spectrum of a constant is 0 but for rounding, which would decide what a minimum takes.
    Ex s = ex("rfft", {x + p_.tensor(Shape{n}, random_floats(n, 31, 0.05, 0.2))}) * 0.4;
    if (r_.chance(0.3)) return s;
    Ex mag = fn("sqrt", ex("sum", {s * s}, {{"axes", Ints{0}}}) + 0.01);
    return r_.chance(0.5) ? mag : ex("irfft", {s * mag}, {{"n", n}});
  }

  Ex gather() {
    static const std::vector<Shape> shapes = {{}, {2}, {3}};
    Ex table = any();
    if (rank(table) == 0) table = p_.param(Shape{4});
    Ex index = (fit(any(), r_.pick(shapes)) + 1.0) * 1.37;
    if (r_.chance(0.3)) return ex("scatter_add", {index, fit(any(), index.shape())}, {{"size", int64_t{3}}});
    Ex t = fn("floor", index), next = ex("gather", {table, t + 1.0}), now = ex("gather", {table, t});
    return rank(index) == 0 ? now + (next - now) * (index - t) : now;
  }

  Ex window() {
    int64_t size = 2 + r_.below(7), hop = r_.pick(periods_), period = r_.chance(0.3) ? hop : 1;
    Ex x = at_period(any(), period);
    if (x.shape().size() > 8) x = sum_all(x);
    Ex w = ex("buffer", {x}, {{"size", size}, {"hop", hop}, {"period", period}});
    if (r_.chance(0.5)) return w;
    w = w * p_.param(Shape{size});
    return ex("overlap_add", {w}, {{"hop", hop}, {"period", period}}) * 0.5;
  }

  Ex delay() {
    Ex x = any();
    int64_t most = 1 + r_.below(9);
    Ex time = r_.chance(0.5) ? fit(p_.param(Shape{}), x.shape()) : fit(any(), x.shape());
    time = (time * 0.6 + 0.5) * static_cast<double>(most);
    if (r_.chance(0.2)) time = broadcast(p_.c(static_cast<double>(most)), x.shape());
    return ex("delay", {x, time}, {{"max", most}});
  }

  Ex phasor() {
    Ex f = r_.chance(0.4) ? p_.param(any_shape()) : any();
    if (f.shape().size() > 8) f = sum_all(f);
    f = f * 40.0 + 70.0;
    Ex ramp = r_.chance(0.3) ? ex("phasor", {f, fit(comparison(), f.shape())}) : ex("phasor", {f});
    return r_.chance(0.7) ? fn("sin", ramp * 6.283185307179586) : ramp;
  }

  // A filter or integrator of its own, of one cell or two, often a narrow bank.
  Ex recurrence() {
    static const std::vector<Shape> banks = {{2}, {3}, {4}, {2, 2}};
    Ex x = r_.chance(0.3) ? fit(any(), r_.pick(banks)) : any();
    int64_t period = x.clock().is_static() ? any_period() : x.clock().period;
    auto cell = [&] { return p_.cell(x.shape(), period, r_.chance(0.3) ? p_.param(x.shape()) : Ex{}); };
    Ex prev = cell(), value = x * 0.5;
    if (r_.chance(0.3)) {
      Ex older = cell();
      value = value + prev * coefficient(x.shape(), period) * 0.6 - older * coefficient(x.shape(), period) * 0.3;
      p_.write(older, at_period(r_.chance(0.5) ? prev : x * coefficient(x.shape(), period) - prev * 0.4, period));
    } else {
      value = value + prev * coefficient(x.shape(), period) * 0.9;
    }
    Ex out = p_.write(prev, at_period(value, period));
    return r_.chance(0.2) ? prev : r_.chance(0.2) ? out * coefficient(x.shape(), period) + x : out;
  }
  // One for all lanes or one for each, constant, one of several, or varying.
  Ex coefficient(const Shape& shape, int64_t period) {
    switch (r_.below(5)) {
      case 0: return fn("sigmoid", p_.param(shape));
      case 1: return fn("sigmoid", fit(ex("slice", {p_.param(Shape{3})}, {{"starts", Ints{1}}, {"ends", Ints{2}}}), Shape{}));
      case 2: return fn("sigmoid", at_period(sum_all(any()), period));
      case 3: return fn("sigmoid", at_period(fit(any(), shape), period));
      default: return fn("sigmoid", p_.param(Shape{}));
    }
  }

  // A loop through lines whose times stand still, longer than a vector as a rule; sometimes there is a shorter way around.
  Ex echo() {
    Ex x = at_period(sum_all(any()), 1), prev = p_.cell({}, 1, r_.chance(0.3) ? p_.param(Shape{}) : Ex{}), other = prev;
    if (r_.chance(0.3)) p_.write(other = p_.cell(), at_period(r_.chance(0.5) ? prev * 0.9 + x : prev, 1));
    Ex late = line(other) * 0.6;
    if (r_.chance(0.3)) late = late - line(r_.chance(0.5) ? prev : prev * p_.param(Shape{})) * 0.3;
    if (r_.chance(0.3)) pool_.push_back(late);
    if (r_.chance(0.15)) late = late + prev * 0.2;
    Ex value = x * 0.5 + late * at_period(fn("sigmoid", sum_all(any())), 1);
    Ex out = p_.write(prev, r_.chance(0.5) ? tamed(value) : value);
    return r_.chance(0.2) ? prev : out;
  }
  Ex line(Ex x) {
    const int64_t most = one_of({12, 16, 17, 24, 40});
    return ex("delay", {x, (p_.param(Shape{}) * 0.5 + 0.8) * static_cast<double>(most)}, {{"max", most}});
  }

  void close(Ex prev) {
    Ex value = fit(any(), prev.shape()) * r_.uniform(0.3, 0.9);
    if (r_.chance(0.6)) value = value + prev * r_.uniform(-0.8, 0.8);
    if (r_.chance(0.7)) value = tamed(value);
    p_.write(prev, at_period(value, prev.clock().period));
  }

  // Outputs, then one loss over them, then its gradients.
  void finish() {
    Ex total = p_.c(0);
    for (int64_t i = 0, n = 2 + r_.below(3); i < n; ++i) {
      Ex y = any();
      p_.output(y);
      total = total + p_.loss(y) * r_.uniform(0.3, 1);
    }
    p_.output(total);
    for (size_t slot = 0; slot < p_.capture.params.size(); ++slot) p_.output(p_.grad(total, slot));
  }

  Random r_;
  Patch p_;
  std::vector<int64_t> periods_;
  std::vector<Ex> pool_, cells_;
};

}  // namespace dgen::fuzz
