#include "compile/config.h"

#include <cstdlib>

namespace dgen::compilers {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string default_cache_dir() {
  std::string own = variable("DGEN_CACHE_DIR"), xdg = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (!own.empty()) return own;
  if (xdg.starts_with('/')) return xdg + "/dgen";  // the XDG specification: a relative path is ignored
  return home.empty() ? "" : home + "/.cache/dgen";
}

}  // namespace

CompileConfig CompileConfig::from_environment() {
  CompileConfig config;
  config.cc = variable("CC");
  config.search_path = variable("PATH");
  config.cache_dir = default_cache_dir();
  if (std::string temp = variable("TMPDIR"); !temp.empty()) config.temp_dir = temp;
  return config;
}

}  // namespace dgen::compilers
