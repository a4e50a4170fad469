// Kernels of three small programs as C, CUDA and Metal, compared with the texts beside this file (without the helper
// functions). DGEN_UPDATE=1 writes them anew. All CUDA text, of these and of a program for every strategy forward and
// backward, must compile to a cubin; all Metal text must be C++ to a compiler that is told of Metal's address spaces.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "codegen/render.h"
#include "compile/nvrtc.h"
#include "driver/pipeline.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "loop/cpu_map.h"
#include "loop/gpu_map.h"
#include "loop/lower.h"
#include "loop/verify.h"
#include "schedule/plan.h"
#include "unit/prelude_test_util.h"

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

std::vector<ir::Kernel> kernels_of(const ir::Graph& g, Target target) {
  std::vector<ir::Kernel> kernels = loop::lower_plan(schedule::make_plan(driver::prepare(g)), !codegen::is_gpu(target));
  for (auto& kernel : kernels) loop::verify(kernel);
  for (auto& kernel : kernels)
    kernel = codegen::is_gpu(target) ? loop::map_to_gpu(std::move(kernel)) : loop::map_to_cpu(std::move(kernel), true, false).whole;
  for (auto& kernel : kernels) loop::verify(kernel);
  return kernels;
}

std::string program_text(const ir::Graph& g, Target target) {
  const std::vector<ir::Kernel> kernels = kernels_of(g, target);
  std::vector<const ir::Kernel*> all;
  for (const ir::Kernel& kernel : kernels) all.push_back(&kernel);
  return codegen::render_program(target, all);
}

void expect_golden(const Path& path, const std::string& text) {
  if (std::getenv("DGEN_UPDATE")) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(text, read(path)) << path << " differs; DGEN_UPDATE=1 writes it anew";
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, Kernels) {
  Path program = tests / "golden" / GetParam();
  ir::Graph g = ir::parse(read(program.string() + ".dgir"));
  for (auto [target, ending] : {std::pair(Target::c, ".c"), std::pair(Target::cuda, ".cu"), std::pair(Target::metal, ".metal")}) {
    std::string text;
    for (auto& kernel : kernels_of(g, target)) text += codegen::render_kernel(codegen::dialect(target), kernel);
    expect_golden(program.string() + ending, text);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Golden, testing::Values("oscillators", "onepole_training", "spectrum"));

// A long body stands in the C text once, whatever fills no vector.
TEST(GoldenText, LongBodiesStandOnce) {
  ir::Graph g;
  ir::Attrs frame{{"channel", int64_t{0}}, {"shape", ir::Ints{}}, {"period", int64_t{1}}};
  const ir::Ex x{&g, ir::apply(g, "input", {}, frame)};
  ir::Ex y = x;
  for (int i = 0; i < 40; ++i) y = ir::Ex{&g, ir::apply(g, "sin", {(y * x).id})};
  g.outputs = {y.id};
  const std::string text = program_text(g, Target::c), kernel = text.substr(text.find("\nvoid k0("));
  size_t sines = 0;
  for (size_t at = 0; (at = kernel.find("dg_sin", at)) != std::string::npos; ++at) ++sines;
  EXPECT_EQ(sines, 40u) << kernel;
  EXPECT_EQ(text.find("dg_sin_call"), std::string::npos) << "a scalar function that is not called";
}

// What one loop goes through element by element is turned into vectors a part at a time, where it stays in the nearest cache.
TEST(GoldenText, RowsAreTurnedInStrips) {
  const ir::Graph g = ir::parse(R"(%0 = input {channel=0,shape=[],period=1}
%1 = tensor {slot=0,shape=[200]} "window"
%2 = buffer %0 {size=200,hop=50}
%3 = mul %2, %1
%4 = rfft %3
%5 = mul %4, %4
output %5
)");
  const std::string text = program_text(g, Target::c);
  std::smatch strip;
  ASSERT_TRUE(std::regex_search(text, strip, std::regex(R"(dg_pack_v\((a\d+) \+ 0, a\d+ \+ v\d+, 50, v\d+\);)"))) << text;
  EXPECT_NE(text.find(cat("dg_vf ", strip.str(1), "[64];")), std::string::npos) << text;
}

// ---- CUDA compiles --------------------------------------------------------------------------------------------------------

void expect_compiles(const ir::Graph& g) {
  std::string text = program_text(g, Target::cuda);
  EXPECT_FALSE(compilers::compile_cubin(text, "sm_90").empty());
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
    if (std::string why; !compilers::Nvrtc::find(&why)) GTEST_SKIP() << why;
  }
};

