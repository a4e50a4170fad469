// Feedback that is no scan of one filter: rows of filters, a delay line, tanh in the loop, a field.
#include "dgen/dgen.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr float rate = 48000;

// Rows [row][frame] side by side, as [frame][row].
std::vector<float> transposed(const std::vector<float>& x, size_t rows) {
  std::vector<float> out;
  const size_t frames = x.size() / rows;
  for (size_t n = 0; n < frames; ++n)
    for (size_t r = 0; r < rows; ++r) out.push_back(x[r * frames + n]);
  return out;
}

// Poles that move at every frame, of radius .9 to .98. The naive rows lie one after another, ours side by side.
struct Poles {
  std::vector<float> by_row, by_frame;  // [row][frame][2], [frame][2][row]

  Poles(int rows, int frames) : by_frame(static_cast<size_t>(2 * rows * frames)) {
    for (int r = 0; r < rows; ++r)
      for (int n = 0; n < frames; ++n) {
        const float slow = static_cast<float>(n) * 1e-3f, radius = 0.94f + 0.04f * std::sin(slow + static_cast<float>(r));
        const float angle = 0.1f + 0.05f * static_cast<float>(r) + 0.05f * std::sin(0.7f * slow);
        const float a[2] = {-2 * radius * std::cos(angle), radius * radius};
        for (int k = 0; k < 2; ++k) {
          by_row.push_back(a[k]);
          by_frame[static_cast<size_t>((2 * n + k) * rows + r)] = a[k];
        }
      }
  }
};

bench::Pair order_two() {
  constexpr int rows = 32, frames = 64000;
  const std::vector<float> x = bench::white_noise(rows * frames), ours_x = transposed(x, rows);
  const Poles poles(rows, frames);
  std::vector<double> exact(x.size());
  naive_allpole_rows_f64(bench::in_double(x).data(), bench::in_double(poles.by_row).data(), 2, rows, frames, exact.data());

  const SignalTensor a = SignalTensor::input(1, Shape{2, rows});
  auto [y1, write1] = SignalTensor::history(Shape{rows});
  auto [y2, write2] = SignalTensor::history(Shape{rows});
  const SignalTensor y = write1(SignalTensor::input(0, Shape{rows}) - a[0] * y1 - a[1] * y2);
  write2(y1);
  Program program = compile(y);
  const bench::Runs run(program, {ours_x, poles.by_frame}, {.frames = frames});
  return {bench::timed(run), bench::timed([=, y = std::vector<float>(x.size())]() mutable {
            naive_allpole_rows_f32(x.data(), poles.by_row.data(), 2, rows, frames, y.data());
            benchmark::DoNotOptimize(y.data());
          }),
          [=]() mutable {
            return bench::rms_error(transposed(run(), frames), exact);
          }};
}

bench::Pair comb(int delay) {
  constexpr int frames = 64000;
  const std::vector<float> x = bench::white_noise(frames);
  std::vector<double> exact(frames), ring(static_cast<size_t>(delay));
  int at = 0;
  naive_comb_f64(bench::in_double(x).data(), 0.7f, delay, ring.data(), &at, exact.data(), frames);
  Program program = compile(Signal::input(0).comb({.time = delay, .feedback = 0.7f}));
  std::vector<float> y(frames);
  auto run = [=]() mutable {
    program.reset();
    const float* in[] = {x.data()};
    float* out[] = {y.data()};
    program.process(in, out, frames);
    return y[0];
  };
  return {bench::timed(run), bench::timed([=, ring = std::vector<float>(ring.size())]() mutable {
            std::fill(ring.begin(), ring.end(), 0.0f);
            int at = 0;
            naive_comb_f32(x.data(), 0.7f, delay, ring.data(), &at, y.data(), frames);
            benchmark::DoNotOptimize(y.data());
          }),
          [=]() mutable { return bench::rms_error(program.run({.frames = frames, .inputs = {x}})[0], exact); }};
}

// One saw through voices of their own cutoff and resonance.
struct Ladders {
  int voices, frames;
  std::vector<float> x, cutoff, resonance;

  Ladders(int voices, int frames) : voices(voices), frames(frames) {
    for (int n = 0; n < frames; ++n) x.push_back(1.6f * static_cast<float>(n % 109) / 109 - 0.8f);
    for (int v = 0; v < voices; ++v) {
      cutoff.push_back(300 + 4000 * std::fmod(0.618034f * static_cast<float>(v), 1.0f));
      resonance.push_back(0.2f + 0.6f * std::fmod(0.414214f * static_cast<float>(v), 1.0f));
    }
  }
  std::vector<double> exact(const std::vector<double>& c, const std::vector<double>& r) const {
    std::vector<double> y(static_cast<size_t>(voices * frames));
    naive_ladder_f64(bench::in_double(x).data(), c.data(), r.data(), rate, voices, frames, y.data());
    return y;
  }
};

SignalTensor ladder_patch(const Tensor& cutoff, const Tensor& resonance) {
  return SignalTensor(Signal::input(0)).ladder({.cutoff = cutoff, .resonance = resonance});
}

