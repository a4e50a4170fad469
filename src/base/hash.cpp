#include "base/hash.h"

#if __has_include(<xxhash.h>)
#define XXH_INLINE_ALL
#include <xxhash.h>
#define DGEN_HAVE_XXHASH
#endif

namespace dgen {

std::string Hash128::hex() const {
  std::string text(32, '0');
  for (int i = 0; i < 16; ++i) {
    text[15 - i] = "0123456789abcdef"[(high >> (4 * i)) & 15];
    text[31 - i] = "0123456789abcdef"[(low >> (4 * i)) & 15];
  }
  return text;
}

#ifdef DGEN_HAVE_XXHASH

Hash128 hash128(std::string_view bytes) {
  XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

#else

// FNV-1a: the 128-bit prime is 2^88 + 0x13b.
Hash128 hash128(std::string_view bytes) {
  using Wide = unsigned __int128;
  Wide prime = (Wide(1) << 88) + 0x13b;
  Wide h = (Wide(0x6c62272e07bb0142) << 64) + 0x62b821756295c58d;
  for (unsigned char byte : bytes) h = (h ^ byte) * prime;
  return {std::uint64_t(h >> 64), std::uint64_t(h)};
}

#endif

}  // namespace dgen
