// Layers as functions of their weights.
#pragma once
#include "dgen/operators.h"

namespace dgen {

namespace detail {
Value linear(const Value& x, const Value& weight, const Value& bias, Loc loc);
Value layer_norm(const Value& x, const Value& gain, const Value& bias, float eps, Loc loc);
Value attention(const Value& q, const Value& k, const Value& v, bool causal, Loc loc);
}  // namespace detail

// x [.., in] times weight [in, out], plus bias [out].
template <Handle X, Handle W>
Promoted<X, W> linear(const X& x, const W& weight, Loc loc = Loc::here()) {
  return detail::as<Promoted<X, W>>(detail::linear(x, weight, Value{}, loc));
}
template <Handle X, Handle W, Handle B>
Promoted<X, W, B> linear(const X& x, const W& weight, const B& bias, Loc loc = Loc::here()) {
  return detail::as<Promoted<X, W, B>>(detail::linear(x, weight, bias, loc));
}

// (x - mean) / sqrt(var + eps) over the last axis, times gain, plus bias (Ba, Kiros and Hinton 2016).
template <Handle X>
X layer_norm(const X& x, float eps = 1e-5f, Loc loc = Loc::here()) {
  return detail::as<X>(detail::layer_norm(x, Value{}, Value{}, eps, loc));
}
template <Handle X, Handle G, Handle B>
Promoted<X, G, B> layer_norm(const X& x, const G& gain, const B& bias, float eps = 1e-5f, Loc loc = Loc::here()) {
  return detail::as<Promoted<X, G, B>>(detail::layer_norm(x, gain, bias, eps, loc));
}

// softmax(q k' / sqrt(d)) v, q [.., n, d], k [.., m, d], v [.., m, e] (Vaswani et al. 2017); causal: row i sees rows <=
// i.
template <Handle Q, Handle K, Handle V>
Promoted<Q, K, V> attention(const Q& q, const K& k, const V& v, bool causal = false, Loc loc = Loc::here()) {
  return detail::as<Promoted<Q, K, V>>(detail::attention(q, k, v, causal, loc));
}

// Recurrent cells over the ticks of x [.., in]; the state starts at zero. Gates are stacked in the weights' last axis,
// in PyTorch's order: r, z, n for the GRU, i, f, g, o for the LSTM.
struct RecurrentWeights {
  Tensor input;        // [in, gates * hidden]
  Tensor hidden;       // [hidden, gates * hidden]
  Tensor bias;         // [gates * hidden]
  Tensor hidden_bias;  // [gates * hidden]
};
// Learnable, uniform in +-1/sqrt(hidden) by seed.
RecurrentWeights gru_weights(int64_t in, int64_t hidden, uint64_t seed = 0, Loc loc = Loc::here());
RecurrentWeights lstm_weights(int64_t in, int64_t hidden, uint64_t seed = 0, Loc loc = Loc::here());
SignalTensor gru(const SignalTensor& x, const RecurrentWeights& weights, Loc loc = Loc::here());
SignalTensor lstm(const SignalTensor& x, const RecurrentWeights& weights, Loc loc = Loc::here());

}  // namespace dgen
