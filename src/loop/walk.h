// Visits of a kernel's statements and expressions.
#pragma once
#include <vector>

#include "ir/loop.h"

namespace dgen::loop {

inline bool is_number(const ir::Kernel& k, int e) { return k.exprs[static_cast<size_t>(e)].op == ir::LoopOp::iconst; }
inline int64_t number_of(const ir::Kernel& k, int e) { return k.exprs[static_cast<size_t>(e)].i; }

// Calls f(statement) for every one of a list and those inside it.
template <class F>
void for_statements(const std::vector<ir::Stmt>& body, const F& f) {
  for (auto& s : body) f(s), for_statements(s.body, f), for_statements(s.rest, f);
}

// Calls f(array) for every access of a statement itself, not of those inside it; likewise below.
template <class F>
void for_accesses(const ir::Kernel& k, const ir::Stmt& s, const F& f) {
  if (s.kind == ir::Stmt::let) {
    const ir::LoopExpr& x = k.exprs[static_cast<size_t>(s.value)];
    if (x.op == ir::LoopOp::load || x.op == ir::LoopOp::gather || x.op == ir::LoopOp::clamped) f(static_cast<int>(x.i));
  }
  if (s.array >= 0) f(s.array);
  for (auto [array, index] : s.pointers) f(array);
}

// Calls f(expression) for every one that it reads.
template <class F>
void for_reads(const ir::Kernel& k, const ir::Stmt& s, const F& f) {
  if (s.kind == ir::Stmt::let && s.array < 0)
    for (int e : k.exprs[static_cast<size_t>(s.value)].args) f(e);
  for (int e : {s.lo, s.hi, s.index, s.kind == ir::Stmt::let ? -1 : s.value, s.factor})
    if (e >= 0) f(e);
  for (auto [array, index] : s.pointers)
    if (index >= 0) f(index);
  for (int e : s.numbers) f(e);
  for (int e : s.extents) f(e);
  for (auto& c : s.carried) f(c.first), f(c.next);
}

// Likewise, with the statements inside it.
template <class F>
void for_all_reads(const ir::Kernel& k, const ir::Stmt& s, const F& f) {
  for_reads(k, s, f);
  for (auto* body : {&s.body, &s.rest})
    for (auto& inner : *body) for_all_reads(k, inner, f);
}

// Calls f(expression) for every one that has a value from there on, or inside it.
template <class F>
void for_defined(const ir::Stmt& s, const F& f) {
  const bool loop = s.kind == ir::Stmt::loop;
  if (s.kind == ir::Stmt::let) f(s.value);
  if (loop || s.kind == ir::Stmt::reduce) f(s.var);
  if (loop && !s.rest.empty()) f(s.rest_var);
  for (int e : s.vars) f(e);
  for (auto& c : s.carried) f(c.var);
}

}  // namespace dgen::loop
