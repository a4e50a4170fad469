// Losses, optimisers, training steps, gradient checks and checkpoints.
#pragma once
#include <filesystem>
#include <functional>
#include <map>

#include "dgen/dsp.h"
#include "dgen/program.h"

namespace dgen {

// Losses
// ---------------------------------------------------------------------------------------------------------------

namespace detail {
Value mse(const Value& a, const Value& b, Loc loc);
Value l1(const Value& a, const Value& b, Loc loc);
}  // namespace detail

// Mean over the elements of (a - b)^2, or of |a - b|, at each tick.
template <Arithmetic A, Arithmetic B>
requires(Handle<A> || Handle<B>) Reduced<Promoted<A, B>> mse(const A& a, const B& b, Loc loc = Loc::here()) {
  return detail::as<Reduced<Promoted<A, B>>>(detail::mse(detail::operand(a), detail::operand(b), loc));
}
template <Arithmetic A, Arithmetic B>
requires(Handle<A> || Handle<B>) Reduced<Promoted<A, B>> l1(const A& a, const B& b, Loc loc = Loc::here()) {
  return detail::as<Reduced<Promoted<A, B>>>(detail::l1(detail::operand(a), detail::operand(b), loc));
}

enum class Magnitude { linear, log, both };
enum class Distance { l2, l1 };

struct SpectralLossOptions {
  int window_size = 1024;
  int hop = 0;  // 0: max(1, window_size / 4)
  Window window = Window::hann;
  Magnitude magnitude = Magnitude::linear;
  Distance distance = Distance::l2;
  float log_eps = 1e-3f;
  bool normalize = true;  // divide by window_size / 2 + 1
  float f0 = 0;           // Hz; a window shorter than two periods is reported to config().log
};

// Distance of the magnitudes of a and b in windows of the last window_size samples: per bin d = |A| - |B|, or
// ln(|A| + log_eps) - ln(|B| + log_eps), or both added; l2 adds d^2, l1 |d|. At hop(hop); mean over elements.
Signal spectral_loss(const SignalTensor& a, const SignalTensor& b, const SpectralLossOptions& options = {},
                     Loc loc = Loc::here());

struct MultiScaleOptions {
  std::vector<int> sizes = {2048, 1024, 512, 256, 128, 64};
  float overlap = 0.75f;  // of neighbouring windows, in [0, 1)
  float log_weight = 1;
  float log_eps = 1e-3f;
};

// Sum over sizes of mean |A - B| + log_weight * mean |ln(A + eps) - ln(B + eps)| over bins, periodic Hann (DDSP).
// No sizes, or an overlap out of range, is an Error.
Signal multi_scale_spectral_loss(const SignalTensor& a, const SignalTensor& b, const MultiScaleOptions& options = {},
                                 Loc loc = Loc::here());

// Mean |difference| of A-weighted levels in dB.
Signal loudness_loss(const SignalTensor& a, const SignalTensor& b, const LoudnessOptions& options = {},
                     Loc loc = Loc::here());

// Optimisers
// -----------------------------------------------------------------------------------------------------------

// The learning rate at a step, counted from 0.
using Schedule = std::function<double(int64_t step)>;
Schedule constant_schedule(double lr);
// Linear from 0 to lr over warmup steps, then half a cosine down to min_lr at total.
Schedule warmup_cosine_schedule(double lr, int64_t warmup, int64_t total, double min_lr = 0);
// lr * rate^(step / every)
Schedule exponential_schedule(double lr, double rate, double every = 1);

// A param or a piece of optimiser state, and its value after the step.
struct Update {
  Tensor target, value;
};

namespace detail {
// Memory that a graph may assign, not learnable.
Tensor variable(const Shape& shape, float value);
// What backward() left at a learnable leaf; empty: nothing.
std::span<const float> gradient_data(const Value& param);
void set_gradient(const Value& param, std::vector<float> gradient);
std::pair<float, float> bounds(const Value& param);
bool is_learnable(const Value& x);

// Updates compiled together; all values are computed before any target changes.
class UpdateProgram {
 public:
  explicit UpdateProgram(std::vector<Update> updates);
  void run();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};
}  // namespace detail

struct GroupOptions {
  float lr_scale = 1;                 // of the optimiser's learning rate
  std::optional<float> weight_decay;  // instead of the optimiser's
};

// One step is: gradients, clipped by value, then by their common norm; the rule; bounds of the params. A step whose
// gradient is not finite changes nothing but skipped(). step() takes the gradients that backward() left, a TrainingStep
// its own.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Updates the params that have a gradient; none at all is an Error.
  void step();
  void zero_grad();
  // An lr that is negative or not finite is an Error, here, in options and from a schedule.
  void set_lr(double lr) { progress_->set_lr(lr); }
  double lr() const { return progress_->lr; }
  // The learning rate from now on, by the number of the step.
  void set_schedule(Schedule schedule) { progress_->schedule = std::move(schedule); }
  void add_group(const std::vector<Value>& params, const GroupOptions& options = {});
  int64_t steps() const { return progress_->steps; }
  int64_t skipped() const;
  // "SGD", "Adam" or "AdamW"; a checkpoint is loaded into the same kind only.
  const std::string& kind() const { return settings_.kind; }

