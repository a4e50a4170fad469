#include "compile/cache_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <vector>

#include "base/check.h"
#include "base/try_file.h"
#include "base/hash.h"

namespace dgen::compilers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStagingPrefix = "dgen-tmp-";
constexpr auto kStagingLifetime = std::chrono::hours(24);
constexpr std::size_t kKeyLength = 32;

// Only names of this form are counted and evicted: a user may point the cache at a folder with other files.
bool is_key(const std::string& stem) {
  return stem.size() == kKeyLength && stem.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool make_folders(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return true;
  if (path.has_parent_path() && path.parent_path() != path && !make_folders(path.parent_path())) return false;
  return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

// Empty when the folder is ours alone to write and may hold code.
std::string distrust(const std::string& path) {
  struct stat info;
  struct statvfs mount;
  if (stat(path.c_str(), &info) != 0) return std::strerror(errno);
  if (!S_ISDIR(info.st_mode)) return "not a folder";
  if (info.st_uid != geteuid()) return "owned by another user";
  if (info.st_mode & 022) return "writable by other users";
  if (statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_NOEXEC)) return "mounted noexec";
  return "";
}

struct StoredEntry {
  std::uint64_t bytes = 0;
  fs::file_time_type used = fs::file_time_type::min();
  std::vector<fs::path> files;
};

std::map<std::string, StoredEntry> list_entries(const std::string& folder) {
  std::map<std::string, StoredEntry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // another process may be evicting too
    fs::file_time_type time = it->last_write_time(gone);
    if (gone) continue;
    if (is_key(it->path().stem()) && it->is_regular_file(gone)) {
      std::uint64_t size = it->file_size(gone);
      StoredEntry& entry = entries[it->path().stem()];
      entry.bytes += gone ? 0 : size;
      entry.used = std::max(entry.used, time);
      entry.files.push_back(it->path());
    } else if (it->path().filename().string().starts_with(kStagingPrefix) &&
               time < fs::file_time_type::clock::now() - kStagingLifetime) {
      fs::remove_all(it->path(), gone);  // left by a process that was killed
    }
  }
  return entries;
}

}  // namespace

Staging::Staging(std::string folder, const BinaryKind& kind) : folder_(std::move(folder)), kind_(kind) {}

Staging::~Staging() {
  std::error_code error;
  if (!kept_) fs::remove_all(folder_, error);
}

std::unique_ptr<CacheFolder> CacheFolder::open(const std::string& path, std::uint64_t max_bytes, std::string* why) {
  std::error_code error;
  fs::path folder = fs::absolute(path, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (error || !make_folders(folder)) {
    *why = cat("cannot be made: ", error ? error.message() : std::strerror(errno));
    return nullptr;
  }
  std::string real = fs::canonical(folder, error);  // a link that is repointed later must not be followed
  *why = error ? error.message() : distrust(real);
  if (!why->empty()) return nullptr;
  return std::unique_ptr<CacheFolder>(new CacheFolder(real, max_bytes, 0));
}

std::unique_ptr<CacheFolder> CacheFolder::make_private(const std::string& parent, std::string* why) {
  std::string path = parent + "/dgen-XXXXXX";
  if (!mkdtemp(path.data())) {
    *why = std::strerror(errno);
    return nullptr;
  }
  *why = distrust(path);
  if (!why->empty()) {
    rmdir(path.c_str());
    return nullptr;
  }
  return std::unique_ptr<CacheFolder>(new CacheFolder(path, UINT64_MAX, getpid()));
}

CacheFolder::~CacheFolder() {
  std::error_code error;
  if (owner_ == getpid() && !kept_) fs::remove_all(path_, error);
}

std::string CacheFolder::key(const BinaryKind& kind, const std::string& source) {
  return hash128(kind.binary_suffix + source).hex();
}

std::string CacheFolder::binary_path(const BinaryKind& kind, const std::string& key) const {
  return file(key, kind.binary_suffix);
}

std::optional<std::string> CacheFolder::find(const BinaryKind& kind, const std::string& key,
                                             const std::string& source) const {
  if (try_read_own_file(file(key, kind.source_suffix)) != source) return std::nullopt;
  auto checksum = try_read_own_file(file(key, ".sum"));
  auto binary = try_read_own_file(binary_path(kind, key));
  if (!checksum || !binary || *checksum != hash128(*binary).hex()) return std::nullopt;
  utimensat(AT_FDCWD, binary_path(kind, key).c_str(), nullptr, 0);  // "now": eviction goes by last use
  return binary;
}

std::unique_ptr<Staging> CacheFolder::stage(const BinaryKind& kind, const std::string& source) const {
  std::string folder = path_ + "/" + kStagingPrefix + "XXXXXX";
  if (!mkdtemp(folder.data())) return nullptr;
  auto staging = std::make_unique<Staging>(folder, kind);
  return try_write_file(staging->source(), source) ? std::move(staging) : nullptr;
}

// The binary is moved last: a reader who sees it sees the rest, and a mixture of two writers fails its checksum.
bool CacheFolder::publish(const BinaryKind& kind, const std::string& key, const Staging& staging) {
  auto binary = try_read_file(staging.binary());
  if (!binary || chmod(staging.binary().c_str(), 0600) != 0) return false;
  bool published = try_write_file(staging.checksum(), hash128(*binary).hex()) &&
                   rename(staging.source().c_str(), file(key, kind.source_suffix).c_str()) == 0 &&
                   rename(staging.checksum().c_str(), file(key, ".sum").c_str()) == 0 &&
                   rename(staging.binary().c_str(), binary_path(kind, key).c_str()) == 0;
  unchecked_bytes_ += binary->size();
  if (published && (!checked_.exchange(true) || unchecked_bytes_ > max_bytes_ / 16)) {
    unchecked_bytes_ = 0;
    evict(key);
  }
  return published;
}

void CacheFolder::evict(const std::string& newest) const {
  auto entries = list_entries(path_);
  std::uint64_t total = 0;
  std::vector<const StoredEntry*> oldest_first;
  for (const auto& [key, entry] : entries) {
    total += entry.bytes;
    if (key != newest) oldest_first.push_back(&entry);
  }
  std::sort(oldest_first.begin(), oldest_first.end(), [](auto* a, auto* b) { return a->used < b->used; });
  for (const StoredEntry* entry : oldest_first) {
    if (total <= max_bytes_) return;
    std::error_code error;
    for (const fs::path& path : entry->files) fs::remove(path, error);
    total -= entry->bytes;
  }
}

bool CacheFolder::has_room() const {
  auto staging = stage(kNote, "");
  return staging && try_write_file(staging->binary(), std::string(1 << 20, 'x'));
}

}  // namespace dgen::compilers