TEST_P(Cuda, Compiles) { expect_compiles(ir::parse(read(tests / GetParam()))); }

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = Path(info.param).replace_extension().string();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Programs, Cuda, testing::ValuesIn(programs()), test_name);

// Every scalar operator of one, two or three inputs, and its gradient.
ir::Graph every_scalar() {
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
  return g;
}

class CudaOperators : public Cuda {};
INSTANTIATE_TEST_SUITE_P(All, CudaOperators, testing::Values("scalar"));
TEST_P(CudaOperators, Compile) { expect_compiles(every_scalar()); }

// ---- Metal is consistent --------------------------------------------------------------------------------------------------

std::set<std::string> matches(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

void expect_consistent(const ir::Graph& g) {
  std::string text = program_text(g, Target::metal);
  EXPECT_TRUE(matches(text, "\\b(double)\\b").empty()) << "Metal has no double";
  auto defined = matches(text, "(?:DG_FN|DG_FFT)[^;{}()]*\\b(dg_\\w+)\\("), passes = matches(text, "DG_PASS\\((dg_\\w+)\\)");
  for (auto& name : matches(text, "\\b(dg_\\w+)\\(")) EXPECT_TRUE(defined.count(name) || passes.count(name)) << name << " is not defined";
  if (!have_compiler("clang++")) return;
  std::string file = testing::TempDir() + "dgen_golden" + std::to_string(getpid()) + ".metal", log = file + ".log";
  std::ofstream(file) << text;
  std::string command = "clang++ -x c++ -std=c++14 -fsyntax-only -w -I" + (tests / "golden" / "metal").string() + " " + file + " 2>" + log;
  EXPECT_EQ(std::system(command.c_str()), 0) << read(log).substr(0, 2000);
  std::filesystem::remove(file), std::filesystem::remove(log);
}

class Metal : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Programs, Metal, testing::ValuesIn(programs()), test_name);
TEST_P(Metal, IsConsistent) { expect_consistent(ir::parse(read(tests / GetParam()))); }
TEST(MetalOperators, AreConsistent) { expect_consistent(every_scalar()); }

// Without double, a static frequency has the phase of the other targets to 2^-53 of a turn.
TEST(MetalPhase, StepOfAStaticFrequency) {
  if (!have_compiler("g++")) GTEST_SKIP() << "no g++";
  std::string text = codegen::render_program(Target::metal, {}) + R"(
extern "C" unsigned long step(float f, float rate) { return dg_phase_step_static(f, rate); }
)";
  TextLibrary library(text, "g++", "-x c++ -std=c++14 -w -I" + (tests / "golden" / "metal").string());
  auto step = library.get<uint64_t(float, float)>("step");
  for (float rate : {44100.0f, 48000.0f, 96000.0f, 1000.0f})
    for (float f : {0.0f, 1e-20f, 0.001f, 440.0f, -440.0f, 261.62557f, 0.5f * rate, 30000.7f, -1e6f}) {
      long double turns = static_cast<long double>(f) / rate;
      auto want = static_cast<uint64_t>(std::llrint((turns - std::rint(turns)) * 0x1p63L)) * 2;
      auto off = static_cast<int64_t>(step(f, rate) - want);
      EXPECT_LE(std::abs(off), 1 << 11) << f << " at " << rate;
    }
  for (float f : {INFINITY, -INFINITY, NAN}) EXPECT_EQ(step(f, 44100), 0u) << f;
}

}  // namespace
}  // namespace dgen::test
