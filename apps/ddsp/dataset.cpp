#include "dataset.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "base/check.h"
#include "cache.h"
#include "dgen/io.h"
#include "report.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;

constexpr double kMinSeconds = 0.2;
constexpr float kSilentPeak = 1e-4f;  // -80 dB
constexpr double kTrimMargin = 0.05;  // seconds kept before the first and after the last sound

bool is_audio(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* known : {".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff"})
    if (extension == known) return true;
  return false;
}

// Sorted, so that of several links to one file or folder always the same counts; `seen` also ends loops of links.
void collect(const fs::path& folder, std::set<fs::path>& seen, std::vector<fs::path>& files) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator i(folder, fs::directory_options::skip_permission_denied, error), end; !error && i != end; i.increment(error))
    if (!i->path().filename().string().starts_with('.')) entries.push_back(i->path());
  if (error) fail(folder.string(), ": ", error.message());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    const bool is_folder = fs::is_directory(entry, error);
    if ((!is_folder && !is_audio(entry)) || !seen.insert(fs::weakly_canonical(entry, error)).second) continue;
    if (is_folder)
      collect(entry, seen, files);
    else
      files.push_back(entry);
  }
}

std::vector<fs::path> scan(const fs::path& where) {
  std::error_code error;
  const fs::file_status status = fs::status(where, error);
  if (!fs::exists(status)) fail(where.string(), ": no such file or folder");
  if (!fs::is_directory(status)) return {where};
  std::vector<fs::path> files;
  std::set<fs::path> seen{fs::weakly_canonical(where, error)};
  collect(where, seen, files);
  if (files.empty()) fail(where.string(), ": no WAV, FLAC or MP3 files in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

// config.offset and config.duration, in whole samples.
void cut(std::vector<float>& x, const Config& config) {
  const size_t first = std::min(x.size(), static_cast<size_t>(config.offset * config.sample_rate + 0.5));
  x.erase(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(first));
  if (config.duration > 0)
    x.resize(std::min(x.size(), static_cast<size_t>(config.duration * config.sample_rate + 0.5)));
}

void trim(std::vector<float>& x, const Config& config) {
  const size_t block = static_cast<size_t>(config.hop), blocks = x.size() / block;
  std::vector<double> power(blocks);
  for (size_t b = 0; b < blocks; ++b)
    for (size_t i = 0; i < block; ++i) power[b] += static_cast<double>(x[b * block + i]) * x[b * block + i];
  if (blocks == 0) return;
  const double least = *std::max_element(power.begin(), power.end()) * std::pow(10, config.trim_db / 10);
  const auto loud = [&](double p) { return p >= least; };
  const size_t first = static_cast<size_t>(std::find_if(power.begin(), power.end(), loud) - power.begin());
  const size_t last = blocks - static_cast<size_t>(std::find_if(power.rbegin(), power.rend(), loud) - power.rbegin());
  const size_t margin = static_cast<size_t>(kTrimMargin * config.sample_rate);
  const size_t begin = first * block - std::min(first * block, margin), end = std::min(x.size(), last * block + margin);
  x = std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(begin), x.begin() + static_cast<std::ptrdiff_t>(end));
}

void normalise(std::vector<float>& x, double peak) {
  float loudest = 0;
  for (const float v : x) loudest = std::max(loudest, std::abs(v));
  const float gain = static_cast<float>(peak) / loudest;
  for (float& v : x) v *= gain;
}

Clip compute_clip(const fs::path& path, const Config& config) {
  std::vector<float> x = load_audio(path, {.sample_rate = config.sample_rate, .mono = true}).samples;
  if (!std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); }))
    fail(path.string(), ": holds values that are no numbers");
  cut(x, config);
  if (std::all_of(x.begin(), x.end(), [](float v) { return std::abs(v) < kSilentPeak; }))
    fail(path.string(), ": only silence");
  trim(x, config);
  const double seconds = static_cast<double>(x.size()) / config.sample_rate;
  if (seconds < kMinSeconds) fail(path.string(), format(": only %.2f s of sound", seconds));
  normalise(x, config.peak);
  x.resize(x.size() / static_cast<size_t>(config.hop) * static_cast<size_t>(config.hop));
  Clip clip;
  clip.features = extract_features(x, config);
  clip.samples = std::move(x);
  return clip;
}

