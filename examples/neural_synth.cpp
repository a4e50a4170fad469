// A small network over time drives sixteen harmonics, read with peek_row, and learns a sound with a spectral loss.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  constexpr float two_pi = 2 * std::numbers::pi_v<float>;
  const int frames = 4096, rows = 32, harmonics = 16;

  Tensor w1 = Tensor::randn(Shape{1, 64}, {.seed = 1}, true), b1 = Tensor::zeros(Shape{64}, true);
  Tensor w2 = Tensor::randn(Shape{64, harmonics}, {.seed = 2, .std = 0.1f}, true), b2 = Tensor::full(Shape{harmonics}, -2, true);

  // Time 0..1 -> amplitudes, at 32 points of control.
  Tensor time = Tensor::linspace(0, 1, rows).reshape({rows, 1});
  Tensor amps = sigmoid(linear(tanh(linear(time, w1, b1)), w2, b2));  // [32, 16]

  // A playhead at audio rate reads between the rows.
  Signal playhead = Signal::phasor(static_cast<float>(config().sample_rate) / frames);
  SignalTensor amps_now = amps.peek_row(playhead * static_cast<float>(rows - 1));

  SignalTensor phases = Signal::phasor((Tensor::arange(harmonics) + 1.0f) * 100.0f);
  Signal output = (sin(phases * two_pi) * amps_now).sum();

  // The recording: the fundamental fades out while the fifth harmonic fades in.
  Signal ramp = frame_index() / static_cast<float>(frames);
  Signal sound = sin(Signal::phasor(100) * two_pi) * (1.0f - ramp) + sin(Signal::phasor(500) * two_pi) * 0.5f * ramp;
  std::vector<float> target = sound.realize(frames);

  Signal loss = spectral_loss(output, Signal::input(0), {.window_size = 2048});
  Adam opt({w1, b1, w2, b2}, {.lr = 0.01f});
  TrainingStep step = compile_training(loss, opt, {.frames = frames});
  double first = 0, last = 0;
  for (int epoch = 0; epoch <= 100; ++epoch) {
    last = step.run({target});
    if (epoch == 0) first = last;
    if (epoch % 25 == 0) std::printf("epoch %3d  loss %.4f\n", epoch, last);
  }

  std::vector<float> learnt = amps.realize();
  for (const int row : {0, 16, 31})
    std::printf("time %.2f: harmonic 1 %.2f, harmonic 5 %.2f, harmonic 9 %.2f\n", row / 31.0,
                learnt[static_cast<size_t>(row * harmonics)], learnt[static_cast<size_t>(row * harmonics + 4)],
                learnt[static_cast<size_t>(row * harmonics + 8)]);
  return last < 0.02 * first ? 0 : 1;
}
