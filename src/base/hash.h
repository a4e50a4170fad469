// 128-bit content hashes: cache keys and checksums. Not cryptographic; values may differ between builds.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace dgen {

struct Hash128 {
  std::uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
  std::string hex() const;  // 32 lower-case digits
};

Hash128 hash128(std::string_view bytes);

}  // namespace dgen
