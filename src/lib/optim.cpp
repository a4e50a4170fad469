// Optimisers as graph: clip, rule, bounds, and no change at all where a gradient is not finite.
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "dgen/train.h"

namespace dgen {

Schedule constant_schedule(double lr) {
  return [lr](int64_t) { return lr; };
}

Schedule warmup_cosine_schedule(double lr, int64_t warmup, int64_t total, double min_lr) {
  return [=](int64_t step) {
    if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
    double length = static_cast<double>(std::max<int64_t>(total - warmup, 1));
    double t = std::min(static_cast<double>(step - warmup) / length, 1.0);
    return min_lr + (lr - min_lr) * 0.5 * (1 + std::cos(std::numbers::pi * t));
  };
}

Schedule exponential_schedule(double lr, double rate, double every) {
  return [=](int64_t step) { return lr * std::pow(rate, static_cast<double>(step) / every); };
}

Optimizer::Optimizer(const std::vector<Value>& params, Settings settings)
    : settings_(std::move(settings)), skipped_(detail::variable({}, 0)) {
  progress_->lr_value = detail::variable({}, 0);
  set_lr(settings_.lr);
  add_group(params);
}

void Optimizer::add_group(const std::vector<Value>& params, const GroupOptions& options) {
  for (const Value& value : params) {
    if (!detail::is_learnable(value)) detail::raise("optimizer", "a handle that is not learnable", {value});
    Param param{detail::as<Tensor>(value), {}, options.lr_scale, options.weight_decay.value_or(settings_.weight_decay)};
    for (const Piece& piece : settings_.pieces)
      param.state.push_back(detail::variable(piece.scalar ? Shape{} : value.shape(), 0));
    params_.push_back(std::move(param));
  }
  program_.reset();
}

void Optimizer::Progress::set_lr(double value) {
  if (!std::isfinite(value) || value < 0)
    detail::raise("optimizer", cat("lr must be finite and not negative, got ", value), {});
  lr = value;
  lr_value.assign(static_cast<float>(value));
}

void Optimizer::Progress::before_step() {
  if (schedule) set_lr(schedule(steps));
}

int64_t Optimizer::skipped() const { return std::llround(skipped_.realize()[0]); }

std::vector<Tensor> Optimizer::params() const {
  std::vector<Tensor> values;
  for (const Param& p : params_) values.push_back(p.value);
  return values;
}

std::map<std::string, Tensor> Optimizer::state() const {
  std::map<std::string, Tensor> pieces{{"skipped", skipped_}};
  for (size_t i = 0; i < params_.size(); ++i)
    for (size_t k = 0; k < settings_.pieces.size(); ++k)
      pieces.emplace(settings_.pieces[k].name + "." + std::to_string(i), params_[i].state[k]);
  return pieces;
}

std::vector<Tensor> Optimizer::clipped(std::vector<Tensor> gradients) const {
  float limit = settings_.clip_grad_value, max_norm = settings_.clip_grad_norm;
  if (limit > 0)
    for (Tensor& g : gradients) g = clamp(g, -limit, limit);
  if (max_norm > 0) {
    Tensor power = (gradients[0] * gradients[0]).sum();
    for (size_t i = 1; i < gradients.size(); ++i) power += (gradients[i] * gradients[i]).sum();
    Tensor factor = min(max_norm / (sqrt(power) + 1e-6f), 1.0f);
    for (Tensor& g : gradients) g *= factor;
  }
  return gradients;
}

std::vector<Update> Optimizer::updates(const std::vector<std::optional<Tensor>>& gradients) const {
  std::vector<const Param*> active;
  std::vector<Tensor> raw;
  for (size_t i = 0; i < params_.size(); ++i)
    if (gradients[i]) active.push_back(&params_[i]), raw.push_back(*gradients[i]);
  // A gradient times 0 is 0 only where it is finite.
  Tensor zero = (raw[0] * 0.0f).sum();
  for (size_t i = 1; i < raw.size(); ++i) zero += (raw[i] * 0.0f).sum();
  Tensor finite = zero == 0.0f;
  std::vector<Tensor> clean = clipped(std::move(raw));
  const Tensor& base_lr = progress_->lr_value;
  std::vector<Update> updates{{skipped_, skipped_ + (1.0f - finite)}};
  for (size_t i = 0; i < active.size(); ++i) {
    const Param& p = *active[i];
    std::vector<Tensor> next;
    Tensor lr = p.lr_scale == 1 ? base_lr : base_lr * p.lr_scale;
    Tensor value = rule(p, clean[i], lr, next);
    auto [lo, hi] = detail::bounds(p.value);
    if (std::isfinite(hi)) value = min(value, hi);
    if (std::isfinite(lo)) value = max(value, lo);
    updates.push_back({p.value, select(finite, value, p.value)});
    for (size_t k = 0; k < next.size(); ++k) updates.push_back({p.state[k], select(finite, next[k], p.state[k])});
  }
  return updates;
}

void Optimizer::step() {
  std::vector<std::span<const float>> data;
  bool any = false, same = program_.has_value();
  for (size_t i = 0; i < params_.size(); ++i) {
    data.push_back(detail::gradient_data(params_[i].value));
    any = any || !data.back().empty();
    same = same && gradients_[i].has_value() == !data.back().empty();
  }
  if (!any) detail::raise("step", "no parameter has a gradient: call backward() first", {});
  if (!same) {
    gradients_.clear();
    for (size_t i = 0; i < params_.size(); ++i)
      gradients_.push_back(data[i].empty() ? std::nullopt : std::optional(Tensor::zeros(params_[i].value.shape())));
    program_.emplace(updates(gradients_));
  }
  for (size_t i = 0; i < params_.size(); ++i)
    if (gradients_[i]) gradients_[i]->assign(data[i]);
  progress_->before_step();
  program_->run();
  progress_->after_step();
}

void Optimizer::zero_grad() {
  for (const Param& p : params_) p.value.zero_grad();
}

// Rules
// ----------------------------------------------------------------------------------------------------------------

SGD::SGD(const std::vector<Value>& params, const SgdOptions& o)
    : Optimizer(params, {"SGD", o.lr, o.weight_decay, o.clip_grad_norm, o.clip_grad_value,
                         o.momentum != 0 ? std::vector<Piece>{{"v", false}} : std::vector<Piece>{}}),
      options_(o) {}

Tensor SGD::rule(const Param& param, const Tensor& gradient, const Tensor& lr, std::vector<Tensor>& next) const {
  const Tensor& w = param.value;
  Tensor g = param.weight_decay == 0 ? gradient : gradient + param.weight_decay * w;
  if (options_.momentum == 0) return w - lr * g;
  Tensor v = options_.momentum * param.state[0] + g;
  next = {v};
  return w - lr * (options_.nesterov ? g + options_.momentum * v : v);
}

namespace {

void check_beta(const char* name, float beta) {
  if (!(beta >= 0 && beta < 1)) detail::raise("optimizer", cat(name, " must be at least 0 and below 1, got ", beta), {});
}

}  // namespace

Adam::Adam(const std::vector<Value>& params, const AdamOptions& o, bool decoupled)
    : Optimizer(params, {decoupled ? "AdamW" : "Adam",
                         o.lr,
                         o.weight_decay,
                         o.clip_grad_norm,
                         o.clip_grad_value,
                         {{"m", false}, {"v", false}, {"m_weight", true}, {"v_weight", true}}}),
      options_(o),
      decoupled_(decoupled) {
  check_beta("beta1", o.beta1);
  check_beta("beta2", o.beta2);
}

// The weights are 1 - beta^t, summed step by step because 1 - beta^t itself cancels.
Tensor Adam::rule(const Param& param, const Tensor& gradient, const Tensor& lr, std::vector<Tensor>& next) const {
  const Tensor& w = param.value;
  float b1 = options_.beta1, b2 = options_.beta2, decay = param.weight_decay;
  Tensor g = decay == 0 || decoupled_ ? gradient : gradient + decay * w;
  Tensor m = b1 * param.state[0] + (1 - b1) * g;
  Tensor v = b2 * param.state[1] + (1 - b2) * (g * g);
  Tensor m_weight = b1 * param.state[2] + (1 - b1);
  Tensor v_weight = b2 * param.state[3] + (1 - b2);
  next = {m, v, m_weight, v_weight};
  Tensor step = (m / m_weight) / (sqrt(v / v_weight) + options_.eps);
  return w - lr * (decay == 0 || !decoupled_ ? step : step + decay * w);
}

// Gradients of the eager loop
// ------------------------------------------------------------------------------------------

double clip_grad_norm(const std::vector<Value>& params, double max_norm) {
  if (!(max_norm >= 0)) fail("[clip_grad_norm] the largest norm must not be negative, got ", max_norm);
  double power = 0;
  for (const Value& p : params)
    for (float g : detail::gradient_data(p)) power += static_cast<double>(g) * static_cast<double>(g);
  double norm = std::sqrt(power), factor = std::min(1.0, max_norm / (norm + 1e-6));
  for (const Value& p : params) {
    auto data = detail::gradient_data(p);
    std::vector<float> scaled(data.begin(), data.end());
    for (float& g : scaled) g = static_cast<float>(static_cast<double>(g) * factor);
    detail::set_gradient(p, std::move(scaled));
  }
  return norm;
}

void clip_grad_value(const std::vector<Value>& params, double max_value) {
  if (!(max_value >= 0)) fail("[clip_grad_value] the largest value must not be negative, got ", max_value);
  for (const Value& p : params) {
    auto data = detail::gradient_data(p);
    std::vector<float> bounded(data.begin(), data.end());
    for (float& g : bounded) g = static_cast<float>(std::clamp(static_cast<double>(g), -max_value, max_value));
    detail::set_gradient(p, std::move(bounded));
  }
}

}  // namespace dgen
