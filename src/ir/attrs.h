// Attrs: an operator's named compile-time options, in the order they were given.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"

namespace dgen::ir {

using Ints = std::vector<int64_t>;
using Attr = std::variant<int64_t, double, Ints, std::string>;

class Attrs {
 public:
  // Names are string literals (or interned by the parser): they outlive every graph.
  struct Item {
    std::string_view name;
    Attr value;
    bool operator==(const Item&) const = default;
  };
  Attrs() = default;
  Attrs(std::initializer_list<Item> items) : items_(items) {}

  const std::vector<Item>& items() const { return items_; }
  bool operator==(const Attrs&) const = default;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  int64_t i(std::string_view name) const { return get<int64_t>(name); }
  int64_t i(std::string_view name, int64_t otherwise) const { return has(name) ? i(name) : otherwise; }
  double f(std::string_view name) const { return get<double>(name); }
  const Ints& ints(std::string_view name) const { return get<Ints>(name); }
  const std::string& str(std::string_view name) const { return get<std::string>(name); }
  Attrs& set(std::string_view name, Attr value) {
    for (auto& item : items_)
      if (item.name == name) return item.value = std::move(value), *this;
    items_.push_back({name, std::move(value)});
    return *this;
  }

 private:
  const Attr* find(std::string_view name) const {
    for (auto& item : items_)
      if (item.name == name) return &item.value;
    return nullptr;
  }
  template <class T>
  const T& get(std::string_view name) const {
    const Attr* attr = find(name);
    if (!attr || !std::holds_alternative<T>(*attr)) throw InternalError(cat("attribute '", name, "' is missing or of another type"));
    return std::get<T>(*attr);
  }
  std::vector<Item> items_;
};

}  // namespace dgen::ir
