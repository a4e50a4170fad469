// What has been tried of every operator: value and gradient, at every kind of clock, on every backend; and why not.
#pragma once
#include <array>
#include <map>
#include <string>

#include "driver/driver.h"
#include "ir/op.h"

namespace dgen::test {

class Coverage {
 public:
  // A value of an operator agreed; so did its gradient, which has_slope if it is not zero for all inputs.
  void value(driver::Backend backend, ir::Op op, const ir::Type& type);
  void gradient(driver::Backend backend, ir::Op op, const ir::Type& type, bool has_slope);
  // A program agreed: operators without uses of their own are tried as its parts.
  void add_parts(driver::Backend backend, const ir::Graph& program);
  void add(const Coverage& other);

  // Empty cells without a reason, and reasons without an empty cell, a line each.
  std::string unexplained() const;
  // The page in Markdown.
  std::string page() const;

 private:
  // Static, at a hop, once a frame, once a frame for several elements.
  enum Column { fixed, hop, frame, bank, kColumns };
  using Marks = std::array<char, kColumns>;  // 0 where nothing was tried
  struct Row {
    Marks value{}, gradient{};
  };
  static void mark(Marks& marks, const ir::Type& type, char symbol);
  static bool has_gap(const Row& row);
  Row row(driver::Backend backend, ir::Op op) const;

  std::map<std::pair<driver::Backend, std::string_view>, Row> rows_;
};

}  // namespace dgen::test
