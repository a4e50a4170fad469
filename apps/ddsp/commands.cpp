#include "commands.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/check.h"
#include "base/file.h"
#include "dataset.h"
#include "dgen/io.h"
#include "metrics.h"
#include "model.h"
#include "picture.h"
#include "report.h"
#include "trainer.h"

namespace dgen::ddsp {
namespace {

namespace fs = std::filesystem;

Dataset load(const Config& config) {
  std::optional<Progress> progress;
  std::string warned;
  const Dataset set = load_dataset(config, {.begin = [&](size_t files) { progress.emplace("reading", files); },
                                            .file = [&](const std::string& name) { progress->step(name); },
                                            .warning = [&](const std::string& text) { warned = text; }});
  progress.reset();
  if (!warned.empty()) std::fprintf(stderr, "ddsp: warning: %s\n", warned.c_str());
  for (const std::string& reason : set.skipped) std::fprintf(stderr, "ddsp: skipped: %s\n", reason.c_str());
  return set;
}

double seconds_of(const Clip& clip, const Config& config) {
  return static_cast<double>(clip.samples.size()) / config.sample_rate;
}

std::vector<std::string> clip_row(const Clip& clip, const Config& config) {
  std::vector<double> f0;
  double loudness = 0;
  for (size_t t = 0; t < clip.features.size(); ++t) {
    if (clip.features.voiced[t]) f0.push_back(clip.features.f0[t]);
    loudness += clip.features.loudness[t];
  }
  const double ticks = static_cast<double>(clip.features.size());
  return {clip.name,
          format("%.1f", seconds_of(clip, config)),
          name(clip.split),
          format("%.0f", 100 * static_cast<double>(f0.size()) / ticks),
          f0.empty() ? "-" : format("%.1f", median(f0)),
          format("%.1f", loudness / ticks)};
}

std::string summary(const Dataset& set, const Config& config) {
  std::string text;
  for (const Split split : {Split::train, Split::validation}) {
    double seconds = 0;
    const auto clips = set.clips_of(split);
    for (const Clip* clip : clips) seconds += seconds_of(*clip, config);
    text += format("%s: %zu files, %.1f s, %zu examples of %g s\n", name(split), clips.size(), seconds,
                   set.chunks_of(split).size(), config.chunk);
  }
  return text + format("split by %s; %zu of %zu files from the cache in %s", set.split_source.c_str(), set.from_cache,
                       set.clips.size(), cache_folder(config).c_str());
}

// Sub-folder and extension stay, so that no two recordings share a name: violin/a.wav.target.wav.
void save_reconstruction(const fs::path& folder, const Clip& clip, const Rendered& sound, const Config& config) {
  const std::string stem = (folder / clip.name).string();
  fs::create_directories(fs::path(stem).parent_path());
  save_audio(stem + ".target.wav", clip.samples, config.sample_rate);
  save_audio(stem + ".reconstruction.wav", sound.mix, config.sample_rate);
  save_audio(stem + ".harmonic.wav", sound.harmonic, config.sample_rate);
  save_audio(stem + ".noise.wav", sound.noise, config.sample_rate);
  save_spectrograms(stem + ".png", clip.samples, sound.mix, config.sample_rate);
}

// A file without pitch has no pitch error.
std::string cell(const char* pattern, double value) { return std::isfinite(value) ? format(pattern, value) : "-"; }

std::vector<std::string> metrics_row(const std::string& name, const Metrics& m) {
  return {name,
          cell("%.3f", m.loss),
          cell("%.3f", m.loss / m.silence_loss),
          cell("%.2f", m.log_spectral_distance),
          cell("%.2f", m.loudness_error),
          cell("%.1f", m.pitch.median_cents),
          cell("%.1f", 100 * m.pitch.within_50)};
}

// Each file counts alike; one without a value is left out of that column.
Metrics mean(const std::vector<Metrics>& all) {
  const auto over = [&](auto value) {
    double sum = 0;
    int counted = 0;
    for (const Metrics& m : all) {
      if (!std::isfinite(value(m))) continue;
      sum += value(m);
      ++counted;
    }
    return sum / counted;
  };
  return {over([](const Metrics& m) { return m.loss; }),
          over([](const Metrics& m) { return m.silence_loss; }),
          over([](const Metrics& m) { return m.log_spectral_distance; }),
          over([](const Metrics& m) { return m.loudness_error; }),
          {over([](const Metrics& m) { return m.pitch.median_cents; }),
           over([](const Metrics& m) { return m.pitch.within_50; })}};
}

int status_of(const Dataset& set) { return set.skipped.empty() ? 0 : kSkippedFiles; }

}  // namespace

int preprocess(const Config& config) {
  const Dataset set = load(config);
  Table table({"file", "seconds", "split", "voiced %", "median f0", "loudness dB"});
  for (const Clip& clip : set.clips) table.add(clip_row(clip, config));
  std::printf("%s%s\n", table.text().c_str(), summary(set, config).c_str());
  return status_of(set);
}

int train_run(const Config& config, const fs::path& root, bool resume) {
  // First the folder: that it cannot be used shows before all recordings are read.
  const RunFolder run = resume ? RunFolder::open(root) : RunFolder::create(root, config);
  const Dataset set = load(config);
  if (set.chunks_of(Split::train).empty())
    fail(config.data, ": every file is kept for validation, none is left to train on");
  run.write_config(config);
  run.log(summary(set, config));
  const TrainResult result = train(config, set, run, resume);
  const std::string learnt = result.train_loss ? format("training loss %.4f", *result.train_loss) : "nothing left to train";
  run.log(format("done: step %d, %s, validation loss %.4f, in %s", result.steps, learnt.c_str(), result.validation_loss,
                 run.root().c_str()));
  return status_of(set);
}

int reconstruct(const Config& config, const Reconstruction& what) {
  Model model = Model::load(what.checkpoint);
  if (const std::string other = model_difference(model.config(), config); !other.empty())
    fail(what.checkpoint.string(), ": a checkpoint of another model: ", other);
  model.config() = config;
  const Dataset set = load(config);
  std::vector<const Clip*> clips = set.clips_of(Split::validation);
  if (what.all_files || clips.empty()) {
    clips.clear();
    for (const Clip& clip : set.clips) clips.push_back(&clip);
  }
  std::error_code error;
  if (!what.out.empty()) fs::create_directories(what.out, error);
  if (error) fail(what.out.string(), ": cannot be made: ", error.message());
  Table table({"file", "loss", "/ silence", "log-spectral dB", "loudness dB", "f0 cents", "within 50 %"});
  std::vector<Metrics> all;
  Progress progress("rendering", clips.size());
  for (const Clip* clip : clips) {
    const Rendered sound = model.render(clip->features);
    all.push_back(measure(clip->samples, clip->features, sound.mix, config));
    table.add(metrics_row(clip->name, all.back()));
    if (!what.out.empty()) save_reconstruction(what.out, *clip, sound, config);
    progress.step(clip->name);
  }
  table.add(metrics_row("mean", mean(all)));
  if (!what.out.empty()) write_file_atomic(what.out / "metrics.csv", table.csv());
  std::printf("%s", table.text().c_str());
  return status_of(set);
}

}  // namespace dgen::ddsp
