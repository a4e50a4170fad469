#include "compile/library.h"

#include <dlfcn.h>

#include "base/check.h"

namespace dgen::compilers {

std::shared_ptr<Library> Library::try_open(const std::string& path, std::string* why) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* reason = dlerror();
    if (why) *why = reason ? reason : "unknown loader error";
    return nullptr;
  }
  return std::shared_ptr<Library>(new Library(handle, path));
}

Library::~Library() { dlclose(handle_); }

void* Library::symbol(const std::string& name) const {
  void* address = dlsym(handle_, name.c_str());
  if (!address) throw InternalError(cat("no symbol ", name, " in ", path_));
  return address;
}

}  // namespace dgen::compilers
