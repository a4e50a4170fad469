// Tensor, Signal and SignalTensor: the three handles, how they are made and what is made of them.
#pragma once
#include <array>
#include <utility>

#include "dgen/methods.h"

namespace dgen {

// An n-dimensional array of float32 that is computed once a run.
class Tensor : public Value, public detail::Elementwise<Tensor>, public detail::Arrays<Tensor> {
 public:
  static constexpr Kind tag = Kind::tensor;

  Tensor() = default;
  explicit Tensor(detail::Wrap, Value v) : Value(std::move(v)) { kind_ = tag; }
  // Braces decide the rank: Tensor({1, 2}) is (2), Tensor({{1}, {2}}) is (2,1).
  template <Number T>
  Tensor(std::initializer_list<T> values, bool requires_grad = false, Loc loc = Loc::here())
      : Tensor(std::vector<float>(values.begin(), values.end()), requires_grad, loc) {}
  Tensor(std::initializer_list<std::initializer_list<float>> rows, bool requires_grad = false, Loc loc = Loc::here());
  Tensor(std::vector<float> values, bool requires_grad = false, Loc loc = Loc::here());
  Tensor(std::vector<float> values, const Shape& shape, bool requires_grad = false, Loc loc = Loc::here());

  static Tensor zeros(const Shape& shape, bool requires_grad = false, Loc loc = Loc::here());
  static Tensor ones(const Shape& shape, bool requires_grad = false, Loc loc = Loc::here());
  static Tensor full(const Shape& shape, float value, bool requires_grad = false, Loc loc = Loc::here());
  // Normal with mean 0, by Box and Muller's method from a counter.
  static Tensor randn(const Shape& shape, const RandnOptions& options, bool requires_grad = false,
                      Loc loc = Loc::here());
  static Tensor randn(const Shape& shape, bool requires_grad = false, Loc loc = Loc::here());
  static Tensor arange(int64_t n, bool requires_grad = false, Loc loc = Loc::here());
  static Tensor linspace(float first, float last, int64_t n, bool requires_grad = false, Loc loc = Loc::here());
  static Tensor eye(int64_t n, bool requires_grad = false, Loc loc = Loc::here());

  // Learnable.
  template <Number T>
  static Tensor param(std::initializer_list<T> values, Loc loc = Loc::here()) {
    return Tensor(values, true, loc);
  }
  static Tensor param(std::initializer_list<std::initializer_list<float>> rows, Loc loc = Loc::here()) {
    return Tensor(rows, true, loc);
  }
  static Tensor param(std::vector<float> values, Loc loc = Loc::here()) { return Tensor(std::move(values), true, loc); }
  static Tensor param(std::vector<float> values, const Shape& shape, Loc loc = Loc::here()) {
    return Tensor(std::move(values), shape, true, loc);
  }
  // Of a Shape, never of braces, which are data.
  template <std::same_as<Shape> S>
  static Tensor param(const S& shape, const RandnOptions& options = {}, Loc loc = Loc::here()) {
    return randn(shape, options, true, loc);
  }

  // The total gradient of a learnable tensor as a constant; none before backward().
  std::optional<Tensor> grad() const;
};

struct SignalHistory;

// One float, once a frame, once a hop or static.
class Signal : public Value, public detail::Elementwise<Signal>, public detail::Timed<Signal> {
 public:
  static constexpr Kind tag = Kind::signal;

  Signal() = default;
  explicit Signal(detail::Wrap, Value v, const char* function = "signal");
  explicit Signal(float value, bool requires_grad = false, Loc loc = Loc::here());

  static Signal constant(float value, Loc loc = Loc::here()) { return Signal(value, false, loc); }
  static Signal param(float value, const ParamOptions& bounds = {}, Loc loc = Loc::here());
  // Host data of a channel, one value a frame.
  static Signal input(int channel, Loc loc = Loc::here());

