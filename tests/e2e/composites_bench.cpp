// Learnable arguments of composites.
#include <algorithm>
#include <random>

#include "e2e/composites.h"

namespace dgen::test {
namespace {

std::vector<float> random(const Shape& shape, uint64_t seed, float lo, float hi) {
  std::mt19937_64 rng(seed * 7919 + 17);
  std::vector<float> values(static_cast<size_t>(shape.size()));
  for (float& v : values) v = lo + (hi - lo) * static_cast<float>(static_cast<double>(rng() >> 11) * 0x1p-53);
  return values;
}

}  // namespace

Shape Bench::in_bank(const Shape& shape) const {
  Shape all = clock == bank ? Shape{3} : Shape{};
  for (int64_t n : shape) all.push_back(n);
  return all;
}

SignalTensor Bench::noise(const Shape& shape, int64_t period) {
  uint64_t seed = 40 + made_++;
  if (period == 0) return Tensor(random(shape, seed, -1, 1), shape);
  return SignalTensor::noise(shape, {.seed = seed, .hop = static_cast<int>(period)});
}

Tensor Bench::weights(const Shape& shape, float lo, float hi) {
  std::string name = name_ + " " + std::to_string(made_);
  return Tensor::param(random(shape, 100 + made_++, lo, hi), shape).named(name);
}

SignalTensor Bench::signal(const Shape& shape) {
  Tensor gain = weights(in_bank(shape), 0.4f, 1);
  return gain * noise(in_bank(shape), period());
}

SignalTensor Bench::knob(float lo, float hi, const Shape& shape) {
  Tensor at = weights(in_bank(shape), 0.3f, 0.7f);
  if (clock == fixed) return lo + (hi - lo) * at;
  return lo + (hi - lo) * (at + 0.25f * noise(in_bank(shape), period()));
}

SignalTensor Bench::gate(const Shape& shape) { return noise(in_bank(shape), period()) > 0.0f; }
SignalTensor Bench::trigger() { return noise(in_bank({}), std::max(period(), 1)) > 0.0f; }

RecurrentWeights Bench::named(RecurrentWeights weights) {
  for (Tensor* w : {&weights.input, &weights.hidden, &weights.bias, &weights.hidden_bias})
    w->set_name(name_ + " " + std::to_string(made_++));
  return weights;
}

bool Composite::has(Clock clock) const { return std::find(without.begin(), without.end(), clock) == without.end(); }

}  // namespace dgen::test
