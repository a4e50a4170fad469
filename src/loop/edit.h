// What passes over a kernel's statements write new ones with.
#pragma once
#include <utility>
#include <vector>

#include "ir/loop.h"

namespace dgen::loop {

class Edit {
 public:
  explicit Edit(ir::Kernel& k) : k_(k) {}

 protected:
  const ir::LoopExpr& expr(int e) const { return k_.exprs[static_cast<size_t>(e)]; }
  int add(ir::LoopExpr e) {
    k_.exprs.push_back(std::move(e));
    return static_cast<int>(k_.exprs.size()) - 1;
  }
  int let(ir::LoopExpr e, std::vector<ir::Stmt>& into) {
    const int value = add(std::move(e));
    into.push_back({ir::Stmt::let});
    into.back().value = value;
    return value;
  }
  int number(int64_t value) { return add({ir::LoopOp::iconst, ir::LoopType::i64, {}, value}); }
  // A new variable of integers in [lo, hi), or of anything.
  int variable(ir::LoopExpr e, int64_t lo = 0, int64_t hi = -1) {
    e.op = ir::LoopOp::var, e.i = k_.vars++;
    k_.var_range.push_back({lo, hi});
    return add(std::move(e));
  }
  int copy_variable(int old) {
    const auto [lo, hi] = k_.var_range[static_cast<size_t>(expr(old).i)];
    return variable(expr(old), lo, hi);
  }

  ir::Kernel& k_;
};

}  // namespace dgen::loop
