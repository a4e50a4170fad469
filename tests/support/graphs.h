// Graphs built by hand for tests: run on the interpreter and as C, and differentiated by differences in float64.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <utility>

#include "driver/bindings.h"
#include "driver/driver.h"
#include "driver/pipeline.h"
#include "interp/interp.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "support/on_cuda.h"
#include "support/sanitized.h"

namespace dgen::test {

using namespace ir;
using driver::Backend;
// The backends under test, judged by the interpreter.
inline std::vector<Backend> compiled_backends() { return {on_cuda() ? Backend::cuda : Backend::cpu}; }
inline std::vector<Backend> graph_backends() {
  if (on_cuda()) return {Backend::cuda};
  return {Backend::interpreter, Backend::cpu};
}
using Values = std::vector<double>;
using Rows = std::vector<std::vector<float>>;  // one vector an output

inline std::vector<float> random_floats(int64_t n, uint64_t seed, double lo = -1, double hi = 1) {
  std::mt19937_64 rng(seed * 7919 + 17);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = static_cast<float>(lo + (hi - lo) * static_cast<double>(rng() >> 11) * 0x1p-53);
  return values;
}

// A captured graph with its data: params, inputs, feedback cells, outputs, losses.
struct Patch {
  static constexpr int64_t kMostFrames = 1 << 14;

  driver::Capture capture;
  Rows inputs;  // by channel, data for kMostFrames
  std::vector<Type> input_types;
  double sample_rate = 1000;

  Graph& g() { return capture.graph; }
  Ex c(double value) { return {&g(), constant(g(), value)}; }
  Ex leaf(std::string_view name, Attrs attrs = {}) { return {&g(), apply(g(), name, {}, std::move(attrs))}; }

  Ex param(const Shape& shape, std::vector<float> values) {
    capture.params.push_back(storage(shape, std::move(values)));
    return leaf("param", {{"slot", static_cast<int64_t>(capture.params.size()) - 1}, {"shape", Ints(shape.sizes())}});
  }
  Ex param(const Shape& shape, double lo = -1, double hi = 1) {
    return param(shape, random_floats(shape.size(), 100 + capture.params.size(), lo, hi));
  }
  Ex number(float value) { return param(Shape{}, std::vector<float>{value}); }
  Ex tensor(const Shape& shape, std::vector<float> values) {
    capture.tensors.push_back(storage(shape, std::move(values)));
    return leaf("tensor", {{"slot", static_cast<int64_t>(capture.tensors.size()) - 1}, {"shape", Ints(shape.sizes())}});
  }
  Ex input(const Shape& shape = {}, int64_t period = 1, double lo = -1, double hi = 1) {
    auto channel = static_cast<int64_t>(inputs.size());
    inputs.push_back(random_floats(ticks_before(period, kMostFrames) * shape.size(), 500 + inputs.size(), lo, hi));
    input_types.push_back({shape, {period, false}});
    return leaf("input", {{"channel", channel}, {"shape", Ints(shape.sizes())}, {"period", period}});
  }
  // A different number in [-1, 1) at every tick and element.
  Ex noise(const Shape& shape, int64_t period) {
    return leaf("noise", {{"seed", int64_t{3}}, {"number", int64_t{g().size()}}, {"shape", Ints(shape.sizes())}, {"period", period}});
  }

  // The previous value of a new cell; init, if given, is static.
  Ex cell(const Shape& shape = {}, int64_t period = 1, Ex init = {}) {
    g().cells.push_back({{shape, {period, false}}, none, {}});
    std::vector<Id> in;
    if (init.g) in.push_back(init.id);
    return {&g(), apply(g(), "state_read", in, cell_attrs(static_cast<int64_t>(g().cells.size()) - 1))};
  }
  Ex write(Ex prev, Ex value) {
    int64_t cell = g()[prev.id].attrs.i("cell");
    Id id = apply(g(), "state_write", {broadcast_to(g(), value.id, prev.shape())}, cell_attrs(cell));
    g().cells[static_cast<size_t>(cell)].write = id;
    return {&g(), id};
  }

  size_t output(Ex y) {
    g().outputs.push_back(y.id);
    return g().outputs.size() - 1;
  }
  // The sum of y over elements and time, every term with its own weight.
  Ex loss(Ex y) {
    Ex weighted = y * noise(y.shape(), y.clock().period);
    Ints axes;
    for (int a = 0; a < y.shape().rank(); ++a) axes.push_back(a);
    Ex sum = axes.empty() ? weighted : ex("sum", {weighted}, {{"axes", axes}});
    return sum.clock().is_static() ? sum : ex("sum_time", {sum});
  }
  Ex grad(Ex loss, size_t slot) {
    Ints shape(capture.params[slot]->shape.sizes());
    return {&g(), g().add(op("grad"), {loss.id}, {{"slot", static_cast<int64_t>(slot)}, {"shape", shape}})};
  }

