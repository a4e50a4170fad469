// Generated C to callable code, through the system's C compiler and the kernel cache.
//
//   auto library = compile_c("float twice(float x) { return 2 * x; }");
//   float y = library->function<float(float)>("twice")(21);
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compile/config.h"
#include "compile/kernel_cache.h"
#include "compile/library.h"
#include "compile/toolchain.h"

namespace dgen::compilers {

struct COptions {
  int optimize = 3;                      // -O0 to -O3
  std::vector<std::string> extra_flags;  // after all others
};

// Safe to use from several threads.
class CCompiler {
 public:
  explicit CCompiler(CompileConfig config, std::shared_ptr<KernelCache> cache = nullptr);

  // `text` is one C11 file without #include. Throws Error when no compiler is installed, InternalError with the
  // compiler's words when the text does not compile.
  std::shared_ptr<Library> compile(const std::string& text, const COptions& options = {});
  // One library a text, in order; those not in the cache are compiled at the same time.
  std::vector<std::shared_ptr<Library>> compile_many(std::span<const std::string> texts, const COptions& options = {});

  const Toolchain& toolchain();
  KernelCache& cache() { return *cache_; }

 private:
  std::vector<std::string> flags(const COptions& options);
  std::string full_source(const std::string& text, const std::vector<std::string>& flags);
  std::shared_ptr<Library> build(const std::string& source, const std::vector<std::string>& flags);
  std::string run(const Staging& staging, const std::vector<std::string>& flags);

  CompileConfig config_;
  std::shared_ptr<KernelCache> cache_;
  std::mutex mutex_;  // guards the next one
  std::optional<Toolchain> toolchain_;
};

// The process's own compiler over default_cache(), configured from the environment at its first use.
CCompiler& default_compiler();
std::shared_ptr<Library> compile_c(const std::string& text, const COptions& options = {});
std::vector<std::shared_ptr<Library>> compile_c_many(std::span<const std::string> texts, const COptions& options = {});

}  // namespace dgen::compilers
