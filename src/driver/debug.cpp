#include "driver/debug.h"

#include <cstdio>
#include <cstdlib>

namespace dgen::driver {

const Debug& debug() {
  static const Debug settings = [] {
    auto text = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value ? value : "");
    };
    Debug d;
    d.level = std::atoi(text("DGEN_DEBUG").c_str());
    d.dump = text("DGEN_DUMP");
    d.check = std::atoi(text("DGEN_CHECK").c_str()) > 0;
    d.nan = std::atoi(text("DGEN_NAN").c_str()) > 0;
    return d;
  }();
  return settings;
}

void debug_print(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace dgen::driver
