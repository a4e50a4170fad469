// Loops through history cells of every shape and clock, and small networks, against the same recurrence in plain loops.
#include "patches.h"

namespace dgen::test {
namespace {

Value decay() {
  auto [prev, write] = Signal::history();
  return write(.8f * prev + Signal::click());
}

Value started() {
  auto [prev, write] = Signal::history({.init = 2});
  write(.5f * prev);
  return prev;
}

// A value read in a cell that steps every 4 frames; between its ticks prev keeps what it read.
Value hop_counter() {
  auto [prev, write] = Signal::history({.hop = 4});
  write(prev + wild());
  return prev;
}
Values hop_counter_response(int frames) {
  double cell = 0, prev = 0;
  return per_frame(frames, [&](int n) {
    if (n % 4 == 0) prev = cell, cell = prev + wild_at(n);
    return prev;
  });
}

// ---- rotations: a pair of cells, and a matrix times a vector ----

constexpr float kCos = 0.96f, kSin = 0.28f;  // of one angle, exactly

Values rotating(int frames) {
  double radius = std::hypot(double{kCos}, double{kSin}), angle = std::atan2(double{kSin}, double{kCos});
  Values rows;
  for (int n = 1; n <= frames; ++n)
    for (double part : {std::cos(n * angle), std::sin(n * angle)}) rows.push_back(std::pow(radius, n) * part);
  return rows;
}

Value rotating_pair() {
  auto [x, write_x] = Signal::history({.init = 1});
  auto [y, write_y] = Signal::history();
  return stack({write_x(kCos * x - kSin * y), write_y(kSin * x + kCos * y)});
}

Value rotating_vector() {
  auto [v, write] = SignalTensor::history({2}, {.init = Tensor({1, 0})});
  return write(v.matmul(Tensor({{kCos, kSin}, {-kSin, kCos}})));
}

// Rows turn one way, columns are mixed: X = R X M / 2 + a click in one element.
Value mixed_matrix() {
  auto [x, write] = SignalTensor::history({2, 3});
  Tensor r({{kCos, -kSin}, {kSin, kCos}}), m({{1, .5f, 0}, {0, 1, .5f}, {.5f, 0, 1}});
  Tensor strike({{0, 1, 0}, {0, 0, 0}});
  return write(r.matmul(x).matmul(m) * .5f + strike * Signal::click());
}
Values mixed_matrix_response(int frames) {
  const double r[2][2] = {{kCos, -kSin}, {kSin, kCos}}, m[3][3] = {{1, .5, 0}, {0, 1, .5}, {.5, 0, 1}};
  double x[2][3] = {};
  Values rows;
  for (int n = 0; n < frames; ++n) {
    double next[2][3] = {};
    next[0][1] = n == 0;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 3; ++j)
        for (int k = 0; k < 2; ++k)
          for (int l = 0; l < 3; ++l) next[i][j] += r[i][k] * x[k][l] * m[l][j] / 2;
    std::copy_n(&next[0][0], 6, &x[0][0]);
    rows.insert(rows.end(), &x[0][0], &x[0][0] + 6);
  }
  return rows;
}

// ---- a matrix product and tanh in the loop ----

const float kMix[3][3] = {{.5f, -.75f, .25f}, {.75f, .5f, 0}, {0, .25f, -.5f}};

Value tanh_network() {
  auto [h, write] = SignalTensor::history({3});
  Tensor mix(std::vector<float>(&kMix[0][0], &kMix[0][0] + 9), {3, 3});
  return write(tanh(h.matmul(mix) + wild() * Tensor({1, .5f, -.25f})));
}
Values tanh_network_response(int frames) {
  const double in[] = {1, .5, -.25};
  Values h(3, 0), rows;
  for (int n = 0; n < frames; ++n) {
    Values next;
    for (int j = 0; j < 3; ++j) {
      double sum = in[j] * wild_at(n);
      for (int i = 0; i < 3; ++i) sum += h[static_cast<size_t>(i)] * double{kMix[i][j]};
      next.push_back(std::tanh(sum));
    }
    h = next;
    rows.insert(rows.end(), h.begin(), h.end());
  }
  return rows;
}

// A biquad-like loop between elements: the sum over a vector goes back into a scalar cell.
Value reduced_loop() {
  auto [lines, write] = SignalTensor::history({4});
  auto [mean, write_mean] = Signal::history();
  SignalTensor y = write(wild() + lines * Tensor({.125f, .25f, .375f, .5f}) - .25f * mean);
  return write_mean(.75f * mean + .0625f * y.sum());
}
Values reduced_loop_response(int frames) {
  double lines[4] = {}, mean = 0;
  return per_frame(frames, [&](int n) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += lines[i] = wild_at(n) + lines[i] * (i + 1) / 8.0 - .25 * mean;
    return mean = .75 * mean + .0625 * sum;
  });
}

