// The operator table's parts, one function a file of this folder. Helpers that several families use stand here too.
#pragma once
#include <algorithm>

#include "ir/eval.h"
#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "ir/vjp.h"

namespace dgen::ops {

using namespace ir;

std::span<const OpDef> scalar_ops();    // scalar.cpp, from ops.def
std::span<const OpDef> leaf_ops();      // leaf.cpp
std::span<const OpDef> view_ops();      // view.cpp
std::span<const OpDef> reduce_ops();    // reduce.cpp
std::span<const OpDef> linear_ops();    // linear.cpp: matmul
std::span<const OpDef> index_ops();     // index.cpp: gather, scatter_add
std::span<const OpDef> spectral_ops();  // spectral.cpp: FFTs
std::span<const OpDef> window_ops();    // window.cpp: buffer, overlap_add
std::span<const OpDef> clock_ops();     // clock.cpp: hold, decimate and their transposes, sums over time
std::span<const OpDef> state_ops();     // state.cpp: cells
std::span<const OpDef> delay_ops();     // delay.cpp
std::span<const OpDef> phasor_ops();    // phasor.cpp
std::span<const OpDef> effect_ops();    // effect.cpp: assign
std::span<const OpDef> grad_ops();      // grad.cpp

using Uses = std::vector<Use>;

// The usual clock rule: the fastest of the inputs.
inline Clock meet_all(std::span<const Type> in) {
  Clock clock;
  for (auto& type : in) clock = meet(clock, type.clock);
  return clock;
}

// An axis given from either end, checked.
inline int norm_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) fail("axis ", axis, " is out of range for rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// The same for an axis attribute that infer has checked.
inline size_t axis_of(const Attrs& attrs, const Shape& shape) {
  return static_cast<size_t>(norm_axis(attrs.i("axis"), shape.rank()));
}

// A period in frames; 0 is static where that is allowed.
inline int64_t period_attr(const Attrs& attrs, std::string_view name, int64_t least = 1) {
  int64_t period = attrs.i(name);
  if (period < least) fail(name, " must be at least ", least, ", got ", period);
  return period;
}
inline int64_t period_or_frame(const Attrs& attrs) { return attrs.has("period") ? period_attr(attrs, "period") : 1; }

inline Shape shape_attr(const Attrs& attrs) { return Shape(attrs.ints("shape")); }

// Row-major strides, in elements.
inline Ints strides_of(const Shape& shape) {
  Ints strides(static_cast<size_t>(shape.rank()), 1);
  for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[static_cast<int>(i)];
  return strides;
}

inline int64_t offset_of(const Ints& index, const Ints& strides) {
  int64_t at = 0;
  for (size_t i = 0; i < index.size(); ++i) at += index[i] * strides[i];
  return at;
}

// Calls f(element number, index) for every element of a shape, in row-major order.
template <class F>
void each_index(const Shape& shape, F f) {
  Ints index(static_cast<size_t>(shape.rank()), 0);
  for (int64_t n = 0, size = shape.size(); n < size; ++n) {
    f(n, index);
    for (size_t i = index.size(); i-- > 0;) {
      if (++index[i] < shape[static_cast<int>(i)]) break;
      index[i] = 0;
    }
  }
}

}  // namespace dgen::ops