  // For TrainingStep, checkpoints and own loops: what a step does, given the gradient of each of params() or none.
  std::vector<Update> updates(const std::vector<std::optional<Tensor>>& gradients) const;
  std::vector<Tensor> params() const;
  // Pieces of state by name: "m.0" is m of the first param.
  std::map<std::string, Tensor> state() const;
  void set_steps(int64_t steps) { progress_->steps = steps; }
  // What changes from step to step on the host.
  struct Progress {
    Tensor lr_value;  // read by the graph
    double lr = 0;
    Schedule schedule;
    int64_t steps = 0;
    void set_lr(double value);
    void before_step();  // the learning rate of the step that begins
    void after_step() { ++steps; }
  };
  const std::shared_ptr<Progress>& progress() const { return progress_; }

 protected:
  struct Param {
    Tensor value;
    std::vector<Tensor> state;  // in the order of the rule's pieces
    float lr_scale = 1;
    float weight_decay = 0;
  };
  // A piece of state of every param: one number, or as many as the param has.
  struct Piece {
    std::string name;
    bool scalar = false;
  };
  struct Settings {
    std::string kind;
    double lr = 1e-3;
    float weight_decay = 0, clip_grad_norm = 0, clip_grad_value = 0;
    std::vector<Piece> pieces;
  };
  Optimizer(const std::vector<Value>& params, Settings settings);

  // The new value of a param; new values of its state go to next, in order.
  virtual Tensor rule(const Param& param, const Tensor& gradient, const Tensor& lr,
                      std::vector<Tensor>& next) const = 0;

 private:
  std::vector<Tensor> clipped(std::vector<Tensor> gradients) const;

  Settings settings_;
  std::vector<Param> params_;
  Tensor skipped_;
  std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  // step(): the compiled updates of the params that had a gradient last time, and where their gradients go.
  std::vector<std::optional<Tensor>> gradients_;
  std::optional<detail::UpdateProgram> program_;
};

struct SgdOptions {
  float lr = 1e-2f;
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
  float clip_grad_norm = 0;   // 0: off
  float clip_grad_value = 0;  // 0: off
};

struct AdamOptions {
  float lr = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 0;     // added to the gradient
  float clip_grad_norm = 0;   // 0: off
  float clip_grad_value = 0;  // 0: off
};

struct AdamWOptions {
  float lr = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 1e-2f;  // taken from the param, times lr
  float clip_grad_norm = 0;
  float clip_grad_value = 0;
};

// g += weight_decay w; v = momentum v + g; w -= lr v, or with Nesterov lr (g + momentum v).
class SGD : public Optimizer {
 public:
  SGD(const std::vector<Value>& params, const SgdOptions& options = {});

