#include "apps/ddsp/dataset.h"

#include <algorithm>
#include <chrono>
#include <sys/stat.h>

#include "apps/ddsp/cache.h"
#include "apps/ddsp/report.h"
#include "base/file.h"
#include "dgen/io.h"
#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;

class Data : public Folder {
 protected:
  void SetUp() override {
    Folder::SetUp();
    fs::create_directories(sounds_);
    config_.data = sounds_.string();
    config_.cache = (folder_ / "cache").string();
  }

  void tone(const std::string& name, double seconds = 1, double hz = 330, int rate = 16000, SaveOptions options = {}) {
    const std::vector<float> mono = harmonic_tone(
        seconds, [hz](double) { return hz; }, 5, rate);
    std::vector<float> x;
    for (const float v : mono) x.insert(x.end(), static_cast<size_t>(options.channels), 0.5f * v);
    fs::create_directories((sounds_ / name).parent_path());
    save_audio(sounds_ / name, x, rate, options);
  }

  std::string in(const char* name) const { return (sounds_ / name).string(); }

  fs::path sounds_ = folder_ / "Töne und Klänge";
  Config config_;
};

TEST_F(Data, NamesWithSpacesAndUmlautsInSubfolders) {
  tone("a b.wav");
  tone("Übung/größer.wav");
  tone(".hidden/c.wav");
  write_file_atomic(sounds_ / "notes.txt", "no sound");
  const Dataset set = load_dataset(config_);
  ASSERT_EQ(set.clips.size(), 2u);
  EXPECT_EQ(set.clips[0].name, "a b.wav");
  EXPECT_EQ(set.clips[1].name, "Übung/größer.wav");
  EXPECT_TRUE(set.skipped.empty());
}

TEST_F(Data, LinksAreFollowedOnceAndPipesRefused) {
  tone("a.wav");
  fs::create_directory_symlink("..", sounds_ / "loop");
  fs::create_directory_symlink(".", sounds_ / "self");
  fs::create_symlink("a.wav", sounds_ / "same.wav");
  ASSERT_EQ(::mkfifo(in("pipe.wav").c_str(), 0600), 0);
  const Dataset set = load_dataset(config_);
  ASSERT_EQ(set.clips.size(), 1u);
  EXPECT_EQ(set.clips[0].name, "a.wav");
  EXPECT_EQ(set.skipped, (std::vector<std::string>{in("pipe.wav") + ": not a file"}));
}

TEST_F(Data, ClipsAreNormalisedAndTrimmed) {
  std::vector<float> x(16000);
  const std::vector<float> sound = harmonic_tone(1, [](double) { return 330.0; });
  x.insert(x.end(), sound.begin(), sound.end());
  x.resize(48000);
  save_audio(sounds_ / "a.wav", x, 16000);
  const Dataset set = load_dataset(config_);
  const Clip& clip = set.clips[0];
  EXPECT_NEAR(static_cast<double>(clip.samples.size()) / 16000, 1.1, 0.02);
  EXPECT_EQ(clip.samples.size(), clip.features.size() * 64);
  EXPECT_NEAR(std::abs(*std::max_element(clip.samples.begin(), clip.samples.end(),
                                         [](float a, float b) { return std::abs(a) < std::abs(b); })),
              0.9, 1e-5);
  EXPECT_NEAR(clip.features.f0[clip.features.size() / 2], 330, 0.5);
}

TEST_F(Data, StereoEightBitAndOtherRates) {
  tone("stereo.wav", 1, 330, 16000, {.channels = 2, .bits = 16});
  std::string eight =
      "RIFF....WAVEfmt " + std::string("\x10\0\0\0\1\0\1\0\x80\x3e\0\0\x80\x3e\0\0\1\0\x08\0data\x80\x3e\0\0", 28);
  for (const float v : harmonic_tone(1, [](double) { return 330.0; })) eight += static_cast<char>(static_cast<int>(128 + 100 * v));
  write_file_atomic(sounds_ / "eight.wav", eight);
  size_t files = 2;
#ifdef DGEN_HAVE_SOXR
  tone("fast.wav", 1, 330, 192000);
  tone("odd.wav", 1, 330, 11025, {.bits = 24});
  files = 4;
#endif
  const Dataset set = load_dataset(config_);
  EXPECT_TRUE(set.skipped.empty()) << set.skipped[0];
  ASSERT_EQ(set.clips.size(), files);
  for (const Clip& clip : set.clips) {
    EXPECT_NEAR(clip.features.f0[clip.features.size() / 2], 330, 1) << clip.name;
    EXPECT_NEAR(static_cast<double>(clip.samples.size()), 16000, 128) << clip.name;
  }
}

