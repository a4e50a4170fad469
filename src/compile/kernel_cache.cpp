#include "compile/kernel_cache.h"

#include "base/check.h"
#include "base/try_file.h"

namespace dgen::compilers {

KernelCache::KernelCache(CompileConfig config) : config_(std::move(config)) {
  if (config_.cache_dir.empty()) {
    fall_back("", "");
    return;
  }
  std::string why;
  if (auto folder = CacheFolder::open(config_.cache_dir, config_.cache_bytes, &why)) {
    folders_.push_back(std::move(folder));
  } else {
    fall_back(config_.cache_dir, why);
  }
}

CacheFolder& KernelCache::writable() const {
  std::lock_guard lock(mutex_);
  return *folders_.back();
}

std::vector<CacheFolder*> KernelCache::folders() const {
  std::lock_guard lock(mutex_);
  std::vector<CacheFolder*> all;
  for (const auto& folder : folders_) all.push_back(folder.get());
  return all;
}

void KernelCache::fall_back(const std::string& from, const std::string& why) {
  std::lock_guard lock(mutex_);
  if (!folders_.empty() && folders_.back()->is_private()) return;  // another thread was here first
  std::string first, second;
  auto folder = CacheFolder::make_private(config_.temp_dir, &first);
  if (!folder) folder = CacheFolder::make_private("/tmp", &second);
  if (!folder) {
    fail("no folder for compiled kernels: ", from, from.empty() ? "" : cat(" (", why, "), "), config_.temp_dir, " (",
         first, "), /tmp (", second, "); set DGEN_CACHE_DIR or TMPDIR");
  }
  if (config_.log && !from.empty()) {
    config_.log(cat("kernel cache ", from, " is not used (", why, "); kernels go to ", folder->path()));
  }
  folders_.push_back(std::move(folder));
}

const CacheFolder& KernelCache::build_entry(const BinaryKind& kind, const std::string& source, const Build& build) {
  for (;;) {
    CacheFolder& folder = writable();
    if (auto staging = folder.stage(kind, source)) {
      ++compiles_;
      std::string complaint = build(*staging);
      if (complaint.empty() && folder.publish(kind, CacheFolder::key(kind, source), *staging)) return folder;
      if (!complaint.empty() && folder.has_room()) {
        staging->keep();
        folder.keep();
        throw InternalError(
            cat("generated code does not compile; its source is kept in ", staging->source(), "\n", complaint));
      }
    }
    if (folder.is_private()) fail("cannot write compiled kernels to ", folder.path(), ": is the disk full?");
    fall_back(folder.path(), "cannot be written");
  }
}

std::shared_ptr<Library> KernelCache::find_library(const std::string& source) {
  std::string key = CacheFolder::key(kCKernel, source);
  {
    std::lock_guard lock(mutex_);
    auto found = loaded_.find(key);
    if (auto library = found == loaded_.end() ? nullptr : found->second.lock()) {
      ++memory_hits_;
      return library;
    }
  }
  for (CacheFolder* folder : folders()) {
    if (!folder->find(kCKernel, key, source)) continue;
    if (auto library = Library::try_open(folder->binary_path(kCKernel, key))) {
      ++disk_hits_;
      remember(key, library);
      return library;
    }
  }
  return nullptr;
}

std::shared_ptr<Library> KernelCache::library(const std::string& source, const Build& build) {
  if (auto library = find_library(source)) return library;
  const CacheFolder& folder = build_entry(kCKernel, source, build);
  std::string key = CacheFolder::key(kCKernel, source), why;
  auto library = Library::try_open(folder.binary_path(kCKernel, key), &why);
  if (!library) throw InternalError(cat("generated code does not load: ", why));
  remember(key, library);
  return library;
}

void KernelCache::remember(const std::string& key, const std::shared_ptr<Library>& library) {
  std::lock_guard lock(mutex_);
  std::erase_if(loaded_, [](const auto& entry) { return entry.second.expired(); });
  loaded_[key] = library;
}

std::string KernelCache::cubin(const std::string& source, const Build& build) {
  std::string key = CacheFolder::key(kCudaKernel, source);
  for (CacheFolder* folder : folders()) {
    if (auto bytes = folder->find(kCudaKernel, key, source)) {
      ++disk_hits_;
      return *bytes;
    }
  }
  const CacheFolder& folder = build_entry(kCudaKernel, source, build);
  auto bytes = folder.find(kCudaKernel, key, source);
  if (!bytes) throw InternalError(cat("a cubin just written cannot be read back from ", folder.path()));
  return *bytes;
}

std::optional<std::string> KernelCache::find_note(const std::string& name) const {
  std::string key = CacheFolder::key(kNote, name);
  for (CacheFolder* folder : folders()) {
    if (auto text = folder->find(kNote, key, name)) return text;
  }
  return std::nullopt;
}

// Best effort: a note that is not stored is found out again.
void KernelCache::store_note(const std::string& name, const std::string& text) {
  CacheFolder& folder = writable();
  auto staging = folder.stage(kNote, name);
  if (staging && try_write_file(staging->binary(), text))
    folder.publish(kNote, CacheFolder::key(kNote, name), *staging);
}

std::shared_ptr<KernelCache> default_cache() {
  static auto cache = std::make_shared<KernelCache>(CompileConfig::from_environment());
  return cache;
}

}  // namespace dgen::compilers
