#include "base/check.h"

#include <charconv>
#include <cstdio>

namespace dgen::detail {

void put(std::string& out, std::string_view text) { out += text; }
namespace {

template <class T>
void put_integer(std::string& out, T number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace

void put_number(std::string& out, long long number) { put_integer(out, number); }
void put_number(std::string& out, unsigned long long number) { put_integer(out, number); }
void put_number(std::string& out, double number) {
  char text[32];
  out.append(text, static_cast<size_t>(std::snprintf(text, sizeof text, "%g", number)));
}

}  // namespace dgen::detail
