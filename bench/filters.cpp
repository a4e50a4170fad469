// One-pole and biquad, coefficients constant and per frame, forward and backward, at several block sizes.
#include <numbers>

#include "dgen/dgen.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr int frames = 64000;
constexpr float rate = 48000, q = 0.7071f;

using Channels = std::vector<std::vector<float>>;

// Around 1, half to double in slow waves.
std::vector<float> cutoff_scale() {
  std::vector<float> scale(frames);
  for (int i = 0; i < frames; ++i)
    scale[static_cast<size_t>(i)] =
        std::exp2(std::sin(2 * std::numbers::pi_v<float> * 3 * static_cast<float>(i) / rate));
  return scale;
}

std::vector<float> times(std::vector<float> x, float gain) {
  for (float& v : x) v *= gain;
  return x;
}

// A stream in blocks, from its start; channels of the result one behind the other.
void stream(Program& program, const Channels& in, std::vector<float>& out, int block) {
  program.reset();
  std::vector<const float*> from(in.size());
  std::vector<float*> to(out.size() / frames);
  for (int at = 0; at < frames; at += block) {
    for (size_t i = 0; i < in.size(); ++i) from[i] = in[i].data() + at;
    for (size_t i = 0; i < to.size(); ++i) to[i] = out.data() + i * frames + at;
    program.process(from.data(), to.data(), std::min(block, frames - at));
  }
}

// naive(in, at, n, state, y) filters n frames from frame `at`; exact is the whole result.
template <class Naive>
bench::Pair filter(const Signal& y, const Channels& in, int block, Naive naive, std::vector<double> exact) {
  Program program = compile(y);
  std::vector<float> out(frames);
  return {bench::timed([=]() mutable { stream(program, in, out, block); }), bench::timed([=]() mutable {
            float state[2] = {0, 0};
            for (int at = 0; at < frames; at += block)
              naive(in, at, std::min(block, frames - at), state, out.data() + at);
            benchmark::DoNotOptimize(out.data());
          }),
          [=]() mutable {
            stream(program, in, out, block);
            return bench::rms_error(out, exact);
          }};
}

bench::Pair biquad(float cutoff, int block) {
  const std::vector<float> x = bench::white_noise(frames);
  std::vector<double> exact(frames);
  double state[2] = {0, 0};
  naive_biquad_f64(bench::in_double(x).data(), cutoff, q, rate, state, exact.data(), frames);
  return filter(
      Signal::input(0).biquad({.cutoff = cutoff, .q = q}), {x}, block,
      [=](const Channels& in, int at, int n, float* s, float* y) {
        naive_biquad_f32(in[0].data() + at, cutoff, q, rate, s, y, n);
      },
      exact);
}

// Two channels in one SignalTensor, against two plain filters one after the other.
bench::Pair biquad_stereo() {
  const Channels in{bench::white_noise(frames), bench::white_noise(frames, 2)};
  const float cutoff[2] = {1000, 1500};
  std::vector<double> exact;
  for (size_t c = 0; c < 2; ++c) {
    double state[2] = {0, 0};
    std::vector<double> of_channel(frames);
    naive_biquad_f64(bench::in_double(in[c]).data(), cutoff[c], q, rate, state, of_channel.data(), frames);
    exact.insert(exact.end(), of_channel.begin(), of_channel.end());
  }
  Program program = compile(SignalTensor::input(0, {2}).biquad({.cutoff = Tensor({cutoff[0], cutoff[1]}), .q = q}));
  std::vector<float> out(2 * frames);
  std::vector<float> y(2 * frames);
  return {bench::timed([=]() mutable { stream(program, in, y, 1024); }), bench::timed([=, out = y]() mutable {
            for (size_t c = 0; c < 2; ++c) {
              float state[2] = {0, 0};
              naive_biquad_f32(in[c].data(), cutoff[c], q, rate, state, out.data() + c * frames, frames);
            }
            benchmark::DoNotOptimize(out.data());
          }),
          [=]() mutable {
            stream(program, in, y, 1024);
            return bench::rms_error(y, exact);
          }};
}

bench::Pair biquad_frames(int block) {
  const std::vector<float> x = bench::white_noise(frames), cutoff = times(cutoff_scale(), 1000);
  std::vector<double> exact(frames);
  double state[2] = {0, 0};
  naive_biquad_frames_f64(bench::in_double(x).data(), bench::in_double(cutoff).data(), q, rate, state, exact.data(),
                          frames);
  return filter(
      Signal::input(0).biquad({.cutoff = Signal::input(1), .q = q}), {x, cutoff}, block,
      [](const Channels& in, int at, int n, float* s, float* y) {
        naive_biquad_frames_f32(in[0].data() + at, in[1].data() + at, q, rate, s, y, n);
      },
      exact);
}

bench::Pair onepole_frames() {
  const std::vector<float> x = bench::white_noise(frames), c = times(cutoff_scale(), 0.45f);
  std::vector<double> exact(frames);
  naive_onepole_frames_f64(bench::in_double(x).data(), bench::in_double(c).data(), exact.data(), frames);
  return filter(
      Signal::input(0).onepole(Signal::input(1)), {x, c}, frames,
      [](const Channels& in, int, int n, float*, float* y) {
        naive_onepole_frames_f32(in[0].data(), in[1].data(), y, n);
      },
      exact);
}

