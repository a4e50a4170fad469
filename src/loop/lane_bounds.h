// Which of a kernel's shared lanes a call does, as bounds of statements.
#pragma once
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "loop/edit.h"

namespace dgen::loop {

// Gives the kernel two more numbers: groups of lanes, or lanes of a kernel whose threads meet, [lane_lo, lane_hi).
class LaneBounds : Edit {
 public:
  explicit LaneBounds(ir::Kernel& k) : Edit(k), first_(argument(ir::KernelArg::lane_lo)), end_(argument(ir::KernelArg::lane_hi)) {}

  // Of a statement with so many iterations or rows a lane. Lanes that fill no group go with the last one: it ends beyond them.
  std::pair<int, int> of(int64_t share) {
    const int group = number(k_.lane_group * share), all = number(k_.lanes * share);
    return once({share, 0, 0}, [&] {
      const int first = integer(ir::LoopOp::imul, first_, group, lets), beyond = integer(ir::LoopOp::imul, end_, group, lets);
      return std::pair(first, integer(ir::LoopOp::imin, beyond, all, lets));
    });
  }
  // Of so many units of `unit` iterations or columns from `from` on, as evenly as they go among the kernel's lanes.
  std::pair<int, int> of_units(int64_t from, int64_t units, int64_t unit) {
    return once({units, unit, from}, [&] {
      const int lanes = number(k_.lanes);
      auto bound = [&](int lane) {
        const int at = integer(ir::LoopOp::idiv, integer(ir::LoopOp::imul, lane, number(units), lets), lanes, lets);
        const int scaled = unit == 1 ? at : integer(ir::LoopOp::imul, at, number(unit), lets);
        return from == 0 ? scaled : integer(ir::LoopOp::iadd, scaled, number(from), lets);
      };
      const int first = bound(first_);
      return std::pair(first, bound(end_));
    });
  }

  int argument(ir::KernelArg::Kind kind) {
    k_.args.push_back({kind});
    return add({ir::LoopOp::arg, ir::LoopType::i64, {}, static_cast<int64_t>(k_.args.size()) - 1});
  }
  int integer(ir::LoopOp op, int a, int b, std::vector<ir::Stmt>& into) { return let({op, ir::LoopType::i64, {a, b}}, into); }
  using Edit::number;

  std::vector<ir::Stmt> lets;  // what the kernel has to begin with

 private:
  template <class Make>
  std::pair<int, int> once(std::array<int64_t, 3> key, const Make& make) {
    const auto found = bounds_.find(key);
    return found != bounds_.end() ? found->second : bounds_[key] = make();
  }

  int first_, end_;
  std::map<std::array<int64_t, 3>, std::pair<int, int>> bounds_;
};

}  // namespace dgen::loop