bench::Pair ladder(int voices) {
  const Ladders l(voices, 4096);
  const std::vector<double> exact = l.exact(bench::in_double(l.cutoff), bench::in_double(l.resonance));
  Program program = compile(ladder_patch(Tensor(l.cutoff), Tensor(l.resonance)));
  const bench::Runs run(program, {l.x}, {.frames = l.frames});
  return {bench::timed(run), bench::timed([=, y = std::vector<float>(exact.size())]() mutable {
            naive_ladder_f32(l.x.data(), l.cutoff.data(), l.resonance.data(), rate, voices, l.frames, y.data());
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::rms_error(run(), exact); }};
}

// The gradients of the mean square of all voices to each cutoff and resonance, as differences in float64.
std::vector<double> ladder_differences(const Ladders& l) {
  auto energies = [&](double more_cutoff, double more_resonance) {
    std::vector<double> c = bench::in_double(l.cutoff), r = bench::in_double(l.resonance), sums(c.size());
    for (double& v : c) v += more_cutoff;
    for (double& v : r) v += more_resonance;
    const std::vector<double> y = l.exact(c, r);
    for (size_t i = 0; i < y.size(); ++i) sums[i % sums.size()] += y[i] * y[i] / static_cast<double>(y.size());
    return sums;
  };
  std::vector<double> gradient;
  for (const auto& [hz, share] : {std::pair(1e-2, 0.0), std::pair(0.0, 1e-5)}) {
    const std::vector<double> above = energies(hz, share), below = energies(-hz, -share);
    for (size_t v = 0; v < above.size(); ++v) gradient.push_back((above[v] - below[v]) / (2 * (hz + share)));
  }
  return gradient;
}

struct Budget {
  explicit Budget(int64_t bytes) { config().memory_budget = bytes; }
  ~Budget() { config().memory_budget = 0; }
};

// budget: of memory, in bytes; 0: all is kept.
bench::Pair ladder_gradient(int voices, int64_t budget) {
  const Budget limit(budget);
  const Ladders l(voices, 16000);
  const Tensor cutoff = Tensor::param(l.cutoff), resonance = Tensor::param(l.resonance);
  const SignalTensor y = ladder_patch(cutoff, resonance);
  const Signal loss = (y * y).mean();
  SGD still({cutoff, resonance}, {.lr = 0});
  TrainingStep step = compile_training(loss, still, {.frames = l.frames});
  Program forward = compile(loss);
  return {bench::timed([=]() mutable { step.run({l.x}); }),
          bench::timed(bench::Runs(forward, {l.x}, {.frames = l.frames})),
          [=] {
            const Budget limit(budget);
            loss.backward({.frames = l.frames, .inputs = {l.x}});
            // Resonances are as strong as cutoffs once those count in shares too.
            std::vector<float> g = cutoff.grad()->realize(), r = resonance.grad()->realize();
            std::vector<double> exact = ladder_differences(l);
            for (size_t v = 0; v < g.size(); ++v) g[v] *= l.cutoff[v], exact[v] *= static_cast<double>(l.cutoff[v]);
            g.insert(g.end(), r.begin(), r.end());
            return bench::rms_error(g, exact);
          },
          "our forward"};
}

bench::Pair membrane() {
  constexpr int size = 64, frames = 1000, pickup = 40 * size + 44;
  const std::vector<float> laplacian{0, 1, 0, 1, -4, 1, 0, 1, 0};
  constexpr float c2 = 0.2f, loss = 4e-4f;
  std::vector<float> force(frames), where;
  for (size_t n = 0; n < 40; ++n) force[n] = 0.01f;
  for (int i = 0; i < size; ++i)
    for (int j = 0; j < size; ++j) where.push_back(std::exp(-0.2f * static_cast<float>((i - 20) * (i - 20) + (j - 24) * (j - 24))));
  std::vector<double> exact(frames);
  naive_membrane_f64(bench::in_double(force).data(), bench::in_double(where).data(), bench::in_double(laplacian).data(),
                     static_cast<double>(c2), static_cast<double>(loss), size, size, pickup, exact.data(), frames);

  auto [u1, write1] = SignalTensor::history(Shape{size, size});
  auto [u2, write2] = SignalTensor::history(Shape{size, size});
  const SignalTensor bent = u1.conv2d(Tensor(laplacian, Shape{3, 3}), {.padding = 1});
  const SignalTensor u = write1((2.0f - loss) * u1 - (1.0f - loss) * u2 + c2 * bent + Signal::input(0) * Tensor(where, Shape{size, size}));
  write2(u1);
  Program program = compile(u[pickup / size][pickup % size].scalar());
  const bench::Runs run(program, {force}, {.frames = frames});
  return {bench::timed(run), bench::timed([=, y = std::vector<float>(frames)]() mutable {
            naive_membrane_f32(force.data(), where.data(), laplacian.data(), c2, loss, size, size, pickup, y.data(), frames);
            benchmark::DoNotOptimize(y.data());
          }),
          [=] { return bench::rms_error(run(), exact); }};
}

}  // namespace

int main(int argc, char** argv) {
  config().threads = 1;
  config().sample_rate = rate;
  using namespace bench;
  row("order 2, coefficients per frame, 32 lanes", must::order_two_lanes, order_two);
  row("comb, 16 samples", must::comb, [] { return comb(16); });
  row("comb, 100 samples", must::comb, [] { return comb(100); });
  row("comb, 1000 samples", must::comb, [] { return comb(1000); });
  row("tanh ladder, 1 voice", must::ladder_1, [] { return ladder(1); });
  row("tanh ladder, 8 voices", must::ladder_8, [] { return ladder(8); });
  row("tanh ladder, 16 voices", must::ladder_16, [] { return ladder(16); });
  row(
      "tanh ladder, 64 voices", must::ladder_64, [] { return ladder(64); }, 9);
  row("tanh ladder, 16 voices, forward and backward", must::ladder_gradient, [] { return ladder_gradient(16, 0); });
  row("tanh ladder, 16 voices, with checkpoints", must::ladder_checkpoints, [] { return ladder_gradient(16, 1 << 20); });
  row("membrane of 64 x 64 points, 1000 steps", must::membrane, membrane, 15);
  return run_rows(argc, argv);
}
