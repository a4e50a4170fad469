// Counter-based noise: a hash of (seed, element, tick), so any sample can be computed alone. Generated code contains
// the same function as text (codegen/prelude_math.cpp); a test keeps the two bit-identical.
#pragma once
#include <cstdint>

namespace dgen {

// Finaliser of SplitMix64 (variant 13 of Stafford's constants): every input bit reaches every output bit.
constexpr std::uint64_t noise_mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

constexpr std::uint64_t noise_bits(std::uint64_t seed, std::uint64_t element, std::uint64_t tick) {
  const std::uint64_t key = noise_mix(noise_mix(seed + 0x9e3779b97f4a7c15ull) + element * 0xd1342543de82ef95ull);
  return noise_mix(key + tick * 0x9e3779b97f4a7c15ull);
}

// Uniform over the 2^24 odd multiples of 2^-24 in (-1, 1): exact in float32, mean exactly zero.
constexpr float noise_value(std::uint64_t seed, std::uint64_t element, std::uint64_t tick) {
  const auto top = static_cast<std::int32_t>(noise_bits(seed, element, tick) >> 40);
  return static_cast<float>(2 * top + 1 - (1 << 24)) * 0x1p-24f;
}

}  // namespace dgen
