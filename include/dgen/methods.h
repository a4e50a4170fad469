// Methods that several handles share; what each one means stands at the function of the same name.
#pragma once
#include <algorithm>

#include "dgen/options.h"

namespace dgen {

template <class T>
struct Complex;

// A half-open range of one axis; negative numbers count from the end.
struct Range {
  int64_t begin = 0;
  int64_t end = std::numeric_limits<int64_t>::max();
};

namespace detail {

struct Wrap {};
using Axes = std::vector<int>;

// Shapes, axes, sizes and hops are checked where a method is called: one that does not fit is an Error that names the
// operator, the shapes and the line of the call.

// Core operators. Axes count from either end; one out of range is an Error.
Value reshape(const Value& x, const Shape& shape, Loc loc);
Value as_scalar(const Value& x, Loc loc);  // of one element
Value permute(const Value& x, const Axes& axes, Loc loc);
Value transpose(const Value& x, const Axes& axes, Loc loc);
Value expand(const Value& x, const Shape& shape, Loc loc);
Value shrink(const Value& x, const std::vector<Range>& ranges, Loc loc);
Value slice_axis(const Value& x, int axis, Range range, Loc loc);
Value take(const Value& x, int64_t i, Loc loc);
Value pad(const Value& x, const std::vector<std::pair<int, int>>& pairs, float value, Loc loc);
Value flip(const Value& x, const Axes& axes, Loc loc);
Value repeat(const Value& x, const std::vector<int>& counts, Loc loc);
Value concat(const std::vector<Value>& x, int axis, Loc loc);
Value stack(const std::vector<Value>& x, int axis, Loc loc);
Value squeeze(const Value& x, const Axes& axes, Loc loc);
Value unsqueeze(const Value& x, int axis, Loc loc);
Value windows(const Value& x, int size, int stride, Loc loc);
Value windows_of(const Value& x, int axis, int64_t size, int64_t stride, int64_t dilation, Loc loc);
// A small constant as itself: products with those of its elements that are 0 when a program of that structure is first compiled, and
// still are when it runs, may be left out of short sums, so that 0 times infinite is 0 there.
Value known_zeros(const Value& x);
Value reduce(const char* op, const Value& x, const Axes& axes, bool keepdims, Loc loc);  // no axes: all
Value mean(const Value& x, const Axes& axes, bool keepdims, Loc loc);
Value argmax(const Value& x, int axis, bool keepdims, Loc loc);
Value cumsum(const Value& x, int axis, Loc loc);
Value matmul(const Value& a, const Value& b, Loc loc);
Value gather(const Value& x, const Value& indices, Loc loc);
Value scatter_add(const Value& indices, const Value& values, int64_t size, Loc loc);
// Spectra: two planes on axis -2, real and imaginary.
Value real_planes(const Value& x, Loc loc);  // imaginary part 0
Value spectrum(const char* op, const Value& x, std::optional<int64_t> n, Loc loc);
// Time.
Value buffer(const Value& x, int64_t size, int64_t hop, int64_t period, Loc loc);
Value overlap_add(const Value& x, int64_t hop, Loc loc);
Value hold(const Value& x, int64_t period, Loc loc);
Value every(const Value& x, int64_t hop, Loc loc);
Value delay(const Value& x, float time, Loc loc);
Value delay(const Value& x, const Operand& time, int64_t max, Loc loc);
// A cell of x's shape and clock (static: frame); its handle reads it, write_cell writes it.
Value cell(const Shape& shape, int64_t period, const Operand& init, Loc loc);

// Composites, over SignalTensors.
Value softmax(const Value& x, int axis, Loc loc);
Value log_softmax(const Value& x, int axis, Loc loc);
Value logsumexp(const Value& x, const Axes& axes, bool keepdims, Loc loc);
Value norm(const Value& x, const Axes& axes, bool keepdims, Loc loc);
Value var(const Value& x, const Axes& axes, bool keepdims, Loc loc);
Value conv1d(const Value& x, const Value& kernel, const ConvOptions& options, Loc loc);
Value conv2d(const Value& x, const Value& kernel, const ConvOptions& options, Loc loc);
Value peek_row(const Value& x, const Value& index, const PeekOptions& options, Loc loc);
Value peek(const Value& x, const Value& index, const Value& channel, const PeekOptions& options, Loc loc);
Value prev(const Value& x, Loc loc);
Value accum(const Value& x, const AccumOptions& options, Loc loc);
Value latch(const Value& x, const Value& trigger, Loc loc);
Value onepole(const Value& x, const Operand& c, Loc loc);
Value interpolate(const Value& x, const InterpolateOptions& options, Loc loc);
Value biquad(const Value& x, const BiquadOptions& options, Loc loc);
Value svf(const Value& x, const SvfOptions& options, Loc loc);
Value ladder(const Value& x, const LadderOptions& options, Loc loc);
Value comb(const Value& x, const CombOptions& options, Loc loc);
Value allpass_delay(const Value& x, const AllpassDelayOptions& options, Loc loc);
Value compressor(const Value& x, const CompressorOptions& options, Loc loc);
Value convolve(const Value& x, const Value& ir, Loc loc);
Value mel(const Value& magnitudes, int n, Loc loc);
Value filter_hops(const Value& x, const Value& magnitudes, const FilterHopsOptions& options, Loc loc);

// T, named where it is still incomplete: known when a method of Self is called.
template <class Self, class T>
struct Later {
  using type = T;
};

// What stands in x[...], and the line it stands on: operators take no default arguments, converting their operand does.
struct IndexAt {
  IndexAt(int64_t i, Loc loc = Loc::here()) : i(i), loc(loc) {}
  int64_t i;
  Loc loc;
};
struct RangeAt {
  RangeAt(int64_t begin, int64_t end, Loc loc = Loc::here()) : range{begin, end}, loc(loc) {}
  RangeAt(Range range, Loc loc = Loc::here()) : range(range), loc(loc) {}
  Range range;
  Loc loc;
};

// Elementwise operators as methods, on every handle.
template <class Self>
class Elementwise {
 public:
  // clang-format off
#define DGEN_METHOD(name) \
  Self name(Loc loc = Loc::here()) const { return dgen::name(self(), loc); }
  DGEN_METHOD(abs) DGEN_METHOD(sign) DGEN_METHOD(floor) DGEN_METHOD(ceil) DGEN_METHOD(round)
  DGEN_METHOD(exp) DGEN_METHOD(log) DGEN_METHOD(log2) DGEN_METHOD(log10) DGEN_METHOD(sqrt) DGEN_METHOD(rsqrt)
  DGEN_METHOD(sin) DGEN_METHOD(cos) DGEN_METHOD(tan) DGEN_METHOD(tanh) DGEN_METHOD(sinh) DGEN_METHOD(cosh)
  DGEN_METHOD(asin) DGEN_METHOD(acos) DGEN_METHOD(atan) DGEN_METHOD(not_)
  DGEN_METHOD(relu) DGEN_METHOD(sigmoid) DGEN_METHOD(softplus) DGEN_METHOD(gelu) DGEN_METHOD(exp_sigmoid)
  DGEN_METHOD(db_to_amp) DGEN_METHOD(amp_to_db) DGEN_METHOD(hz_to_midi) DGEN_METHOD(midi_to_hz) DGEN_METHOD(detach)
#undef DGEN_METHOD
#define DGEN_METHOD(name)                                                          \
  template <Arithmetic B>                                                          \
  Promoted<Self, B> name(const B& b, Loc loc = Loc::here()) const {                \
    return dgen::name(self(), b, loc);                                             \
  }
  DGEN_METHOD(pow) DGEN_METHOD(atan2) DGEN_METHOD(min) DGEN_METHOD(max) DGEN_METHOD(mod)
  DGEN_METHOD(and_) DGEN_METHOD(or_) DGEN_METHOD(xor_) DGEN_METHOD(triangle)
#undef DGEN_METHOD
  Self leaky_relu(float slope = 0.01f, Loc loc = Loc::here()) const { return dgen::leaky_relu(self(), slope, loc); }
  // clang-format on
  template <Arithmetic L, Arithmetic H>
  Promoted<Self, L, H> clamp(const L& lo, const H& hi, Loc loc = Loc::here()) const {
    return dgen::clamp(self(), lo, hi, loc);
  }
  template <Arithmetic L, Arithmetic H>
  Promoted<Self, L, H> wrap(const L& lo, const H& hi, Loc loc = Loc::here()) const {
    return dgen::wrap(self(), lo, hi, loc);
  }
  // This value as the condition: > 0 takes a, else b.
  template <Arithmetic A, Arithmetic B>
  Promoted<Self, A, B> select(const A& a, const B& b, Loc loc = Loc::here()) const {
    return dgen::select(self(), a, b, loc);
  }
  template <Arithmetic... O>
  Promoted<Self, O...> selector(const O&... options) const;
  template <Arithmetic B, Arithmetic T>
  Promoted<Self, B, T> mix(const B& b, const T& t, Loc loc = Loc::here()) const {
    return dgen::mix(self(), b, t, loc);
  }
  template <Arithmetic A, Arithmetic B, Arithmetic C, Arithmetic D>
  Promoted<Self, A, B, C, D> scale(const A& inlo, const B& inhi, const C& outlo, const D& outhi,
                                   const ScaleOptions& options = {}, Loc loc = Loc::here()) const {
    return dgen::scale(self(), inlo, inhi, outlo, outhi, options, loc);
  }

