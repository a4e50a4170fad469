#include "trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "base/check.h"
#include "checkpoint.h"
#include "curves.h"
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

// The loss as training computes it, and what its two terms bring, each summed over the window sizes.
struct Terms {
  double loss = 0, linear = 0;
  double logarithmic() const { return loss - linear; }
};

// Steps since the last log line and the time they took, without validation, renders and checkpoints.
struct Speed {
  int steps = 0;
  double seconds = 0;
};

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
    if (resume) load_latest();
    const int first = static_cast<int>(optimizer_.steps());
    TrainingStep step = compile_training(loss(config_.batch, config_.loss_log_weight), optimizer_, {.frames = config_.chunk_samples()});
    curves_ = resume ? load_curves(run_.curves(), first) : Curves{};
    TrainResult result{first, {}, log_validation(first)};
    for (int s = first; s < config_.steps && !last_; ++s) {
      last_ = s + 1 == config_.steps || (config_.max_seconds > 0 && seconds_since(start) > config_.max_seconds);
      const auto chunks = order_.of_step(s);
      const bool logged = due(s + 1, config_.log_every);
      const Terms terms = logged ? terms_of(chunks) : Terms{};  // of the weights that the step begins with, as its loss
      result.train_loss = timed_run(step, make_batch(data_, chunks, config_));
      result.steps = s + 1;
      curves_.training.add(s, *result.train_loss);
      if (logged) log(s + 1, *result.train_loss, terms);
      if (due(s + 1, config_.validate_every)) result.validation_loss = log_validation(s + 1);
      // First what must not be lost if a disk is full, then the pictures.
      if (due(s + 1, config_.checkpoint_every)) checkpoint(s + 1);
      if (due(s + 1, config_.validate_every)) save_loss_curves(run_.logs() / "loss.png", {curves_.training, curves_.validation});
      if (due(s + 1, config_.render_every)) render(s + 1);
    }
    return result;
  }

 private:
  void load_latest() {
    try {
      load_checkpoint(*run_.latest_checkpoint(), decoder_.params(), &optimizer_);
    } catch (const Error& e) {
      fail(e.what(), "; move the file away to go on from the checkpoint before it");
    }
  }

  static double learning_rate(const Config& c, int64_t step) {
    const double warm = std::min(1.0, (static_cast<double>(step) + 1) / std::max(1, c.warmup));
    return c.lr * warm * std::pow(c.lr_final, static_cast<double>(step) / std::max(1, c.steps));
  }

  bool due(int step, int every) const { return last_ || (every > 0 && step % every == 0); }

  Signal loss(int batch, double log_weight) const {
    const InputOptions hop{.hop = config_.hop};
    const Shape shape{batch};
    Sound sound = decoder_.build(SignalTensor::input(0, shape, hop), SignalTensor::input(1, shape, hop));
    return multi_scale_spectral_loss(sound.mix, SignalTensor::input(2, shape),
                                     {.sizes = config_.loss_sizes,
                                      .overlap = static_cast<float>(config_.loss_overlap),
                                      .log_weight = static_cast<float>(log_weight),
                                      .log_eps = static_cast<float>(config_.loss_log_eps)});
  }

  // Without validation files the training files stand in.
  std::vector<Chunk> validation_chunks() const {
    auto chunks = data_.chunks_of(Split::validation);
    return chunks.empty() ? data_.chunks_of(Split::train) : chunks;
  }

  // Mean over the chunks.
  Terms terms_of(const std::vector<Chunk>& chunks) {
    if (!forward_) forward_.emplace(compile({loss(1, config_.loss_log_weight), loss(1, 0)}));
    const auto mean = [](const std::vector<float>& v) { return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()); };
    Terms sum;
    for (const Chunk& chunk : chunks) {
      const Batch batch = make_batch(data_, {chunk}, config_);
      const auto values = forward_->run({.frames = config_.chunk_samples(), .inputs = batch.inputs(), .per_tick = true});
      sum.loss += mean(values[0]), sum.linear += mean(values[1]);
    }
    const double count = static_cast<double>(chunks.size());
    return {sum.loss / count, sum.linear / count};
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

  double timed_run(TrainingStep& step, const Batch& batch) {
    const Clock::time_point start = Clock::now();
    const double loss = step.run(batch.inputs());
    speed_.seconds += seconds_since(start), ++speed_.steps;
    return loss;
  }

  void log(int step, double loss, const Terms& terms) {
    const double each = speed_.seconds / speed_.steps;
    speed_ = {};
    run_.log(format("step %d  loss %.4f (linear %.4f, log %.4f)  %.1f ms a step  %.1fx real time  lr %.2e  skipped %lld", step, loss,
                    terms.linear, terms.logarithmic(), 1e3 * each, config_.chunk * config_.batch / each, optimizer_.lr(),
                    static_cast<long long>(optimizer_.skipped())));
  }

  double log_validation(int step) {
    const Terms terms = terms_of(validation_chunks());
    curves_.validation.add(step, terms.loss);
    const char* what =
        data_.chunks_of(Split::validation).empty() ? "loss of the training files, none is kept for validation," : "validation loss";
    run_.log(format("step %d: %s %.4f (linear %.4f, log %.4f), %.3f of silence", step, what, terms.loss, terms.linear,
                    terms.logarithmic(), terms.loss / silence()));
    return terms.loss;
  }

  void checkpoint(int step) {
    save_curves(run_.curves(), curves_);
    save_checkpoint(run_.checkpoint(step), config_, decoder_.params(), optimizer_);
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
  std::optional<Program> forward_;  // the loss of one example and its linear term
  double silence_ = 0;
  Speed speed_;
  bool last_ = false;  // the step just done ends the run
  Curves curves_;
};

}  // namespace

TrainResult train(const Config& config, const Dataset& data, const RunFolder& run, bool resume) {
  apply_settings(config);
  return Trainer(config, data, run).run(resume);
}

}  // namespace dgen::ddsp
