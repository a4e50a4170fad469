// Elementwise operators as free functions over any handles and numbers; every one is a method of the handles too.
// Shapes broadcast the NumPy way; a mismatch is an Error that names the operator and both shapes.
#pragma once
#include "dgen/value.h"

namespace dgen {

namespace detail {
// A scalar operator by name, over inputs broadcast to one shape.
Value scalar(const char* op, std::initializer_list<Value> in, Loc loc);
Value detach(const Value& x, Loc loc);

// Composites, over any handles.
using Args = std::initializer_list<Value>;
Value relu(Args in, Loc loc);
Value leaky_relu(Args in, Loc loc);
Value gelu(Args in, Loc loc);
Value exp_sigmoid(Args in, Loc loc);
Value db_to_amp(Args in, Loc loc);
Value amp_to_db(Args in, Loc loc);
Value hz_to_midi(Args in, Loc loc);
Value midi_to_hz(Args in, Loc loc);
Value clamp(Args in, Loc loc);
Value selector(Args in, Loc loc);
Value mix(Args in, Loc loc);
Value wrap(Args in, Loc loc);
Value triangle(Args in, Loc loc);
Value scale(Args in, Loc loc);
}  // namespace detail

// A number or a handle, where an option takes either.
class Operand {
 public:
  Operand() = default;
  template <Arithmetic T>
  Operand(const T& x) {
    if constexpr (Number<T>)
      number_ = static_cast<double>(x);
    else
      value_ = x;
  }
  bool is_set() const { return number_.has_value() || value_; }
  // The number, if it is one.
  std::optional<double> number() const { return number_; }
  Value value() const { return number_ ? detail::number(*number_) : value_; }

