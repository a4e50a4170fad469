// The composed operators of the public API as a table: how each is built from learnable arguments at a clock.
#pragma once
#include <dgen/dgen.h>

#include <functional>
#include <string>
#include <vector>

namespace dgen::test {

// What the arguments of a composite are: a number once a run, once every four frames, once a frame, three of them a frame.
enum Clock { fixed, hop, frame, bank, kClocks };
constexpr int kHop = 4;
constexpr int kShort = 32, kLong = 132;  // frames

// Makes the arguments of one composite at one clock; every one is learnable on its own and, unless fixed, varies in time.
class Bench {
 public:
  // Each set has other values.
  Bench(std::string name, Clock clock, uint64_t set) : clock(clock), name_(std::move(name)), made_(1000 * set) {}

  // A signal around 0, of a shape for each voice of a bank.
  SignalTensor signal(const Shape& shape = {});
  // An option within a range.
  SignalTensor knob(float lo, float hi, const Shape& shape = {});
  // 1 or 0, without gradient; a trigger steps once a frame where the others are static.
  SignalTensor gate(const Shape& shape);
  SignalTensor trigger();
  // Uniform in [-1, 1) at a clock, static for period 0, without gradient.
  SignalTensor noise(const Shape& shape, int64_t period);
  // Static whatever the clock.
  Tensor weights(const Shape& shape, float lo = -1, float hi = 1);
  RecurrentWeights named(RecurrentWeights weights);

  const Clock clock;

 private:
  Shape in_bank(const Shape& shape) const;
  int period() const { return clock == fixed ? 0 : clock == hop ? kHop : 1; }

  std::string name_;
  uint64_t made_;
};

struct Composite {
  const char* name;
  std::function<Value(Bench&)> make;
  // Clocks that mean nothing to it, and why.
  std::vector<Clock> without = {};
  const char* reason = "";
  int frames = kShort;

  bool has(Clock clock) const;
};

// Those of one shape and those of arrays.
std::vector<Composite> sound_composites();
std::vector<Composite> array_composites();

}  // namespace dgen::test
