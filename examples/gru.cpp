// A GRU of 64 units at hop rate from primitives, beside gru() with the same weights: feedback through a matrix product is
// an ordinary recurrence. Equal outputs and gradients; explain() shows the loop, and that everything else is parallel.
#include <dgen/dgen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

using namespace dgen;

namespace {

constexpr int inputs = 16, units = 64, hop = 256, frames = 100 * hop;

// r = s(Wr x + Ur h), z = s(Wz x + Uz h), n = tanh(Wn x + r (Un h)), h = (1 - z) n + z h1.
SignalTensor gru_by_hand(const SignalTensor& x, const RecurrentWeights& w) {
  auto [h, write] = SignalTensor::history(Shape{units}, {.hop = hop});
  SignalTensor from_x = x.matmul(w.input) + w.bias, from_h = h.matmul(w.hidden) + w.hidden_bias;
  auto part = [](const SignalTensor& all, int i) { return all[{i * units, (i + 1) * units}]; };
  SignalTensor r = sigmoid(part(from_x, 0) + part(from_h, 0));
  SignalTensor z = sigmoid(part(from_x, 1) + part(from_h, 1));
  SignalTensor n = tanh(part(from_x, 2) + r * part(from_h, 2));
  return write((1.0f - z) * n + z * h);
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

std::vector<float> gradients(const SignalTensor& hidden, const RecurrentWeights& w) {
  SGD all({w.input, w.hidden, w.bias, w.hidden_bias}, {});
  all.zero_grad();
  (hidden * hidden).mean().backward(frames);
  std::vector<float> flat;
  for (const Tensor& t : {w.input, w.hidden, w.bias, w.hidden_bias}) {
    std::vector<float> g = t.grad()->realize();
    flat.insert(flat.end(), g.begin(), g.end());
  }
  return flat;
}

}  // namespace

int main() {
  SignalTensor x = sin(frame_index().every(hop) * 1e-3f * (Tensor::arange(inputs) + 1.0f));
  RecurrentWeights w = gru_weights(inputs, units, 1);
  SignalTensor by_hand = gru_by_hand(x, w), library = gru(x, w);

  const std::vector<float> g = gradients(library, w), g_hand = gradients(by_hand, w);
  const float steepest = std::abs(*std::max_element(g.begin(), g.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
  const float outputs_off = largest_difference(by_hand.realize(frames), library.realize(frames));
  const float gradients_off = largest_difference(g_hand, g) / steepest;
  std::printf("outputs differ by %.0e, gradients by %.0e of the steepest\n", outputs_off, gradients_off);

  SGD sgd({w.input, w.hidden, w.bias, w.hidden_bias}, {});
  std::printf("%s", compile_training((by_hand * by_hand).mean(), sgd, {.frames = frames}).explain().c_str());
  return outputs_off < 1e-6f && gradients_off < 1e-5f ? 0 : 1;
}
