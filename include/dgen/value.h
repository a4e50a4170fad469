// Value: what every handle is, a cheap reference to an immutable node of a lazy graph. There is no global graph.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dgen/error.h"
#include "dgen/shape.h"

namespace dgen {

// Where the user called; it appears in error messages.
struct Loc {
  const char* file = nullptr;
  int line = 0;
  constexpr Loc() = default;
  template <std::same_as<const char*> File>  // {0, 1} is a pair of axes
  constexpr Loc(File file, int line) : file(file), line(line) {}
  static constexpr Loc here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};

class Value;

namespace detail {
struct Node;
struct Group;
using NodePtr = std::shared_ptr<const Node>;
using Groups = std::shared_ptr<const std::vector<std::shared_ptr<Group>>>;

// While one lives, new nodes carry this source line and messages this name: library functions show their caller's line and
// the function that the user called.
class CallSite {
 public:
  explicit CallSite(Loc loc, const char* function = __builtin_FUNCTION());
  ~CallSite();
  CallSite(const CallSite&) = delete;
  CallSite& operator=(const CallSite&) = delete;

 private:
  bool outermost_;
};

// Throws the user's mistake: "[op] what", the names of the handles that have one, the line of the call.
[[noreturn]] void raise(std::string_view op, const std::string& what, std::initializer_list<Value> handles,
                        Loc loc = {});
}  // namespace detail

using Inputs = std::vector<std::span<const float>>;

struct RealizeOptions {
  int frames = -1;              // -1: config().default_frame_count
  Inputs inputs;                // host data by channel, frames (or ticks) x elements each
  bool preserve_state = false;  // go on where the last run of an equal graph ended, at the start after one that failed
  bool per_tick = false;        // one row a tick of the value's own clock, not one a frame
  bool exact_blocks = false;    // bit-identical for every split into blocks, as every program is so far
};

enum class Reduction { mean, sum };

struct BackwardOptions {
  int frames = -1;
  Inputs inputs;
  Reduction reduction = Reduction::mean;
  bool preserve_state = false;
};

enum class Kind : uint8_t { tensor, signal, signal_tensor };

class Value {
 public:
  // When a value ticks: 0 is static (once a run), 1 frame (once a sample), h hop(h) (on frames 0, h, 2h, ...).
  struct Clock {
    int64_t period = 0;
    bool is_static() const { return period == 0; }
    bool operator==(const Clock&) const = default;
    std::string str() const;  // "static", "hop(256)", "frame"
  };

  Value() = default;  // empty: an Error in every use

  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  int64_t size() const { return shape().size(); }
  int64_t size(int axis) const;
  Clock clock() const;
  bool is_frame_varying() const { return !clock().is_static(); }
  // Learnable, or made of something learnable.
  bool requires_grad() const;
  Kind kind() const { return kind_; }
  const std::string& name() const;
  explicit operator bool() const { return node_ != nullptr; }

  // Row-major values: of a Tensor its elements, of the others one row a frame, slower values held. From fresh state
  // unless told otherwise; the end state is kept for a run of an equal graph that preserves it.
  std::vector<float> realize() const { return realize(RealizeOptions{}); }
  std::vector<float> realize(int frames) const;
  std::vector<float> realize(const RealizeOptions& options) const;
  // The same into memory of the caller, of exactly that size. On a compiled backend nothing is allocated from the third
  // call on of the same handle with as many frames and no change to config(), as long as no graph is labelled or closed.
  void realize_into(std::span<float> out, const RealizeOptions& options = {}) const;

  // Differentiates the mean (or sum) of this loss of one element over its ticks, adds to grad() of every learnable leaf
  // it depends on and returns the reduced loss.
  double backward() const { return backward(BackwardOptions{}); }
  double backward(int frames) const;
  double backward(const BackwardOptions& options) const;
  // Empties the gradient of a learnable leaf.
  void zero_grad() const;

  // New values for a constant or param, from the next run on; the shape stays.
  void assign(std::span<const float> values) const;
  void assign(const std::vector<float>& values) const { assign(std::span<const float>(values)); }
  void assign(std::initializer_list<float> values) const {
    assign(std::span<const float>(values.begin(), values.size()));
  }
  void assign(float value) const { assign(std::span<const float>(&value, 1)); }

  const detail::NodePtr& node() const { return node_; }
  const detail::Groups& groups() const { return groups_; }
  Value(detail::NodePtr node, detail::Groups groups, Kind kind = Kind::signal_tensor)
      : node_(std::move(node)), groups_(std::move(groups)), kind_(kind) {}

  void set_name(std::string name) const;  // named() of the typed handles

 protected:
  std::optional<Value> gradient() const;

  detail::NodePtr node_;
  detail::Groups groups_;
  Kind kind_ = Kind::signal_tensor;
};

// Clears the stored state of the program that realizes x.
void reset_state(const Value& x);

class Tensor;
class Signal;
class SignalTensor;

template <class T>
concept Handle = std::derived_from<T, Value>;
template <class T>
concept Number = std::is_arithmetic_v<T>;
template <class T>
concept Arithmetic = Handle<T> || Number<T>;

namespace detail {

template <class... T>
inline constexpr bool any_tensor = (std::is_same_v<T, Tensor> || ...);
template <class... T>
inline constexpr bool any_signal = (std::is_same_v<T, Signal> || ...);
template <class... T>
inline constexpr bool any_signal_tensor = (std::is_same_v<T, SignalTensor> || ...) ||
                                          (any_tensor<T...> && any_signal<T...>);
template <class... T>
struct Promote {
  using type =
      std::conditional_t<any_signal_tensor<T...>, SignalTensor, std::conditional_t<any_signal<T...>, Signal, Tensor>>;
};

Value number(double value);
template <Arithmetic T>
Value operand(const T& x) {
  if constexpr (Number<T>)
    return number(static_cast<double>(x));
  else
    return x;
}

// A handle of type T over a value; a Signal of more than one element is an Error of the function.
template <Handle T>
T as(Value v, const char* function = __builtin_FUNCTION());

}  // namespace detail

// float < Tensor < Signal < SignalTensor; Tensor with Signal is a SignalTensor.
template <class... T>
using Promoted = typename detail::Promote<T...>::type;
// What reducing all elements gives: of a Tensor a Tensor of rank 0, else a Signal.
template <class T>
using Reduced = std::conditional_t<std::is_same_v<T, Tensor>, Tensor, Signal>;
// What gains or loses axes: a Signal becomes a SignalTensor.
template <class T>
using Shaped = std::conditional_t<std::is_same_v<T, Tensor>, Tensor, SignalTensor>;

}  // namespace dgen
