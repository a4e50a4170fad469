#include "config.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/check.h"
#include "base/file.h"

namespace dgen::ddsp {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kAny = std::numeric_limits<int>::max();

// The table of keys: every use of a key (reading, writing, flags, help) walks through this one list.
template <class C, class F>
void each_key(C& c, F&& f) {
  using enum ConfigGroup;
  f("sample_rate", c.sample_rate, data, 8000, 96000, "sample rate of the model, Hz");
  f("hop", c.hop, data, 8, 4096, "samples between two control values");
  f("f0_min", c.f0_min, data, 20, 10000, "lowest pitch looked for, Hz");
  f("f0_max", c.f0_max, data, 20, 20000, "highest pitch looked for, Hz");
  f("peak", c.peak, data, 1e-3, 1, "every file is normalised to this peak");
  f("trim_db", c.trim_db, data, -120, -1, "ends of a file this far below its loudest frame are cut off, dB");
  f("offset", c.offset, data, 0, kAny, "seconds left out at the start of every file");
  f("duration", c.duration, data, 0, kAny, "seconds used of every file, 0: all");
  f("chunk", c.chunk, data, 0.1, 60, "length of a training example, seconds");
  f("overlap", c.overlap, data, 0, 59, "overlap of two examples of a file, seconds");
  f("validation", c.validation, data, 0, 0.9, "share of the files kept for validation where no manifest.csv says");
  f("seed", c.seed, data, 0, 0, "seed of the split, of the weights and of the order of examples");
  f("data", c.data, data, 0, 0, "folder of recordings, or one file");
  f("cache", c.cache, data, 0, 0, "folder of the feature cache, empty: the user's cache folder");
  f("hidden", c.hidden, model, 1, 4096, "width of the decoder");
  f("layers", c.layers, model, 1, 16, "hidden layers of the decoder");
  f("gru", c.gru, model, 0, 4096, "units of a recurrent layer between two stacks of hidden layers, 0: one stack alone");
  f("harmonics", c.harmonics, model, 1, 1000, "harmonics of the oscillator bank");
  f("noise_bands", c.noise_bands, model, 2, 1025, "bands of the noise filter");
  f("harmonic_branch", c.harmonic_branch, model, 0, 0, "use the oscillator bank");
  f("noise_branch", c.noise_branch, model, 0, 0, "use the filtered noise");
  f("steps", c.steps, training, 0, kAny, "optimiser steps");
  f("max_seconds", c.max_seconds, training, 0, kAny, "stop after this time with a checkpoint, 0: after the last step only");
  f("batch", c.batch, training, 1, 1024, "examples a step");
  f("lr", c.lr, training, 0, 10, "learning rate of Adam after the warm-up");
  f("lr_final", c.lr_final, training, 0, 1, "share of the learning rate left at the last step");
  f("warmup", c.warmup, training, 0, kAny, "steps over which the learning rate rises");
  f("clip", c.clip, training, 0, 1e9, "largest norm of the gradient, 0: no clipping");
  f("loss_sizes", c.loss_sizes, training, 16, 65536, "window sizes of the spectral loss, powers of two");
  f("loss_overlap", c.loss_overlap, training, 0, 0.99, "overlap of its windows");
  f("loss_log_weight", c.loss_log_weight, training, 0, 1000, "weight of its logarithmic term");
  f("loss_log_eps", c.loss_log_eps, training, 1e-9, 1, "added to a magnitude before the logarithm");
  f("backend", c.backend, running, 0, 0, "cpu, cuda or interpreter");
  f("threads", c.threads, running, 0, 1024, "threads, 0: one a core");
  f("log_every", c.log_every, running, 1, kAny, "steps between two log lines");
  f("validate_every", c.validate_every, running, 1, kAny, "steps between two validations");
  f("render_every", c.render_every, running, 1, kAny, "steps between two renders");
  f("checkpoint_every", c.checkpoint_every, running, 1, kAny, "steps between two checkpoints");
}

[[noreturn]] void wrong(const char* key, const std::string& what, const Json& value) {
  fail("\"", key, "\" must be ", what, ", not ", value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool is_in(const Json& v, double low, double high) { return v.get<double>() >= low && v.get<double>() <= high; }

void assign(const char* key, int& to, const Json& v, double low, double high) {
  if (!v.is_number_integer() || !is_in(v, low, high))
    wrong(key, cat("a whole number from ", low, high < kAny ? cat(" to ", high) : ""), v);
  to = v.get<int>();
}

void assign(const char* key, double& to, const Json& v, double low, double high) {
  if (!v.is_number() || !is_in(v, low, high))
    wrong(key, cat("a number from ", low, high < kAny ? cat(" to ", high) : ""), v);
  to = v.get<double>();
}

void assign(const char* key, uint64_t& to, const Json& v, double, double) {
  if (!v.is_number_unsigned()) wrong(key, "a whole number from 0", v);
  to = v.get<uint64_t>();
}

void assign(const char* key, bool& to, const Json& v, double, double) {
  if (!v.is_boolean()) wrong(key, "true or false", v);
  to = v.get<bool>();
}

void assign(const char* key, std::string& to, const Json& v, double, double) {
  if (!v.is_string()) wrong(key, "a text", v);
  to = v.get<std::string>();
}

void assign(const char* key, std::vector<int>& to, const Json& v, double low, double high) {
  std::vector<int> values;
  if (!v.is_array() || v.empty()) wrong(key, "a list of whole numbers", v);
  for (const Json& element : v) assign(key, values.emplace_back(), element, low, high);
  to = std::move(values);
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string nearest_key(const std::string& key) {
  const std::vector<ConfigKey> keys = config_keys();
  return std::min_element(keys.begin(), keys.end(),
                          [&](const ConfigKey& a, const ConfigKey& b) {
                            return edit_distance(a.key, key) < edit_distance(b.key, key);
                          })
      ->key;
}

void assign_key(Config& config, const std::string& key, const Json& value) {
  bool known = false;
  each_key(config, [&](const char* name, auto& member, ConfigGroup, double low, double high, const char*) {
    if (key != name) return;
    known = true;
    assign(name, member, value, low, high);
  });
  if (!known) fail("unknown key \"", key, "\", did you mean \"", nearest_key(key), "\"?");
}

// A value of the command line as JSON: text needs no quotes, a list no brackets.
Json value_of(const std::string& key, const std::string& text) {
  std::optional<Json> value;
  Config probe;
  each_key(probe, [&](const char* name, auto& member, ConfigGroup, double, double, const char*) {
    using T = std::decay_t<decltype(member)>;
    if (key != name) return;
    if constexpr (std::is_same_v<T, std::string>)
      value = text;
    else if constexpr (std::is_same_v<T, std::vector<int>>)
      value = Json::parse(text.starts_with('[') ? text : "[" + text + "]", nullptr, false);
    else
      value = Json::parse(text, nullptr, false);
  });
  return value && !value->is_discarded() ? *value : Json(text);
}

Json json_of(const Config& config) {
  Json json;
  each_key(config, [&](const char* name, const auto& member, ConfigGroup, double, double, const char*) {
    json[name] = member;
  });
  return json;
}

}  // namespace

std::vector<ConfigKey> config_keys() {
  const Config defaults;
  std::vector<ConfigKey> keys;
  each_key(defaults, [&](const char* name, const auto& member, ConfigGroup group, double, double, const char* help) {
    keys.push_back({name, help, Json(member).dump(), group});
  });
  return keys;
}

void merge_json(Config& config, const std::string& text, const std::string& origin) {
  try {
    const Json json = Json::parse(text, nullptr, true, true);
    if (!json.is_object()) fail("expected an object { \"key\": value, ... }");
    for (const auto& [key, value] : json.items()) assign_key(config, key, value);
  } catch (const Json::exception& e) {
    fail(origin, ": ", e.what());
  } catch (const Error& e) {
    fail(origin, ": ", e.what());
  }
}

void set_value(Config& config, const std::string& key, const std::string& text, const std::string& origin) {
  try {
    assign_key(config, key, value_of(key, text));
  } catch (const Error& e) {
    fail(origin, ": ", e.what());
  }
}

Config load_config(const std::filesystem::path& path) {
  Config config;
  merge_json(config, read_file(path), path.string());
  return config;
}

std::string to_json(const Config& config) {
  try {
    return json_of(config).dump(2) + "\n";
  } catch (const Json::exception&) {
    fail("config: data or cache is no UTF-8 text, so config.json cannot hold it; rename the folder or go through a link to it");
  }
}

void check(const Config& c) {
  if (c.f0_min * 2 > c.f0_max) fail("config: f0_max must be at least twice f0_min");
  if (c.f0_max * 4 > c.sample_rate) fail("config: f0_max must be at most a quarter of sample_rate");
  if (c.chunk_ticks() < 1) fail("config: chunk is shorter than a hop");
  if (c.overlap_ticks() >= c.chunk_ticks()) fail("config: overlap must be shorter than chunk");
  if (!c.harmonic_branch && !c.noise_branch) fail("config: harmonic_branch and noise_branch are both off");
  for (const int size : c.loss_sizes)
    if (size & (size - 1)) fail("config: loss_sizes: ", size, " is no power of two");
  if (c.backend != "cpu" && c.backend != "cuda" && c.backend != "interpreter")
    fail("config: backend must be cpu, cuda or interpreter, not \"", c.backend, "\"");
}

std::string model_difference(const Config& config, const Config& wanted) {
  const Json ours = json_of(config), theirs = json_of(wanted);
  for (const ConfigKey& k : config_keys()) {
    const bool shapes_sound = k.group == ConfigGroup::model || k.key == "sample_rate" || k.key == "hop";
    if (shapes_sound && ours[k.key] != theirs[k.key])
      return cat(k.key, " is ", ours[k.key].dump(), ", not ", theirs[k.key].dump());
  }
  return {};
}

}  // namespace dgen::ddsp
