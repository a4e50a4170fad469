// Every operator of the table as C against the interpreter, at every clock, with its gradient against differences.
#include "support/graphs.h"

namespace dgen::test {
namespace {

// One use of an operator: shapes and ranges of its inputs.
struct Use {
  std::string_view op;
  std::vector<Shape> shapes;
  Attrs attrs = {};
  std::vector<std::pair<double, double>> ranges = {};  // default [-1, 1]
};

Attrs axes(Ints values) { return {{"axes", std::move(values)}}; }
Attrs axis(int64_t value) { return {{"axis", value}}; }

std::vector<Use> view_uses() {
  auto steps = [](int64_t stride, int64_t dilation) { return Attrs{{"axis", int64_t{0}}, {"stride", stride}, {"dilation", dilation}}; };
  return {
      {"reshape", {{2, 3, 4}}, {{"shape", Ints{4, 6}}}},
      {"reshape", {{1}}, {{"shape", Ints{}}}},
      {"permute", {{2, 3, 4}}, axes({2, 0, 1})},
      {"expand", {{}}, {{"shape", Ints{3, 2}}}},
      {"expand", {{2, 1, 3}}, {{"shape", Ints{5, 2, 4, 3}}}},
      {"slice", {{4, 5}}, {{"starts", Ints{1, 0}}, {"ends", Ints{3, 5}}}},
      {"pad", {{4, 5}}, {{"pairs", Ints{1, 2, 0, 3}}, {"value", 0.5}}},
      {"flip", {{2, 3, 4}}, axes({0, -1})},
      {"concat", {{2, 3}, {2, 1}, {2, 4}}, axis(-1)},
      {"windows", {{8, 2}}, steps(1, 1).set("size", int64_t{3})},
      {"windows", {{9, 2}}, steps(2, 3).set("size", int64_t{2})},
      {"fold", {{6, 2, 3}}, steps(1, 1).set("length", int64_t{8})},
      {"fold", {{3, 2, 2}}, steps(2, 3).set("length", int64_t{9})},
      {"detach", {{2, 3}}},
  };
}

std::vector<Use> tensor_uses() {
  std::vector<Use> uses = {
      {"argmax", {{3, 4}}, axis(1)},
      {"argmax", {{20}}, axis(0)},
      {"cumsum", {{5}}, axis(0)},
      {"cumsum", {{2, 3, 4}}, axis(1)},
      {"matmul", {{2, 3}, {3, 4}}},
      {"matmul", {{5, 2, 3}, {5, 3, 4}}},
      {"matmul", {{5, 2, 17}, {17, 4}}},
      {"matmul", {{1, 1}, {1, 1}}},
      {"gather", {{3, 2}, {2, 4}}, {}, {{-1, 1}, {-1, 4}}},
      {"gather", {{5}, {}}, {}, {{-1, 1}, {0, 5}}},
      {"scatter_add", {{2, 4}, {2, 4, 2}}, {{"size", int64_t{3}}}, {{-2, 5}, {-1, 1}}},
      {"scatter_add", {{}, {}}, {{"size", int64_t{3}}}, {{0, 3}, {-1, 1}}},
  };
  for (std::string_view name : {"sum", "prod", "amax", "amin"})
    for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 2, 19}})
      for (const Ints& reduced : {Ints{1}, Ints{0, 2}, Ints{0, 1, 2}}) uses.push_back({name, {shape}, axes(reduced), {{0.8, 1.2}}});
  for (int64_t n : {1, 5, 8, 12}) {
    uses.push_back({"rfft", {{n}}});
    uses.push_back({"irfft", {{3, 2, n / 2 + 1}}, {{"n", n}}});
    uses.push_back({"fft", {{2, n}}});
    uses.push_back({"ifft", {{3, 2, n}}});
  }
  return uses;
}

