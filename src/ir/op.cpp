#include "ir/op.h"

#include <unordered_map>

namespace dgen::ir {

Op find_op(std::string_view name) {
  static const auto table = [] {
    std::unordered_map<std::string_view, Op> map;
    for (Op o : all_ops()) map.emplace(o->name, o);
    return map;
  }();
  auto it = table.find(name);
  return it == table.end() ? nullptr : it->second;
}

Op op(std::string_view name) {
  Op found = find_op(name);
  if (!found) throw InternalError(cat("no operator '", name, "'"));
  return found;
}

Type infer_type(Op op, std::span<const Type> in, const Attrs& attrs, std::string_view name) {
  int n = static_cast<int>(in.size());
  if (n < op->min_inputs || (op->max_inputs >= 0 && n > op->max_inputs))
    throw InternalError(cat("[", op->name, "] takes ", op->min_inputs, " inputs, got ", n));
  try {
    return op->infer(in, attrs);
  } catch (const Error& e) {
    throw Error(cat("[", name.empty() ? op->name : name, "] ", e.what()));
  }
}

}  // namespace dgen::ir
