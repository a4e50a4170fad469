#include "lib/wav.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace dgen {
namespace {

constexpr int kPcm = 1, kFloat = 3, kExtensible = 0xFFFE;
constexpr int kMaxRate = 3'072'000, kMaxChannels = 256;

template <class T>
T little(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Format {
  int coding = 0, channels = 0, rate = 0, bits = 0, frame_bytes = 0;
};

Format read_format(std::string_view chunk) {
  if (chunk.size() < 16) fail("WAV format chunk of ", chunk.size(), " bytes");
  Format f;
  f.coding = little<uint16_t>(chunk, 0);
  f.channels = little<uint16_t>(chunk, 2);
  const uint32_t rate = little<uint32_t>(chunk, 4);
  f.frame_bytes = little<uint16_t>(chunk, 12);
  f.bits = little<uint16_t>(chunk, 14);
  if (f.coding == kExtensible && chunk.size() >= 26) f.coding = little<uint16_t>(chunk, 24);
  if (rate < 1 || rate > kMaxRate) fail("WAV header says ", rate, " Hz");
  f.rate = static_cast<int>(rate);
  return f;
}

bool is_plain(const Format& f) {
  return (f.coding == kPcm && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32)) ||
         (f.coding == kFloat && (f.bits == 32 || f.bits == 64));
}

float decode_sample(const char* at, int coding, int bits) {
  if (coding == kFloat) {
    if (bits == 64) {
      double value;
      std::memcpy(&value, at, sizeof value);
      return static_cast<float>(value);
    }
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  if (bits == 8) return static_cast<float>(static_cast<unsigned char>(*at) - 128) / 128.0f;
  uint32_t word = 0;  // left-aligned, so that the sign lands in the top bit
  std::memcpy(reinterpret_cast<char*>(&word) + (4 - bits / 8), at, static_cast<size_t>(bits / 8));
  return static_cast<float>(static_cast<int32_t>(word)) / 2147483648.0f;
}

Audio decode_data(const Format& f, std::string_view data) {
  if (f.channels < 1 || f.channels > kMaxChannels) fail("WAV header says ", f.channels, " channels");
  const size_t sample_bytes = static_cast<size_t>(f.bits / 8);
  if (f.frame_bytes != f.channels * f.bits / 8)
    fail("WAV header says ", f.frame_bytes, " bytes a frame for ", f.channels, " x ", f.bits, " bits");
  const size_t frames = data.size() / static_cast<size_t>(f.frame_bytes);
  Audio audio{std::vector<float>(frames * static_cast<size_t>(f.channels)), f.channels, f.rate};
  for (size_t i = 0; i < audio.samples.size(); ++i)
    audio.samples[i] = decode_sample(data.data() + i * sample_bytes, f.coding, f.bits);
  return audio;
}

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::optional<Audio> decode_wav(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") return {};
  std::optional<Format> format;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const std::string_view id = bytes.substr(at, 4);
    const uint32_t size = little<uint32_t>(bytes, at + 4);
    const size_t left = bytes.size() - at - 8;
    if (id == "data") {
      if (!format) fail("WAV data before its format");
      if (!is_plain(*format)) return {};
      // Programs that write into a pipe cannot know the length and leave the largest number.
      const bool unknown = size == std::numeric_limits<uint32_t>::max();
      if (size > left && !unknown) fail("truncated WAV: ", left, " of ", size, " bytes of audio");
      return decode_data(*format, bytes.substr(at + 8, std::min<size_t>(size, left)));
    }
    if (size > left) fail("truncated WAV: chunk at byte ", at, " of ", size, " bytes, ", left, " are left");
    if (id == "fmt ") format = read_format(bytes.substr(at + 8, size));
    at += 8 + size + (size & 1);
  }
  fail("truncated WAV: no audio data");
}

int32_t quantise(float sample, int bits) {
  if (!(sample == sample)) return 0;
  const double scale = std::ldexp(1.0, bits - 1);
  return static_cast<int32_t>(std::clamp(std::nearbyint(sample * scale), -scale, scale - 1));
}

std::string encode_wav(std::span<const float> samples, int sample_rate, int channels, int bits) {
  const int coding = bits == 32 ? kFloat : kPcm;
  const uint64_t size = static_cast<uint64_t>(samples.size()) * static_cast<uint64_t>(bits / 8);
  if (size > 0xFFFFFF00u) fail("more than 4 GB do not fit into a WAV file");
  const uint32_t padded = static_cast<uint32_t>(size + (size & 1));
  std::string out;
  out.reserve(44 + padded);
  out += "RIFF";
  append<uint32_t>(out, 36 + padded);
  out += "WAVEfmt ";
  append<uint32_t>(out, 16);
  append<uint16_t>(out, static_cast<uint16_t>(coding));
  append<uint16_t>(out, static_cast<uint16_t>(channels));
  append<uint32_t>(out, static_cast<uint32_t>(sample_rate));
  append<uint32_t>(out, static_cast<uint32_t>(sample_rate * channels * bits / 8));
  append<uint16_t>(out, static_cast<uint16_t>(channels * bits / 8));
  append<uint16_t>(out, static_cast<uint16_t>(bits));
  out += "data";
  append<uint32_t>(out, static_cast<uint32_t>(size));
  for (const float x : samples) {
    if (bits == 32) {
      append(out, x);
    } else {
      const int32_t value = quantise(x, bits);
      out.append(reinterpret_cast<const char*>(&value), static_cast<size_t>(bits / 8));
    }
  }
  if (size & 1) out += '\0';
  return out;
}

}  // namespace dgen
