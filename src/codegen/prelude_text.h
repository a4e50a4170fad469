// What the texts of the prelude share among themselves.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace dgen::codegen {

constexpr bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool in_word(char c) { return starts_word(c) || is_digit(c); }

// The scalar functions that are also written for vectors: DG_FN functions without pointers, loops, casts between numbers
// and conditional operators, for which they use the macros DG_SEL, DG_TO_INT, ...
std::string lanewise_text();
// Such functions with dg_vf for float: dg_sin_v for dg_sin.
std::string for_vectors(std::string_view text);

// 40 sines of 64 frames: called 26 ns a frame and .06 s to compile, inlined 21 ns and .36 s.
inline constexpr int most_inlined = 16;
struct LongFunction {
  std::string_view name;
  int arguments;
};
std::span<const LongFunction> long_functions();
// A function that calls `name`, and a macro that calls it from then on instead.
std::string call_text(const LongFunction& f, const std::string& name, const std::string& type);

}  // namespace dgen::codegen
