// Formatting, and checks that throw dgen::Error (the user's mistake) or dgen::InternalError (ours).
#pragma once
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "dgen/error.h"

namespace dgen {

namespace detail {

// What an output stream would write. Not inline: thousands of calls would each compile a stream.
void put(std::string& out, std::string_view text);
void put_number(std::string& out, long long number);
void put_number(std::string& out, unsigned long long number);
void put_number(std::string& out, double number);

template <class T>
void put_part(std::string& out, const T& part) {
  if constexpr (std::is_same_v<T, char>) out += part;
  else if constexpr (std::is_convertible_v<const T&, std::string_view>) put(out, part);
  else if constexpr (std::is_floating_point_v<T>) put_number(out, static_cast<double>(part));
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) put_number(out, static_cast<long long>(part));
  else if constexpr (std::is_integral_v<T>) put_number(out, static_cast<unsigned long long>(part));
  else put(out, (std::ostringstream() << part).str());
}

}  // namespace detail

// cat(a, b, ...): all arguments as an output stream writes them, in one string.
template <class... T>
std::string cat(const T&... parts) {
  std::string out;
  (detail::put_part(out, parts), ...);
  return out;
}

// "a, b, c"
template <class List>
std::string join(const List& parts) {
  std::string text;
  for (auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

template <class... T>
[[noreturn]] void fail(const T&... parts) {
  throw Error(cat(parts...));
}

#define DGEN_ASSERT(condition)                                                                              \
  do {                                                                                                      \
    if (!(condition)) throw ::dgen::InternalError(::dgen::cat(__FILE__, ":", __LINE__, ": " #condition)); \
  } while (0)

}  // namespace dgen
