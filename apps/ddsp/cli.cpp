#include "cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "checkpoint.h"
#include "commands.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAbout =
    "Learns the sound of one instrument from recordings and plays it back from pitch and loudness.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some files were skipped.";

const char* title(ConfigGroup group) {
  switch (group) {
    case ConfigGroup::data:
      return "Data settings";
    case ConfigGroup::model:
      return "Model settings";
    case ConfigGroup::training:
      return "Training settings";
    case ConfigGroup::running:
      return "Running settings";
  }
  return "";
}

// Everything a command line can say; a sub-command fills what it has.
struct Arguments {
  std::string data, config_file, run, checkpoint, out;
  bool resume = false, all = false;
  std::vector<std::pair<std::string, std::string>> flags;  // key, value
  std::vector<std::string> sets;                           // key=value
};

// Every key of the configuration is a flag as well: noise_bands is --noise-bands.
void add_settings(CLI::App& command, Arguments& arguments, const std::vector<ConfigGroup>& groups) {
  for (const ConfigKey& row : config_keys()) {
    if (row.key == "data" || std::find(groups.begin(), groups.end(), row.group) == groups.end()) continue;
    std::string flag = "--" + row.key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    const std::string key = row.key;
    command
        .add_option_function<std::string>(
            flag, [&arguments, key](const std::string& value) { arguments.flags.emplace_back(key, value); },
            row.help + " [" + row.default_text + "]")
        ->group(title(row.group))
        ->type_name("");
  }
  command.add_option("--set", arguments.sets, "any setting as key=value")->type_name("KEY=VALUE")->take_all();
}

void apply_overrides(Config& config, const Arguments& arguments) {
  if (!arguments.data.empty()) config.data = fs::absolute(arguments.data).lexically_normal();
  for (const auto& [key, value] : arguments.flags) {
    std::string flag = "--" + key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    set_value(config, key, value, flag);
  }
  for (const std::string& pair : arguments.sets) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos) fail("--set: expected key=value, not \"", pair, "\"");
    set_value(config, pair.substr(0, equals), pair.substr(equals + 1));
  }
  check(config);
}

Config config_of(const Arguments& arguments) {
  Config config;
  if (arguments.resume) config = load_config(fs::path(arguments.run) / "config.json");
  if (!arguments.config_file.empty()) config = load_config(arguments.config_file);
  apply_overrides(config, arguments);
  if (config.data.empty()) fail("no recordings named: give a folder, or \"data\" in the configuration");
  return config;
}

int train_command(const Arguments& arguments) {
  const Config config = config_of(arguments);
  if (!arguments.resume) return train_run(config, arguments.run, false);
  const Config before = load_config(fs::path(arguments.run) / "config.json");
  if (const std::string other = model_difference(config, before); !other.empty())
    fail(arguments.run, ": cannot go on with another model: ", other);
  if (fs::weakly_canonical(config.data) != fs::weakly_canonical(before.data))
    fail(arguments.run, ": was trained on ", before.data, ", cannot go on with ", config.data, "; if it has moved, change \"data\" in ",
         (fs::path(arguments.run) / "config.json").string());
  return train_run(config, arguments.run, true);
}

int reconstruct_command(const Arguments& arguments) {
  Config config = checkpoint_config(arguments.checkpoint);
  apply_overrides(config, arguments);
  if (config.data.empty()) fail("no recordings named: give a folder");
  return reconstruct(config, {arguments.checkpoint, arguments.out, arguments.all || !arguments.data.empty()});
}

// Only here does --out have a default: eval without it writes nothing.
int render_command(const Arguments& arguments) {
  Arguments filled = arguments;
  if (filled.out.empty()) filled.out = "renders";
  return reconstruct_command(filled);
}

using Action = int (*)(const Arguments&);

// The four sub-commands, with what each does.
std::vector<std::pair<CLI::App*, Action>> add_commands(CLI::App& app, Arguments& a) {
  using enum ConfigGroup;
  CLI::App* preprocess_app =
      app.add_subcommand("preprocess",
                         "read recordings, compute pitch and loudness, show what was found\n"
                         "Loudness is the A-weighted power of a 1024-sample Hann spectrum over its number of bins, -80 dB at\n"
                         "least. It is no dB of full scale: a sine at 1 kHz that fills the scale reads 22.8 dB.");
  preprocess_app->add_option("DIR", a.data, "folder of WAV, FLAC or MP3 files, or one file");
  preprocess_app->add_option("--config", a.config_file, "JSON file with settings");
  add_settings(*preprocess_app, a, {data});

  CLI::App* train_app = app.add_subcommand("train", "learn the sound of the recordings");
  train_app->add_option("DIR", a.data, "folder of WAV, FLAC or MP3 files, or one file");
  train_app->add_option("--config", a.config_file, "JSON file with settings");
  train_app->add_option("--run", a.run, "folder for checkpoints, renders and logs")->required();
  train_app->add_flag("--resume", a.resume, "go on from the run's latest checkpoint, with its settings");
  add_settings(*train_app, a, {data, model, training, running});

  CLI::App* render_app =
      app.add_subcommand("render", "reconstruct recordings and write target, reconstruction, harmonics and noise");
  render_app->add_option("CHECKPOINT", a.checkpoint, "file of a run's checkpoints folder")->required();
  render_app->add_option("DIR", a.data, "folder of recordings, or one file")->required();
  render_app->add_option("--out", a.out, "folder for the results [renders]");
  add_settings(*render_app, a, {data, running});

  CLI::App* eval_app = app.add_subcommand("eval", "measure how near the reconstructions come");
  eval_app->add_option("CHECKPOINT", a.checkpoint, "file of a run's checkpoints folder")->required();
  eval_app->add_option("DIR", a.data, "recordings to measure; without it the run's own, those kept for validation");
  eval_app->add_flag("--all", a.all, "the run's training files too");
  eval_app->add_option("--out", a.out, "folder for audio, pictures and metrics.csv");
  add_settings(*eval_app, a, {data, running});

  return {{preprocess_app, [](const Arguments& x) { return preprocess(config_of(x)); }},
          {train_app, train_command},
          {render_app, render_command},
          {eval_app, reconstruct_command}};
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  CLI::App app(kAbout, "ddsp");
  app.require_subcommand(1);
  Arguments arguments;
  const auto commands = add_commands(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    for (const auto& [command, action] : commands)
      if (command->parsed()) return action(arguments);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ddsp: %s\n", e.what());
  }
  return 1;
}

}  // namespace dgen::ddsp
