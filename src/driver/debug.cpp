#include "driver/debug.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

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
    d.trace = text("DGEN_TRACE");
    d.check = std::atoi(text("DGEN_CHECK").c_str()) > 0;
    d.nan = std::atoi(text("DGEN_NAN").c_str()) > 0;
    d.plain = text("DGEN_OPT") == "0";
    return d;
  }();
  return settings;
}

void debug_print(const std::string& text) { std::fputs(text.c_str(), stderr); }

runtime::Trace* trace() {
  static const std::unique_ptr<runtime::Trace> file = debug().trace.empty() ? nullptr : std::make_unique<runtime::Trace>(debug().trace);
  return file.get();
}

}  // namespace dgen::driver