  std::vector<Values> param_values() const {
    std::vector<Values> values;
    for (auto& p : capture.params) values.emplace_back(p->values().begin(), p->values().end());
    return values;
  }

 private:
  static driver::StoragePtr storage(const Shape& shape, std::vector<float> values) {
    EXPECT_EQ(static_cast<size_t>(shape.size()), values.size());
    return std::make_shared<driver::Storage>(shape, std::move(values));
  }
  Attrs cell_attrs(int64_t cell) {
    const Type& type = g().cells[static_cast<size_t>(cell)].type;
    return {{"cell", cell}, {"shape", Ints(type.shape.sizes())}, {"period", type.clock.period}};
  }
};

// Less of the C compiler's time; its own optimiser is on trial where a test says so.
inline driver::Options fast_build(int optimize = 1) {
  driver::Options options;
  options.optimize = kSanitized ? 0 : optimize;
  options.careful = true;
  return options;
}

// A patch's program on one backend with its stream: play() continues where the last call ended.
class Player {
 public:
  Player(const Patch& patch, Backend backend, driver::Options options = fast_build()) : patch_(patch) {
    options.backend = backend == Backend::cpu && on_cuda() ? Backend::cuda : backend;
    program_ = driver::get_program(patch.capture, options);
    state_ = program_->fresh_state();
  }

  Rows play(int64_t frames, bool per_tick = true) {
    driver::RunArgs args;
    std::vector<std::span<const float>> inputs;
    args.frames = frames, args.sample_rate = patch_.sample_rate, args.per_tick = per_tick;
    for (size_t i = 0; i < patch_.inputs.size(); ++i) {
      const Type& type = patch_.input_types[i];
      auto first = static_cast<size_t>(ticks_before(type.clock.period, position_) * type.shape.size());
      inputs.push_back(std::span<const float>(patch_.inputs[i]).subspan(first));
    }
    args.inputs = inputs;
    position_ += frames;
    return program_->run(driver::Bindings(patch_.capture), args, state_.get());
  }
  // From a fresh state that nobody asks for afterwards.
  Rows play_alone(int64_t frames) {
    const int64_t position = std::exchange(position_, 0);
    std::unique_ptr<driver::State> state = std::exchange(state_, nullptr);
    Rows rows = play(frames);
    position_ = position, state_ = std::move(state);
    return rows;
  }
  void rewind() { state_ = program_->fresh_state(), position_ = 0; }
  driver::Program& program() { return *program_; }

 private:
  const Patch& patch_;
  std::shared_ptr<driver::Program> program_;
  std::unique_ptr<driver::State> state_;
  int64_t position_ = 0;
};

inline Rows run_fresh(const Patch& patch, Backend backend, int64_t frames, driver::Options options = fast_build()) {
  return Player(patch, backend, options).play(frames);
}

// A patch on the interpreter in float64, or rounding every step to float32, with any parameter values.
class Oracle {
 public:
  explicit Oracle(const Patch& patch) : patch_(patch), graph_(driver::prepare(patch.capture.graph)) {}

  // nudge: by how much data other than params is moved, relative. state: of the runs before, null for a fresh run.
  std::vector<Values> run(int64_t frames, const std::vector<Values>& params, bool single = false, double nudge = 0,
                          interp::State* state = nullptr) const {
    Values scratch;
    const RunInfo info{frames, state ? state->position : 0, patch_.sample_rate, 0};
    interp::Leaves leaves{[&](const Node& node, int64_t tick) {
      if (node.op->name == "param") return params[static_cast<size_t>(node.attrs.i("slot"))].data();
      auto data = patch_.inputs.empty() ? nullptr : patch_.inputs.data();
      const int64_t at = ticks_before(node.clock().period, static_cast<int64_t>(info.position)) + tick;
      const float* from = node.op->name == "input" ? data[node.attrs.i("channel")].data() + at * node.shape().size()
                                                   : patch_.capture.tensors[static_cast<size_t>(node.attrs.i("slot"))]->values().data();
      scratch.assign(from, from + node.shape().size());
      for (size_t i = 0; i < scratch.size(); ++i) scratch[i] *= 1 + (i % 2 ? nudge : -nudge);
      return static_cast<const double*>(scratch.data());
    }};
    return interp::run(graph_, info, leaves, state, single).outputs;
  }
  std::vector<Values> run(int64_t frames, bool single = false) const { return run(frames, patch_.param_values(), single); }
  const Graph& graph() const { return graph_; }

