// Transform sizes the generated FFTs support: products of 2, 3 and 5 up to 2^16.
#pragma once
#include <cstdint>

namespace dgen {

inline constexpr std::int64_t max_fft_size = 65536;

constexpr bool fft_size_ok(std::int64_t n) {
  if (n < 1 || n > max_fft_size) return false;
  for (const std::int64_t p : {2, 3, 5})
    while (n % p == 0) n /= p;
  return n == 1;
}

// The supported size closest to n; the larger one of two equally close.
constexpr std::int64_t nearest_fft_size(std::int64_t n) {
  if (n < 1) return 1;
  if (n > max_fft_size) return max_fft_size;
  for (std::int64_t d = 0;; ++d) {
    if (fft_size_ok(n + d)) return n + d;
    if (fft_size_ok(n - d)) return n - d;
  }
}

}  // namespace dgen
