// The golden programs, run: every compiled backend against the interpreter.
#include <fstream>
#include <sstream>

#include "ir/parse.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

// The program in a file with data for its params, tensors and inputs.
Patch program(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(DGEN_SOURCE_DIR "/tests/golden/" + name + ".dgir").rdbuf();
  Patch p;
  p.capture.graph = parse(text.str());
  auto bind = [](std::vector<driver::StoragePtr>& slots, const Node& node) {
    auto slot = static_cast<size_t>(node.attrs.i("slot"));
    if (slots.size() <= slot) slots.resize(slot + 1);
    slots[slot] = std::make_shared<driver::Storage>(node.shape(), random_floats(node.shape().size(), slot + 1, 0.02, 0.1));
  };
  for (const Node& node : p.g().nodes()) {
    if (node.op->name == "param") bind(p.capture.params, node);
    if (node.op->name == "tensor") bind(p.capture.tensors, node);
    if (node.op->name != "input") continue;
    auto channel = static_cast<size_t>(node.attrs.i("channel"));
    p.inputs.resize(std::max(p.inputs.size(), channel + 1)), p.input_types.resize(p.inputs.size());
    p.inputs[channel] = random_floats(ticks_before(node.clock().period, Patch::kMostFrames) * node.shape().size(), 500 + channel);
    p.input_types[channel] = node.type;
  }
  return p;
}

class GoldenValues : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Programs, GoldenValues,
                         testing::Values("oscillators", "onepole_training", "spectrum", "cuda/filter_bank", "cuda/images",
                                         "cuda/mixed_rates", "cuda/recurrent_net", "cuda/reductions", "cuda/table", "cuda/transforms",
                                         "cuda/varying_delay"),
                         [](auto& info) {
                           std::string name = info.param;
                           return name.substr(name.rfind('/') + 1);
                         });

// Within what rounding every step to float32 does to the interpreter.
TEST_P(GoldenValues, AsTheInterpreter) {
  Patch p = program(GetParam());
  const int64_t frames = 1000;
  Oracle oracle(p);
  auto exact = oracle.run(frames), single = oracle.run(frames, true);
  for (Backend backend : compiled_backends()) {
    Rows got = run_fresh(p, backend, frames);
    for (size_t o = 0; o < exact.size(); ++o) {
      double rounding = distance(single[o], exact[o], 0, 1);
      EXPECT_LE(distance(got[o], exact[o], 0, 8 * rounding + 1e-5 * peak_of(exact[o])), 1) << "output " << o;
    }
  }
}

// The delay time of this program is the sine of a large number. Rounding that number to float32 moves the result by
// 1e-3, and is the whole difference: an interpreter that rounds like C is 50 times nearer to it.
TEST(GoldenRounding, VaryingDelay) {
  Patch p = program("cuda/varying_delay");
  p.capture.params[0]->assign(std::vector<float>{0.73f});
  const int64_t frames = 8192;
  Oracle oracle(p);
  auto exact = oracle.run(frames), single = oracle.run(frames, true);
  for (Backend backend : compiled_backends()) {
    std::vector<float> got = run_fresh(p, backend, frames)[0];
    double rounding = distance(got, exact[0], 0, 1);
    EXPECT_GT(rounding, 1e-3 * peak_of(exact[0]));
    EXPECT_LT(distance(got, single[0], 0, 1), 0.02 * rounding);
  }
}

}  // namespace
}  // namespace dgen::test
