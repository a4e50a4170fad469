// CUDA programs on a machine without a GPU: the golden programs are planned, mapped, compiled to cubins and launched on the
// null device, which checks every launch and computes nothing.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compile/nvrtc.h"
#include "ir/parse.h"
#include "runtime/cuda.h"
#include "support/graphs.h"

namespace dgen::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> programs() {
  std::vector<std::string> found;
  for (const char* folder : {"golden", "golden/cuda"})
    for (auto& file : fs::directory_iterator(fs::path(DGEN_SOURCE_DIR) / "tests" / folder))
      if (file.path().extension() == ".dgir") found.push_back(file.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

void runs_the_plan(const Patch& p) {
  Player player(p, Backend::null);
  Rows whole = player.play(1000), more = player.play(17);
  EXPECT_EQ(whole.size(), p.capture.graph.outputs.size());
  EXPECT_GT(player.program().stats().launches, 0);
}

bool has_nvrtc() {
  std::string why;
  return compilers::Nvrtc::find(&why) != nullptr;
}

class NullDevice : public testing::TestWithParam<std::string> {};

TEST_P(NullDevice, RunsThePlan) {
  if (!has_nvrtc()) GTEST_SKIP() << "no NVRTC";
  std::ostringstream text;
  text << std::ifstream(GetParam()).rdbuf();
  Patch p;
  p.capture.graph = parse(text.str());
  for (const Node& node : p.g().nodes()) {
    auto bind = [&](std::vector<driver::StoragePtr>& slots) {
      slots.resize(std::max(slots.size(), static_cast<size_t>(node.attrs.i("slot")) + 1));
      slots[static_cast<size_t>(node.attrs.i("slot"))] =
          std::make_shared<driver::Storage>(node.shape(), std::vector<float>(static_cast<size_t>(node.shape().size()), 0.5f));
    };
    if (node.op->name == "param") bind(p.capture.params);
    if (node.op->name == "tensor") bind(p.capture.tensors);
    if (node.op->name != "input") continue;
    auto channel = static_cast<size_t>(node.attrs.i("channel"));
    p.inputs.resize(std::max(p.inputs.size(), channel + 1)), p.input_types.resize(p.inputs.size());
    p.inputs[channel].assign(static_cast<size_t>(Patch::kMostFrames * node.shape().size()), 0.25f);
    p.input_types[channel] = node.type;
  }
  runs_the_plan(p);
}

// A launch passes 4 KiB: the addresses of 600 params stand in a table.
TEST(NullDeviceLimits, ManyParams) {
  if (!has_nvrtc()) GTEST_SKIP() << "no NVRTC";
  Patch p;
  Ex sum = p.input();
  for (int i = 0; i < 600; ++i) sum = sum + p.number(0.5f);
  p.g().outputs.push_back(sum.id);
  runs_the_plan(p);
}

std::string program_name(const testing::TestParamInfo<std::string>& info) { return fs::path(info.param).stem().string(); }
INSTANTIATE_TEST_SUITE_P(Programs, NullDevice, testing::ValuesIn(programs()), program_name);

TEST(CudaDevice, SaysWhatIsMissing) {
  if (runtime::has_cuda_device()) GTEST_SKIP() << "this machine has a GPU";
  try {
    runtime::cuda_device();
    FAIL() << "a device was found";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), "[cuda] no NVIDIA driver (libcuda.so.1) on this machine; choose Backend::cpu");
  }
}

}  // namespace
}  // namespace dgen::test
