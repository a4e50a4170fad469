#include "ir/lower.h"

namespace dgen::ir {

int ElemCtx::frame_of(int t, Clock clock) const {
  if (clock.period <= 1) return t;
  return l.add(l.mul(t, clock.period), l.arg(KernelArg::offset, clock.period));
}

// floor((frame - offset) / period) for frames down to one period before the tile.
int ElemCtx::tick_at(int frame, Clock clock) const {
  if (clock.period <= 1) return frame;
  if (clock.period == held.period && frame == held.frame) return held.tick;
  int from = l.sub(frame, l.arg(KernelArg::offset, clock.period));
  return l.sub(l.div(l.add(from, l.i(clock.period)), clock.period), l.i(1));
}

std::vector<int> ElemCtx::unravel(int linear, const Shape& shape) const {
  std::vector<int> index(static_cast<size_t>(shape.rank()));
  int rest = linear;
  for (int a = shape.rank() - 1; a >= 0; --a) {
    index[static_cast<size_t>(a)] = a == 0 ? rest : l.mod(rest, shape[a]);
    rest = l.div(rest, shape[a]);
  }
  return index;
}

int ElemCtx::ravel(const std::vector<int>& index, const Shape& shape, const RowLayout& rows) const {
  int linear = l.i(0);
  for (int a = 0; a < shape.rank(); ++a) {
    const bool row = a + 1 == shape.rank() && rows.pitch > 0;
    linear = l.add(l.mul(linear, row ? rows.pitch : shape[a]), index[static_cast<size_t>(a)]);
  }
  return l.add(linear, l.i(rows.begin));
}

}  // namespace dgen::ir
