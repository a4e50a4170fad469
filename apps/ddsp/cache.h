// Preprocessed clips on disk, one file each. A changed recording or a changed data setting is another key.
#pragma once
#include <filesystem>
#include <optional>
#include <string_view>

#include "dataset.h"

namespace dgen::ddsp {

uint64_t hash_text(std::string_view text);  // FNV-1a

class Cache {
 public:
  Cache(std::filesystem::path folder, const std::filesystem::path& recording, const Config& config);

  std::optional<Clip> load() const;  // a missing or damaged entry is empty
  void store(const Clip& clip) const;

 private:
  std::string key_;
  size_t hop_;
  std::filesystem::path folder_, path_;
};

}  // namespace dgen::ddsp
