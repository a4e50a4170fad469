// Every operator of the table in the uses its row states, at every clock, on every backend: values against the
// interpreter, gradients against differences. What was tried is the table of docs/coverage.md.
#include <optional>

#include "ops/coverage.h"
#include "support/graphs.h"
#include "support/page.h"
#include "support/sanitized.h"

namespace dgen::test {
namespace {

constexpr int64_t kFrames = 23;

// An operator in one use; without operator a cell around half its value.
struct Trial {
  Op op;
  ir::Use use;
};

// Hop 4 is for what changes clocks, which it can do in two steps.
std::vector<Trial> trials(int64_t period) {
  std::vector<Trial> all;
  for (Op o : all_ops())
    if (o->uses && (period != 4 || o->family == Family::time))
      for (ir::Use& use : o->uses(*o, period)) all.push_back({o, std::move(use)});
  if (period == 1 || period == 3)
    for (const Shape& shape : {Shape{}, Shape{2, 3}}) all.push_back({nullptr, {{shape, shape}, {}, {}, 2}});
  return all;
}

// Some trials in one program; each has its own loss and params.
class Batch {
 public:
  // Each set has other values in its params.
  Batch(std::vector<Trial> trials, int64_t period, int set) : trials_(std::move(trials)), period_(period) {
    for (int i = 0; i < set; ++i) patch_.param({});
    for (const Trial& trial : trials_) add(trial);
    graph_ = driver::prepare(patch_.capture.graph);
    std::vector<Id> losses;
    for (Case& one : cases_) losses.push_back(one.loss.id);
    Patch loss_patch = with_outputs(patch_, losses);
    Oracle oracle(loss_patch);
    for (size_t input = 0; input < 3; ++input) measure(oracle, input);
  }

  // No value lies so near to a jump that differences see it.
  bool smooth() const {
    for (auto& one : cases_)
      for (auto& input : one.inputs)
        if (!input.slope.smooth) return false;
    return true;
  }

  void check(Coverage& coverage) {
    want_ = Oracle(patch_).run(kFrames);
    for (Backend backend : graph_backends()) check_backend(backend, coverage);
  }

 private:
  // By input: its param and the output that is its gradient, what differences say of it along a direction.
  struct Input {
    size_t slot, grad;
    Values along;
    Slope slope;
  };
  struct Case {
    Ex value, loss;
    size_t first_output = 0, outputs = 0;
    std::vector<Input> inputs;
  };

  // An input that varies with a param and, unless fixed, in time, inside its range.
  Ex make_input(const Shape& shape, std::pair<double, double> range, bool fixed, Case& one) {
    one.inputs.push_back({patch_.capture.params.size(), 0, {}, {}});
    Ex u = patch_.param(shape) * 0.25 + patch_.tensor(shape, std::vector<float>(static_cast<size_t>(shape.size()), 0.5f));
    if (period_ != 0 && !fixed) u = u + patch_.input(shape, period_) * 0.2;
    return u * (range.second - range.first) + range.first;
  }

  void add(const Trial& trial) {
    const ir::Use& use = trial.use;
    Case one;
    std::vector<Id> in;
    for (size_t i = 0; i < use.shapes.size(); ++i)
      in.push_back(make_input(use.shapes[i], use.ranges.empty() ? std::pair(-1.0, 1.0) : use.ranges[i], use.fixed >> i & 1, one).id);
    one.value = trial.op ? Ex{&patch_.g(), apply(patch_.g(), trial.op, in, use.attrs)} : loop(in);
    one.first_output = patch_.output(one.value);
    one.loss = patch_.loss(one.value);
    patch_.output(one.loss);
    for (Input& input : one.inputs) input.grad = patch_.output(patch_.grad(one.loss, input.slot));
    one.outputs = patch_.g().outputs.size() - one.first_output;
    cases_.push_back(std::move(one));
  }

  // y = x + y1 / 2 from a learnable start.
  Ex loop(const std::vector<Id>& in) {
    Ex x{&patch_.g(), in[0]}, prev = patch_.cell(x.shape(), period_, {&patch_.g(), in[1]});
    return patch_.write(prev, x + prev * 0.5);
  }

  std::string name(size_t c) const {
    std::string text = trials_[c].op ? std::string(trials_[c].op->name) : "cell";
    for (auto& shape : trials_[c].use.shapes) text += " " + shape.str();
    return text + (period_ == 0 ? " static" : cat(" hop ", period_));
  }

  // All cases at once, since each loss depends on its own params only. detach alone states another gradient than it has.
  void measure(const Oracle& losses, size_t input) {
    std::vector<Values> at = patch_.param_values(), direction = zeros_like(at);
    for (Case& one : cases_) {
      if (input >= one.inputs.size()) continue;
      Values& along = direction[one.inputs[input].slot];
      for (size_t i = 0; i < along.size(); ++i) along[i] = 1 - 0.37 * static_cast<double>(i % 5);
    }
    std::vector<Slope> measured = slopes(losses, kFrames, at, direction);
    for (size_t c = 0; c < cases_.size(); ++c) {
      if (input >= cases_[c].inputs.size()) continue;
      Input& in = cases_[c].inputs[input];
      in.along = direction[in.slot], in.slope = measured[c];
      if (trials_[c].op && trials_[c].op->name == "detach") in.slope = {};
    }
  }