 private:
  std::optional<double> number_;
  Value value_;
};

// clang-format off
#define DGEN_UNARY(name)                                       \
  template <Handle T>                                          \
  T name(const T& x, Loc loc = Loc::here()) {                  \
    return detail::as<T>(detail::scalar(#name, {x}, loc));     \
  }
DGEN_UNARY(abs)    // gradient 0 at 0
DGEN_UNARY(sign)   // -1, 0 or 1
DGEN_UNARY(floor)
DGEN_UNARY(ceil)
DGEN_UNARY(round)  // halves away from zero
DGEN_UNARY(exp)
DGEN_UNARY(log)
DGEN_UNARY(log2)
DGEN_UNARY(log10)
DGEN_UNARY(sqrt)   // gradient 0 at 0
DGEN_UNARY(rsqrt)
DGEN_UNARY(sin)    // radians
DGEN_UNARY(cos)
DGEN_UNARY(tan)
DGEN_UNARY(tanh)
DGEN_UNARY(sinh)
DGEN_UNARY(cosh)
DGEN_UNARY(asin)
DGEN_UNARY(acos)
DGEN_UNARY(atan)
DGEN_UNARY(not_)   // 1 where x <= 0
DGEN_UNARY(sigmoid)
DGEN_UNARY(softplus)
#undef DGEN_UNARY

#define DGEN_BINARY(name)                                                                             \
  template <Arithmetic A, Arithmetic B>                                                               \
    requires(Handle<A> || Handle<B>)                                                                  \
  Promoted<A, B> name(const A& a, const B& b, Loc loc = Loc::here()) {                                \
    return detail::as<Promoted<A, B>>(detail::scalar(#name, {detail::operand(a), detail::operand(b)}, loc)); \
  }
DGEN_BINARY(pow)    // a negative base: real for integer exponents, else NaN
DGEN_BINARY(atan2)  // angle of the point (b, a)
DGEN_BINARY(min)    // b < a ? b : a
DGEN_BINARY(max)    // b > a ? b : a
DGEN_BINARY(mod)    // a - floor(a / b) * b
DGEN_BINARY(and_)   // true is > 0; the result is 1 or 0
DGEN_BINARY(or_)
DGEN_BINARY(xor_)
#undef DGEN_BINARY

#define DGEN_COMPOSITE(name)                                         \
  template <Handle T>                                                \
  T name(const T& x, Loc loc = Loc::here()) {                        \
    return detail::as<T>(detail::name({x}, loc));   \
  }
DGEN_COMPOSITE(relu)         // max(0, x), gradient 0 at 0
DGEN_COMPOSITE(gelu)         // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel)
DGEN_COMPOSITE(exp_sigmoid)  // 2 sigmoid(x)^ln(10) + 1e-7 (DDSP)
DGEN_COMPOSITE(db_to_amp)    // 10^(x/20)
DGEN_COMPOSITE(amp_to_db)    // 20 log10(max(|x|, 1e-5))
DGEN_COMPOSITE(hz_to_midi)   // 69 + 12 log2(f/440)
DGEN_COMPOSITE(midi_to_hz)   // 440 * 2^((m-69)/12)
#undef DGEN_COMPOSITE
// clang-format on

// The value without its gradient.
template <Handle T>
T detach(const T& x, Loc loc = Loc::here()) {
  return detail::as<T>(detail::detach(x, loc));
}

template <Handle T, Arithmetic S = float>
Promoted<T, S> leaky_relu(const T& x, const S& slope = S(0.01f), Loc loc = Loc::here()) {
  return detail::as<Promoted<T, S>>(detail::leaky_relu({x, detail::operand(slope)}, loc));
}

// max(min(x, hi), lo), with slope 1 on the bounds.
template <Arithmetic X, Arithmetic L, Arithmetic H>
requires(Handle<X> || Handle<L> || Handle<H>) Promoted<X, L, H> clamp(const X& x, const L& lo, const H& hi,
                                                                      Loc loc = Loc::here()) {
  return detail::as<Promoted<X, L, H>>(
      detail::clamp({detail::operand(x), detail::operand(lo), detail::operand(hi)}, loc));
}

// c > 0 ? a : b. Both sides are evaluated, the gradient goes to the chosen one.
template <Arithmetic C, Arithmetic A, Arithmetic B>
requires(Handle<C> || Handle<A> || Handle<B>) Promoted<C, A, B> select(const C& c, const A& a, const B& b,
                                                                       Loc loc = Loc::here()) {
  return detail::as<Promoted<C, A, B>>(
      detail::scalar("select", {detail::operand(c), detail::operand(a), detail::operand(b)}, loc));
}

// a (1 - t) + b t
template <Arithmetic A, Arithmetic B, Arithmetic T>
requires(Handle<A> || Handle<B> || Handle<T>) Promoted<A, B, T> mix(const A& a, const B& b, const T& t,
                                                                    Loc loc = Loc::here()) {
  return detail::as<Promoted<A, B, T>>(detail::mix({detail::operand(a), detail::operand(b), detail::operand(t)}, loc));
}

// x brought into [lo, hi) by whole multiples of the range.
template <Arithmetic X, Arithmetic L, Arithmetic H>
requires(Handle<X> || Handle<L> || Handle<H>) Promoted<X, L, H> wrap(const X& x, const L& lo, const H& hi,
                                                                     Loc loc = Loc::here()) {
  return detail::as<Promoted<X, L, H>>(
      detail::wrap({detail::operand(x), detail::operand(lo), detail::operand(hi)}, loc));
}

// A ramp in [0, 1) as a triangle from 0 up to 1 at duty and down to 0.
template <Handle R, Arithmetic D>
Promoted<R, D> triangle(const R& ramp, const D& duty, Loc loc = Loc::here()) {
  return detail::as<Promoted<R, D>>(detail::triangle({ramp, detail::operand(duty)}, loc));
}

struct ScaleOptions {
  Operand exp = 1.0f;
};

// t = (x - inlo) / (inhi - inlo), 0 for an empty range; outlo + (outhi - outlo) sign(t) |t|^exp.
template <Handle X, Arithmetic A, Arithmetic B, Arithmetic C, Arithmetic D>
Promoted<X, A, B, C, D> scale(const X& x, const A& inlo, const B& inhi, const C& outlo, const D& outhi,
                              const ScaleOptions& options = {}, Loc loc = Loc::here()) {
  return detail::as<Promoted<X, A, B, C, D>>(
      detail::scale({x, detail::operand(inlo), detail::operand(inhi), detail::operand(outlo), detail::operand(outhi),
                     options.exp.value()},
                    loc));
}

}  // namespace dgen
