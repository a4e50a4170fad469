// Linear recurrences: feedback whose cells take values that are affine in the cells, however that was written. The pass leaves
// only that in the loop; coefficients and what else is added are computed outside of it, in parallel. For single values at
// frame clock: wide banks are parallel as they are, narrow ones are split before (analysis/banks).
// Where all that is added are constant multiples of one stream, they are added up to one, and so is what else the loop gives.
//   before:  %y = add (mul %b0, %x), %s1             after:  %y = fma 1, %s1, (mul %b0, %x)
//            state_write (sub (mul %b1, %x), (mul %a1, %y))  state_write (madd %A, %s1, (mul %B, %x))    %A = -a1, %B = b1 - a1 b0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

inline constexpr size_t kMostOrder = 4;

ir::Graph isolate_recurrences(const ir::Graph& g);

// What the cells of a component take: sum over j of a[i * order + j] * read[j] + b[i]; none is 0.
struct Recurrence {
  std::vector<ir::Id> read, write;  // by cell; a cell that nobody reads has no read
  std::vector<ir::Id> a, b;
  std::vector<bool> masked;  // by element of a: a 0 there, or in the cell, hides the other factor, even one that is not finite
  size_t order() const { return write.size(); }
  // Every cell only keeps a value for a tick.
  bool is_shift() const;
};
// The recurrence of a component that isolate_recurrences has seen; nothing if it is none, or of too high an order.
std::optional<Recurrence> recurrence_of(const ir::Graph& g, const std::vector<ir::Id>& component);
// Why what segments of ticks make would not be joined as exactly as ticks, in words; "" if it would. Products of A must not grow where
// the filter does not: forms that keep several values nearly alike, a filter's last outputs, make the next ones from large numbers that
// cancel. Of two cells those are counted from each other (base/two_cells.h), others are known by a cell that does not read itself.
// Products of varying A are float32, which of more than two cells loses digits.
std::string why_in_order(const ir::Graph& g, const Recurrence& r);
// The components of feedback that have cells.
std::vector<std::vector<ir::Id>> components_with_cells(const ir::Graph& g);
// A component at frame clock that is linear in its cells and whose lanes do not read each other.
struct LinearLanes {
  int64_t lanes = 0;  // 0: it is none
  size_t order = 0;
  bool copies = true;    // nothing reads the cells for what they take
  bool varying = false;  // a coefficient is a stream
  bool own = true;       // each cell reads itself
};
LinearLanes linear_lanes(const ir::Graph& g, const std::vector<ir::Id>& component);
// What keeps the feedback of a component from being a scan, in words; "" if nothing of its own does.
std::string why_no_scan(const ir::Graph& g, const std::vector<ir::Id>& component);

}  // namespace dgen::analysis
