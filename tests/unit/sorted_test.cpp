#include "base/sorted.h"

#include <gtest/gtest.h>

namespace dgen {
namespace {

TEST(Sorted, TakesEachValueOnce) {
  std::vector<int> sorted;
  for (int value : {5, 1, 9, 3}) EXPECT_TRUE(insert_sorted(sorted, value));
  for (int value : {9, 5, 3, 1}) EXPECT_FALSE(insert_sorted(sorted, value));
  EXPECT_EQ(sorted, (std::vector<int>{1, 3, 5, 9}));
}

}  // namespace
}  // namespace dgen