TEST_F(Data, BadFilesAreNamedAndTheRestIsUsed) {
  tone("good.wav");
  tone("cut.wav");
  write_file_atomic(sounds_ / "cut.wav", read_file(sounds_ / "cut.wav").substr(0, 5000));
  write_file_atomic(sounds_ / "empty.wav", "");
  write_file_atomic(sounds_ / "garbage.mp3", "this is no sound at all");
  tone("short.wav", 0.1);
  save_audio(sounds_ / "silent.wav", std::vector<float>(16000), 16000);
  std::vector<float> nan(16000, 0.5f);
  nan[100] = std::nanf("");
  save_audio(sounds_ / "nan.wav", nan, 16000);
  const Dataset set = load_dataset(config_);
  ASSERT_EQ(set.clips.size(), 1u);
  ASSERT_EQ(set.skipped.size(), 6u);
  EXPECT_EQ(set.skipped[0], in("cut.wav") + ": truncated WAV: 4956 of 64000 bytes of audio");
  EXPECT_EQ(set.skipped[1], in("empty.wav") + ": empty file");
  EXPECT_EQ(set.skipped[2].substr(0, in("garbage.mp3").size() + 2), in("garbage.mp3") + ": ");
  EXPECT_EQ(set.skipped[3], in("nan.wav") + ": holds values that are no numbers");
  EXPECT_EQ(set.skipped[4], in("short.wav") + ": only 0.10 s of sound");
  EXPECT_EQ(set.skipped[5], in("silent.wav") + ": only silence");
}

TEST_F(Data, NothingToUseIsAnError) {
  const auto error = [&] { return error_of([&] { load_dataset(config_); }); };
  EXPECT_EQ(error(), sounds_.string() + ": no WAV, FLAC or MP3 files in this folder");
  save_audio(sounds_ / "silent.wav", std::vector<float>(16000), 16000);
  EXPECT_EQ(error(), sounds_.string() + ": no file can be used\n  " + in("silent.wav") + ": only silence");
  config_.data = (folder_ / "missing").string();
  EXPECT_EQ(error(), config_.data + ": no such file or folder");
}

