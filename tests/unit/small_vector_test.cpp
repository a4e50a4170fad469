#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/blocks.h"
#include "base/small_vector.h"

namespace dgen {
namespace {

using Small = SmallVector<int, 4>;

std::vector<int> values(const Small& v) { return {v.begin(), v.end()}; }

TEST(SmallVector, HoldsFewAndMany) {
  Small v;
  std::vector<int> want;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(values(v), want);
    v.push_back(i), want.push_back(i);
    EXPECT_EQ(v.back(), i);
  }
  EXPECT_EQ(v.size(), 100u);
  EXPECT_EQ(values(Small(want)), want);
}

TEST(SmallVector, CopiesAndMoves) {
  for (size_t size : {0u, 3u, 4u, 5u, 9u})
    for (size_t other : {0u, 2u, 7u}) {
      const Small v(size, 7);
      Small copy(v), target(other, 1);
      target = copy;
      EXPECT_TRUE(target == v && copy == v);
      Small& same = target;
      target = same;
      EXPECT_TRUE(target == v);
      const Small moved = std::move(copy);
      EXPECT_TRUE(moved == v && copy.empty());
      copy.push_back(3);
      EXPECT_EQ(values(copy), std::vector<int>{3});
      target = std::move(copy);
      EXPECT_EQ(values(target), std::vector<int>{3});
    }
}

TEST(SmallVector, ComparesElements) {
  EXPECT_TRUE(Small({1, 2}) == Small({1, 2}));
  EXPECT_FALSE(Small({1, 2}) == Small({1, 2, 3}));
  EXPECT_FALSE(Small({1, 2, 3, 4, 5}) == Small({1, 2, 3, 4, 6}));
}

TEST(Blocks, ElementsStayWhereTheyAre) {
  Blocks<std::string, 4> all;
  std::vector<const std::string*> places;
  for (int i = 0; i < 50; ++i) {
    all.push_back(std::string(40, static_cast<char>('a' + i % 26)));
    places.push_back(&all[static_cast<size_t>(i)]);
  }
  size_t i = 0;
  for (const std::string& s : all) {
    EXPECT_EQ(&s, places[i]);
    EXPECT_EQ(s, std::string(40, static_cast<char>('a' + i % 26)));
    ++i;
  }
  EXPECT_EQ(i, all.size());
}

TEST(Blocks, CopiesAndMoves) {
  Blocks<std::string, 4> all;
  for (int i = 0; i < 10; ++i) all.push_back(std::to_string(i));
  Blocks<std::string, 4> copy = all, moved = std::move(all);
  EXPECT_TRUE(all.empty());
  all = copy;
  for (const auto* one : {&copy, &moved, &all}) {
    ASSERT_EQ(one->size(), 10u);
    EXPECT_EQ((*one)[9], "9");
  }
}

}  // namespace
}  // namespace dgen
