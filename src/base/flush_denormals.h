// While one lives, its thread takes denormal floats for 0, whatever the host has set: a filter's tail that fades below 1e-38, or
// a wave's front that has not grown yet, else costs many times more.
#pragma once
#include <cstdint>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace dgen {

class FlushDenormals {
 public:
  FlushDenormals() : before_(get()) {
    if (changes()) set(before_ | kBits);
  }
  ~FlushDenormals() {
    if (changes()) set(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE__)
  static constexpr std::uint64_t kBits = 0x8040;  // flush to zero, denormals are zero
  static std::uint64_t get() { return _mm_getcsr(); }
  static void set(std::uint64_t bits) { _mm_setcsr(static_cast<unsigned>(bits)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kBits = std::uint64_t{1} << 24;
  static std::uint64_t get() {
    std::uint64_t bits;
    asm volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
  }
  static void set(std::uint64_t bits) { asm volatile("msr fpcr, %0" : : "r"(bits)); }
#else
  static constexpr std::uint64_t kBits = 0;
  static std::uint64_t get() { return 0; }
  static void set(std::uint64_t) {}
#endif
  bool changes() const { return (before_ & kBits) != kBits; }
  std::uint64_t before_;
};

}  // namespace dgen
