// A set of a few plain values as a sorted vector: no memory of its own for each.
#pragma once
#include <algorithm>
#include <vector>

namespace dgen {

// Adds a value; false if it was there.
template <class T>
bool insert_sorted(std::vector<T>& sorted, const T& value) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (at != sorted.end() && *at == value) return false;
  sorted.insert(at, value);
  return true;
}

}  // namespace dgen
