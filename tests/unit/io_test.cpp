#include "dgen/io.h"

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>

#include "base/file.h"
#include "dgen/error.h"
#include "lib/wav.h"

namespace dgen {
namespace {

namespace fs = std::filesystem;

class AudioFiles : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  std::string error_of(const std::string& bytes, const LoadOptions& options = {}) {
    const fs::path path = folder_ / "bad.wav";
    write_file_atomic(path, bytes);
    try {
      load_audio(path, options);
    } catch (const Error& e) {
      const std::string text = e.what(), prefix = path.string() + ": ";
      EXPECT_EQ(text.substr(0, prefix.size()), prefix);
      return text.substr(prefix.size());
    }
    return "no error";
  }

  fs::path folder_ = fs::temp_directory_path() / ("dgen io tést " + std::to_string(::getpid()));
};

std::vector<float> sine(int frames, int channels, double hz, double rate) {
  std::vector<float> out;
  for (int i = 0; i < frames; ++i)
    for (int c = 0; c < channels; ++c)
      out.push_back(static_cast<float>(0.8 * std::sin(6.283185307179586 * hz * i / rate + c)));
  return out;
}

TEST_F(AudioFiles, WavKeepsItsSamples) {
  const std::vector<float> x = sine(1001, 3, 440, 44100);
  for (const int bits : {0, 16, 24, 32}) {
    save_audio(folder_ / "a.wav", x, 44100, {.channels = 3, .bits = bits});
    const Audio back = load_audio(folder_ / "a.wav");
    ASSERT_EQ(back.samples.size(), x.size());
    EXPECT_EQ(back.channels, 3);
    EXPECT_EQ(back.sample_rate, 44100);
    const double step = bits == 16 ? 1.0 / 32768 : bits == 24 ? 1.0 / 8388608 : 0;
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(back.samples[i], x[i], step * 0.51) << bits;
  }
}

TEST_F(AudioFiles, IntegerSamplesClipInsteadOfWrapping) {
  save_audio(folder_ / "a.wav", std::vector<float>{2.0f, -2.0f, std::nanf("")}, 8000, {.bits = 16});
  const Audio back = load_audio(folder_ / "a.wav");
  EXPECT_FLOAT_EQ(back.samples[0], 32767.0f / 32768);
  EXPECT_FLOAT_EQ(back.samples[1], -1.0f);
  EXPECT_FLOAT_EQ(back.samples[2], 0.0f);
}

TEST_F(AudioFiles, EightBitsAndMono) {
  std::string wav = encode_wav(std::vector<float>{0, 0}, 8000, 2, 16);
  wav[34] = 8, wav[32] = 2;  // two channels of 8 bits
  wav[44] = char(0x80), wav[45] = char(0xC0), wav[46] = 0, wav[47] = char(0xFF);
  write_file_atomic(folder_ / "8 bit.wav", wav);
  EXPECT_EQ(load_audio(folder_ / "8 bit.wav").samples, (std::vector<float>{0, 0.5f, -1, 127.0f / 128}));
  EXPECT_EQ(load_audio(folder_ / "8 bit.wav", {.mono = true}).samples, (std::vector<float>{0.25f, -1.0f / 256}));
}

#ifdef DGEN_HAVE_SNDFILE
TEST_F(AudioFiles, Flac) {
  const std::vector<float> x = sine(5000, 2, 440, 48000);
  save_audio(folder_ / "ä b.flac", x, 48000, {.channels = 2});
  const Audio back = load_audio(folder_ / "ä b.flac");
  ASSERT_EQ(back.samples.size(), x.size());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(back.samples[i], x[i], 0.51 / 8388608);
  const std::string bytes = read_file(folder_ / "ä b.flac");
  EXPECT_NE(error_of(bytes.substr(0, bytes.size() / 2)), "no error");
}
#endif

#ifdef DGEN_HAVE_SOXR
TEST_F(AudioFiles, ResamplingKeepsASine) {
  save_audio(folder_ / "a.wav", sine(192000, 1, 440, 192000), 192000);
  const Audio back = load_audio(folder_ / "a.wav", {.sample_rate = 16000});
  ASSERT_EQ(back.samples.size(), 16000u);
  const std::vector<float> want = sine(16000, 1, 440, 16000);
  for (size_t i = 1000; i < 15000; ++i) ASSERT_NEAR(back.samples[i], want[i], 1e-4) << i;
}

// Found by fuzz_audio.
TEST_F(AudioFiles, LessThanAFrameAfterResampling) {
  EXPECT_EQ(error_of(encode_wav(std::vector<float>{1}, 2000000, 1, 32), {.sample_rate = 16000}),
            "too short to resample: 1 frames of 2000000 Hz are none at 16000 Hz");
}
#else
TEST_F(AudioFiles, WithoutResampler) {
  EXPECT_EQ(error_of(encode_wav(std::vector<float>{0}, 8000, 1, 32), {.sample_rate = 16000}),
            "has 8000 Hz, 16000 Hz are wanted, and this build cannot resample (libsoxr)");
}
#endif

TEST_F(AudioFiles, MalformedFilesSayWhy) {
  const std::string good = encode_wav(std::vector<float>(100), 8000, 1, 16);
  EXPECT_EQ(error_of(""), "empty file");
  EXPECT_EQ(error_of(good.substr(0, 100)), "truncated WAV: 56 of 200 bytes of audio");
  EXPECT_EQ(error_of(good.substr(0, 30)), "truncated WAV: chunk at byte 12 of 16 bytes, 10 are left");
  EXPECT_EQ(error_of(good.substr(0, 36)), "truncated WAV: no audio data");
  EXPECT_EQ(error_of(encode_wav({}, 8000, 1, 16)), "no audio in the file");
  const auto patched = [&](size_t at, uint32_t value, size_t bytes) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, bytes);
    return bad;
  };
  EXPECT_EQ(error_of(patched(24, 0, 4)), "WAV header says 0 Hz");
  EXPECT_EQ(error_of(patched(24, 0x80000000u, 4)), "WAV header says 2147483648 Hz");
  EXPECT_EQ(error_of(patched(22, 0, 2)), "WAV header says 0 channels");
  EXPECT_EQ(error_of(patched(22, 65535, 2)), "WAV header says 65535 channels");
  EXPECT_EQ(error_of(patched(32, 7, 2)), "WAV header says 7 bytes a frame for 1 x 16 bits");
  EXPECT_EQ(error_of(patched(16, 4, 4)), "WAV format chunk of 4 bytes");
