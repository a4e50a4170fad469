// Two cells whose coefficients vary, of which one takes the other as it is (a filter's canonical forms): far below the sample rate
// they are nearly the same, up to a sign, and products of their matrices A cancel. One of them is counted from the other then. Of
// `own`, a cell k that reads itself, and the other, o:
//   k' = a k + o, o' = c k      k and o + k are kept:  A is [e 1; e + c 1]     adds
//   k' = a k + c o, o' = k      k - o and o:           A is [e e + c; 1 1]
// with e = a - 1: differences of nearly equal numbers, hence exact, that no product has to make.
#pragma once
#include <string_view>

namespace dgen {

struct TwoCells {
  int own = -1, counted = -1;  // counted: from the other; -1: A has neither form
  bool adds = false;
};

// kinds: of A's elements, row by row: 0, 1, s (static), t (varying).
inline TwoCells two_cells(std::string_view kinds) {
  auto a = [kinds](int i, int j) { return kinds[static_cast<std::size_t>(2 * i + j)]; };
  auto any = [&a](int i, int j) { return a(i, j) == 't' || a(i, j) == 's'; };
  for (int k : {0, 1}) {
    const int o = 1 - k;
    if (a(o, o) != '0' || !any(k, k)) continue;
    if (a(k, o) == '1' && any(o, k)) return {k, o, true};
    if (a(o, k) == '1' && any(k, o)) return {k, k, false};
  }
  return {};
}

}  // namespace dgen