// The files whose hashed names come first are kept: adding a file moves few others.
std::string split_by_hash(std::vector<Clip>& clips, const Config& config) {
  size_t kept = static_cast<size_t>(config.validation * static_cast<double>(clips.size()) + 0.5);
  if (config.validation > 0 && clips.size() > 1) kept = std::clamp<size_t>(kept, 1, clips.size() - 1);
  std::vector<std::pair<uint64_t, Clip*>> order;
  for (Clip& clip : clips) order.emplace_back(hash_text(cat(config.seed, "/", clip.name)), &clip);
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < std::min(kept, clips.size()); ++i) order[i].second->split = Split::validation;
  return format("%.0f %% of the files", 100 * config.validation);
}

void split_clips(Dataset& set, const std::vector<fs::path>& paths, const Config& config) {
  const std::optional<Manifest> manifest =
      Manifest::find(fs::is_directory(config.data) ? fs::path(config.data) : fs::path(config.data).parent_path());
  bool listed = false;
  for (size_t i = 0; manifest && i < paths.size(); ++i) {
    const std::optional<Split> split = manifest->split(paths[i]);
    listed = listed || split;
    set.clips[i].split = split.value_or(Split::train);
  }
  set.split_source = listed ? manifest->path().string() : split_by_hash(set.clips, config);
  if (set.clips.size() == 1) set.clips[0].split = Split::train;
}

// Examples every chunk - overlap; the last one ends with the clip, so that nothing is lost.
void cut_chunks(Dataset& set, const Config& config) {
  const size_t length = static_cast<size_t>(config.chunk_ticks()),
               step = length - static_cast<size_t>(config.overlap_ticks());
  for (size_t c = 0; c < set.clips.size(); ++c) {
    const size_t ticks = set.clips[c].features.size();
    size_t first = 0;
    for (; first + length < ticks; first += step) set.chunks.push_back({c, first});
    set.chunks.push_back({c, ticks > length ? ticks - length : 0});
  }
}

}  // namespace

std::vector<Chunk> Dataset::chunks_of(Split split) const {
  std::vector<Chunk> out;
  std::copy_if(chunks.begin(), chunks.end(), std::back_inserter(out),
               [&](const Chunk& c) { return clips[c.clip].split == split; });
  return out;
}

std::vector<const Clip*> Dataset::clips_of(Split split) const {
  std::vector<const Clip*> out;
  for (const Clip& clip : clips)
    if (clip.split == split) out.push_back(&clip);
  return out;
}

Example Dataset::example(const Chunk& chunk, const Config& config) const {
  const Clip& clip = clips.at(chunk.clip);
  const size_t hop = static_cast<size_t>(config.hop), ticks = static_cast<size_t>(config.chunk_ticks());
  const size_t count = std::min(ticks, clip.features.size() - chunk.first_tick);
  const auto begin = clip.samples.begin() + static_cast<std::ptrdiff_t>(chunk.first_tick * hop);
  Example out{{begin, begin + static_cast<std::ptrdiff_t>(count * hop)}, clip.features.slice(chunk.first_tick, count)};
  out.samples.resize(ticks * hop, 0.0f);
  out.features.f0.resize(ticks, out.features.f0.back());
  out.features.confidence.resize(ticks, 0.0f);
  out.features.loudness.resize(ticks, kLoudnessFloor);
  out.features.voiced.resize(ticks, 0);
  return out;
}

Clip load_clip(const fs::path& path, const Config& config, bool& cached, const LoadEvents& events) {
  const Cache cache(cache_folder(config), path, config);
  std::optional<Clip> stored = cache.load();
  cached = stored.has_value();
  if (stored) return std::move(*stored);
  Clip clip = compute_clip(path, config);
  try {
    cache.store(clip);
  } catch (const std::exception& e) {
    events.warning(cat("the feature cache cannot be written, ", e.what()));
  }
  return clip;
}

Dataset load_dataset(const Config& config, const LoadEvents& events) {
  check(config);
  const std::vector<fs::path> files = scan(config.data);
  events.begin(files.size());
  Dataset set;
  std::vector<fs::path> used;
  for (const fs::path& file : files) {
    try {
      bool cached = false;
      Clip clip = load_clip(file, config, cached, events);
      clip.name = fs::is_directory(config.data) ? file.lexically_relative(config.data).generic_string()
                                                : file.filename().string();
      set.from_cache += cached;
      set.clips.push_back(std::move(clip));
      used.push_back(file);
    } catch (const Error& e) {
      set.skipped.push_back(e.what());
    } catch (const std::exception& e) {
      set.skipped.push_back(cat(file.string(), ": ", e.what()));
    }
    events.file(file.filename().string());
  }
  if (set.clips.empty()) {
    std::string reasons;
    for (const std::string& reason : set.skipped) reasons += "\n  " + reason;
    fail(config.data, ": no file can be used", reasons);
  }
  split_clips(set, used, config);
  cut_chunks(set, config);
  return set;
}

}  // namespace dgen::ddsp
