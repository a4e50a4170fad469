// Text of a kernel's expressions: a number as the target's scalar, or a vector in C (see prelude_vector in codegen/prelude.h).
#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "codegen/render.h"

namespace dgen::codegen {

class Speller {
 public:
  Speller(const Dialect& d, const ir::Kernel& k) : d_(d), k_(k) {}

  // As an operand: a name or a constant, since every other expression has its let.
  std::string name(int e) const;
  // As an operand that is a vector; a number is then the same in all lanes.
  std::string splat(int e) const;
  // What it is computed by.
  std::string text(int e) const { return lanes(e) ? vector_text(e) : scalar_text(e); }
  std::string type(int e) const;
  bool lanes(int e) const { return expr(e).lanes; }
  // Whether lanes may be missing from now on: `there` says which are not. Of a bank's vectors all are in the arrays that have room.
  void mask(bool masked, bool bank = false) { masked_ = masked, bank_ = bank; }
  bool masked() const { return masked_; }
  // A call of a function that reads or writes a vector in an array.
  std::string access(std::string_view function, int64_t array, const std::string& arguments) const {
    const bool masked = masked_ && !(bank_ && k_.arrays[static_cast<size_t>(array)].room > 0);
    return cat(function, masked ? "_part(" : "(", arguments, masked ? cat(", there", suffix_, ")") : ")");
  }
  // From now on the names of these expressions end with a suffix; null: of none.
  void rename(const std::unordered_set<int>* expressions, std::string suffix = "") { renamed_ = expressions, suffix_ = std::move(suffix); }

 private:
  const ir::LoopExpr& expr(int e) const { return k_.exprs[static_cast<size_t>(e)]; }
  std::string scalar_text(int e) const;
  std::string vector_text(int e) const;
  std::string vector_row(const ir::LoopExpr& x) const;
  std::string vector_call(const ir::LoopExpr& x) const;
  std::string vector_load(const ir::LoopExpr& x) const;
  std::string splats(const ir::Args& args) const;
  std::string mask(int e) const;
  bool is_pair(int64_t array) const;
  // A 32-bit and a 64-bit integer are added before they are rounded; what is near zero has no second part.
  bool is_near(const ir::LoopExpr& x) const { return expr(x.args[1]).op == ir::LoopOp::iconst; }

  const Dialect& d_;
  const ir::Kernel& k_;
  const std::unordered_set<int>* renamed_ = nullptr;
  std::string suffix_;
  bool masked_ = false, bank_ = false;
};

}  // namespace dgen::codegen
