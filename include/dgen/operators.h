// + - * / and comparisons between handles and numbers, and array functions over several handles.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "dgen/tensor.h"

namespace dgen {

namespace detail {

// A handle and the line it is used on: operators take no default arguments, converting their operands does.
template <class T>
struct At {
  At(const T& value, Loc loc = Loc::here()) : value(value), loc(loc) {}
  const T& value;
  Loc loc;
};
using AtT = At<Tensor>;
using AtS = At<Signal>;
using AtX = At<SignalTensor>;
struct AtNumber {
  AtNumber(float value, Loc loc = Loc::here()) : value(value), loc(loc) {}
  float value;
  Loc loc;
};

}  // namespace detail

// clang-format off
#define DGEN_PAIR(symbol, name, A, B, R) \
  inline R operator symbol(A a, B b) { return R(detail::Wrap{}, detail::scalar(#name, {a.value, b.value}, a.loc)); }
#define DGEN_NUMBER(symbol, name, A, R)                                                                                      \
  inline R operator symbol(A a, float b) { return R(detail::Wrap{}, detail::scalar(#name, {a.value, detail::number(b)}, a.loc)); } \
  inline R operator symbol(float a, A b) { return R(detail::Wrap{}, detail::scalar(#name, {detail::number(a), b.value}, b.loc)); }
#define DGEN_OPERATOR(symbol, name)                             \
  DGEN_PAIR(symbol, name, detail::AtT, detail::AtT, Tensor)       \
  DGEN_PAIR(symbol, name, detail::AtT, detail::AtS, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtT, detail::AtX, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtS, detail::AtT, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtS, detail::AtS, Signal)       \
  DGEN_PAIR(symbol, name, detail::AtS, detail::AtX, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtX, detail::AtT, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtX, detail::AtS, SignalTensor) \
  DGEN_PAIR(symbol, name, detail::AtX, detail::AtX, SignalTensor) \
  DGEN_NUMBER(symbol, name, detail::AtT, Tensor)                  \
  DGEN_NUMBER(symbol, name, detail::AtS, Signal)                  \
  DGEN_NUMBER(symbol, name, detail::AtX, SignalTensor)
DGEN_OPERATOR(+, add)
DGEN_OPERATOR(-, sub)
DGEN_OPERATOR(*, mul)
DGEN_OPERATOR(/, div)
DGEN_OPERATOR(<, lt)  // comparisons give 1 or 0
DGEN_OPERATOR(<=, le)
DGEN_OPERATOR(>, gt)
DGEN_OPERATOR(>=, ge)
DGEN_OPERATOR(==, eq)
DGEN_OPERATOR(!=, ne)
#undef DGEN_OPERATOR
#undef DGEN_NUMBER
#undef DGEN_PAIR
// clang-format on

inline Tensor operator-(detail::AtT a) { return Tensor(detail::Wrap{}, detail::scalar("neg", {a.value}, a.loc)); }
inline Signal operator-(detail::AtS a) { return Signal(detail::Wrap{}, detail::scalar("neg", {a.value}, a.loc)); }
inline SignalTensor operator-(detail::AtX a) {
  return SignalTensor(detail::Wrap{}, detail::scalar("neg", {a.value}, a.loc));
}

// clang-format off
#define DGEN_ONTO(symbol, name, A, B) \
  inline A& operator symbol(A& a, B b) { return a = A(detail::Wrap{}, detail::scalar(#name, {a, b.value}, b.loc)); }
#define DGEN_ASSIGN(symbol, name)                      \
  DGEN_ONTO(symbol, name, Tensor, detail::AtT)         \
  DGEN_ONTO(symbol, name, Signal, detail::AtS)         \
  DGEN_ONTO(symbol, name, SignalTensor, detail::AtT)   \
  DGEN_ONTO(symbol, name, SignalTensor, detail::AtS)   \
  DGEN_ONTO(symbol, name, SignalTensor, detail::AtX)   \
  template <Handle A>                                  \
  A& operator symbol(A& a, detail::AtNumber b) { return a = A(detail::Wrap{}, detail::scalar(#name, {a, detail::number(b.value)}, b.loc)); }
DGEN_ASSIGN(+=, add)
DGEN_ASSIGN(-=, sub)
DGEN_ASSIGN(*=, mul)
DGEN_ASSIGN(/=, div)
#undef DGEN_ASSIGN
#undef DGEN_ONTO
// clang-format on

// options[k] where k < mode <= k + 1 (the first is 1); 0 where mode <= 0 or beyond the last.
#define DGEN_SELECTOR(M)                                                                                              \
  template <Arithmetic... O>                                                                                          \
  requires(sizeof...(O) > 0) Promoted<M, O...> selector(detail::At<M> mode, const O&... options) {                    \
    return detail::as<Promoted<M, O...>>(detail::selector({mode.value, detail::operand(options)...}, mode.loc)); \
  }
DGEN_SELECTOR(Tensor)
DGEN_SELECTOR(Signal)
DGEN_SELECTOR(SignalTensor)
#undef DGEN_SELECTOR
template <class Self>
template <Arithmetic... O>
Promoted<Self, O...> detail::Elementwise<Self>::selector(const O&... options) const {
  return dgen::selector(detail::At<Self>(self(), Loc{}), options...);
}

// Handles one after the other along an axis, or along a new one.
template <Handle T>
Shaped<T> concat(const std::vector<T>& x, int axis = 0, Loc loc = Loc::here()) {
  return detail::as<Shaped<T>>(detail::concat({x.begin(), x.end()}, axis, loc));
}
template <Handle T>
Shaped<T> concat(std::initializer_list<T> x, int axis = 0, Loc loc = Loc::here()) {
  return detail::as<Shaped<T>>(detail::concat({x.begin(), x.end()}, axis, loc));
}
template <Handle T>
Shaped<T> stack(const std::vector<T>& x, int axis = 0, Loc loc = Loc::here()) {
  return detail::as<Shaped<T>>(detail::stack({x.begin(), x.end()}, axis, loc));
}
template <Handle T>
Shaped<T> stack(std::initializer_list<T> x, int axis = 0, Loc loc = Loc::here()) {
  return detail::as<Shaped<T>>(detail::stack({x.begin(), x.end()}, axis, loc));
}

template <Handle A, Handle B>
Promoted<A, B> matmul(const A& a, const B& b, Loc loc = Loc::here()) {
  return detail::as<Promoted<A, B>>(detail::matmul(a, b, loc));
}
// Correlation: [L] * [k], or [N,C,L] * [O,C,k].
template <Handle A, Handle B>
Promoted<A, B> conv1d(const A& x, const B& kernel, const ConvOptions& options = {}, Loc loc = Loc::here()) {
  return detail::as<Promoted<A, B>>(detail::conv1d(x, kernel, options, loc));
}
// Correlation: [H,W] * [kh,kw], or [N,C,H,W] * [O,C,kh,kw].
template <Handle A, Handle B>
Promoted<A, B> conv2d(const A& x, const B& kernel, const ConvOptions& options = {}, Loc loc = Loc::here()) {
  return detail::as<Promoted<A, B>>(detail::conv2d(x, kernel, options, loc));
}
template <Handle A, Handle B>
Shaped<Promoted<A, B>> gather(const A& x, const B& indices, Loc loc = Loc::here()) {
  return detail::as<Shaped<Promoted<A, B>>>(detail::gather(x, indices, loc));
}
// size rows: values added at their index in index order; an index out of range is dropped.
template <Handle A, Handle B>
Promoted<A, B> scatter_add(const A& indices, const B& values, int64_t size, Loc loc = Loc::here()) {
  return detail::as<Promoted<A, B>>(detail::scatter_add(indices, values, size, loc));
}

// clang-format off
#define DGEN_FREE(name)                                                     \
  template <Handle T>                                                       \
  auto name(const T& x, Loc loc = Loc::here()) {                            \
    return x.name(loc);                                                     \
  }
#define DGEN_REDUCTION(name)                                                \
  DGEN_FREE(name)                                                           \
  template <Handle T>                                                       \
  T name(const T& x, int axis, bool keepdims = false, Loc loc = Loc::here()) { \
    return x.name(axis, keepdims, loc);                                     \
  }
#define DGEN_ALONG(name)                                                    \
  template <Handle T>                                                       \
  T name(const T& x, int axis = -1, Loc loc = Loc::here()) {                \
    return x.name(axis, loc);                                               \
  }
DGEN_REDUCTION(sum)
DGEN_REDUCTION(mean)
DGEN_REDUCTION(prod)
DGEN_REDUCTION(amax)
DGEN_REDUCTION(amin)
DGEN_REDUCTION(logsumexp)
DGEN_REDUCTION(norm)
DGEN_REDUCTION(var)
DGEN_ALONG(softmax)
DGEN_ALONG(log_softmax)
DGEN_ALONG(cumsum)
DGEN_FREE(rfft)
DGEN_FREE(fft)
DGEN_FREE(ifft)
#undef DGEN_ALONG
#undef DGEN_REDUCTION
#undef DGEN_FREE
// clang-format on
template <Handle T>
T argmax(const T& x, int axis = -1, bool keepdims = false, Loc loc = Loc::here()) {
  return x.argmax(axis, keepdims, loc);
}
template <Handle T>
Shaped<T> reshape(const T& x, const Shape& shape, Loc loc = Loc::here()) {
  return x.reshape(shape, loc);
}
template <Handle T>
T transpose(const T& x, const std::vector<int>& axes = {}, Loc loc = Loc::here()) {
  return x.transpose(axes, loc);
}

template <class Self>
std::vector<Self> detail::Arrays<Self>::split(const std::vector<int>& sizes, int axis, Loc loc) const {
  CallSite site(loc, "split");
  std::vector<Self> parts;
  int64_t begin = 0;
  for (int n : sizes) {
    if (n < 1) raise("split", "sizes must be at least 1, got " + std::to_string(n), {self()}, loc);
    parts.push_back(of(detail::slice_axis(self(), axis, {begin, begin + n}, loc))), begin += n;
  }
  if (begin != self().size(axis))
    raise("split",
          "the sizes add up to " + std::to_string(begin) + ", the axis has " + std::to_string(self().size(axis)),
          {self()}, loc);
  return parts;
}

template <class Self>
Self detail::Timed<Self>::convolve(const Tensor& ir, Loc loc) const {
  return of(detail::convolve(self(), ir, loc));
}
template <class Self>
Self detail::Timed<Self>::filter_hops(const SignalTensor& magnitudes, const FilterHopsOptions& options, Loc loc) const {
  return of(detail::filter_hops(self(), magnitudes, options, loc));
}

// Complex arithmetic at the line where it stands; a real operand is not widened, so an infinite one stays out of `im`.
namespace detail {

template <class B>
struct Real {
  const B& value;
  // 0 in the shape and at the clock of value.
  auto zero() const {
    if constexpr (Number<B>) return 0.0f;
    else return value > std::numeric_limits<float>::infinity();
  }
};
template <class B>
Real<B> real(const B& value) {
  return {value};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_add(const Complex<A>& a, const Complex<B>& b, Loc loc) {
  CallSite site(loc, "add");
  return {a.re + b.re, a.im + b.im};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_sub(const Complex<A>& a, const Complex<B>& b, Loc loc) {
  CallSite site(loc, "sub");
  return {a.re - b.re, a.im - b.im};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_mul(const Complex<A>& a, const Complex<B>& b, Loc loc) {
  CallSite site(loc, "mul");
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_add(const Complex<A>& a, Real<B> b, Loc loc) {
  CallSite site(loc, "add");
  return {a.re + b.value, a.im + b.zero()};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_add(Real<B> b, const Complex<A>& a, Loc loc) {
  return complex_add(a, b, loc);
}
template <class A, class B>
Complex<Promoted<A, B>> complex_sub(const Complex<A>& a, Real<B> b, Loc loc) {
  CallSite site(loc, "sub");
  return {a.re - b.value, a.im - b.zero()};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_sub(Real<B> b, const Complex<A>& a, Loc loc) {
  CallSite site(loc, "sub");
  return {b.value - a.re, b.zero() - a.im};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_mul(const Complex<A>& a, Real<B> b, Loc loc) {
  CallSite site(loc, "mul");
  return {a.re * b.value, a.im * b.value};
}
template <class A, class B>
Complex<Promoted<A, B>> complex_mul(Real<B> b, const Complex<A>& a, Loc loc) {
  return complex_mul(a, b, loc);
}

}  // namespace detail

// A spectrum, or any complex array, as its real and imaginary parts.
template <class T = SignalTensor>
struct Complex {
  T re, im;

  // re and im as two planes on axis -2.
  T planes(Loc loc = Loc::here()) const {
    return detail::as<T>(detail::concat({detail::unsqueeze(re, -2, loc), detail::unsqueeze(im, -2, loc)}, -2, loc));
  }
  static Complex of(const Value& planes, Loc loc = Loc::here()) {
    auto plane = [&](int64_t i) {
      return detail::as<T>(detail::squeeze(detail::slice_axis(planes, -2, {i, i + 1}, loc), {-2}, loc));
    };
    return {plane(0), plane(1)};
  }
  T power(Loc loc = Loc::here()) const {
    detail::CallSite site(loc);
    return re * re + im * im;
  }
  T magnitude(Loc loc = Loc::here()) const {  // gradient 0 at 0
    detail::CallSite site(loc);
    return sqrt(power(loc), loc);
  }
  T phase(Loc loc = Loc::here()) const {  // radians; gradient 0 at 0
    detail::CallSite site(loc);
    return atan2(im, re, loc);
  }
  Complex conj(Loc loc = Loc::here()) const {
    detail::CallSite site(loc);
    return {re, -im};
  }
  Complex ifft(Loc loc = Loc::here()) const {
    detail::CallSite site(loc);
    return of(detail::spectrum("ifft", planes(loc), {}, loc), loc);
  }
  Complex fft(Loc loc = Loc::here()) const {
    detail::CallSite site(loc);
    return of(detail::spectrum("fft", planes(loc), {}, loc), loc);
  }
  // n real samples of n/2 + 1 bins; imaginary parts of bins 0 and n/2 are ignored.
  T irfft(int64_t n, Loc loc = Loc::here()) const {
    detail::CallSite site(loc);
    return detail::as<T>(detail::spectrum("irfft", planes(loc), n, loc));
  }
  friend Complex operator-(detail::At<Complex> a) {
    detail::CallSite site(a.loc, "neg");
    return {-a.value.re, -a.value.im};
  }

  // With another spectrum, or something real on either side.
  // clang-format off
#define DGEN_SPECTRA(symbol, name, B)                                                               \
  friend Complex<Promoted<T, B>> operator symbol(detail::At<Complex> a, detail::At<Complex<B>> b) { \
    return detail::complex_##name(a.value, b.value, a.loc);                                         \
  }
#define DGEN_REAL(symbol, name, R, B)                                                          \
  friend Complex<Promoted<T, B>> operator symbol(detail::At<Complex> a, R b) {                 \
    return detail::complex_##name(a.value, detail::real(b), a.loc);                            \
  }                                                                                            \
  friend Complex<Promoted<T, B>> operator symbol(R b, detail::At<Complex> a) {                 \
    return detail::complex_##name(detail::real(b), a.value, a.loc);                            \
  }
#define DGEN_ARITHMETIC(symbol, name)             \
  DGEN_SPECTRA(symbol, name, Tensor)              \
  DGEN_SPECTRA(symbol, name, Signal)              \
  DGEN_SPECTRA(symbol, name, SignalTensor)        \
  DGEN_REAL(symbol, name, const Tensor&, Tensor)              \
  DGEN_REAL(symbol, name, const Signal&, Signal)              \
  DGEN_REAL(symbol, name, const SignalTensor&, SignalTensor)  \
  DGEN_REAL(symbol, name, float, T)
  DGEN_ARITHMETIC(+, add)
  DGEN_ARITHMETIC(-, sub)
  DGEN_ARITHMETIC(*, mul)
#undef DGEN_ARITHMETIC
#undef DGEN_REAL
#undef DGEN_SPECTRA
  // clang-format on
};
template <class T>
Complex(T, T) -> Complex<T>;

template <class T>
Complex<T> conj(const Complex<T>& x, Loc loc = Loc::here()) {
  return x.conj(loc);
}
// mag (cos phase + i sin phase)
template <Arithmetic A, Handle B>
Complex<Promoted<A, B>> polar(const A& mag, const B& phase, Loc loc = Loc::here()) {
  detail::CallSite site(loc);
  return {mag * cos(phase), mag * sin(phase)};
}
template <class T>
Complex<T> fft(const Complex<T>& x, Loc loc = Loc::here()) {
  return x.fft(loc);
}
template <class T>
Complex<T> ifft(const Complex<T>& x, Loc loc = Loc::here()) {
  return x.ifft(loc);
}
template <class T>
T irfft(const Complex<T>& x, int64_t n, Loc loc = Loc::here()) {
  return x.irfft(n, loc);
}

template <class Self>
Complex<Self> detail::Arrays<Self>::rfft(Loc loc) const {
  return Complex<Self>::of(detail::spectrum("rfft", self(), {}, loc), loc);
}
template <class Self>
Complex<Self> detail::Arrays<Self>::fft(Loc loc) const {
  return Complex<Self>::of(detail::spectrum("fft", detail::real_planes(self(), loc), {}, loc), loc);
}
template <class Self>
Complex<Self> detail::Arrays<Self>::ifft(Loc loc) const {
  return Complex<Self>::of(detail::spectrum("ifft", detail::real_planes(self(), loc), {}, loc), loc);
}

}  // namespace dgen
