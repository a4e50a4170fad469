// A shared library held open.
#pragma once
#include <memory>
#include <string>

namespace dgen::compilers {

class Library {
 public:
  // Null when the library cannot be loaded, with the loader's reason in `why`.
  static std::shared_ptr<Library> try_open(const std::string& path, std::string* why = nullptr);

  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Throws InternalError when there is no such symbol.
  void* symbol(const std::string& name) const;

  // function<float(float)>("f")
  template <class Signature>
  Signature* function(const std::string& name) const {
    return reinterpret_cast<Signature*>(symbol(name));
  }

  const std::string& path() const { return path_; }

 private:
  Library(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  void* handle_;
  std::string path_;
};

}  // namespace dgen::compilers
