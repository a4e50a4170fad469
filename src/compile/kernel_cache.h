// Compiled kernels, kept in memory while in use and on disk between runs.
//
//   KernelCache cache(CompileConfig::from_environment());
//   auto library = cache.library(source, [](const Staging& at) { return run_compiler(at.source(), at.binary()); });
//
// `source` is the whole key: callers begin it with a comment line that names the toolchain, its flags and the target.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "compile/cache_folder.h"
#include "compile/config.h"
#include "compile/library.h"

namespace dgen::compilers {

struct CacheCounters {
  std::uint64_t compiles = 0, disk_hits = 0, memory_hits = 0;
};

class KernelCache {
 public:
  // Compiles staging.source() to staging.binary(); returns the compiler's complaint, empty when it succeeded.
  using Build = std::function<std::string(const Staging&)>;

  explicit KernelCache(CompileConfig config);

  // Safe to call from several threads and processes at once; two that miss together both build.
  // A source that does not compile is an InternalError with the compiler's words and the kept source's path.
  std::shared_ptr<Library> library(const std::string& source, const Build& build);
  // The same, or null when it would have to be built.
  std::shared_ptr<Library> find_library(const std::string& source);
  // A cubin's bytes.
  std::string cubin(const std::string& source, const Build& build);

  // Small facts that are slow to find out, stored with the same care.
  std::optional<std::string> find_note(const std::string& name) const;
  void store_note(const std::string& name, const std::string& text);

  CacheCounters counters() const { return {compiles_, disk_hits_, memory_hits_}; }
  std::string folder() const { return writable().path(); }  // where new entries go

 private:
  CacheFolder& writable() const;
  std::vector<CacheFolder*> folders() const;
  void fall_back(const std::string& from, const std::string& why);
  // Returns the folder that now holds the entry.
  const CacheFolder& build_entry(const BinaryKind& kind, const std::string& source, const Build& build);
  void remember(const std::string& key, const std::shared_ptr<Library>& library);

  CompileConfig config_;
  mutable std::mutex mutex_;                           // guards the next two
  std::vector<std::unique_ptr<CacheFolder>> folders_;  // read in order, the last one is written
  std::map<std::string, std::weak_ptr<Library>> loaded_;
  std::atomic<std::uint64_t> compiles_ = 0, disk_hits_ = 0, memory_hits_ = 0;
};

// The process's own cache, configured from the environment at its first use.
std::shared_ptr<KernelCache> default_cache();

}  // namespace dgen::compilers
