// A drum: a 2D membrane is a conv2d with a Laplacian in a feedback loop. Writes membrane.wav.
#include <dgen/dgen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace dgen;

int main() {
  const int size = 24, frames = 22050;
  config().sample_rate = 22050;

  // u'' = c^2 laplacian(u) - loss u', as finite differences; the rim is the padding, which stays at zero.
  Tensor laplacian({{0, 1, 0}, {1, -4, 1}, {0, 1, 0}});
  auto [u1, write1] = SignalTensor::history(Shape{size, size});
  auto [u2, write2] = SignalTensor::history(Shape{size, size});
  const float c2 = 0.02f, loss = 4e-4f;

  // A soft mallet, off the middle: a bump of force for 1 ms.
  std::vector<float> bump(size * size);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      bump[static_cast<size_t>(y * size + x)] = std::exp(-0.2f * static_cast<float>((x - 9) * (x - 9) + (y - 8) * (y - 8)));
  Signal hit = frame_index() < 22.0f;
  SignalTensor force = Tensor(bump, Shape{size, size}) * hit * 0.01f;

  SignalTensor u = write1((2.0f - loss) * u1 - (1.0f - loss) * u2 + c2 * u1.conv2d(laplacian, {.padding = 1}) + force);
  write2(u1);
  Signal pickup = u[14][16].scalar();

  std::vector<float> sound = pickup.realize(frames);
  const auto peak = [&](int from, int to) {
    float most = 0;
    for (int n = from; n < to; ++n) most = std::max(most, std::abs(sound[static_cast<size_t>(n)]));
    return most;
  };
  const float loudest = peak(0, frames), end = peak(frames - 2000, frames);
  for (float& x : sound) x *= 0.9f / loudest;
  save_audio("membrane.wav", sound, 22050);
  std::printf("membrane.wav: %d x %d points, 1 s; the end is %.1f dB below the peak\n", size, size, 20 * std::log10(end / loudest));
  return std::isfinite(loudest) && end < 0.2f * loudest && end > 1e-6f * loudest ? 0 : 1;
}
