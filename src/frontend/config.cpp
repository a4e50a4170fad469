#include "dgen/config.h"

#include <cstdlib>
#include <string>

#include "base/check.h"

namespace dgen {
namespace {

Config from_environment() {
  Config config;
  const char* device = std::getenv("DGEN_DEVICE");
  std::string name = device ? device : "";
  if (name == "cuda")
    config.backend = Backend::cuda;
  else if (name == "interpreter")
    config.backend = Backend::interpreter;
  else if (!name.empty() && name != "cpu")
    fail("[config] DGEN_DEVICE is '", name, "', not cpu, cuda or interpreter");
  return config;
}

}  // namespace

Config& config() {
  static Config settings = from_environment();
  return settings;
}

}  // namespace dgen