// ---- two cells of hops 3 and 5, each reading the other ----

Value coupled_hops() {
  auto [a, write_a] = Signal::history({.hop = 3});
  auto [b, write_b] = Signal::history({.hop = 5});
  Signal next_a = write_a(.5f * a - .25f * b + wild()), next_b = write_b(.25f * b + .5f * a + .5f * wild());
  return stack({next_a, next_b, a + 0.0f * next_a, b + 0.0f * next_b});
}
Values coupled_hops_response(int frames) {
  double cell_a = 0, cell_b = 0, a = 0, b = 0;
  Values rows;
  for (int n = 0; n < frames; ++n) {
    if (n % 3 == 0) a = cell_a;
    if (n % 5 == 0) b = cell_b;
    double next_a = .5 * a - .25 * b + wild_at(n), next_b = .25 * b + .5 * a + .5 * wild_at(n);
    if (n % 3 == 0) cell_a = next_a;
    if (n % 5 == 0) cell_b = next_b;
    rows.insert(rows.end(), {next_a, next_b, a, b});
  }
  return rows;
}

// ---- recurrent cells on features at a hop ----

constexpr int kHop = 8, kHidden = 3;

SignalTensor features() { return stack({wild(), wild().prev()}).every(kHop); }
Values features_at(int tick) { return {wild_at(tick * kHop), tick == 0 ? 0 : wild_at(tick * kHop - 1)}; }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Rows of x W + bias.
Values affine(const Values& x, const Tensor& weights, const Tensor& bias) {
  Values w = doubles(weights.realize()), y = doubles(bias.realize());
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < y.size(); ++j) y[j] += x[i] * w[i * y.size() + j];
  return y;
}

// One row of hidden values a frame from a function that steps once a tick.
template <class F>
Values recurrent(int frames, F step) {
  Values h(kHidden, 0), rows;
  for (int n = 0; n < frames; ++n) {
    if (n % kHop == 0) step(features_at(n / kHop), h);
    rows.insert(rows.end(), h.begin(), h.end());
  }
  return rows;
}

RecurrentWeights gru_test_weights() { return gru_weights(2, kHidden, 5); }
Values gru_response(int frames) {
  RecurrentWeights w = gru_test_weights();
  return recurrent(frames, [&](const Values& x, Values& h) {
    Values a = affine(x, w.input, w.bias), b = affine(h, w.hidden, w.hidden_bias);
    for (size_t i = 0; i < kHidden; ++i) {
      double r = sigmoid(a[i] + b[i]), z = sigmoid(a[kHidden + i] + b[kHidden + i]);
      h[i] = (1 - z) * std::tanh(a[2 * kHidden + i] + r * b[2 * kHidden + i]) + z * h[i];
    }
  });
}

RecurrentWeights lstm_test_weights() { return lstm_weights(2, kHidden, 9); }
Values lstm_response(int frames) {
  RecurrentWeights w = lstm_test_weights();
  Values cells(kHidden, 0);
  return recurrent(frames, [&](const Values& x, Values& h) {
    Values a = affine(x, w.input, w.bias), b = affine(h, w.hidden, w.hidden_bias);
    auto gate = [&](size_t g, size_t i) { return a[g * kHidden + i] + b[g * kHidden + i]; };
    for (size_t i = 0; i < kHidden; ++i) {
      cells[i] = sigmoid(gate(1, i)) * cells[i] + sigmoid(gate(0, i)) * std::tanh(gate(2, i));
      h[i] = sigmoid(gate(3, i)) * std::tanh(cells[i]);
    }
  });
}