  // A name for messages, explain() and files; for a value with state also the key of that state.
  Self named(std::string name) const {
    Self same = self();
    same.set_name(std::move(name));
    return same;
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// Shape operators, reductions, linear algebra and spectra, on Tensor and SignalTensor.
template <class Self>
class Arrays {
  using AsSignal = typename Later<Self, Signal>::type;
  using AsSignalTensor = typename Later<Self, SignalTensor>::type;

 public:
  Self reshape(const Shape& shape, Loc loc = Loc::here()) const { return of(detail::reshape(self(), shape, loc)); }
  Self permute(const Axes& axes, Loc loc = Loc::here()) const { return of(detail::permute(self(), axes, loc)); }
  // Without axes: all reversed.
  Self transpose(const Axes& axes = {}, Loc loc = Loc::here()) const {
    return of(detail::transpose(self(), axes, loc));
  }
  Self expand(const Shape& shape, Loc loc = Loc::here()) const { return of(detail::expand(self(), shape, loc)); }
  // One half-open range an axis; missing ones keep all.
  Self shrink(const std::vector<Range>& ranges, Loc loc = Loc::here()) const {
    return of(detail::shrink(self(), ranges, loc));
  }
  // Elements before and after, for each axis.
  Self pad(const std::vector<std::pair<int, int>>& pairs, float value = 0, Loc loc = Loc::here()) const {
    return of(detail::pad(self(), pairs, value, loc));
  }
  Self flip(const Axes& axes, Loc loc = Loc::here()) const { return of(detail::flip(self(), axes, loc)); }
  // The whole array counts[i] times along axis i.
  Self repeat(const std::vector<int>& counts, Loc loc = Loc::here()) const {
    return of(detail::repeat(self(), counts, loc));
  }
  Self tile(const std::vector<int>& counts, Loc loc = Loc::here()) const {
    return of(detail::repeat(self(), counts, loc));
  }
  // Without axes: every axis of size 1.
  Self squeeze(const Axes& axes = {}, Loc loc = Loc::here()) const { return of(detail::squeeze(self(), axes, loc)); }
  Self squeeze(int axis, Loc loc = Loc::here()) const { return of(detail::squeeze(self(), {axis}, loc)); }
  Self unsqueeze(int axis, Loc loc = Loc::here()) const { return of(detail::unsqueeze(self(), axis, loc)); }
  // Consecutive pieces of the given sizes, which must add up to the axis.
  std::vector<Self> split(const std::vector<int>& sizes, int axis = 0, Loc loc = Loc::here()) const;
  // Element or row i; negative i counts from the end.
  Self operator[](IndexAt at) const { return of(detail::take(self(), at.i, at.loc)); }
  Self operator[](RangeAt at) const { return of(detail::slice_axis(self(), 0, at.range, at.loc)); }
  // Windows of k over the last two axes (rank 1: the last), as new last axes.
  Self windows(int k, int stride = 1, Loc loc = Loc::here()) const {
    return of(detail::windows(self(), k, stride, loc));
  }

  // clang-format off
#define DGEN_REDUCTION(name, call)                                                                                     \
  Reduced<Self> name(Loc loc = Loc::here()) const { return as<Reduced<Self>>(call({}, false)); }                       \
  Self name(int axis, bool keepdims = false, Loc loc = Loc::here()) const { return of(call(Axes{axis}, keepdims)); }   \
  Self name(const Axes& axes, bool keepdims = false, Loc loc = Loc::here()) const { return of(call(axes, keepdims)); }
#define DGEN_CALL(axes, keepdims) detail::reduce("sum", self(), axes, keepdims, loc)
  DGEN_REDUCTION(sum, DGEN_CALL)
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::reduce("prod", self(), axes, keepdims, loc)
  DGEN_REDUCTION(prod, DGEN_CALL)  // exact gradient with zeros
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::reduce("amax", self(), axes, keepdims, loc)
  DGEN_REDUCTION(amax, DGEN_CALL)  // ties share the gradient
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::reduce("amin", self(), axes, keepdims, loc)
  DGEN_REDUCTION(amin, DGEN_CALL)
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::mean(self(), axes, keepdims, loc)
  DGEN_REDUCTION(mean, DGEN_CALL)
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::logsumexp(self(), axes, keepdims, loc)
  DGEN_REDUCTION(logsumexp, DGEN_CALL)
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::norm(self(), axes, keepdims, loc)
  DGEN_REDUCTION(norm, DGEN_CALL)  // Euclidean; gradient 0 at 0
#undef DGEN_CALL
#define DGEN_CALL(axes, keepdims) detail::var(self(), axes, keepdims, loc)
  DGEN_REDUCTION(var, DGEN_CALL)  // of the population
#undef DGEN_CALL
#undef DGEN_REDUCTION
  // clang-format on
  // Index of the first largest element; no gradient.
  Self argmax(int axis = -1, bool keepdims = false, Loc loc = Loc::here()) const {
    return of(detail::argmax(self(), axis, keepdims, loc));
  }
  Self cumsum(int axis = -1, Loc loc = Loc::here()) const { return of(detail::cumsum(self(), axis, loc)); }
  Self softmax(int axis = -1, Loc loc = Loc::here()) const { return of(detail::softmax(self(), axis, loc)); }
  Self log_softmax(int axis = -1, Loc loc = Loc::here()) const { return of(detail::log_softmax(self(), axis, loc)); }
  // The only element as a Signal; more is an Error.
  AsSignal scalar(Loc loc = Loc::here()) const { return as<AsSignal>(detail::as_scalar(self(), loc)); }

  template <Handle B>
  Promoted<Self, B> matmul(const B& b, Loc loc = Loc::here()) const {
    return as<Promoted<Self, B>>(detail::matmul(self(), b, loc));
  }
  template <Handle B>
  Promoted<Self, B> conv1d(const B& kernel, const ConvOptions& options = {}, Loc loc = Loc::here()) const {
    return as<Promoted<Self, B>>(detail::conv1d(self(), kernel, options, loc));
  }
  template <Handle B>
  Promoted<Self, B> conv2d(const B& kernel, const ConvOptions& options = {}, Loc loc = Loc::here()) const {
    return as<Promoted<Self, B>>(detail::conv2d(self(), kernel, options, loc));
  }
  // Rows by index: truncated towards 0, clamped.
  template <Handle B>
  Shaped<Promoted<Self, B>> gather(const B& indices, Loc loc = Loc::here()) const {
    return as<Shaped<Promoted<Self, B>>>(detail::gather(self(), indices, loc));
  }
  // Row floor(i) and the next one, mixed linearly; gradient to the table and to the index. A NaN index is taken as 0.
  template <Arithmetic B>
  Shaped<Promoted<Self, B>> peek_row(const B& index, const PeekOptions& options = {}, Loc loc = Loc::here()) const {
    return as<Shaped<Promoted<Self, B>>>(detail::peek_row(self(), operand(index), options, loc));
  }
  // A sample of [N, C] between rows; channel rounded down and clamped. NaN is taken as 0 in both.
  template <Arithmetic B, Arithmetic C = int>
  Promoted<Self, B, C> peek(const B& index, const C& channel = C(0), const PeekOptions& options = {},
                            Loc loc = Loc::here()) const {
    return as<Promoted<Self, B, C>>(detail::peek(self(), operand(index), operand(channel), options, loc));
  }
  // n mel bands of rfft magnitudes in the last axis; see mel() in dsp.h.
  Self mel(int n, Loc loc = Loc::here()) const { return of(detail::mel(self(), n, loc)); }
  Complex<Self> rfft(Loc loc = Loc::here()) const;
  Complex<Self> fft(Loc loc = Loc::here()) const;
  Complex<Self> ifft(Loc loc = Loc::here()) const;
  // Windows of the last axis, added where they overlap: out[n] = sum over ticks k of w_k[n - k hop], at frame clock.
  AsSignalTensor overlap_add(int hop, Loc loc = Loc::here()) const {
    return as<AsSignalTensor>(detail::overlap_add(self(), hop, loc));
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
  static Self of(Value v, const char* method = __builtin_FUNCTION()) { return as<Self>(std::move(v), method); }
};

// Time, on Signal and SignalTensor, where everything goes element by element.
template <class Self>
class Timed {
  using AsSignalTensor = typename Later<Self, SignalTensor>::type;

 public:
  // At hop(hop): the last size samples, oldest first; zeros before the start. A new last axis.
  AsSignalTensor buffer(int size, int hop = 1, Loc loc = Loc::here()) const {
    return as<AsSignalTensor>(detail::buffer(self(), size, hop, 1, loc));
  }
  AsSignalTensor frames(int size, int hop = 1, Loc loc = Loc::here()) const { return buffer(size, hop, loc); }
  // The last n ticks at the value's own clock.
  AsSignalTensor last(int n, Loc loc = Loc::here()) const {
    CallSite site(loc);
    int64_t period = std::max<int64_t>(self().clock().period, 1);
    return as<AsSignalTensor>(detail::buffer(self(), n, period, period, loc));
  }
  // At hop(hop): the value on the tick's own frame.
  Self every(int hop, Loc loc = Loc::here()) const { return of(detail::every(self(), hop, loc)); }
  // At frame clock: the value since the last tick.
  Self hold(Loc loc = Loc::here()) const { return of(detail::hold(self(), 1, loc)); }
  // From a hop clock to frame, one hop late: from the value before the last tick to the value of the last tick.
  Self interpolate(const InterpolateOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::interpolate(self(), options, loc));
  }
  // x one tick earlier; x - x.prev(); the sign of that.
  Self prev(Loc loc = Loc::here()) const { return of(detail::prev(self(), loc)); }
  Self delta(Loc loc = Loc::here()) const {
    CallSite site(loc);
    return self() - prev(loc);
  }
  Self change(Loc loc = Loc::here()) const {
    CallSite site(loc);
    return delta(loc).sign(loc);
  }
  // The sum of what came before this tick.
  Self accum(const AccumOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::accum(self(), options, loc));
  }
  // While trigger > 0 x, else the last x that passed.
  template <Arithmetic B>
  Self latch(const B& trigger, Loc loc = Loc::here()) const {
    return of(detail::latch(self(), operand(trigger), loc));
  }
  // y = (1 - c) x + c y1; c is the coefficient, not Hz.
  Self onepole(const Operand& c, Loc loc = Loc::here()) const { return of(detail::onepole(self(), c, loc)); }
  // Second-order filter: RBJ's Audio EQ Cookbook, transposed direct form II.
  Self biquad(const BiquadOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::biquad(self(), options, loc));
  }
  // Trapezoidal state-variable filter (Simper 2013).
  Self svf(const SvfOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::svf(self(), options, loc));
  }
  // Huovilainen 2004: u = tanh(drive x - 4 resonance y4'), then four times y += g (u - tanh y), u = tanh y, with
  // g = 1 - exp(-2 pi cutoff / sample_rate); y4' is the output of the frame before.
  Self ladder(const LadderOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::ladder(self(), options, loc));
  }
  // x[n - time], time in samples clamped to [0, max], linear between samples; gradients to x and to time. A NaN time is
  // taken as 0: the current sample.
  Self delay(float time, Loc loc = Loc::here()) const { return of(detail::delay(self(), time, loc)); }
  Self delay(const Operand& time, int max, Loc loc = Loc::here()) const {
    return of(detail::delay(self(), time, max, loc));
  }
  // y = x + feedback * lowpass(y[n - time])
  Self comb(const CombOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::comb(self(), options, loc));
  }
  // Schroeder's allpass: v = x + g v[n - time], y = v[n - time] - g v.
  Self allpass_delay(const AllpassDelayOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::allpass_delay(self(), options, loc));
  }
  // Giannoulis, Massberg and Reiss 2012, feed-forward: with o = 20 log10 |sidechain| - threshold_db the reduction in dB
  // is (1 - 1/ratio) k(o), k(o) = 0 below -knee_db/2, o above knee_db/2, (o + knee_db/2)^2 / (2 knee_db) between; it is
  // smoothed by a one-pole that covers 99% of a step in attack (rising) or release seconds.
  Self compressor(const CompressorOptions& options = {}, Loc loc = Loc::here()) const {
    return of(detail::compressor(self(), options, loc));
  }
  // y[n] = sum over k of ir[k] x[n - k], without latency.
  Self convolve(const Tensor& ir, Loc loc = Loc::here()) const;
  // One windowed FIR a tick, sampled from magnitudes [.., bins] in frequency, over the hop's samples (DDSP's filtered
  // noise). Its phase is linear and a block is awaited: (bins - 1) + (hop - 1) frames late. Fewer than 2 bins are an Error.
  Self filter_hops(const SignalTensor& magnitudes, const FilterHopsOptions& options = {}, Loc loc = Loc::here()) const;

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
  static Self of(Value v, const char* method = __builtin_FUNCTION()) { return as<Self>(std::move(v), method); }
};

}  // namespace detail
}  // namespace dgen
