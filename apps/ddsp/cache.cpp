#include "cache.h"

#include <cstdlib>

#include "base/check.h"
#include "base/safetensors.h"
#include "report.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;  // of the features: another number makes old entries useless

std::string key_of(const fs::path& recording, const Config& c) {
  std::error_code error;
  const auto size = fs::file_size(recording, error);
  const auto changed = error ? 0 : fs::last_write_time(recording, error).time_since_epoch().count();
  return format("%d|%s|%llu|%lld|%d|%d|%g|%g|%g|%g|%g|%g", kVersion, fs::weakly_canonical(recording).c_str(),
                static_cast<unsigned long long>(size), static_cast<long long>(changed), c.sample_rate, c.hop, c.f0_min,
                c.f0_max, c.peak, c.trim_db, c.offset, c.duration);
}

SafeTensor tensor_of(const std::vector<float>& v) { return {{static_cast<int64_t>(v.size())}, v}; }

}  // namespace

uint64_t hash_text(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

fs::path cache_folder(const Config& config) {
  if (!config.cache.empty()) return config.cache;
  if (const char* base = std::getenv("XDG_CACHE_HOME"); base && *base) return fs::path(base) / "dgen" / "ddsp";
  const char* home = std::getenv("HOME");
  return (home && *home ? fs::path(home) : fs::temp_directory_path()) / ".cache" / "dgen" / "ddsp";
}

Cache::Cache(fs::path folder, const fs::path& recording, const Config& config)
    : key_(key_of(recording, config)),
      hop_(static_cast<size_t>(config.hop)),
      folder_(std::move(folder)),
      path_(folder_ / format("%016llx.safetensors", static_cast<unsigned long long>(hash_text(key_)))) {}

std::optional<Clip> Cache::load() const {
  try {
    if (!fs::exists(path_)) return {};
    const SafeFile file = read_safetensors(path_);
    if (file.meta("key") != key_) return {};
    Clip clip;
    clip.samples = file.values<float>("samples");
    clip.features = {file.values<float>("f0"), file.values<float>("confidence"), file.values<float>("loudness"), {}};
    for (const float v : file.values<float>("voiced")) clip.features.voiced.push_back(v > 0);
    const size_t ticks = clip.features.size();
    const Features& f = clip.features;
    const bool whole = ticks > 0 && f.confidence.size() == ticks && f.loudness.size() == ticks &&
                       f.voiced.size() == ticks && clip.samples.size() == ticks * hop_;
    return whole ? std::optional(std::move(clip)) : std::nullopt;
  } catch (const std::exception&) {
    return {};
  }
}

void Cache::store(const Clip& clip) const {
  fs::create_directories(folder_);
  SafeFile file;
  file.metadata["key"] = key_;
  file.tensors["samples"] = tensor_of(clip.samples);
  file.tensors["f0"] = tensor_of(clip.features.f0);
  file.tensors["confidence"] = tensor_of(clip.features.confidence);
  file.tensors["loudness"] = tensor_of(clip.features.loudness);
  file.tensors["voiced"] = tensor_of({clip.features.voiced.begin(), clip.features.voiced.end()});
  write_safetensors(path_, file);
}

}  // namespace dgen::ddsp
