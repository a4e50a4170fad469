#include "trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "base/check.h"
#include "checkpoint.h"
#include "decoder.h"
#include "dgen/io.h"
#include "metrics.h"
#include "model.h"
#include "picture.h"
#include "report.h"

namespace dgen::ddsp {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Examples of one step, interleaved: [tick or sample][batch].
struct Batch {
  Controls controls;
  std::vector<float> target;
  Inputs inputs() const { return {controls.f0, controls.loudness, target}; }
};

Batch make_batch(const Dataset& data, const std::vector<Chunk>& chunks, const Config& config) {
  std::vector<Example> examples;
  for (const Chunk& chunk : chunks) examples.push_back(data.example(chunk, config));
  std::vector<const Features*> features;
  for (const Example& e : examples) features.push_back(&e.features);
  Batch batch{controls_of(features, static_cast<size_t>(config.chunk_ticks())), {}};
  const auto samples = static_cast<size_t>(config.chunk_samples());
  batch.target.resize(samples * examples.size());
  for (size_t b = 0; b < examples.size(); ++b)
    for (size_t i = 0; i < samples; ++i) batch.target[i * examples.size() + b] = examples[b].samples[i];
  return batch;
}

// Epoch after epoch in an order that depends on the seed and the step alone, so that a resumed run goes on alike.
class Order {
 public:
  Order(std::vector<Chunk> chunks, const Config& config) : chunks_(std::move(chunks)), config_(config) {}

  std::vector<Chunk> of_step(int step) {
    std::vector<Chunk> picked;
    for (int b = 0; b < config_.batch; ++b) {
      const size_t at = static_cast<size_t>(step) * static_cast<size_t>(config_.batch) + static_cast<size_t>(b);
      shuffle(at / chunks_.size());
      picked.push_back(chunks_[order_[at % chunks_.size()]]);
    }
    return picked;
  }

 private:
  void shuffle(size_t epoch) {
    if (!order_.empty() && epoch == epoch_) return;
    epoch_ = epoch;
    order_.resize(chunks_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::mt19937_64 random(config_.seed * 1000003 + epoch);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
  }

  std::vector<Chunk> chunks_;
  const Config& config_;
  std::vector<size_t> order_;
  size_t epoch_ = 0;
};

class Trainer {
 public:
  Trainer(const Config& config, const Dataset& data, const RunFolder& run)
      : config_(config), data_(data), run_(run), decoder_(config), order_(data.chunks_of(Split::train), config),
        optimizer_(decoder_.values(), {.lr = static_cast<float>(config.lr), .clip_grad_norm = static_cast<float>(config.clip)}) {
    optimizer_.set_schedule([config](int64_t step) { return learning_rate(config, step); });
  }

  TrainResult run(bool resume) {
    const Clock::time_point start = Clock::now();
    if (resume) load_checkpoint(*run_.latest_checkpoint(), decoder_.params(), &optimizer_);
    const int first = static_cast<int>(optimizer_.steps());
    TrainingStep step = compile_training(loss(config_.batch), optimizer_, {.frames = config_.chunk_samples()});
    TrainResult result{first, 0, validate()};
    run_.log(format("step %d: validation loss %.4f, %.3f of silence", first, result.validation_loss, result.validation_loss / silence()));
    Clock::time_point since = Clock::now();
    for (int s = first; s < config_.steps && !last_; ++s) {
      result.train_loss = step.run(make_batch(data_, order_.of_step(s), config_).inputs());
      result.steps = s + 1;
      last_ = s + 1 == config_.steps || (config_.max_seconds > 0 && seconds_since(start) > config_.max_seconds);
      train_curve_.steps.push_back(s), train_curve_.values.push_back(result.train_loss);
      if (due(s + 1, config_.log_every)) log(s + 1, result.train_loss, since, s + 1 - std::max(first, (s / config_.log_every) * config_.log_every));
      if (due(s + 1, config_.validate_every)) result.validation_loss = log_validation(s + 1);
      if (due(s + 1, config_.render_every)) render(s + 1);
      if (due(s + 1, config_.checkpoint_every)) save_checkpoint(run_.checkpoint(s + 1), config_, decoder_.params(), optimizer_);
    }
    return result;
  }

