#include "apps/ddsp/config.h"

#include "apps/ddsp/run.h"
#include "base/file.h"
#include "tests/ddsp/sound.h"

namespace dgen::ddsp {
namespace {

std::string json_error(const std::string& text) {
  return error_of([&] {
    Config config;
    merge_json(config, text, "my.json");
  });
}

std::string set_error(const std::string& key, const std::string& value) {
  return error_of([&] {
    Config config;
    set_value(config, key, value);
  });
}

TEST(Config, FileWithComments) {
  Config config;
  merge_json(config,
             "{ // a comment\n \"steps\": 10, /* more */ \"lr\": 1, \"loss_sizes\": [64, 32], \"data\": \"Löwe\" }",
             "x");
  EXPECT_EQ(config.steps, 10);
  EXPECT_EQ(config.lr, 1.0);
  EXPECT_EQ(config.loss_sizes, (std::vector<int>{64, 32}));
  EXPECT_EQ(config.data, "Löwe");
}

TEST(Config, ResolvedTextReadsBack) {
  Config config, back;
  config.steps = 7, config.trim_db = -33.25, config.harmonic_branch = false, config.seed = 18446744073709551615u;
  config.data = "a \"b\"\\c";
  merge_json(back, to_json(config), "x");
  EXPECT_EQ(to_json(back), to_json(config));
  EXPECT_EQ(back.seed, config.seed);
}

TEST(Config, CommandLineValues) {
  Config config;
  set_value(config, "harmonics", "40");
  set_value(config, "lr", "3e-4");
  set_value(config, "noise_branch", "false");
  set_value(config, "loss_sizes", "512,64");
  set_value(config, "loss_sizes", "[512,128]");
  set_value(config, "data", "123");
  EXPECT_EQ(config.harmonics, 40);
  EXPECT_EQ(config.lr, 3e-4);
  EXPECT_FALSE(config.noise_branch);
  EXPECT_EQ(config.loss_sizes, (std::vector<int>{512, 128}));
  EXPECT_EQ(config.data, "123");
}

TEST(Config, ErrorTexts) {
  EXPECT_EQ(json_error(R"({"harmonic": 3})"), "my.json: unknown key \"harmonic\", did you mean \"harmonics\"?");
  EXPECT_EQ(json_error(R"({"steps": "many"})"), "my.json: \"steps\" must be a whole number from 0, not \"many\"");
  EXPECT_EQ(json_error(R"({"steps": 1.5})"), "my.json: \"steps\" must be a whole number from 0, not 1.5");
  EXPECT_EQ(json_error(R"({"layers": 17})"), "my.json: \"layers\" must be a whole number from 1 to 16, not 17");
  EXPECT_EQ(json_error(R"({"peak": -1})"), "my.json: \"peak\" must be a number from 0.001 to 1, not -1");
  EXPECT_EQ(json_error(R"({"noise_branch": 1})"), "my.json: \"noise_branch\" must be true or false, not 1");
  EXPECT_EQ(json_error(R"({"loss_sizes": []})"), "my.json: \"loss_sizes\" must be a list of whole numbers, not []");
  EXPECT_EQ(json_error(R"({"loss_sizes": [8]})"),
            "my.json: \"loss_sizes\" must be a whole number from 16 to 65536, not 8");
  EXPECT_EQ(json_error(R"({"data": 1})"), "my.json: \"data\" must be a text, not 1");
  EXPECT_EQ(json_error(R"({"seed": -1})"), "my.json: \"seed\" must be a whole number from 0, not -1");
  EXPECT_EQ(json_error("[]"), "my.json: expected an object { \"key\": value, ... }");
  EXPECT_EQ(json_error("{\n\"steps\": }").substr(0, 63),
            "my.json: [json.exception.parse_error.101] parse error at line 2");
  EXPECT_EQ(set_error("step", "1"), "--set: unknown key \"step\", did you mean \"steps\"?");
  EXPECT_EQ(set_error("steps", "ten"), "--set: \"steps\" must be a whole number from 0, not \"ten\"");
  EXPECT_EQ(set_error("steps", ""), "--set: \"steps\" must be a whole number from 0, not \"\"");
  EXPECT_EQ(set_error("lr", "nan"), "--set: \"lr\" must be a number from 0 to 10, not \"nan\"");
}

TEST(Config, ValuesThatDoNotGoTogether) {
  const auto error = [](auto change) {
    Config config;
    change(config);
    return error_of([&] { check(config); });
  };
  EXPECT_EQ(error([](Config&) {}), "no error");
  EXPECT_EQ(error([](Config& c) { c.overlap = 4; }), "config: overlap must be shorter than chunk");
  EXPECT_EQ(error([](Config& c) { c.f0_min = 1500; }), "config: f0_max must be at least twice f0_min");
  EXPECT_EQ(error([](Config& c) { c.sample_rate = 8000, c.f0_max = 3000; }),
            "config: f0_max must be at most a quarter of sample_rate");
  EXPECT_EQ(error([](Config& c) { c.loss_sizes = {100}; }), "config: loss_sizes: 100 is no power of two");
  EXPECT_EQ(error([](Config& c) { c.backend = "gpu"; }),
            "config: backend must be cpu, cuda or interpreter, not \"gpu\"");
  EXPECT_EQ(error([](Config& c) { c.harmonic_branch = c.noise_branch = false; }),
            "config: harmonic_branch and noise_branch are both off");
}

TEST(Config, EveryKeyHasHelpAndADefault) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_FALSE(key.help.empty()) << key.key;
    EXPECT_EQ(set_error(key.key, key.default_text), "no error");
  }
}

TEST(Config, ModelDifference) {
  Config a, b;
  b.steps = 3;
  EXPECT_EQ(model_difference(a, b), "");
  b.harmonics = 40;
  EXPECT_EQ(model_difference(a, b), "harmonics is 60, not 40");
}

class Runs : public Folder {};

TEST_F(Runs, Layout) {
  const RunFolder run = RunFolder::create(folder_ / "run", {});
  EXPECT_EQ(to_json(load_config(run.config_path())), to_json(Config{}));
  EXPECT_FALSE(run.latest_checkpoint());
  EXPECT_EQ(error_of([&] { RunFolder::open(folder_ / "run"); }), (folder_ / "run").string() + ": no run to go on with");
  for (const int step : {500, 1000, 20}) write_file_atomic(run.checkpoint(step), "x");
  EXPECT_EQ(run.latest_checkpoint(), run.checkpoint(1000));
  EXPECT_EQ(
      error_of([&] { RunFolder::create(folder_ / "run", {}); }),
      (folder_ / "run").string() + ": holds a run already; go on with --resume or name another folder with --run");
  EXPECT_EQ(RunFolder::open(folder_ / "run").root(), run.root());
  ::testing::internal::CaptureStdout();
  run.log("step 1");
  run.log("step 2");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "step 1\nstep 2\n");
  EXPECT_EQ(read_file(run.logs() / "train.log"), "step 1\nstep 2\n");
}

}  // namespace
}  // namespace dgen::ddsp
