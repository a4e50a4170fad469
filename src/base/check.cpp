#include "base/check.h"

#include <cstdio>

namespace dgen::detail {

void put(std::string& out, std::string_view text) { out += text; }
void put_number(std::string& out, long long number) { out += std::to_string(number); }
void put_number(std::string& out, unsigned long long number) { out += std::to_string(number); }
void put_number(std::string& out, double number) {
  char text[32];
  out.append(text, static_cast<size_t>(std::snprintf(text, sizeof text, "%g", number)));
}

}  // namespace dgen::detail
