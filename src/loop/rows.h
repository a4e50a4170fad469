// Rows that the lanes of a vector loop have in memory, as in a[64 * t + e] with ticks t as lanes: read and written element by
// element they are strided; turned into vectors at once, before and after the loop's body, they are not.
//
//   a[64 t + e], e in [0, 33), and a[64 t + e + 33]        row at 64 t, 66 elements, 64 from lane to lane
#pragma once
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "ir/loop.h"

namespace dgen::loop {

// An index as a sum of expressions times numbers, and a number.
struct IndexSum {
  std::map<int, int64_t> terms;
  int64_t constant = 0;
};
IndexSum index_sum(const ir::Kernel& k, int index);

// What an integer made of variables whose ranges are known may be, both ends included.
struct Range {
  int64_t least = 0, most = 0;
};
std::optional<Range> range_of(const ir::Kernel& k, int e);
std::optional<Range> range_of(const ir::Kernel& k, const IndexSum& sum);

struct Row {
  int64_t stride = 0;             // from lane to lane
  int64_t first = 0, size = 0;    // elements, counted from the base
  std::map<int, int64_t> base;    // the base: sum of expressions times numbers, the loop's variable among them
  bool load = false, store = false;
};

// An access at index, or at span elements from there.
struct RowAccess {
  int index = -1;
  bool store = false;
  int64_t stride = 0, span = 1;
};

// The row that all accesses to one array, in order, make up; none if it is not dense, differs in place from access to access,
// or is read before it is written. inside: what is computed in the loop.
std::optional<Row> row_of(const ir::Kernel& k, const std::vector<RowAccess>& accesses, int loop_var, const std::unordered_set<int>& inside);

}  // namespace dgen::loop
