// Kernels of three small programs as C, CUDA and Metal, compared with the texts beside this file (without the helper
// functions). DGEN_UPDATE=1 writes them anew. All CUDA text, of these and of a program for every strategy forward and
// backward, must compile to a cubin.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codegen/render.h"
#include "compile/nvrtc.h"
#include "driver/pipeline.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "loop/lower.h"
#include "loop/verify.h"
#include "schedule/plan.h"

namespace dgen::test {
namespace {

using codegen::Target;
using Path = std::filesystem::path;

const Path tests = Path(DGEN_SOURCE_DIR) / "tests";

std::string read(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<ir::Kernel> kernels_of(const ir::Graph& g) {
  std::vector<ir::Kernel> kernels = loop::lower_plan(schedule::make_plan(driver::prepare(g)));
  for (auto& kernel : kernels) loop::verify(kernel);
  return kernels;
}

void expect_golden(const Path& path, const std::string& text) {
  if (std::getenv("DGEN_UPDATE")) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(text, read(path)) << path << " differs; DGEN_UPDATE=1 writes it anew";
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, Kernels) {
  Path program = tests / "golden" / GetParam();
  std::vector<ir::Kernel> kernels = kernels_of(ir::parse(read(program.string() + ".dgir")));
  for (auto [target, ending] : {std::pair(Target::c, ".c"), std::pair(Target::cuda, ".cu"), std::pair(Target::metal, ".metal")}) {
    std::string text;
    for (auto& kernel : kernels) text += codegen::render_kernel(codegen::dialect(target), kernel);
    expect_golden(program.string() + ending, text);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Golden, testing::Values("oscillators", "onepole_training", "spectrum"));

// ---- CUDA compiles --------------------------------------------------------------------------------------------------------

void expect_compiles(const ir::Graph& g) {
  std::string text = codegen::render_program(Target::cuda, kernels_of(g));
  EXPECT_FALSE(compile::compile_cubin(text, "sm_90").empty());
}

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const char* folder : {"golden", "golden/cuda", "ir"})
    for (auto& file : std::filesystem::directory_iterator(tests / folder))
      if (file.path().extension() == ".dgir") names.push_back((Path(folder) / file.path().filename()).string());
  std::sort(names.begin(), names.end());
  return names;
}

class Cuda : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (std::string why; !compile::Nvrtc::find(&why)) GTEST_SKIP() << why;
  }
};

TEST_P(Cuda, Compiles) { expect_compiles(ir::parse(read(tests / GetParam()))); }

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = Path(info.param).replace_extension().string();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Programs, Cuda, testing::ValuesIn(programs()), test_name);

class CudaOperators : public Cuda {};
INSTANTIATE_TEST_SUITE_P(All, CudaOperators, testing::Values("scalar"));

// Every scalar operator of one, two or three inputs, and its gradient.
TEST_P(CudaOperators, Compile) {
  ir::Graph g;
  ir::Attrs frame{{"channel", int64_t{0}}, {"shape", ir::Ints{}}, {"period", int64_t{1}}};
  ir::Ex x{&g, ir::apply(g, "input", {}, frame)}, p{&g, ir::apply(g, "param", {}, {{"slot", int64_t{0}}, {"shape", ir::Ints{}}})};
  ir::Ex sum = x * p;
  for (ir::Op op : ir::all_ops()) {
    if (op->family != ir::Family::scalar) continue;
    std::vector<ir::Id> in = {(x + p).id, p.id, (x - p).id};
    in.resize(static_cast<size_t>(op->min_inputs));
    sum = sum + ir::Ex{&g, ir::apply(g, op, in)};
  }
  ir::Id loss = ir::apply(g, "sum_time", {sum.id});
  g.outputs = {sum.id, ir::apply(g, "grad", {loss}, {{"slot", int64_t{0}}, {"shape", ir::Ints{}}})};
  expect_compiles(g);
}

}  // namespace
}  // namespace dgen::test
