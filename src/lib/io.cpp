#include "dgen/io.h"

#include <algorithm>
#include <cctype>

#include "base/check.h"
#include "base/file.h"
#include "lib/wav.h"

#ifdef DGEN_HAVE_SNDFILE
#include <sndfile.h>
#include <cstring>
#include <memory>
#endif
#ifdef DGEN_HAVE_SOXR
#include <soxr.h>
#endif

namespace dgen {
namespace {

#ifdef DGEN_HAVE_SNDFILE

// A file in memory for libsndfile, so that reading and writing of disks stays in one place.
struct MemoryFile {
  std::string bytes;
  sf_count_t at = 0;

  static MemoryFile& of(void* user) { return *static_cast<MemoryFile*>(user); }
  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }
};

SF_VIRTUAL_IO memory_calls() {
  SF_VIRTUAL_IO io;
  io.get_filelen = [](void* u) { return MemoryFile::of(u).size(); };
  io.tell = [](void* u) { return MemoryFile::of(u).at; };
  io.seek = [](sf_count_t offset, int whence, void* u) -> sf_count_t {
    MemoryFile& m = MemoryFile::of(u);
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m.at : m.size();
    if (base + offset < 0) return -1;
    return m.at = base + offset;
  };
  io.read = [](void* to, sf_count_t count, void* u) {
    MemoryFile& m = MemoryFile::of(u);
    const sf_count_t n = std::clamp<sf_count_t>(m.size() - m.at, 0, count);
    if (n) std::memcpy(to, m.bytes.data() + m.at, static_cast<size_t>(n));
    m.at += n;
    return n;
  };
  io.write = [](const void* from, sf_count_t count, void* u) {
    MemoryFile& m = MemoryFile::of(u);
    if (m.at + count > m.size()) m.bytes.resize(static_cast<size_t>(m.at + count));
    if (count) std::memcpy(m.bytes.data() + m.at, from, static_cast<size_t>(count));
    m.at += count;
    return count;
  };
  return io;
}

using SoundFile = std::unique_ptr<SNDFILE, int (*)(SNDFILE*)>;

Audio decode_other(std::string bytes) {
  MemoryFile memory{std::move(bytes)};
  SF_VIRTUAL_IO calls = memory_calls();
  SF_INFO info{};
  const SoundFile file(sf_open_virtual(&calls, SFM_READ, &info, &memory), sf_close);
  if (!file) fail("no audio file, or one in an unknown format");
  if (info.channels < 1 || info.samplerate < 1)
    fail("header says ", info.channels, " channels, ", info.samplerate, " Hz");
  Audio audio{{}, info.channels, info.samplerate};
  // Read in blocks: the number of frames in the header may be absurd.
  constexpr sf_count_t block = 1 << 16;
  const size_t width = static_cast<size_t>(info.channels);
  sf_count_t total = 0, got = block;
  while (got == block) {
    audio.samples.resize(static_cast<size_t>(total + block) * width);
    got = sf_readf_float(file.get(), audio.samples.data() + static_cast<size_t>(total) * width, block);
    total += std::max<sf_count_t>(got, 0);
  }
  audio.samples.resize(static_cast<size_t>(total) * width);
  if (sf_error(file.get()) != SF_ERR_NO_ERROR) fail("damaged after ", total, " frames: ", sf_strerror(file.get()));
  const bool known = info.frames > 0 && info.frames < SF_COUNT_MAX;
  if (known && total < info.frames) fail("truncated: ", total, " of ", info.frames, " frames");
  return audio;
}

std::string encode_flac(std::span<const float> samples, int sample_rate, int channels, int bits) {
  MemoryFile memory;
  SF_VIRTUAL_IO calls = memory_calls();
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = channels;
  info.format = SF_FORMAT_FLAC | (bits == 16 ? SF_FORMAT_PCM_16 : SF_FORMAT_PCM_24);
  SoundFile file(sf_open_virtual(&calls, SFM_WRITE, &info, &memory), sf_close);
  if (!file) fail("cannot encode FLAC: ", sf_strerror(nullptr));
  std::vector<int> whole(samples.size());
  for (size_t i = 0; i < whole.size(); ++i) whole[i] = quantise(samples[i], bits) * (1 << (32 - bits));
  const sf_count_t count = static_cast<sf_count_t>(whole.size());
  if (sf_write_int(file.get(), whole.data(), count) != count) fail("cannot encode FLAC: ", sf_strerror(file.get()));
  if (sf_close(file.release()) != 0) fail("cannot encode FLAC");
  return std::move(memory.bytes);
}

#else

Audio decode_other(const std::string&) { fail("not a plain WAV file, and this build reads no other (libsndfile)"); }

std::string encode_flac(std::span<const float>, int, int, int) { fail("this build writes no FLAC (libsndfile)"); }

#endif

Audio mixed_down(const Audio& audio) {
  Audio mono{std::vector<float>(audio.frames()), 1, audio.sample_rate};
  const float* in = audio.samples.data();
  for (float& out : mono.samples) {
    double sum = 0;
    for (int c = 0; c < audio.channels; ++c) sum += *in++;
    out = static_cast<float>(sum / audio.channels);
  }
  return mono;
}

#ifdef DGEN_HAVE_SOXR
Audio resampled(const Audio& audio, int rate) {
  const size_t expected = static_cast<size_t>(static_cast<double>(audio.frames()) * rate / audio.sample_rate + 0.5);
  Audio out{std::vector<float>((expected + 1) * static_cast<size_t>(audio.channels)), audio.channels, rate};
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  size_t used = 0, made = 0;
  const soxr_error_t error =
      soxr_oneshot(audio.sample_rate, rate, static_cast<unsigned>(audio.channels), audio.samples.data(), audio.frames(),
                   &used, out.samples.data(), expected + 1, &made, nullptr, &quality, nullptr);
  if (error) fail("cannot resample ", audio.sample_rate, " Hz to ", rate, " Hz: ", error);
  if (made == 0) fail("too short to resample: ", audio.frames(), " frames of ", audio.sample_rate, " Hz are none at ", rate, " Hz");
  out.samples.resize(made * static_cast<size_t>(audio.channels));
  return out;
}
#else
Audio resampled(const Audio& audio, int rate) {
  fail("has ", audio.sample_rate, " Hz, ", rate, " Hz are wanted, and this build cannot resample (libsoxr)");
}
#endif

Audio decode(std::string bytes, const LoadOptions& options) {
  if (bytes.empty()) fail("empty file");
  std::optional<Audio> wav = decode_wav(bytes);
  Audio audio = wav ? std::move(*wav) : decode_other(std::move(bytes));
  if (audio.samples.empty()) fail("no audio in the file");
  if (options.mono && audio.channels > 1) audio = mixed_down(audio);
  if (options.sample_rate && options.sample_rate != audio.sample_rate) audio = resampled(audio, options.sample_rate);
  return audio;
}

std::string extension_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

std::string encode(const std::string& extension, std::span<const float> samples, int sample_rate, SaveOptions options) {
  const bool flac = extension == ".flac";
  if (!flac && extension != ".wav") fail("can write .wav and .flac, not \"", extension, "\"");
  if (!options.bits) options.bits = flac ? 24 : 32;
  if (options.bits != 16 && options.bits != 24 && (flac || options.bits != 32))
    fail("cannot write ", options.bits, " bits into a ", extension, " file");
  if (sample_rate < 1 || options.channels < 1 || samples.size() % static_cast<size_t>(options.channels))
    fail("cannot write ", samples.size(), " samples as ", options.channels, " channels at ", sample_rate, " Hz");
  return flac ? encode_flac(samples, sample_rate, options.channels, options.bits)
              : encode_wav(samples, sample_rate, options.channels, options.bits);
}

}  // namespace

Audio load_audio(const std::filesystem::path& path, const LoadOptions& options) {
  std::string bytes = read_file(path);
  try {
    return decode(std::move(bytes), options);
  } catch (const Error& e) {
    fail(path.string(), ": ", e.what());
  }
}

void save_audio(const std::filesystem::path& path, std::span<const float> samples, int sample_rate,
                const SaveOptions& options) {
  std::string bytes;
  try {
    bytes = encode(extension_of(path), samples, sample_rate, options);
  } catch (const Error& e) {
    fail(path.string(), ": ", e.what());
  }
  write_file_atomic(path, bytes);
}

}  // namespace dgen