 protected:
  Tensor rule(const Param& param, const Tensor& gradient, const Tensor& lr, std::vector<Tensor>& next) const override;

 private:
  SgdOptions options_;
};

// Kingma and Ba 2015, bias-corrected, eps outside the root.
class Adam : public Optimizer {
 public:
  Adam(const std::vector<Value>& params, const AdamOptions& options = {}) : Adam(params, options, false) {}

 protected:
  Adam(const std::vector<Value>& params, const AdamOptions& options, bool decoupled);
  Tensor rule(const Param& param, const Tensor& gradient, const Tensor& lr, std::vector<Tensor>& next) const override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

// Loshchilov and Hutter 2019: weight decay beside the gradient.
class AdamW : public Adam {
 public:
  AdamW(const std::vector<Value>& params, const AdamWOptions& o = {})
      : Adam(params, {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.clip_grad_norm, o.clip_grad_value}, true) {}
};

// Clips the gradients that backward() left; the norm is that of all params together and is returned as it was.
double clip_grad_norm(const std::vector<Value>& params, double max_norm);
void clip_grad_value(const std::vector<Value>& params, double max_value);

// Training
// -------------------------------------------------------------------------------------------------------------

struct TrainingOptions {
  int frames = -1;  // -1: config().default_frame_count
  Reduction reduction = Reduction::mean;
  bool preserve_state = false;  // go on in the stream from step to step
};

// Forward, backward and update as one compiled unit.
class TrainingStep {
 public:
  TrainingStep(const Value& loss, Optimizer& optimizer, const TrainingOptions& options);
  // One step; returns the loss before it.
  double run(const Inputs& inputs = {});
  std::string explain() const;
  ProgramStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

inline TrainingStep compile_training(const Value& loss, Optimizer& optimizer, const TrainingOptions& options = {}) {
  return TrainingStep(loss, optimizer, options);
}

struct GradcheckOptions {
  int frames = -1;
  Inputs inputs;
  Reduction reduction = Reduction::mean;
  double step = 1e-5;       // of max(|value|, 1); the second step size is half of it
  int max_elements = 8;     // checked of each param, spread evenly
  double tolerance = 1e-3;  // relative
};

struct GradcheckRow {
  std::string param;
  int64_t element = 0;
  double gradient = 0;    // of backward()
  double difference = 0;  // central, extrapolated from the two step sizes
  double spread = 0;      // between the two step sizes, relative: large where the loss is not smooth
  double left = 0, right = 0;  // one-sided differences
  bool kink = false;      // they stay apart as the step shrinks: any slope between them is one
  bool jump = false;      // they grow apart: the value itself jumps, difference is the slope on the side without the jump
  double error = 0;       // |gradient - difference|, relative to the larger, but to 1e-3 of the param's largest at least
};

struct Gradcheck {
  std::vector<GradcheckRow> rows;
  double worst = 0;
  bool ok = false;
  std::string table() const;
};

// Gradients of the configured backend against central differences of the reference interpreter in float64. Gradients
// that backward() left stay as they are.
Gradcheck gradcheck(const Value& loss, const GradcheckOptions& options = {});

// Checkpoints
// ----------------------------------------------------------------------------------------------------------

using NamedParams = std::vector<std::pair<std::string, Value>>;
// Params, and the state of an optimiser, as one safetensors file, written atomically.
void save(const std::filesystem::path& path, const NamedParams& params, const Optimizer* optimizer = nullptr);
// Into params (and an optimiser) of the same names and shapes; anything else, an optimiser of another kind too, is an
// Error and changes nothing. Without an optimiser its state in the file is ignored.
void load(const std::filesystem::path& path, const NamedParams& params, Optimizer* optimizer = nullptr);
inline void save(const std::filesystem::path& path, const NamedParams& params, const Optimizer& optimizer) {
  save(path, params, &optimizer);
}
inline void load(const std::filesystem::path& path, const NamedParams& params, Optimizer& optimizer) {
  load(path, params, &optimizer);
}

}  // namespace dgen