  // A ramp in [0, 1) at freq Hz that starts at 0, output before the update; a tensor of frequencies is a bank.
  static Signal phasor(float freq, const PhasorOptions& options = {}, Loc loc = Loc::here());
  static Signal phasor(const Signal& freq, const PhasorOptions& options = {}, Loc loc = Loc::here());
  static SignalTensor phasor(const Tensor& freq, const PhasorOptions& options = {}, Loc loc = Loc::here());
  static SignalTensor phasor(const SignalTensor& freq, const PhasorOptions& options = {}, Loc loc = Loc::here());
  // Uniform in [-1, 1): a hash of seed, element and tick.
  static Signal noise(const NoiseOptions& options = {}, Loc loc = Loc::here());
  // 1 at frame 0 of the stream, else 0.
  static Signal click(Loc loc = Loc::here());
  // A feedback cell: prev is what was written one tick ago, write(v) stores v and returns it.
  static SignalHistory history(const HistoryOptions& options = {}, Loc loc = Loc::here());
  // Running sum of a constant increment; see the method of the same name.
  static Signal accum(float increment, const AccumOptions& options = {}, Loc loc = Loc::here());
  using detail::Timed<Signal>::accum;
  static Signal accum(const Signal& increment, const AccumOptions& options = {}, Loc loc = Loc::here());

  // A Signal reduces to itself.
  Signal sum() const { return *this; }
  Signal mean() const { return *this; }
  Signal scalar() const { return *this; }
  SignalTensor reshape(const Shape& shape, Loc loc = Loc::here()) const;
  SignalTensor expand(const Shape& shape, Loc loc = Loc::here()) const;
  std::optional<Signal> grad() const;
};

struct SignalTensorHistory;

// An n-dimensional array, once a frame, once a hop or static.
class SignalTensor : public Value,
                     public detail::Elementwise<SignalTensor>,
                     public detail::Arrays<SignalTensor>,
                     public detail::Timed<SignalTensor> {
 public:
  static constexpr Kind tag = Kind::signal_tensor;

  SignalTensor() = default;
  explicit SignalTensor(detail::Wrap, Value v) : Value(std::move(v)) { kind_ = tag; }
  SignalTensor(const Tensor& x) : SignalTensor(detail::Wrap{}, x) {}
  SignalTensor(const Signal& x) : SignalTensor(detail::Wrap{}, x) {}
  // One element; more is an Error.
  operator Signal() const;

  // Host data of a channel: shape elements a frame, or a tick of hop.
  static SignalTensor input(int channel, const Shape& shape, const InputOptions& options = {}, Loc loc = Loc::here());
  // Uniform in [-1, 1), every element of its own.
  static SignalTensor noise(const Shape& shape, const NoiseOptions& options = {}, Loc loc = Loc::here());
  // A feedback cell of a shape; see Signal::history.
  static SignalTensorHistory history(const Shape& shape, const HistoryOptions& options = {}, Loc loc = Loc::here());
  std::optional<SignalTensor> grad() const;
};

// Stores a value in a feedback cell and returns it. A second write of one cell, or another shape, is an Error.
class SignalWrite {
 public:
  explicit SignalWrite(Value cell) : cell_(std::move(cell)) {}
  template <Arithmetic T>
  requires(std::is_same_v<T, Signal> || std::is_same_v<T, SignalTensor> || Number<T>) Signal operator()(
      const T& v, Loc loc = Loc::here()) const;

 private:
  Value cell_;
};

class SignalTensorWrite {
 public:
  explicit SignalTensorWrite(Value cell) : cell_(std::move(cell)) {}
  template <Arithmetic T>
  SignalTensor operator()(const T& v, Loc loc = Loc::here()) const;

 private:
  Value cell_;
};

inline SignalTensor::operator Signal() const { return scalar(Loc{}); }

struct SignalHistory {
  Signal prev;
  SignalWrite write;
};

struct SignalTensorHistory {
  SignalTensor prev;
  SignalTensorWrite write;
};

namespace detail {
Value write_cell(const Value& read, const Value& v, Loc loc);
}  // namespace detail

// Number of the frame in the stream, exact to 2^24; and samples a second. Both are known when a program runs.
Signal frame_index(Loc loc = Loc::here());
Signal sample_rate(Loc loc = Loc::here());

namespace detail {
template <Handle T>
T as(Value v, const char* function) {
  if constexpr (std::is_same_v<T, Signal>) return Signal(Wrap{}, std::move(v), function);
  else return T(Wrap{}, std::move(v));
}
}  // namespace detail

template <Arithmetic T>
requires(std::is_same_v<T, Signal> || std::is_same_v<T, SignalTensor> ||
         Number<T>) Signal SignalWrite::operator()(const T& v, Loc loc) const {
  return Signal(detail::Wrap{}, detail::write_cell(cell_, detail::operand(v), loc));
}

template <Arithmetic T>
SignalTensor SignalTensorWrite::operator()(const T& v, Loc loc) const {
  return SignalTensor(detail::Wrap{}, detail::write_cell(cell_, detail::operand(v), loc));
}

}  // namespace dgen

#include "dgen/operators.h"
