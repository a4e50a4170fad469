// One folder of cached binaries. An entry is three files named by the key: the source, the binary's checksum, the
// binary.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace dgen::compilers {

struct BinaryKind {
  const char* source_suffix;
  const char* binary_suffix;
};
inline constexpr BinaryKind kCKernel{".c", ".so"};
inline constexpr BinaryKind kCudaKernel{".cu", ".cubin"};
inline constexpr BinaryKind kNote{".key", ".txt"};

// A place to build one entry, removed at the end unless kept (so that a failing source can be looked at).
class Staging {
 public:
  Staging(std::string folder, const BinaryKind& kind);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const std::string& folder() const { return folder_; }
  std::string source() const { return folder_ + "/kernel" + kind_.source_suffix; }
  std::string binary() const { return folder_ + "/kernel" + kind_.binary_suffix; }
  std::string checksum() const { return folder_ + "/kernel.sum"; }
  void keep() { kept_ = true; }

 private:
  std::string folder_;
  BinaryKind kind_;
  bool kept_ = false;
};

class CacheFolder {
 public:
  // Makes the folder if needed. Null, with the reason, when it cannot be made or others could write to it.
  static std::unique_ptr<CacheFolder> open(const std::string& path, std::uint64_t max_bytes, std::string* why);
  // A fresh folder inside `parent` that the destructor removes. Null, with the reason, when it cannot be made.
  static std::unique_ptr<CacheFolder> make_private(const std::string& parent, std::string* why);

  ~CacheFolder();
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;

  static std::string key(const BinaryKind& kind, const std::string& source);

  const std::string& path() const { return path_; }
  bool is_private() const { return owner_ != 0; }
  std::string binary_path(const BinaryKind& kind, const std::string& key) const;

  // The binary, if the stored source equals `source` and the checksum fits; anything else is a miss.
  std::optional<std::string> find(const BinaryKind& kind, const std::string& key, const std::string& source) const;

  // A staging folder with the source written to it; null when the folder cannot be written.
  std::unique_ptr<Staging> stage(const BinaryKind& kind, const std::string& source) const;
  // Moves what was built to its place; false when the folder cannot be written.
  bool publish(const BinaryKind& kind, const std::string& key, const Staging& staging);

  // Whether a file of a megabyte can be written: tells a full disk from a compiler's complaint.
  bool has_room() const;
  // Leaves a private folder behind, because an error message names a file in it.
  void keep() { kept_ = true; }

 private:
  CacheFolder(std::string path, std::uint64_t max_bytes, pid_t owner)
      : path_(std::move(path)), max_bytes_(max_bytes), owner_(owner) {}

  std::string file(const std::string& key, const char* suffix) const { return path_ + "/" + key + suffix; }
  void evict(const std::string& newest) const;

  std::string path_;
  std::uint64_t max_bytes_;
  pid_t owner_;  // the process that made a private folder, 0 for a shared one: a forked child must not remove it
  std::atomic<bool> kept_ = false;
  std::atomic<std::uint64_t> unchecked_bytes_ = 0;  // published since the last look at the folder's size
  std::atomic<bool> checked_ = false;
};

}  // namespace dgen::compilers
