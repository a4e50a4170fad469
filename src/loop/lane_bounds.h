// Which of a kernel's shared lanes a call does, as bounds of statements.
#pragma once
#include <map>
#include <utility>
#include <vector>

#include "loop/edit.h"

namespace dgen::loop {

// Gives the kernel two more numbers, groups of lanes [lane_lo, lane_hi). Lanes that fill no group go with the last one: it ends beyond
// them.
class LaneBounds : Edit {
 public:
  explicit LaneBounds(ir::Kernel& k) : Edit(k), first_(argument(ir::KernelArg::lane_lo)), end_(argument(ir::KernelArg::lane_hi)) {}

  int first() const { return first_; }

  // Of a statement with so many iterations, rows or columns a lane.
  std::pair<int, int> of(int64_t share) {
    auto [found, fresh] = bounds_.insert({share, {}});
    if (fresh) {
      const int group = number(k_.lane_group * share);
      found->second.first = integer(ir::LoopOp::imul, first_, group, lets);
      found->second.second = integer(ir::LoopOp::imin, integer(ir::LoopOp::imul, end_, group, lets), number(k_.lanes * share), lets);
    }
    return found->second;
  }

  int argument(ir::KernelArg::Kind kind) {
    k_.args.push_back({kind});
    return add({ir::LoopOp::arg, ir::LoopType::i64, {}, static_cast<int64_t>(k_.args.size()) - 1});
  }
  int integer(ir::LoopOp op, int a, int b, std::vector<ir::Stmt>& into) { return let({op, ir::LoopType::i64, {a, b}}, into); }
  using Edit::number;

  std::vector<ir::Stmt> lets;  // what the kernel has to begin with

 private:
  int first_, end_;
  std::map<int64_t, std::pair<int, int>> bounds_;  // by share
};

}  // namespace dgen::loop