 private:
  static double learning_rate(const Config& c, int64_t step) {
    const double warm = std::min(1.0, (static_cast<double>(step) + 1) / std::max(1, c.warmup));
    return c.lr * warm * std::pow(c.lr_final, static_cast<double>(step) / std::max(1, c.steps));
  }

  bool due(int step, int every) const { return last_ || (every > 0 && step % every == 0); }

  Signal loss(int batch) const {
    const InputOptions hop{.hop = config_.hop};
    const Shape shape{batch};
    Sound sound = decoder_.build(SignalTensor::input(0, shape, hop), SignalTensor::input(1, shape, hop));
    return multi_scale_spectral_loss(sound.mix, SignalTensor::input(2, shape),
                                     {.sizes = config_.loss_sizes,
                                      .overlap = static_cast<float>(config_.loss_overlap),
                                      .log_weight = static_cast<float>(config_.loss_log_weight),
                                      .log_eps = static_cast<float>(config_.loss_log_eps)});
  }

  // Without validation files the training files stand in.
  std::vector<Chunk> validation_chunks() const {
    auto chunks = data_.chunks_of(Split::validation);
    return chunks.empty() ? data_.chunks_of(Split::train) : chunks;
  }

  // The loss as training computes it, mean over the chunks.
  double validate() {
    if (!validation_) validation_.emplace(compile(loss(1)));
    double sum = 0;
    const auto chunks = validation_chunks();
    for (const Chunk& chunk : chunks) {
      const Batch batch = make_batch(data_, {chunk}, config_);
      const auto values = validation_->run({.frames = config_.chunk_samples(), .inputs = batch.inputs(), .per_tick = true})[0];
      sum += std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    }
    return sum / static_cast<double>(chunks.size());
  }

  double silence() {
    if (silence_ > 0) return silence_;
    const auto chunks = validation_chunks();
    for (const Chunk& chunk : chunks) {
      const Example e = data_.example(chunk, config_);
      silence_ += ddsp::multi_scale_spectral_loss(e.samples, std::vector<float>(e.samples.size()), config_);
    }
    return silence_ /= static_cast<double>(chunks.size());
  }

  void log(int step, double loss, Clock::time_point& since, int steps) {
    const double each = seconds_since(since) / std::max(1, steps);
    since = Clock::now();
    run_.log(format("step %d  loss %.4f  %.1f ms a step  %.1fx real time  lr %.2e  skipped %lld", step, loss, 1e3 * each,
                    config_.chunk * config_.batch / each, optimizer_.lr(), static_cast<long long>(optimizer_.skipped())));
  }

  double log_validation(int step) {
    const double loss = validate();
    validation_curve_.steps.push_back(step), validation_curve_.values.push_back(loss);
    run_.log(format("step %d: validation loss %.4f, %.3f of silence", step, loss, loss / silence()));
    save_loss_curves(run_.logs() / "loss.png", {train_curve_, validation_curve_});
    return loss;
  }

  // The first validation file, so that one can hear how far training is.
  void render(int step) {
    const auto chunks = validation_chunks();
    const Clip& clip = data_.clips[chunks.front().clip];
    Model model(config_);
    model.set(decoder_.params());
    const Rendered sound = model.render(clip.features);
    const std::string stem = (run_.renders() / format("step_%08d", step)).string();
    save_audio(stem + ".wav", sound.mix, config_.sample_rate);
    save_spectrograms(stem + ".png", clip.samples, sound.mix, config_.sample_rate);
  }

  const Config& config_;
  const Dataset& data_;
  const RunFolder& run_;
  Decoder decoder_;
  Order order_;
  Adam optimizer_;
  std::optional<Program> validation_;
  double silence_ = 0;
  bool last_ = false;  // the step just done ends the run
  Curve train_curve_{"training", {}, {}}, validation_curve_{"validation", {}, {}};
};

}  // namespace

TrainResult train(const Config& config, const Dataset& data, const RunFolder& run, bool resume) {
  apply_settings(config);
  return Trainer(config, data, run).run(resume);
}

}  // namespace dgen::ddsp
