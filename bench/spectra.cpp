// Magnitudes of a short-time spectrum, and the multi-scale spectral loss of 64,000 frames, forward and backward.
#include "dgen/dgen.h"
#include "harness.h"
#ifdef DGEN_BENCH_FFTW
#include "peers/fftw.h"
#endif

using namespace dgen;

namespace {

constexpr int frames = 64000;

bench::Pair magnitudes(int n) {
  constexpr int size = 1024, hop = 256;
  const std::vector<float> x = bench::white_noise(n);
  const size_t bins = static_cast<size_t>((n + hop - 1) / hop) * (size / 2 + 1);
  Program program = compile(stft(Signal::input(0), {.size = size, .hop = hop}).magnitude());
  std::vector<double> exact(bins);
  naive_stft_magnitude_f64(bench::in_double(x).data(), n, size, hop, exact.data());
  const bench::Runs run(program, {x}, {.frames = n, .per_tick = true});
  return {bench::timed(run), bench::timed([=, y = std::vector<float>(bins)]() mutable {
            naive_stft_magnitude_f32(x.data(), n, size, hop, y.data());
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::rms_error(run(), exact); }};
}

#ifdef DGEN_BENCH_FFTW
bench::Pair magnitudes_by_fftw(int n) {
  bench::Pair pair = magnitudes(n);
  const std::shared_ptr<FftwStft> peer(fftw_stft_make(1024, 256), fftw_stft_free);
  const size_t bins = static_cast<size_t>((n + 255) / 256) * 513;
  pair.baseline = bench::timed([=, x = bench::white_noise(n), y = std::vector<float>(bins)]() mutable {
    fftw_stft_run(peer.get(), x.data(), n, y.data());
    benchmark::DoNotOptimize(y.data());
  });
  pair.against = "FFTW";
  return pair;
}
#endif

// Clips side by side, as our input [frame][clip] and as the naive one's [clip][frame].
struct Clips {
  std::vector<std::vector<float>> each;
  std::vector<float> rows;

  Clips(int count, uint32_t seed) {
    for (int b = 0; b < count; ++b) each.push_back(bench::white_noise(frames, seed + static_cast<uint32_t>(b)));
    for (size_t n = 0; n < frames; ++n)
      for (auto& clip : each) rows.push_back(clip[n]);
  }
};

// Of white noise at half level against other noise.
constexpr float level = 0.5f;

std::vector<float> scaled(std::vector<float> x) {
  for (float& v : x) v *= level;
  return x;
}

bench::Pair loss_forward() {
  const Clips x(1, 1), target(1, 100);
  Program program = compile(multi_scale_spectral_loss(level * Signal::input(0), Signal::input(1)));
  const std::vector<float> naive_x = scaled(x.rows);
  const double exact =
      naive_spectral_loss_f64(bench::in_double(naive_x).data(), bench::in_double(target.rows).data(), frames, nullptr);
  const bench::Runs run(program, {x.rows, target.rows}, {.frames = frames, .per_tick = true});
  return {bench::timed(run), bench::timed([=] {
            benchmark::DoNotOptimize(naive_spectral_loss_f32(naive_x.data(), target.rows.data(), frames, nullptr));
          }),
          [=]() mutable {
            double sum = 0;
            const std::vector<float>& ticks = run();
            for (float v : ticks) sum += v;
            return std::abs(sum / static_cast<double>(ticks.size()) / exact - 1);
          }};
}

// The gradient to a gain of each clip, which takes the gradient to every sample.
std::vector<double> exact_gradient(const Clips& x, const Clips& target) {
  std::vector<double> to_gain, g(frames);
  for (size_t b = 0; b < x.each.size(); ++b) {
    const std::vector<double> y = bench::in_double(scaled(x.each[b])), wanted = bench::in_double(target.each[b]);
    naive_spectral_loss_f64(y.data(), wanted.data(), frames, g.data());
    double sum = 0;
    for (size_t n = 0; n < frames; ++n) sum += static_cast<double>(x.each[b][n]) * g[n];
    to_gain.push_back(sum / static_cast<double>(x.each.size()));
  }
  return to_gain;
}

bench::Pair loss_backward(int count) {
  const Clips x(count, 1), target(count, 100);
  const Shape shape{count};
  Tensor gain = Tensor::full(shape, level, true);
  Signal loss = multi_scale_spectral_loss(gain * SignalTensor::input(0, shape), SignalTensor::input(1, shape));
  SGD still({gain}, {.lr = 0});
  TrainingStep step = compile_training(loss, still, {.frames = frames});
  return {bench::timed([=]() mutable {
            step.run({x.rows, target.rows});
          }),
          bench::timed([=, y = std::vector<float>(frames), g = std::vector<float>(frames)]() mutable {
            for (size_t b = 0; b < x.each.size(); ++b) {
              for (size_t n = 0; n < frames; ++n) y[n] = level * x.each[b][n];
              naive_spectral_loss_f32(y.data(), target.each[b].data(), frames, g.data());
              float sum = 0;
              for (size_t n = 0; n < frames; ++n) sum += x.each[b][n] * g[n];
              benchmark::DoNotOptimize(sum);
            }
          }),
          [=] {
            loss.backward({.frames = frames, .inputs = {x.rows, target.rows}});
            return bench::rms_error(gain.grad()->realize(1), exact_gradient(x, target));
          }};
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  using namespace bench;
  row("STFT magnitude 1024/256, 4096 frames", must::stft_magnitude, [] { return magnitudes(4096); });
  row("STFT magnitude 1024/256, 64000 frames", must::stft_magnitude, [] { return magnitudes(frames); });
#ifdef DGEN_BENCH_FFTW
  row("STFT magnitude 1024/256, 4096 frames, FFTW", must::stft_fftw, [] { return magnitudes_by_fftw(4096); });
  row("STFT magnitude 1024/256, 64000 frames, FFTW", must::stft_fftw, [] { return magnitudes_by_fftw(frames); });
#endif
  row("spectral loss, 6 scales, forward", must::value, loss_forward);
  row("spectral loss, 6 scales, forward and backward", must::gradient, [] { return loss_backward(1); });
  row("spectral loss, 6 scales, forward and backward, 4 clips", must::gradient, [] { return loss_backward(4); });
  return run_rows(argc, argv);
}
