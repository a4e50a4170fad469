// Learns the amplitudes of four harmonics, made by a matrix product, from the sound alone: they become 1, 0, 1, 0.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  constexpr float two_pi = 2 * std::numbers::pi_v<float>;
  Tensor input({{1.0f}});  // [1, 1]
  Tensor weights = Tensor::param(Shape{1, 4}, {.seed = 1, .std = 0.1f});  // what is learnt
  Tensor freqs({100, 200, 300, 400});

  Adam opt({weights}, {.lr = 0.05f});
  for (int i = 0; i <= 100; ++i) {
    // The graph may be built anew every time: an equal one compiles nothing.
    Tensor amps = input.matmul(weights);
    SignalTensor phases = Signal::phasor(freqs);
    Signal output = (sin(phases * two_pi) * amps.reshape({4})).sum();

    Signal target = sin(Signal::phasor(100) * two_pi) + sin(Signal::phasor(300) * two_pi);

    Signal loss = mse(output, target);
    const double value = loss.backward(1024);
    opt.step();
    opt.zero_grad();
    if (i % 20 == 0) std::printf("step %3d  loss %.6f\n", i, value);
  }

  std::vector<float> learnt = weights.realize();
  std::printf("amplitudes %.3f %.3f %.3f %.3f\n", learnt[0], learnt[1], learnt[2], learnt[3]);
  const float wanted[] = {1, 0, 1, 0};
  bool ok = true;
  for (size_t k = 0; k < 4; ++k) ok = ok && std::abs(learnt[k] - wanted[k]) < 0.05f;
  return ok ? 0 : 1;
}