std::vector<Use> scalar_uses() {
  std::vector<Use> uses;
  for (Op o : all_ops()) {
    if (o->family != Family::scalar) continue;
    auto n = static_cast<size_t>(o->min_inputs);
    for (const Shape& shape : {Shape{}, Shape{2, 3}})
      uses.push_back({o->name, std::vector<Shape>(n, shape), {}, std::vector<std::pair<double, double>>(n, {o->lo, o->hi})});
  }
  return uses;
}

// Operators of time, whose clock is their own.
std::vector<Use> time_uses(int64_t period) {
  if (period == 0) return {};
  std::vector<Use> uses;
  for (const Shape& shape : {Shape{}, Shape{3}}) {
    uses.push_back({"buffer", {shape}, {{"size", int64_t{5}}, {"hop", 2 * period}, {"period", period}}});
    uses.push_back({"buffer", {shape}, {{"size", int64_t{2}}, {"hop", 4 * period}, {"period", period}}});
    uses.push_back({"decimate", {shape}, {{"hop", 3 * period}}});
    if (period > 1) uses.push_back({"place", {shape}, {{"period", int64_t{1}}}});
    if (period > 1) uses.push_back({"hold", {shape}, {{"period", int64_t{1}}}});
    Shape window = shape;
    window.push_back(5);
    if (period > 1) uses.push_back({"overlap_add", {window}, {{"hop", period}}});
    if (period == 4) uses.push_back({"overlap_add", {window}, {{"hop", period}, {"period", int64_t{2}}}});
    uses.push_back({"sum_time", {shape}});
    uses.push_back({"delay", {shape, shape}, {{"max", int64_t{6}}}, {{-1, 1}, {0, 6}}});
    uses.push_back({"delay", {shape, shape}, {{"max", int64_t{3}}}, {{-1, 1}, {-2, 6}}});
    uses.push_back({"phasor", {shape}, {}, {{-300, 400}}});
    uses.push_back({"phasor", {shape, shape}, {}, {{-300, 400}, {-1, 0.2}}});
  }
  return uses;
}

// Some uses of operators in one program; each has its own loss and params.
class Batch {
 public:
  Batch(std::vector<Use> uses, int64_t period, int optimize) : uses_(std::move(uses)), optimize_(optimize) {
    for (const Use& use : uses_) add(use, period);
  }

  void check(int64_t frames) {
    std::vector<Id> losses;
    for (Case& one : cases_) losses.push_back(one.loss.id);
    Patch loss_patch = with_outputs(patch_, losses);
    Oracle oracle(patch_), loss_oracle(loss_patch);
    auto want = oracle.run(frames);
    check_values(want, frames);
    for (size_t input = 0; input < 3; ++input) check_slopes(want, loss_oracle, frames, input);
  }

 private:
  struct Case {
    Ex loss;
    size_t first_output = 0, outputs = 0;
    std::vector<size_t> slots, grads;  // by input: its param and the output that is its gradient
  };

  // An input that varies in time and with a param, inside its range.
  Ex make_input(const Shape& shape, std::pair<double, double> range, int64_t period, Case& one) {
    one.slots.push_back(patch_.capture.params.size());
    Ex u = patch_.param(shape) * 0.25 + 0.5;
    if (period != 0) u = u + patch_.input(shape, period) * 0.2;
    return u * (range.second - range.first) + range.first;
  }

  void add(const Use& use, int64_t period) {
    Case one;
    std::vector<Id> in;
    for (size_t i = 0; i < use.shapes.size(); ++i)
      in.push_back(make_input(use.shapes[i], use.ranges.empty() ? std::pair(-1.0, 1.0) : use.ranges[i], period, one).id);
    Ex y{&patch_.g(), apply(patch_.g(), use.op, in, use.attrs)};
    one.first_output = patch_.output(y);
    one.loss = patch_.loss(y);
    patch_.output(one.loss);
    for (size_t slot : one.slots) one.grads.push_back(patch_.output(patch_.grad(one.loss, slot)));
    one.outputs = patch_.g().outputs.size() - one.first_output;
    cases_.push_back(std::move(one));
  }

