// A training step of apps/ddsp: its small decoder on one clip of four seconds, forward, backward, clipping and Adam.
#include <numbers>

#include "../apps/ddsp/decoder.h"
#include "harness.h"

using namespace dgen;

namespace {

// A tone with vibrato and ten harmonics.
struct Clip {
  std::vector<float> f0, loudness, target;

  Clip(int ticks, int hop, double rate) {
    double phase = 0;
    for (int t = 0; t < ticks; ++t) {
      const double turn = 2 * std::numbers::pi * t * hop / rate, hz = 220 * (1 + 0.02 * std::sin(5 * turn));
      f0.push_back(static_cast<float>(hz));
      loudness.push_back(static_cast<float>(-25 + 10 * std::sin(turn)));
      for (int i = 0; i < hop; ++i, phase += hz / rate) {
        double y = 0;
        for (int k = 1; k <= 10; ++k) y += std::sin(2 * std::numbers::pi * k * phase) / k;
        target.push_back(static_cast<float>(0.3 * y));
      }
    }
  }
  Inputs inputs() const { return {f0, loudness, target}; }
};

// The same step in scalar C, from the weights that the decoder has now. It is given the noise that ours makes.
template <class Real>
struct Naive {
  std::vector<Real> params, gradient, moments, f0, loudness, noise, target;
  int steps = 0;

  Naive(const ddsp::Decoder& decoder, const Clip& clip, const std::vector<float>& white)
      : f0(clip.f0.begin(), clip.f0.end()),
        loudness(clip.loudness.begin(), clip.loudness.end()),
        noise(white.begin(), white.end()),
        target(clip.target.begin(), clip.target.end()) {
    for (const Value& p : decoder.values()) {
      const std::vector<float> data = p.realize();
      params.insert(params.end(), data.begin(), data.end());
    }
    gradient.resize(params.size());
    moments.resize(2 * params.size());
  }
  double run() {
    auto step = [] {
      if constexpr (std::is_same_v<Real, double>)
        return naive_ddsp_step_f64;
      else
        return naive_ddsp_step_f32;
    }();
    return step(params.data(), gradient.data(), moments.data(), steps++, f0.data(), loudness.data(), noise.data(),
                target.data(), static_cast<int>(f0.size()));
  }
};

// Of the loss and of all gradients together.
double error_of(const ddsp::Decoder& decoder, const Signal& loss, const Clip& clip, const std::vector<float>& white) {
  Naive<double> exact(decoder, clip, white);
  const double expected = exact.run();
  const double value = loss.backward({.frames = static_cast<int>(clip.target.size()), .inputs = clip.inputs()});
  std::vector<float> gradient;
  for (const Value& p : decoder.values()) {
    const std::vector<float> g = detail::as<Tensor>(p).grad()->realize();
    gradient.insert(gradient.end(), g.begin(), g.end());
  }
  return std::fmax(std::abs(value / expected - 1), bench::rms_error(gradient, exact.gradient));
}

bench::Pair training_step() {
  const ddsp::Config settings;
  config().sample_rate = settings.sample_rate;
  const int frames = settings.chunk_samples();
  const Clip clip(settings.chunk_ticks(), settings.hop, settings.sample_rate);
  const ddsp::Decoder decoder(settings);
  const InputOptions hop{.hop = settings.hop};
  const SignalTensor mix =
      decoder.build(SignalTensor::input(0, Shape{1}, hop), SignalTensor::input(1, Shape{1}, hop)).mix;
  const Signal loss = multi_scale_spectral_loss(mix, SignalTensor::input(2, Shape{1}));
  // The decoder's own noise, so that both hear the same.
  const std::vector<float> white = SignalTensor::noise(Shape{1}, {.seed = settings.seed}).realize(frames);
  const double error = error_of(decoder, loss, clip, white);
  Naive<float> naive(decoder, clip, white);
  Adam adam(decoder.values(), {.lr = 1e-3f, .clip_grad_norm = 3});
  TrainingStep step = compile_training(loss, adam, {.frames = frames});
  return {bench::timed([=]() mutable { step.run(clip.inputs()); }), bench::timed([=]() mutable { naive.run(); }),
          [error] { return error; }};
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  bench::row("DDSP training step, 1 x 4 s", bench::must::training_step, training_step, 9);
  return bench::run_rows(argc, argv);
}
