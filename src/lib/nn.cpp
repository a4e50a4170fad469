#include "dgen/nn.h"

#include <cmath>

#include "base/check.h"

namespace dgen {
namespace detail {
namespace {

using X = SignalTensor;
X handle(const Value& v) { return as<X>(v); }

}  // namespace

Value linear(const Value& x, const Value& weight, const Value& bias, Loc loc) {
  CallSite site(loc);
  X y = handle(matmul(x, weight, loc));
  return bias ? y + handle(bias) : y;
}

Value layer_norm(const Value& v, const Value& gain, const Value& bias, float eps, Loc loc) {
  CallSite site(loc);
  X x = handle(v);
  X centred = x - x.mean(-1, true);
  X y = centred * rsqrt((centred * centred).mean(-1, true) + eps);
  if (gain) y = y * handle(gain);
  return bias ? y + handle(bias) : y;
}

Value attention(const Value& q, const Value& k, const Value& v, bool causal, Loc loc) {
  CallSite site(loc);
  X query = handle(q), key = handle(k);
  if (query.rank() < 2 || key.rank() < 2 || v.rank() < 2)
    raise("attention", cat("rows of vectors are needed, got ", query.shape().str(), " x ", key.shape().str(), " x ", v.shape().str()),
          {q, k, v}, loc);
  Axes swapped(static_cast<size_t>(key.rank()));
  for (size_t i = 0; i < swapped.size(); ++i) swapped[i] = static_cast<int>(i);
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  X scores = query.matmul(key.permute(swapped)) * (1 / std::sqrt(static_cast<float>(query.size(-1))));
  if (causal) {
    int64_t n = scores.size(-2), m = scores.size(-1);
    Tensor row = Tensor::arange(n).reshape({n, 1}), column = Tensor::arange(m);
    scores = select(column <= row, scores, -1e30f);
  }
  return scores.softmax(-1).matmul(handle(v));
}

}  // namespace detail

namespace {

// Uniform in [-limit, limit), by splitmix64.
Tensor uniform(const Shape& shape, float limit, uint64_t& seed) {
  std::vector<float> data(static_cast<size_t>(shape.size()));
  for (float& v : data) {
    uint64_t x = seed += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    v = limit * (static_cast<float>((x ^ (x >> 31)) >> 40) * 0x1p-23f - 1);
  }
  return Tensor::param(std::move(data), shape);
}

RecurrentWeights recurrent_weights(const char* function, int64_t in, int64_t hidden, int64_t gates, uint64_t seed, Loc loc) {
  if (in < 1 || hidden < 1) detail::raise(function, cat("sizes must be at least 1, got ", in, " and ", hidden), {}, loc);
  float limit = 1 / std::sqrt(static_cast<float>(hidden));
  constexpr int64_t most = 1 << 20;
  if (in > most || hidden > most) detail::raise(function, cat("sizes must be at most ", most, ", got ", in, " and ", hidden), {}, loc);
  int64_t width = gates * hidden;
  RecurrentWeights w;
  w.input = uniform({in, width}, limit, seed);
  w.hidden = uniform({hidden, width}, limit, seed);
  w.bias = uniform({width}, limit, seed);
  w.hidden_bias = uniform({width}, limit, seed);
  return w;
}

// Part i of the gates stacked in the last axis.
SignalTensor gate(const SignalTensor& all, int64_t i, int64_t hidden) {
  return detail::as<SignalTensor>(detail::slice_axis(all, -1, {i * hidden, (i + 1) * hidden}, Loc{}));
}

Shape with_last(const Shape& shape, int64_t n) {
  Shape to = shape;
  to[to.rank() - 1] = n;
  return to;
}

// Their hidden size.
int64_t checked(const char* function, const SignalTensor& x, const RecurrentWeights& w, int64_t gates, Loc loc) {
  for (const Tensor& t : {w.input, w.hidden, w.bias, w.hidden_bias})
    if (!t) detail::raise(function, "an empty handle among the weights", {}, loc);
  if (x.rank() == 0) detail::raise(function, "an axis of features is needed, got shape ()", {x}, loc);
  const int64_t in = x.size(-1), hidden = w.hidden.size(0), width = gates * hidden;
  if (w.input.shape() != Shape{in, width} || w.hidden.shape() != Shape{hidden, width} || w.bias.shape() != Shape{width} ||
      w.hidden_bias.shape() != Shape{width})
    detail::raise(function,
                  cat("the weights do not fit ", in, " features and ", gates, " gates: input ", w.input.shape().str(), ", hidden ",
                      w.hidden.shape().str(), ", bias ", w.bias.shape().str(), ", hidden_bias ", w.hidden_bias.shape().str()),
                  {x}, loc);
  return hidden;
}

int ticks(const SignalTensor& x) { return static_cast<int>(std::max<int64_t>(x.clock().period, 1)); }

}  // namespace

RecurrentWeights gru_weights(int64_t in, int64_t hidden, uint64_t seed, Loc loc) {
  return recurrent_weights("gru_weights", in, hidden, 3, seed, loc);
}
RecurrentWeights lstm_weights(int64_t in, int64_t hidden, uint64_t seed, Loc loc) {
  return recurrent_weights("lstm_weights", in, hidden, 4, seed, loc);
}

// r = s(Wr x + Ur h), z = s(Wz x + Uz h), n = tanh(Wn x + r (Un h)), h = (1 - z) n + z h1 (Cho et al. 2014).
SignalTensor gru(const SignalTensor& x, const RecurrentWeights& w, Loc loc) {
  detail::CallSite site(loc);
  const int64_t hidden = checked("gru", x, w, 3, loc);
  auto [h1, write] = SignalTensor::history(with_last(x.shape(), hidden), {.hop = ticks(x)});
  SignalTensor a = linear(x, w.input, w.bias), b = linear(h1, w.hidden, w.hidden_bias);
  SignalTensor r = sigmoid(gate(a, 0, hidden) + gate(b, 0, hidden));
  SignalTensor z = sigmoid(gate(a, 1, hidden) + gate(b, 1, hidden));
  SignalTensor n = tanh(gate(a, 2, hidden) + r * gate(b, 2, hidden));
  return write(n + z * (h1 - n));
}

// i, f, o = s(.), g = tanh(.), c = f c1 + i g, h = o tanh c (Hochreiter and Schmidhuber 1997, Gers et al. 2000).
SignalTensor lstm(const SignalTensor& x, const RecurrentWeights& w, Loc loc) {
  detail::CallSite site(loc);
  const int64_t hidden = checked("lstm", x, w, 4, loc);
  Shape shape = with_last(x.shape(), hidden);
  auto [h1, write_h] = SignalTensor::history(shape, {.hop = ticks(x)});
  auto [c1, write_c] = SignalTensor::history(shape, {.hop = ticks(x)});
  SignalTensor a = linear(x, w.input, w.bias) + linear(h1, w.hidden, w.hidden_bias);
  SignalTensor c = write_c(sigmoid(gate(a, 1, hidden)) * c1 + sigmoid(gate(a, 0, hidden)) * tanh(gate(a, 2, hidden)));
  return write_h(sigmoid(gate(a, 3, hidden)) * tanh(c));
}

}  // namespace dgen