  std::string name(size_t c) const {
    std::string text(uses_[c].op);
    for (auto& shape : uses_[c].shapes) text += " " + shape.str();
    return text;
  }

  void check_values(const std::vector<Values>& want, int64_t frames) {
    got_ = run_fresh(patch_, Backend::cpu, frames, fast_build(optimize_));
    for (size_t c = 0; c < cases_.size(); ++c) {
      size_t first = cases_[c].first_output;
      for (size_t o = first; o < first + cases_[c].outputs; ++o) {
        double peak = std::max(peak_of(want[o]), peak_of(want[first])), relative = o == first ? 1e-5 : 1e-4;
        EXPECT_LE(distance(got_[o], want[o], relative, 1e-6 + (o == first ? 2e-6 : 1e-5) * peak), 1)
            << name(c) << ", output " << o - first << ", first " << got_[o].at(0) << " not " << want[o].at(0);
      }
    }
  }

  // All cases at once, since each loss depends on its own params only.
  void check_slopes(const std::vector<Values>& want, const Oracle& losses, int64_t frames, size_t input) {
    std::vector<Values> at = patch_.param_values(), direction = zeros_like(at);
    for (Case& one : cases_)
      if (input < one.slots.size())
        for (size_t i = 0; i < at[one.slots[input]].size(); ++i) direction[one.slots[input]][i] = 1 - 0.37 * static_cast<double>(i % 5);
    std::vector<Slope> slope = slopes(losses, frames, at, direction);
    for (size_t c = 0; c < cases_.size(); ++c) {
      if (input >= cases_[c].slots.size() || uses_[c].op == "detach") continue;
      const Values& along = direction[cases_[c].slots[input]];
      size_t o = cases_[c].grads[input];
      double exact = 0, compiled = 0, size = 0;
      for (size_t i = 0; i < along.size(); ++i) {
        exact += along[i] * want[o][i];
        compiled += along[i] * static_cast<double>(got_[o][i]);
        size += std::fabs(along[i] * want[o][i]);
      }
      EXPECT_TRUE(slope[c].smooth) << name(c);
      EXPECT_NEAR(exact, slope[c].value, 1e-5 * size + 1e-7) << name(c) << " input " << input << ", interpreter";
      EXPECT_NEAR(compiled, slope[c].value, 1e-4 * size + 1e-6) << name(c) << " input " << input << ", compiled";
    }
  }

  std::vector<Use> uses_;
  int optimize_;
  Patch patch_;
  std::vector<Case> cases_;
  Rows got_;
};

void check_all(const std::vector<Use>& uses, int64_t period, int optimize = 1, size_t batch = 24) {
  for (size_t from = 0; from < uses.size(); from += batch) {
    SCOPED_TRACE(testing::Message() << "period " << period << " batch " << from);
    std::vector<Use> some(uses.begin() + static_cast<std::ptrdiff_t>(from),
                          uses.begin() + static_cast<std::ptrdiff_t>(std::min(uses.size(), from + batch)));
    Batch(std::move(some), period, optimize).check(23);
  }
}

TEST(Backend, ScalarsStatic) { check_all(scalar_uses(), 0); }
TEST(Backend, ScalarsHop) { check_all(scalar_uses(), 3); }
TEST(Backend, ScalarsFrame) { check_all(scalar_uses(), 1, 3); }
TEST(Backend, ViewsStatic) { check_all(view_uses(), 0); }
TEST(Backend, ViewsHop) { check_all(view_uses(), 4); }
TEST(Backend, ViewsFrame) { check_all(view_uses(), 1); }
TEST(Backend, TensorsStatic) { check_all(tensor_uses(), 0); }
TEST(Backend, TensorsHop) { check_all(tensor_uses(), 3); }
TEST(Backend, TensorsFrame) { check_all(tensor_uses(), 1); }
TEST(Backend, TimeHop) { check_all(time_uses(3), 3), check_all(time_uses(4), 4); }
TEST(Backend, TimeFrame) { check_all(time_uses(1), 1); }