 private:
  const Patch& patch_;
  Graph graph_;
};

// The same patch with other outputs.
inline Patch with_outputs(Patch patch, std::vector<Id> outputs) {
  patch.capture.graph.outputs = std::move(outputs);
  return patch;
}

// The slope of an output along a direction in the parameters; smooth unless two step sizes disagree.
struct Slope {
  double value = 0;
  bool smooth = true;
};

// By central differences in float64, for every one-element output of losses.
inline std::vector<Slope> slopes(const Oracle& losses, int64_t frames, const std::vector<Values>& at, const std::vector<Values>& direction,
                                 double h = 2e-5) {
  auto difference = [&](double step) {
    std::vector<Values> moved[2] = {at, at};
    for (size_t p = 0; p < at.size(); ++p)
      for (size_t i = 0; i < at[p].size(); ++i) {
        moved[0][p][i] += step * direction[p][i];
        moved[1][p][i] -= step * direction[p][i];
      }
    auto above = losses.run(frames, moved[0]), below = losses.run(frames, moved[1]);
    Values slope;
    for (size_t o = 0; o < above.size(); ++o) slope.push_back((above[o][0] - below[o][0]) / (2 * step));
    return slope;
  };
  Values coarse = difference(h), fine = difference(h / 2);
  std::vector<Slope> result;
  for (size_t o = 0; o < fine.size(); ++o) {
    double value = (4 * fine[o] - coarse[o]) / 3;
    bool smooth = std::fabs(fine[o] - coarse[o]) <= 1e-4 * std::fabs(value) + 1e-6;
    result.push_back({value, smooth});
  }
  return result;
}

inline std::vector<Values> zeros_like(const std::vector<Values>& values) {
  std::vector<Values> zeros;
  for (auto& v : values) zeros.emplace_back(v.size(), 0.0);
  return zeros;
}

template <class T>
double peak_of(const std::vector<T>& values) {
  double peak = 0;
  for (T v : values) peak = std::max(peak, std::fabs(static_cast<double>(v)));
  return peak;
}

// The largest |got - want| in units of relative * |want| + absolute; 0 where both are NaN.
template <class A, class B>
double distance(const std::vector<A>& got, const std::vector<B>& want, double relative, double absolute) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    auto a = static_cast<double>(got[i]), b = static_cast<double>(want[i]);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    double d = std::fabs(a - b) / (relative * std::fabs(b) + absolute);
    worst = std::max(worst, std::isnan(d) ? std::numeric_limits<double>::infinity() : d);
  }
  return worst;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
inline void expect_same_bits(const Rows& a, const Rows& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t o = 0; o < a.size(); ++o) EXPECT_TRUE(same_bits(a[o], b[o])) << "output " << o;
}

// Values and gradients agree between backends, and gradients with differences. The last outputs are gradients of one loss.
inline void expect_right(Patch& p, Ex loss, int64_t frames, double tolerance = 1e-4) {
  p.output(loss);
  size_t first = p.g().outputs.size(), params = p.capture.params.size();
  for (size_t slot = 0; slot < params; ++slot) p.output(p.grad(loss, slot));
  Oracle oracle(p);
  auto want = oracle.run(frames);
  for (int64_t tile : {0, 8}) {
    driver::Options options = fast_build(0);
    options.chunk_frames = 8, options.tile_frames = tile;
    Rows got = run_fresh(p, Backend::cpu, frames, options);
    for (size_t o = 0; o < want.size(); ++o)
      EXPECT_LE(distance(got[o], want[o], tolerance, 2e-5 * peak_of(want[o]) + 1e-6), 1) << "output " << o << ", tiles of " << tile;
  }
  Patch alone = with_outputs(p, {loss.id});
  Oracle losses(alone);
  for (size_t slot = 0; slot < params; ++slot) {
    std::vector<Values> at = p.param_values(), direction = zeros_like(at);
    double stated = 0, size = 0;
    for (size_t i = 0; i < at[slot].size(); ++i) {
      direction[slot][i] = 1 - 0.3 * static_cast<double>(i);
      stated += direction[slot][i] * want[first + slot][i], size += std::fabs(direction[slot][i] * want[first + slot][i]);
    }
    Slope measured = slopes(losses, frames, at, direction, 1e-5)[0];
    EXPECT_NEAR(stated, measured.value, 1e-6 * (size + std::fabs(measured.value)) + 1e-8) << "param " << slot;
  }
}

}  // namespace dgen::test