// Causal convolution of the last ticks: channels 2 to 2, 3 taps.
const float kKernel[2][2][3] = {{{.5f, -.25f, 1}, {0, .75f, -.5f}}, {{1, 1, 1}, {-.5f, .25f, 0}}};

Value causal_conv1d() {
  Tensor kernel(std::vector<float>(&kKernel[0][0][0], &kKernel[0][0][0] + 12), {2, 2, 3});
  return features().last(3).reshape({1, 2, 3}).conv1d(kernel).reshape({2});
}
Values causal_conv1d_response(int frames) {
  Values rows;
  for (int n = 0; n < frames; ++n)
    for (auto& output : kKernel) {
      double sum = 0;
      for (int channel = 0; channel < 2; ++channel)
        for (int j = 0; j < 3; ++j)
          if (int tick = n / kHop - 2 + j; tick >= 0) sum += double{output[channel][j]} * features_at(tick)[static_cast<size_t>(channel)];
      rows.push_back(sum);
    }
  return rows;
}

// ---- a struck membrane of 6 x 7 points, its rim held ----

constexpr int kRows = 6, kColumns = 7, kStruck = 2 * kColumns + 3;

Value membrane() {
  auto [u1, write1] = SignalTensor::history({kRows, kColumns});
  auto [u2, write2] = SignalTensor::history({kRows, kColumns});
  Tensor laplacian({{0, 1, 0}, {1, -4, 1}, {0, 1, 0}});
  std::vector<float> strike(kRows * kColumns, 0);
  strike[kStruck] = 1;
  SignalTensor next = (2.0f * u1 - u2 + .25f * u1.conv2d(laplacian, {.padding = 1})) * .984375f;
  write2(u1);
  return write1(next + Signal::click() * Tensor(strike, Shape{kRows, kColumns})).sum(1);
}
Values membrane_response(int frames) {
  double u[3][kRows + 2][kColumns + 2] = {};
  Values rows;
  for (int n = 0; n < frames; ++n) {
    auto &next = u[n % 3], &u1 = u[(n + 2) % 3], &u2 = u[(n + 1) % 3];
    for (int i = 1; i <= kRows; ++i) {
      double sum = 0;
      for (int j = 1; j <= kColumns; ++j) {
        double curve = u1[i - 1][j] + u1[i + 1][j] + u1[i][j - 1] + u1[i][j + 1] - 4 * u1[i][j];
        double struck = n == 0 && (i - 1) * kColumns + j - 1 == kStruck;
        sum += next[i][j] = (2 * u1[i][j] - u2[i][j] + .25 * curve) * .984375 + struck;
      }
      rows.push_back(sum);
    }
  }
  return rows;
}

const Patch patches[] = {
    {"decay", 64, decay, [](int n) { return per_frame(n, [](int i) { return std::pow(double{.8f}, i); }); }, true},
    {"started_history", 40, started, [](int n) { return per_frame(n, [](int i) { return 2 * std::pow(.5, i); }); }, true},
    {"hop_counter", 60, hop_counter, hop_counter_response, true},
    {"rotating_pair", 100, rotating_pair, rotating, true},
    {"rotating_vector", 100, rotating_vector, rotating, true},
    {"mixed_matrix", 48, mixed_matrix, mixed_matrix_response, true},
    {"tanh_network", 80, tanh_network, tanh_network_response, true},
    {"reduced_loop", 80, reduced_loop, reduced_loop_response, true},
    {"coupled_hops", 75, coupled_hops, coupled_hops_response, true},
    {"gru_at_hop", 96, [] { return Value(gru(features(), gru_test_weights())); }, gru_response, true},
    {"lstm_at_hop", 96, [] { return Value(lstm(features(), lstm_test_weights())); }, lstm_response, true},
    {"causal_conv1d", 80, causal_conv1d, causal_conv1d_response},
    {"membrane", 100, membrane, membrane_response, true},
};

}  // namespace

std::span<const Patch> feedback_patches() { return patches; }

}  // namespace dgen::test