// Rows that the uses above do not name: leaves, cells, effects and what only gradients make.
TEST(Backend, EveryOperatorIsUsed) {
  std::set<std::string_view> used = {"const", "literal", "param", "tensor", "input", "sample_rate", "frame_index", "tick_count", "noise", "iota",
                                     "state_read", "state_write", "state_final", "ring_add", "sum_ticks", "assign", "grad"};
  for (auto& uses : {scalar_uses(), view_uses(), tensor_uses(), time_uses(4)})
    for (const Use& use : uses) used.insert(use.op);
  for (Op o : all_ops()) EXPECT_TRUE(used.count(o->name)) << o->name << " has no test";
}

// Leaves at every clock, and a constant times each so that they meet in one program.
TEST(Backend, Leaves) {
  Patch p;
  p.output(p.leaf("sample_rate") * 2.0);
  p.output(p.leaf("frame_index"));
  p.output(ex("decimate", {p.leaf("frame_index")}, {{"hop", int64_t{5}}}));
  p.output(p.leaf("iota", {{"n", int64_t{7}}}) * 0.5);
  p.output(p.tensor({2, 2}, {1, 2, 3, 4}) + 1.0);
  for (int64_t period : {0, 1, 4}) {
    p.output(p.leaf("tick_count", {{"period", period}}));
    p.output(p.noise({2, 3}, period));
    p.output(p.noise({}, period) + 0.0);
    if (period > 0) p.output(p.input({2}, period) * 3.0);
  }
  auto want = Oracle(p).run(19);
  Rows got = run_fresh(p, Backend::cpu, 19);
  for (size_t o = 0; o < want.size(); ++o) EXPECT_LE(distance(got[o], want[o], 1e-6, 1e-7), 1) << "output " << o;
}

// A NaN is seen on both backends, wherever it stands and whatever folds over it.
TEST(Backend, NansAreNotLost) {
  auto nan = std::nanf("");
  Patch p;
  for (size_t at : {0u, 1u, 18u}) {
    std::vector<float> values = random_floats(19, 1);
    values[at] = nan;
    Ex x = p.tensor({19}, values) + p.input() * 0.0;
    for (std::string_view name : {"sum", "prod", "amax", "amin"}) p.output(ex(name, {x}, {{"axes", Ints{0}}}));
    p.output(ex("argmax", {x}, {{"axis", int64_t{0}}}));
  }
  for (std::string_view name : {"sign", "abs", "floor", "sqrt", "exp", "sin", "tanh", "relu"})
    if (find_op(name)) p.output(fn(name, p.input() * 0.0 + p.tensor({}, {nan})));
  auto want = Oracle(p).run(3);
  Rows got = run_fresh(p, Backend::cpu, 3);
  for (size_t o = 0; o < want.size(); ++o) {
    EXPECT_LE(distance(got[o], want[o], 0, 0), 1) << "output " << o;
    bool index = o < 15 && o % 5 == 4;
    EXPECT_EQ(std::isnan(got[o][0]), !index) << "output " << o;
  }
}

TEST(Backend, AssignsAfterAllReads) {
  for (Backend backend : {Backend::interpreter, Backend::cpu}) {
    Patch p;
    Ex w = p.param({3}, {1, 2, 3}), v = p.param({3}, {4, 5, 6});
    p.g().effects = {apply(p.g(), "assign", {v.id}, {{"slot", int64_t{0}}}), apply(p.g(), "assign", {(w * 2.0).id}, {{"slot", int64_t{1}}})};
    p.output(w + v);
    EXPECT_EQ(run_fresh(p, backend, 4)[0], (std::vector<float>{5, 7, 9}));
    EXPECT_EQ(p.capture.params[0]->values(), (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(p.capture.params[1]->values(), (std::vector<float>{2, 4, 6}));
  }
}

}  // namespace
}  // namespace dgen::test
