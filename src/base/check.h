// Formatting, and checks that throw dgen::Error (the user's mistake) or dgen::InternalError (ours).
#pragma once
#include <sstream>
#include <string>

#include "dgen/error.h"

namespace dgen {

// cat(a, b, ...): all arguments streamed into one string.
template <class... T>
std::string cat(const T&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
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