#ifdef DGEN_HAVE_SNDFILE
  EXPECT_EQ(error_of("this is no audio, only words"), "no audio file, or one in an unknown format");
#else
  EXPECT_EQ(error_of("this is no audio, only words"),
            "not a plain WAV file, and this build reads no other (libsndfile)");
#endif
  EXPECT_THROW(load_audio(folder_), Error);
  EXPECT_THROW(load_audio(folder_ / "missing.wav"), Error);
}

TEST_F(AudioFiles, UnknownLengthOfAPipeIsAccepted) {
  std::string wav = encode_wav(std::vector<float>(100), 8000, 1, 16);
  std::memset(wav.data() + 40, 0xFF, 4);
  EXPECT_EQ(error_of(wav), "no error");
}

TEST_F(AudioFiles, FlippedBytesNeverCrash) {
  const std::string good = encode_wav(sine(64, 1, 440, 8000), 8000, 1, 16);
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good.substr(0, random() % 8 ? good.size() : random() % good.size());
    if (bad.empty()) continue;
    for (unsigned flips = random() % 3 + 1; flips; --flips)
      bad[random() % std::min<size_t>(bad.size(), 48)] = static_cast<char>(random());
    try {
      decode_wav(bad);
    } catch (const Error&) {
    }
  }
}

TEST_F(AudioFiles, SavingRefusesNonsense) {
  const std::vector<float> x(3);
  EXPECT_THROW(save_audio(folder_ / "a.mp4", x, 8000), Error);
  EXPECT_THROW(save_audio(folder_ / "a.wav", x, 8000, {.channels = 2}), Error);
  EXPECT_THROW(save_audio(folder_ / "a.wav", x, 0), Error);
  EXPECT_THROW(save_audio(folder_ / "a.wav", x, 8000, {.bits = 12}), Error);
  EXPECT_TRUE(fs::is_empty(folder_));
}

// A limit on file size acts as a full disk does: write() fails in the middle.
TEST_F(AudioFiles, AFullDiskLeavesTheOldFile) {
  save_audio(folder_ / "a.wav", std::vector<float>{0.5f}, 8000);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(save_audio(folder_ / "a.wav", std::vector<float>(1000), 8000), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(load_audio(folder_ / "a.wav").samples, std::vector<float>{0.5f});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace dgen
