// ElemCtx, StmtCtx: how an operator becomes loops.
#pragma once
#include "ir/loop.h"
#include "ir/op.h"

namespace dgen::ir {

// Where the rows of a value lie in memory, those of its last axis: the first at begin, each pitch after the one before.
struct RowLayout {
  int64_t begin = 0, pitch = 0;  // 0: one right after the other
};

// An operator's element at (tick, idx) as an expression over elements of its inputs. It may also open reduce loops.
struct ElemCtx {
  LoopBuilder& l;
  const Graph& graph;
  const Node& node;
  Id id;
  int tick;               // expression: the node's own tick, relative to the tile's first (0 if static)
  std::vector<int> idx;   // one expression an axis

  // In a loop over the frames of one tick of a slower clock: that tick, as long as frame is the one asked for.
  struct Held {
    int64_t period = 0;
    int frame = -1, tick = -1;
  } held;

  // Element of input i at tick t of its own clock. The scheduler has seen to it that inputs read at other ticks are stored.
  std::function<int(int i, int t, std::vector<int> idx)> at;

  int in(int i, std::vector<int> index) const { return at(i, input(i).clock().is_static() ? l.i(0) : tick, std::move(index)); }
  int in(int i) const { return in(i, idx); }
  const Node& input(int i) const { return graph[node.in[static_cast<size_t>(i)]]; }
  const Shape& shape() const { return node.shape(); }
  const Attrs& attrs() const { return node.attrs; }

  // Tick t of a clock as a frame relative to the tile's first frame.
  int frame_of(int t, Clock clock) const;
  // The newest tick of a clock at or before that frame; -1 is the last tick before the tile.
  int tick_at(int frame, Clock clock) const;
  // Splits a row-major element number into indices of a shape, and back.
  std::vector<int> unravel(int linear, const Shape& shape) const;
  int ravel(const std::vector<int>& index, const Shape& shape, const RowLayout& rows = {}) const;
};

// An operator that fills its whole value at once (FFT, matmul): out[base + element].
struct StmtCtx : ElemCtx {
  int out = -1;   // array
  int base = -1;  // expression: index of element 0 at this tick
  RowLayout rows;     // of out, for an operator of pieces
  bool onto = false;  // add to what out holds instead of setting it (scatter_add under a sum over time)
  // Input i at this tick as an array and the index of its element 0: its storage, or a local copy made here.
  std::function<std::pair<int, int>(int i)> array_of;
  // The same of a matrix, which may lie there transposed.
  struct Matrix {
    std::pair<int, int> at;
    bool transposed;
  };
  std::function<Matrix(int i)> matrix_of;
};

// Is a product with this right matrix a call, instead of loops that join those around them?
inline bool is_large_product(const Shape& right) { return right[right.rank() - 2] * right.back() >= 4096; }
inline constexpr int64_t kSineGroup = 128;  // ticks of a table of sines (schedule/sines.h)
inline constexpr int64_t kPanel = 32;  // columns of a panel (schedule/panels.h); dg_matmul knows it as DG_PANEL

}  // namespace dgen::ir
