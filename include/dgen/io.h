// Reading and writing audio files.
#pragma once
#include <filesystem>
#include <span>
#include <vector>

namespace dgen {

// Samples are interleaved, full scale is +-1.
struct Audio {
  std::vector<float> samples;
  int channels = 1;
  int sample_rate = 0;

  size_t frames() const { return samples.size() / static_cast<size_t>(channels); }
  double seconds() const { return static_cast<double>(frames()) / sample_rate; }
};

struct LoadOptions {
  int sample_rate = 0;  // Hz; 0 keeps the file's own
  bool mono = false;    // the mean of the channels
};

struct SaveOptions {
  int channels = 1;
  int bits = 0;  // 16 or 24: integer, clipped to full scale; 32: float (WAV only); 0: 32 for WAV, 24 for FLAC
};

// Plain WAV (integer of 8 to 32 bits, float of 32 or 64) always; FLAC, MP3, Ogg and the rest where the library was
// built with libsndfile; another sample rate where it was built with libsoxr. An unreadable, truncated or
// malformed file is an Error "path: reason".
Audio load_audio(const std::filesystem::path& path, const LoadOptions& options = {});

// The format follows the extension: .wav, or .flac with libsndfile. The file appears whole or not at all.
void save_audio(const std::filesystem::path& path, std::span<const float> samples, int sample_rate,
                const SaveOptions& options = {});

}  // namespace dgen
