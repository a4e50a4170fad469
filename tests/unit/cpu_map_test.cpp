// What a CPU's kernel keeps where.
#include "loop/cpu_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dgen::loop {
namespace {

using ir::ArrayRef;
using ir::LoopType;

// Arrays of all element types that a stack has no room for: each has memory of its own, and all of them end within the call's.
TEST(CpuMap, LargeLocalsLieApart) {
  ir::Kernel kernel;
  for (const LoopType type : {LoopType::f32, LoopType::u64, LoopType::f64})
    for (const bool lanes : {false, true})
      if (type != LoopType::f64 || !lanes)
        kernel.arrays.push_back({.kind = ArrayRef::local, .size = (1 << 17) + 3, .type = type, .written = true, .lanes = lanes});
  kernel.arrays.push_back({.kind = ArrayRef::local, .size = 100});
  const ir::Kernel mapped = map_to_cpu(kernel, true, false).whole;
  std::vector<std::pair<int64_t, int64_t>> floats;
  for (const ArrayRef& a : mapped.arrays) {
    const int64_t size = a.size * (a.lanes ? 16 : 1) * (a.type == LoopType::f32 ? 1 : 2);
    EXPECT_EQ(a.home, a.size == 100 ? ArrayRef::memory : ArrayRef::scratch);
    EXPECT_EQ(a.at % 16, 0) << "a cache line";
    if (a.home == ArrayRef::scratch) floats.push_back({a.at, a.at + size});
  }
  std::ranges::sort(floats);
  for (size_t i = 0; i + 1 < floats.size(); ++i) EXPECT_LE(floats[i].second, floats[i + 1].first);
  EXPECT_LE(floats.back().second, mapped.scratch);
}

}  // namespace
}  // namespace dgen::loop
