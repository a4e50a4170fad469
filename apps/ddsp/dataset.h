// Recordings as the trainer wants them: mono, at the model's rate, normalised, with features, cut into examples.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "features.h"
#include "manifest.h"

namespace dgen::ddsp {

// One file, trimmed and normalised; samples.size() == features.size() * hop.
struct Clip {
  std::string name;  // path relative to the folder
  Split split = Split::train;
  std::vector<float> samples;
  Features features;
};

// Where an example of config.chunk_ticks() starts.
struct Chunk {
  size_t clip = 0, first_tick = 0;
};

struct Example {
  std::vector<float> samples;
  Features features;
};

struct Dataset {
  std::vector<Clip> clips;           // sorted by name
  std::vector<Chunk> chunks;         // of all clips, in order
  std::vector<std::string> skipped;  // "path: reason" of the files that could not be used
  std::string split_source;          // the manifest's path, or what else decided
  size_t from_cache = 0;             // clips whose features were not computed again

  std::vector<Chunk> chunks_of(Split split) const;
  std::vector<const Clip*> clips_of(Split split) const;

  // A clip shorter than a chunk is followed by silence.
  Example example(const Chunk& chunk, const Config& config) const;
};

// Called with the number of files once, then after each file with its name.
struct LoadEvents {
  std::function<void(size_t)> begin = [](size_t) {};
  std::function<void(const std::string&)> file = [](const std::string&) {};
  std::function<void(const std::string&)> warning = [](const std::string&) {};
};

// Reads config.data, a folder (searched with its sub-folders) or a file. A bad file is skipped; no usable file at
// all is an Error that lists the reasons.
Dataset load_dataset(const Config& config, const LoadEvents& events = {});

// One file, through the cache; sets `cached` if nothing had to be computed.
Clip load_clip(const std::filesystem::path& path, const Config& config, bool& cached, const LoadEvents& events = {});

std::filesystem::path cache_folder(const Config& config);

}  // namespace dgen::ddsp
