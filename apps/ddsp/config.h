// The one configuration of the ddsp program: a JSON file (comments allowed), then overrides from the command line.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dgen::ddsp {

struct Config {
  // Data: what decides the contents of the feature cache comes first.
  int sample_rate = 16000;
  int hop = 64;  // samples between two control values: 250 Hz
  double f0_min = 50, f0_max = 2000;
  double peak = 0.9;
  double trim_db = -50;  // below the loudest frame
  double offset = 0, duration = 0;
  double chunk = 4, overlap = 1;
  double validation = 0.1;
  uint64_t seed = 0;
  std::string data, cache;

  // Model
  int hidden = 128, layers = 2, gru = 0;
  int harmonics = 60, noise_bands = 65;
  bool harmonic_branch = true, noise_branch = true;

  // Training
  int steps = 2000, batch = 1;
  double max_seconds = 0;
  double lr = 1e-3, lr_final = 0.1;
  int warmup = 50;
  double clip = 3;
  std::vector<int> loss_sizes = {2048, 1024, 512, 256, 128, 64};
  double loss_overlap = 0.75, loss_log_weight = 1, loss_log_eps = 1e-3;

  // Running
  std::string backend = "cpu";
  int threads = 0;
  int log_every = 50, validate_every = 500, render_every = 500, checkpoint_every = 500;

  int chunk_ticks() const { return static_cast<int>(chunk * sample_rate / hop + 0.5); }
  int overlap_ticks() const { return static_cast<int>(overlap * sample_rate / hop + 0.5); }
  int chunk_samples() const { return chunk_ticks() * hop; }
  double control_rate() const { return static_cast<double>(sample_rate) / hop; }
};

enum class ConfigGroup { data, model, training, running };

// One row of the table of keys, for --help and for the command line's flags.
struct ConfigKey {
  std::string key, help, default_text;
  ConfigGroup group;
};
std::vector<ConfigKey> config_keys();

// `origin` stands in front of every message: a path, or "--set".
void merge_json(Config& config, const std::string& text, const std::string& origin);
void set_value(Config& config, const std::string& key, const std::string& text, const std::string& origin = "--set");
Config load_config(const std::filesystem::path& path);
std::string to_json(const Config& config);

// Values that do not go together are an Error.
void check(const Config& config);

// The first model key in which the two differ, "harmonics is 60, not 40"; empty if they describe one model.
std::string model_difference(const Config& config, const Config& wanted);

}  // namespace dgen::ddsp
