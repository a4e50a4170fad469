// Whole runs of a tiny model: train, resume, eval and render through the command line.
#include <algorithm>
#include <regex>

#include "base/file.h"
#include "base/safetensors.h"
#include "dgen/io.h"
#include "tests/ddsp/run_cli.h"
#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Training : public Folder {
 protected:
  void SetUp() override {
    Folder::SetUp();
    fs::create_directories(sounds_ / "low");
    save_audio(sounds_ / "a.wav", harmonic_tone(0.6, [](double) { return 440.0; }), 16000);
    save_audio(sounds_ / "low" / "a.wav", harmonic_tone(0.6, [](double) { return 220.0; }), 16000);
    write_file_atomic(sounds_ / "manifest.csv", "file,split\nsounds/a.wav,train\nlow/a.wav,val\n");
  }

  // The smallest model that has every part, for four steps; the name of the run, then what differs.
  Outcome train(const std::string& run, const Words& more = {}) const {
    Words words{"train",          sounds_.string(), cache(),          "--run",        at(run),
                "--hidden",       "4",              "--layers",       "1",            "--harmonics",
                "4",              "--noise-bands",  "5",              "--chunk",      "0.4",
                "--overlap",      "0",              "--loss-sizes",   "128,64",       "--threads",
                "1",              "--log-every",    "2",              "--warmup",     "2",
                "--render-every", "4",              "--validate-every", "2",          "--checkpoint-every",
                "2",              "--steps",        "4"};
    words.insert(words.end(), more.begin(), more.end());
    return ddsp(words);
  }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string cache() const { return "--cache=" + at("cache"); }
  std::string checkpoint(const std::string& run, int step) const {
    return at(run + "/checkpoints/step_0000000" + std::to_string(step) + ".safetensors");
  }

  // The files below a folder, relative to it.
  static Words files(const fs::path& folder) {
    Words names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(folder).generic_string());
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path sounds_ = folder_ / "sounds";
};

