#include "decoder.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace dgen::ddsp {
namespace {

std::string layer_name(const std::string& stack, int i) { return stack + "." + std::to_string(i); }

}  // namespace

Decoder::Decoder(const Config& config) : config_(config) {
  int64_t in = 2;
  if (config.gru > 0) {
    const int64_t both = add_stack("f0", 1) + add_stack("loudness", 1);
    const RecurrentWeights w = gru_weights(both, config.gru, config.seed * 1000 + 999);
    for (const auto& [name, tensor] : {std::pair{"input", w.input}, {"hidden", w.hidden}, {"bias", w.bias}, {"hidden_bias", w.hidden_bias}})
      tensors_.push_back({std::string("gru.") + name, tensor.named(std::string("gru.") + name)});
    in = both + config.gru;
  }
  in = add_stack("trunk", in);
  if (config.harmonic_branch) weight("amplitudes", in, config.harmonics + 1);
  if (config.noise_branch) weight("noise", in, config.noise_bands);
}

// Returns how many values come out.
int64_t Decoder::add_stack(const std::string& name, int64_t in) {
  for (int i = 0; i < config_.layers; ++i) {
    const std::string layer = layer_name(name, i);
    weight(layer, in, config_.hidden);
    fixed(layer + ".gain", config_.hidden, 1);
    fixed(layer + ".shift", config_.hidden, 0);
    in = config_.hidden;
  }
  return in;
}

// Weight and bias of a dense layer, spread as PyTorch's default does.
void Decoder::weight(const std::string& name, int64_t in, int64_t out) {
  const float std = 1 / std::sqrt(3 * static_cast<float>(in));
  const uint64_t seed = config_.seed * 1000 + tensors_.size();
  Tensor w = Tensor::param(Shape{in, out}, {.seed = seed, .std = std}).named(name + ".weight");
  Tensor b = Tensor::param(Shape{out}, {.seed = seed + 500, .std = std}).named(name + ".bias");
  for (const Tensor& t : {w, b}) tensors_.push_back({t.name(), t});
}

void Decoder::fixed(const std::string& name, int64_t size, float value) {
  tensors_.push_back({name, Tensor::full(Shape{size}, value, true).named(name)});
}

const Tensor& Decoder::get(const std::string& name) const {
  for (auto& [key, tensor] : tensors_)
    if (key == name) return tensor;
  throw InternalError("the decoder has no weight " + name);
}

NamedParams Decoder::params() const { return {tensors_.begin(), tensors_.end()}; }

std::vector<Value> Decoder::values() const {
  std::vector<Value> values;
  for (auto& [name, tensor] : tensors_) values.push_back(tensor);
  return values;
}

SignalTensor Decoder::dense(const SignalTensor& x, const std::string& name) const {
  return linear(x, get(name + ".weight"), get(name + ".bias"));
}

SignalTensor Decoder::stack_of(SignalTensor z, const std::string& name) const {
  for (int i = 0; i < config_.layers; ++i) {
    const std::string layer = layer_name(name, i);
    z = leaky_relu(layer_norm(dense(z, layer), get(layer + ".gain"), get(layer + ".shift")));
  }
  return z;
}

SignalTensor Decoder::trunk(const SignalTensor& f0, const SignalTensor& loudness) const {
  const SignalTensor pitch = log2(f0 / 440.0f) * 0.5f, level = (loudness + 80.0f) * (2.0f / 80) - 1.0f;
  if (config_.gru == 0) return stack_of(stack({pitch, level}, -1), "trunk");
  const SignalTensor both = concat({stack_of(pitch.unsqueeze(-1), "f0"), stack_of(level.unsqueeze(-1), "loudness")}, -1);
  const RecurrentWeights w{get("gru.input"), get("gru.hidden"), get("gru.bias"), get("gru.hidden_bias")};
  return stack_of(concat({both, gru(both, w)}, -1), "trunk");
}

// Harmonics above half the sample rate are silent; the others share the total amplitude.
SignalTensor Decoder::harmonics(const SignalTensor& z, const SignalTensor& f0) const {
  const int count = config_.harmonics;
  SignalTensor controls = exp_sigmoid(dense(z, "amplitudes"));  // [batch, 1 + count]
  std::vector<SignalTensor> parts = controls.split({1, count}, -1);
  Tensor k = Tensor::arange(count) + 1.0f;
  SignalTensor below = f0.unsqueeze(-1) * k < static_cast<float>(config_.sample_rate) / 2;
  SignalTensor shares = parts[1] * below;
  SignalTensor amplitudes = shares / (shares.sum(-1, true) + 1e-7f) * parts[0];
  SignalTensor phase = Signal::phasor(f0.interpolate()).unsqueeze(-1) * k;
  return (sin(phase * (2 * std::numbers::pi_v<float>)) * amplitudes.interpolate()).sum(-1);
}

SignalTensor Decoder::noise(const SignalTensor& z) const {
  SignalTensor magnitudes = exp_sigmoid(dense(z, "noise") - 5.0f);
  SignalTensor white = SignalTensor::noise(Shape{z.size(0)}, {.seed = config_.seed});
  return white.filter_hops(magnitudes, {.hop = config_.hop});
}

Sound Decoder::build(const SignalTensor& f0, const SignalTensor& loudness) const {
  SignalTensor z = trunk(f0, loudness);
  Sound sound;
  sound.harmonic = config_.harmonic_branch ? harmonics(z, f0) : f0.hold() * 0.0f;
  sound.noise = config_.noise_branch ? noise(z) : f0.hold() * 0.0f;
  sound.mix = sound.harmonic + sound.noise;
  return sound;
}

}  // namespace dgen::ddsp