// Learnable gain, cutoff and q, in the order of naive's params.
struct Learnt {
  Signal gain = Signal::param(0.8f), cutoff = Signal::param(1000), q = Signal::param(1.5f);

  std::vector<Value> values() const { return {gain, cutoff, q}; }
  std::vector<float> gradient() const {
    std::vector<float> g;
    for (const Signal& p : {gain, cutoff, q}) g.push_back(p.grad()->realize(1).at(0));
    return g;
  }
};

// Forward, backward and an update: with a learning rate of zero a step changes nothing, so every round is alike.
template <class Naive>
bench::Pair gradient(const Learnt& learnt, const Signal& cutoff, const Channels& in, Naive naive,
                     std::vector<double> exact) {
  Signal loss = mse((learnt.gain * Signal::input(0)).biquad({.cutoff = cutoff, .q = learnt.q}), Signal::input(1));
  SGD still(learnt.values(), {.lr = 0});
  TrainingStep step = compile_training(loss, still, {.frames = frames});
  return {bench::timed([=]() mutable { step.run(Inputs(in.begin(), in.end())); }),
          bench::timed([=, y = std::vector<float>(frames)]() mutable {
            const float params[3] = {0.8f, 1000, 1.5f};
            float gradient[3];
            naive(in, params, y.data(), gradient);
            benchmark::DoNotOptimize(gradient);
          }),
          [=] {
            loss.backward({.frames = frames, .inputs = Inputs(in.begin(), in.end())});
            const std::vector<float> g = learnt.gradient();
            double worst = 0;
            for (size_t i = 0; i < g.size(); ++i) worst = std::fmax(worst, std::abs(g[i] / exact[i] - 1));
            return worst;
          }};
}

const double exact_params[3] = {static_cast<double>(0.8f), 1000, 1.5};

bench::Pair biquad_gradient() {
  const Channels in{bench::white_noise(frames), bench::white_noise(frames, 2)};
  const std::vector<double> x = bench::in_double(in[0]), target = bench::in_double(in[1]);
  std::vector<double> y(frames), exact(3);
  naive_biquad_gradient_f64(x.data(), target.data(), exact_params, rate, y.data(), exact.data(), frames);
  Learnt learnt;
  return gradient(
      learnt, learnt.cutoff, in,
      [](const Channels& c, const float* params, float* out, float* g) {
        naive_biquad_gradient_f32(c[0].data(), c[1].data(), params, rate, out, g, frames);
      },
      exact);
}

bench::Pair biquad_frames_gradient() {
  const Channels in{bench::white_noise(frames), bench::white_noise(frames, 2), cutoff_scale()};
  const std::vector<double> x = bench::in_double(in[0]), target = bench::in_double(in[1]),
                            scale = bench::in_double(in[2]);
  std::vector<double> y(frames), exact(3);
  naive_biquad_frames_gradient_f64(x.data(), target.data(), scale.data(), exact_params, rate, y.data(), exact.data(),
                                   frames);
  Learnt learnt;
  return gradient(
      learnt, learnt.cutoff * Signal::input(2), in,
      [](const Channels& c, const float* params, float* out, float* g) {
        naive_biquad_frames_gradient_f32(c[0].data(), c[1].data(), c[2].data(), params, rate, out, g, frames);
      },
      exact);
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  config().sample_rate = rate;
  using namespace bench;
  row("one-pole, coefficient per frame", must::onepole_frames, onepole_frames);
  row("biquad", must::biquad, [] { return biquad(1000, frames); });
  row("biquad, 20 Hz", must::biquad_20_hz, [] { return biquad(20, frames); });
  row("biquad, 5 Hz", must::biquad_5_hz, [] { return biquad(5, frames); });
  row("biquad, blocks of 4096", must::biquad, [] { return biquad(1000, 4096); });
  row("biquad, blocks of 256", must::biquad, [] { return biquad(1000, 256); });
  row("biquad, blocks of 64", must::biquad, [] { return biquad(1000, 64); });
  row("biquad, blocks of 16", must::biquad_block_16, [] { return biquad(1000, 16); });
  row("biquad, two channels, blocks of 1024", must::biquad_stereo, biquad_stereo);
  row("biquad, cutoff per frame", must::biquad_frames, [] { return biquad_frames(frames); });
  row("biquad, cutoff per frame, blocks of 4096", must::biquad_frames, [] { return biquad_frames(4096); });
  row("biquad, cutoff per frame, blocks of 1024", must::biquad_frames, [] { return biquad_frames(1024); });
  row("biquad, cutoff per frame, blocks of 64", must::biquad_frames_short, [] { return biquad_frames(64); });
  row("biquad, forward and backward", must::biquad_gradient, biquad_gradient);
  row("biquad, cutoff per frame, forward and backward", must::biquad_frames_gradient, biquad_frames_gradient);
  return run_rows(argc, argv);
}