TEST_F(Training, ResumedRunEqualsTheUninterruptedOne) {
  const Outcome whole = train("whole");
  ASSERT_EQ(whole.status, 0) << whole.error;
  EXPECT_EQ(files(at("whole")),
            (Words{"checkpoints/step_00000002.safetensors", "checkpoints/step_00000004.safetensors", "config.json", "logs/loss.csv",
                   "logs/loss.png", "logs/train.log", "renders/step_00000004.png", "renders/step_00000004.wav"}));
  // What is left of a run that was killed after its second step.
  fs::copy(at("whole"), at("killed"), fs::copy_options::recursive);
  fs::remove(checkpoint("killed", 4));
  const Outcome rest = ddsp({"train", "--run", at("killed"), "--resume"});
  ASSERT_EQ(rest.status, 0) << rest.error;
  EXPECT_TRUE(read_file(checkpoint("killed", 4)) == read_file(checkpoint("whole", 4)));
  EXPECT_EQ(read_file(at("killed/logs/loss.csv")), read_file(at("whole/logs/loss.csv")));
  EXPECT_TRUE(read_file(at("killed/logs/loss.png")) == read_file(at("whole/logs/loss.png")));

  const Outcome again = ddsp({"train", "--run", at("whole"), "--resume"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_NE(again.out.find("done: step 4, nothing left to train, validation loss "), std::string::npos) << again.out;
}

TEST_F(Training, APictureThatFailsLosesNoTraining) {
  fs::create_directories(at("run/renders/step_00000004.png"));
  const Outcome failed = train("run");
  EXPECT_NE(failed.status, 0);
  EXPECT_TRUE(fs::exists(checkpoint("run", 4)));
}

TEST_F(Training, ARunGoesOnWithItsOwnRecordings) {
  ASSERT_EQ(train("run").status, 0);
  fs::copy(sounds_, at("others"), fs::copy_options::recursive);
  const Outcome other = ddsp({"train", at("others"), "--run", at("run"), "--resume"});
  EXPECT_NE(other.status, 0);
  EXPECT_NE(other.error.find("was trained on " + sounds_.string()), std::string::npos) << other.error;
}

TEST_F(Training, TheLogHasTheTermsOfTheLoss) {
  const std::string log = train("run").out;
  const std::regex line("step 4  loss ([0-9.]+) \\(linear ([0-9.]+), log ([0-9.]+)\\)  [0-9.]+ ms a step");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(log, found, line)) << log;
  EXPECT_GT(std::stod(found[2]), 0);
  EXPECT_GT(std::stod(found[3]), 0);
  EXPECT_NEAR(std::stod(found[1]), std::stod(found[2]) + std::stod(found[3]), 2e-4);
}

TEST_F(Training, EvalAndRenderWriteEveryFileUnderItsOwnName) {
  ASSERT_EQ(train("run").status, 0);
  const std::string model = checkpoint("run", 4);
  const auto outputs = [](const std::string& name) {
    return Words{name + ".harmonic.wav", name + ".noise.wav", name + ".png", name + ".reconstruction.wav", name + ".target.wav"};
  };
  const Outcome held_out = ddsp({"eval", model, "--out", at("held_out")});
  EXPECT_EQ(held_out.status, 0) << held_out.error;
  Words expected = outputs("low/a.wav");
  expected.push_back("metrics.csv");
  EXPECT_EQ(files(at("held_out")), expected);
  EXPECT_NE(held_out.out.find("low/a.wav"), std::string::npos) << held_out.out;

  EXPECT_EQ(ddsp({"eval", model}).status, 0);
  EXPECT_FALSE(fs::exists("renders"));

  const Outcome all = ddsp({"render", model, sounds_.string(), "--out", at("all")});
  EXPECT_EQ(all.status, 0) << all.error;
  const Words first = outputs("a.wav");
  expected.insert(expected.begin(), first.begin(), first.end());
  EXPECT_EQ(files(at("all")), expected);
  EXPECT_EQ(load_audio(at("all/a.wav.target.wav")).samples.size(), load_audio(at("all/a.wav.reconstruction.wav")).samples.size());
}

TEST_F(Training, OfTheRecurrentDecoder) {
  const Outcome trained = train("run", {"--gru", "3"});
  ASSERT_EQ(trained.status, 0) << trained.error;
  const SafeFile model = read_safetensors(checkpoint("run", 4));
  EXPECT_EQ(model.tensors.at("gru.input").shape, (std::vector<int64_t>{8, 9}));
  EXPECT_EQ(model.tensors.at("trunk.0.weight").shape, (std::vector<int64_t>{11, 4}));
  const Outcome held_out = ddsp({"eval", checkpoint("run", 4), "--out", at("held_out")});
  EXPECT_EQ(held_out.status, 0) << held_out.error;
}

TEST_F(Training, SkippedFilesGiveStatusThree) {
  write_file_atomic(sounds_ / "b.wav", "rubbish");
  EXPECT_EQ(train("run", {"--set", "steps=1"}).status, 3);
  EXPECT_EQ(ddsp({"eval", checkpoint("run", 1)}).status, 3);
}

TEST_F(Training, AnotherModelIsRefused) {
  ASSERT_EQ(train("run", {"--set", "steps=1"}).status, 0);
  const std::string model = checkpoint("run", 1);
  EXPECT_EQ(train("run").error, "ddsp: " + at("run") + ": holds a run already; go on with --resume or name another folder with --run\n");
  EXPECT_EQ(ddsp({"train", "--run", at("run"), "--resume", "--hidden", "5"}).error,
            "ddsp: " + at("run") + ": cannot go on with another model: hidden is 5, not 4\n");
  const Outcome eval = ddsp({"eval", model, "--set", "noise_bands=9"});
  EXPECT_EQ(eval.error, "ddsp: " + model + ": a checkpoint of another model: noise_bands is 5, not 9\n");
  EXPECT_EQ(eval.status, 1);

  SafeFile other = read_safetensors(model);
  other.tensors.at("noise.bias") = {{2}, std::vector<float>(2)};
  write_safetensors(model, other);
  const Outcome resume = ddsp({"train", "--run", at("run"), "--resume", "--steps", "2"});
  EXPECT_EQ(resume.status, 1);
  EXPECT_NE(resume.error.find(model + ": a checkpoint of another model: noise.bias has another shape than "), std::string::npos)
      << resume.error;
}

TEST_F(Training, NamesThatAreNoUtf8AreRefusedBeforeReading) {
  const fs::path latin = folder_ / "T\xF6ne";
  fs::rename(sounds_, latin);
  sounds_ = latin;
  EXPECT_EQ(train("run").error,
            "ddsp: config: data or cache is no UTF-8 text, so config.json cannot hold it; rename the folder or go through a link "
            "to it\n");
  EXPECT_EQ(ddsp({"preprocess", latin.string(), cache()}).status, 0);
}

}  // namespace
}  // namespace dgen::ddsp
