// Clock: when a value ticks. Static values tick once a run, hop(h) values on frames 0, h, 2h, ..., frame values always.
#pragma once
#include <cstdint>
#include <numeric>
#include <string>

namespace dgen::ir {

// period 0 is static, 1 is frame, h > 1 is hop(h), so two clocks meet at the gcd of their periods.
// A reverse clock visits the same ticks in descending order, under their forward index.
struct Clock {
  int64_t period = 0;
  bool reverse = false;

  bool is_static() const { return period == 0; }
  bool operator==(const Clock&) const = default;
  std::string str() const {
    std::string text = period == 0 ? "static" : period == 1 ? "frame" : "hop(" + std::to_string(period) + ")";
    return reverse ? text + "'" : text;
  }
};

inline constexpr Clock static_clock{0, false};
inline constexpr Clock frame_clock{1, false};

// The clock of a stateless operator: the fastest among its inputs, in reverse if any of them is.
inline Clock meet(Clock a, Clock b) { return {std::gcd(a.period, b.period), a.reverse || b.reverse}; }
inline Clock reversed(Clock c) { return {c.period, !c.is_static() && !c.reverse}; }
// Ticks of a clock in frames [0, n).
inline int64_t ticks_before(int64_t period, int64_t n) { return period == 0 ? 1 : (n + period - 1) / period; }

}  // namespace dgen::ir
