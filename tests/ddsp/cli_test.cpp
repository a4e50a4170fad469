#include "base/file.h"
#include "base/safetensors.h"
#include "dgen/io.h"
#include "tests/ddsp/run_cli.h"
#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

class CommandLine : public Folder {
 protected:
  void SetUp() override {
    Folder::SetUp();
    std::filesystem::create_directories(sounds_);
    save_audio(sounds_ / "a.wav", harmonic_tone(1, [](double) { return 330.0; }), 16000);
  }

  std::string cache() const { return "--cache=" + (folder_ / "cache").string(); }

  std::filesystem::path sounds_ = folder_ / "sounds";
};

TEST_F(CommandLine, HelpOfEveryCommand) {
  EXPECT_EQ(ddsp({"--help"}).status, 0);
  for (const char* command : {"preprocess", "train", "render", "eval"}) {
    const Outcome o = ddsp({command, "--help"});
    EXPECT_EQ(o.status, 0) << command;
    EXPECT_NE(o.out.find("--set KEY=VALUE"), std::string::npos) << o.out;
  }
}

TEST_F(CommandLine, WrongUsage) {
  EXPECT_EQ(ddsp({}).status, 2);
  EXPECT_EQ(ddsp({"sing"}).status, 2);
  EXPECT_EQ(ddsp({"train", "--colour", "red"}).status, 2);
  EXPECT_EQ(ddsp({"render"}).status, 2);
}

TEST_F(CommandLine, PreprocessShowsATable) {
  const Outcome o = ddsp({"preprocess", sounds_.string(), cache()});
  EXPECT_EQ(o.status, 0) << o.error;
  EXPECT_EQ(o.out.substr(0, o.out.find('\n')), "file   seconds  split  voiced %  median f0  loudness dB");
  EXPECT_NE(o.out.find("330.0"), std::string::npos) << o.out;
  EXPECT_NE(ddsp({"preprocess", sounds_.string(), cache()}).out.find("1 of 1 files from the cache"), std::string::npos);
}

TEST_F(CommandLine, SkippedFilesGiveStatusThree) {
  write_file_atomic(sounds_ / "b.wav", "rubbish");
  const Outcome o = ddsp({"preprocess", sounds_.string(), cache()});
  EXPECT_EQ(o.status, 3);
  EXPECT_NE(o.error.find("ddsp: skipped: " + (sounds_ / "b.wav").string() + ": "), std::string::npos) << o.error;
  EXPECT_NE(o.out.find("a.wav"), std::string::npos);
}

TEST_F(CommandLine, ErrorsNameTheProgram) {
  const std::string missing = (folder_ / "missing").string();
  EXPECT_EQ(ddsp({"preprocess", missing}).error, "ddsp: " + missing + ": no such file or folder\n");
  EXPECT_EQ(ddsp({"preprocess", missing}).status, 1);
  EXPECT_EQ(ddsp({"preprocess"}).error, "ddsp: no recordings named: give a folder, or \"data\" in the configuration\n");
  EXPECT_EQ(ddsp({"preprocess", missing, "--chunk", "long"}).error,
            "ddsp: --chunk: \"chunk\" must be a number from 0.1 to 60, not \"long\"\n");
  EXPECT_EQ(ddsp({"preprocess", missing, "--set", "hops=3"}).error,
            "ddsp: --set: unknown key \"hops\", did you mean \"hop\"?\n");
  EXPECT_EQ(ddsp({"preprocess", missing, "--set", "hop"}).error, "ddsp: --set: expected key=value, not \"hop\"\n");
}

TEST_F(CommandLine, OverridesComeAfterTheFile) {
  write_file_atomic(folder_ / "c.json", "{\"trim_db\": -200}");
  const std::string config = (folder_ / "c.json").string();
  EXPECT_EQ(ddsp({"preprocess", sounds_.string(), "--config", config}).error,
            "ddsp: " + config + ": \"trim_db\" must be a number from -120 to -1, not -200\n");
  write_file_atomic(folder_ / "c.json", "{\"duration\": 0.5, \"chunk\": 2}");
  const Outcome o = ddsp({"preprocess", sounds_.string(), "--config", config, "--set", "duration=0.25", cache()});
  EXPECT_NE(o.out.find("train: 1 files, 0.2 s, 1 examples of 2 s"), std::string::npos) << o.out;
}

TEST_F(CommandLine, FilesThatAreNoCheckpoints) {
  const std::string path = (folder_ / "x.safetensors").string();
  write_file_atomic(path, "rubbish");
  EXPECT_EQ(ddsp({"eval", path}).error, "ddsp: " + path + ": no checkpoint of ddsp (safetensors: file of 7 bytes is too short)\n");
  write_safetensors(path, {});
  EXPECT_EQ(ddsp({"eval", path}).error, "ddsp: " + path + ": no checkpoint of ddsp (it has no configuration)\n");
  EXPECT_EQ(ddsp({"render", path, sounds_.string()}).status, 1);
}

}  // namespace
}  // namespace dgen::ddsp