  void check_backend(Backend backend, Coverage& coverage) {
    SCOPED_TRACE(backend == Backend::interpreter ? "interpreter" : "compiled");
    Rows got = run_fresh(patch_, backend, kFrames, fast_build(period_ == 1 ? 2 : 0));
    bool all = true;
    for (size_t c = 0; c < cases_.size(); ++c) {
      bool fine = values_agree(c, got), has_slope = false;
      for (const Input& input : cases_[c].inputs) fine &= slope_agrees(c, input, got, &has_slope);
      if (fine) mark(c, backend, has_slope, coverage);
      all &= fine;
    }
    if (all) coverage.add_parts(backend, graph_);
  }

  bool values_agree(size_t c, const Rows& got) {
    size_t first = cases_[c].first_output;
    bool fine = true;
    for (size_t o = first; o < first + cases_[c].outputs; ++o) {
      double peak = std::max(peak_of(want_[o]), peak_of(want_[first])), relative = o == first ? 1e-5 : 1e-4;
      bool near = distance(got[o], want_[o], relative, 1e-6 + (o == first ? 2e-6 : 1e-5) * peak) <= 1;
      EXPECT_TRUE(near) << name(c) << ", output " << o - first << ", first " << got[o].at(0) << " not " << want_[o].at(0);
      fine &= near;
    }
    return fine;
  }

  bool slope_agrees(size_t c, const Input& input, const Rows& got, bool* has_slope) {
    double exact = 0, computed = 0, size = 0;
    for (size_t i = 0; i < input.along.size(); ++i) {
      exact += input.along[i] * want_[input.grad][i];
      computed += input.along[i] * static_cast<double>(got[input.grad][i]);
      size += std::fabs(input.along[i] * want_[input.grad][i]);
    }
    if (size > 0) *has_slope = true;
    EXPECT_NEAR(exact, input.slope.value, 1e-5 * size + 1e-7) << name(c) << ", stated";
    EXPECT_NEAR(computed, input.slope.value, 1e-4 * size + 1e-6) << name(c) << ", computed";
    return std::fabs(computed - input.slope.value) <= 1e-4 * size + 1e-6;
  }

  void mark(size_t c, Backend backend, bool has_slope, Coverage& coverage) {
    const Node& value = patch_.g()[cases_[c].value.id];
    std::vector<Op> tried = {trials_[c].op};
    if (!trials_[c].op) tried = {op("state_read"), op("state_write")};
    for (Op o : tried) {
      coverage.value(backend, o, value.type);
      if (!cases_[c].inputs.empty()) coverage.gradient(backend, o, value.type, has_slope);
    }
    if (has_slope) coverage.gradient(backend, op("param"), {}, true);
  }

  std::vector<Trial> trials_;
  int64_t period_;
  Patch patch_;
  Graph graph_;
  std::vector<Case> cases_;
  std::vector<Values> want_;
};

// Runs all trials of a clock once; what they covered is added up.
Coverage& covered_by(int64_t period) {
  static std::map<int64_t, Coverage> done;
  auto [it, is_new] = done.try_emplace(period);
  if (!is_new) return it->second;
  std::vector<Trial> all = trials(period);
  if (kSanitized) {  // a third of them, of every operator
    size_t kept = 0;
    for (size_t i = 0; i < all.size(); i += 3) all[kept++] = all[i];
    all.resize(kept);
  }
  const size_t size = 24;
  for (size_t from = 0; from < all.size(); from += size) {
    auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
    std::vector<Trial> some(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, all.size() - from)));
    std::optional<Batch> batch;
    for (int set = 0; set < 3 && !(batch && batch->smooth()); ++set) batch.emplace(some, period, set);
    EXPECT_TRUE(batch->smooth()) << "hop " << period << ", trials from " << from;
    batch->check(it->second);
  }
  return it->second;
}

constexpr int64_t kPeriods[] = {0, 1, 3, 4};

class Uses : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Periods, Uses, testing::ValuesIn(kPeriods));
TEST_P(Uses, Agree) { covered_by(GetParam()); }

// docs/coverage.md says what the trials cover, and why the rest is empty; a machine with a GPU writes a page of its own.
// DGEN_UPDATE=1 writes it anew.
TEST(UsesPage, IsUpToDate) {
  Coverage all;
  for (int64_t period : kPeriods) all.add(covered_by(period));
  EXPECT_EQ(all.unexplained(), "");
  const char* path = on_cuda() ? DGEN_SOURCE_DIR "/docs/coverage_cuda.md" : DGEN_SOURCE_DIR "/docs/coverage.md";
  expect_page(path, all.page());
}

}  // namespace
}  // namespace dgen::test