TEST_F(Data, CacheIsReusedUntilSomethingChanges) {
  tone("a.wav");
  tone("b.wav", 1, 200);
  const Dataset first = load_dataset(config_), second = load_dataset(config_);
  EXPECT_EQ(first.from_cache, 0u);
  EXPECT_EQ(second.from_cache, 2u);
  EXPECT_EQ(first.clips[0].samples, second.clips[0].samples);
  EXPECT_EQ(first.clips[1].features.f0, second.clips[1].features.f0);
  EXPECT_EQ(first.clips[1].features.voiced, second.clips[1].features.voiced);

  fs::last_write_time(sounds_ / "a.wav", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(load_dataset(config_).from_cache, 1u);
  config_.peak = 0.5;
  EXPECT_EQ(load_dataset(config_).from_cache, 0u);
  config_.lr = 1;
  EXPECT_EQ(load_dataset(config_).from_cache, 2u) << "only data settings matter";
}

TEST_F(Data, DamagedCacheIsComputedAgain) {
  tone("a.wav");
  const Dataset first = load_dataset(config_);
  for (const auto& entry : fs::directory_iterator(config_.cache))
    write_file_atomic(entry.path(), read_file(entry.path()).substr(0, 1000));
  const Dataset second = load_dataset(config_);
  EXPECT_EQ(second.from_cache, 0u);
  EXPECT_EQ(first.clips[0].samples, second.clips[0].samples);
}

TEST_F(Data, UnwritableCacheIsOnlyAWarning) {
  tone("a.wav");
  write_file_atomic(folder_ / "file", "x");
  config_.cache = (folder_ / "file" / "cache").string();
  std::string warning;
  EXPECT_EQ(load_dataset(config_, {.warning = [&](const std::string& text) { warning = text; }}).clips.size(), 1u);
  EXPECT_EQ(warning.substr(0, 39), "the feature cache cannot be written, fi");
}

TEST_F(Data, SplitIsByFileAndStable) {
  for (int i = 0; i < 10; ++i) tone(format("%d.wav", i), 0.3, 300 + i);
  config_.validation = 0.2;
  const Dataset set = load_dataset(config_), again = load_dataset(config_);
  EXPECT_EQ(set.clips_of(Split::validation).size(), 2u);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(set.clips[i].split, again.clips[i].split);
  config_.validation = 0;
  EXPECT_TRUE(load_dataset(config_).clips_of(Split::validation).empty());
}

TEST_F(Data, ManifestDecidesTheSplit) {
  tone("a.wav"), tone("b.wav"), tone("c.wav");
  write_file_atomic(
      folder_ / "manifest.csv",
      "file,what,split\n\"Töne und Klänge/b\",\"x, \"\"y\"\"\",val\r\nTöne und Klänge/a.wav,z,train\nother/c,z,val\n");
  const Dataset set = load_dataset(config_);
  EXPECT_EQ(set.clips[0].split, Split::train);
  EXPECT_EQ(set.clips[1].split, Split::validation);
  EXPECT_EQ(set.clips[2].split, Split::train);
  EXPECT_EQ(fs::path(set.split_source).filename(), "manifest.csv");
}

TEST_F(Data, ChunksOverlapAndEndWithTheClip) {
  tone("long.wav", 3);
  tone("short.wav", 0.5);
  config_.chunk = 1, config_.overlap = 0.25, config_.validation = 0;
  const Dataset set = load_dataset(config_);
  std::vector<size_t> starts;
  for (const Chunk& c : set.chunks)
    if (c.clip == 0) starts.push_back(c.first_tick);
  const size_t ticks = set.clips[0].features.size();
  EXPECT_EQ(starts, (std::vector<size_t>{0, 187, 374, ticks - 250}));
  const Example last = set.example(set.chunks[3], config_);
  EXPECT_EQ(last.samples.size(), 16000u);
  EXPECT_TRUE(std::equal(last.samples.rbegin(), last.samples.rend(), set.clips[0].samples.rbegin()));
  const Example padded = set.example(set.chunks[4], config_);
  EXPECT_EQ(padded.samples.size(), 16000u);
  EXPECT_EQ(padded.features.size(), 250u);
  EXPECT_EQ(padded.features.voiced[249], 0);
  EXPECT_EQ(padded.features.loudness[249], -80);
  EXPECT_GT(padded.features.f0[249], 0);
}

TEST_F(Data, OneFileWithOffsetAndDuration) {
  tone("a.wav", 3);
  config_.data = in("a.wav");
  config_.offset = 0.5, config_.duration = 2;
  const Dataset set = load_dataset(config_);
  ASSERT_EQ(set.clips.size(), 1u);
  EXPECT_EQ(set.clips[0].name, "a.wav");
  EXPECT_EQ(set.clips[0].split, Split::train);
  EXPECT_EQ(set.clips[0].samples.size(), 32000u);
}

TEST(Csv, QuotesAndLineEnds) {
  const auto rows = parse_csv("a,\"b,\"\"c\"\"\nd\"\r\ne,\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"a", "b,\"c\"\nd"}));
  EXPECT_EQ(rows[1], (std::vector<std::string>{"e", ""}));
}

TEST(Table, AlignsCodePoints) {
  Table table({"name", "n"});
  table.add({"größe", "10"});
  EXPECT_EQ(table.text(), "name    n\ngröße  10\n");
  EXPECT_EQ(table.csv(), "name,n\ngröße,10\n");
}

}  // namespace
}  // namespace dgen::ddsp
