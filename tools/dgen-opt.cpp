// dgen-opt: runs passes on the text form of a graph and shows what comes out.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "base/check.h"
#include "codegen/render.h"
#include "driver/driver.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/print_loop.h"
#include "ir/verify.h"
#include "loop/cpu_map.h"
#include "loop/gpu_map.h"
#include "loop/lower.h"
#include "loop/share.h"
#include "loop/verify.h"

namespace {

using namespace dgen;

const char* usage = R"(usage: dgen-opt [options] [FILE]       FILE is text IR (see src/ir/print.h), standard input without it

  --pass P,...     run passes in this order: clocks, gradients, recompute, rebuild
  --plan           explain the plan: regions, strategies, reasons, storage
  --loops          show the kernels of the loop IR; with --emit of a GPU's language, as mapped for it
  --lanes          of --loops and --emit c: also the kernels that do a share of the lanes, for several threads
  --emit FORM      c, cuda, metal: the kernels in that language; with helpers by --prelude; dot: the graph for Graphviz
  --run N          run N frames and print each output, one tick a line
  --backend B      of --run, --plan and --loops: interpreter (default; plans are then what any backend can do) or cpu (the
                   plan, unless passes are named, is then what a program gets)
  --rate HZ        of --run: sample rate, 44100 without it
  --digits N       of --run: significant digits, 6 without it
  --param S=V,...  values of param slot S, repeated as needed; zeros without it; --tensor, --input (by channel) likewise

Without an option that shows something else, the graph is printed. --plan, --loops, --run and the languages prepare the
graph as the driver does (clocks, gradients) unless --pass says otherwise.
)";

constexpr int64_t kMostSlots = 1000;
using Values = std::map<int64_t, std::vector<float>>;

struct Arguments {
  std::string file, emit;
  std::vector<std::string> passes;
  bool plan = false, loops = false, lanes = false, prelude = false, help = false;
  int64_t frames = -1;  // -1: no run
  int digits = 6;
  driver::Options options{driver::Backend::interpreter};
  double rate = 44100;
  Values params, tensors, inputs;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

double to_number(const std::string& text) {
  size_t end = 0;
  double value = 0;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
  }
  if (end == 0 || end != text.size()) fail("'", text, "' is no number");
  return value;
}

int64_t to_integer(const std::string& text, int64_t lo, int64_t hi) {
  double value = to_number(text);
  if (!(value >= static_cast<double>(lo) && value <= static_cast<double>(hi)) || value != std::floor(value))
    fail("'", text, "' is no integer in [", lo, ", ", hi, "]");
  return static_cast<int64_t>(value);
}

// "2=0.5,1" into values[2].
void add_values(Values& values, const std::string& text) {
  size_t cut = text.find('=');
  if (cut == std::string::npos || cut + 1 == text.size()) fail("expected SLOT=VALUE,..., got '", text, "'");
  auto& list = values[to_integer(text.substr(0, cut), 0, kMostSlots)];
  for (auto& part : split(text.substr(cut + 1), ',')) list.push_back(static_cast<float>(to_number(part)));
}

driver::Backend backend(const std::string& name) {
  if (name == "interpreter") return driver::Backend::interpreter;
  if (name == "cpu") return driver::Backend::cpu;
  fail("unknown backend '", name, "'");
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments a;
  std::map<std::string, std::function<void()>> flags = {
      {"--plan", [&] { a.plan = true; }},
      {"--loops", [&] { a.loops = true; }},
      {"--lanes", [&] { a.lanes = true; }},
      {"--prelude", [&] { a.prelude = true; }},
      {"--help", [&] { a.help = true; }},
  };
  using Take = std::function<void(const std::string&)>;
  std::map<std::string, Take> values = {
      {"--pass", [&](auto& v) { a.passes = split(v, ','); }},
      {"--emit", [&](auto& v) { a.emit = v; }},
      {"--run", [&](auto& v) { a.frames = to_integer(v, 0, 100000000); }},
      {"--digits", [&](auto& v) { a.digits = static_cast<int>(to_integer(v, 1, 17)); }},
      {"--backend", [&](auto& v) { a.options.backend = backend(v); }},
      {"--rate", [&](auto& v) { a.rate = to_number(v); }},
      {"--param", [&](auto& v) { add_values(a.params, v); }},
      {"--tensor", [&](auto& v) { add_values(a.tensors, v); }},
      {"--input", [&](auto& v) { add_values(a.inputs, v); }},
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    size_t cut = word.rfind("--", 0) == 0 ? word.find('=') : std::string::npos;
    std::string name = word.substr(0, cut);
    if (auto flag = flags.find(word); flag != flags.end()) {
      flag->second();
    } else if (auto value = values.find(name); value != values.end()) {
      if (cut == std::string::npos && i + 1 == words.size()) fail(name, " needs a value");
      value->second(cut == std::string::npos ? words[++i] : word.substr(cut + 1));
    } else if (word.size() > 1 && word[0] == '-') {
      fail("unknown option '", word, "'");
    } else if (!a.file.empty()) {
      fail("more than one file");
    } else {
      a.file = word;
    }
  }
  return a;
}

std::string read_text(const std::string& file) {
  std::ostringstream text;
  if (file.empty() || file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) fail("cannot read '", file, "'");
  text << in.rdbuf();
  return text.str();
}

ir::Graph run_pass(const std::string& name, const ir::Graph& g) {
  for (const driver::Pass& pass : driver::passes())
    if (name == pass.name) return pass.run(g);
  if (name == "rebuild") return ir::rebuild(g);
  fail("unknown pass '", name, "'");
}

// ---- running --------------------------------------------------------------------------------------------------------------

std::vector<float> fill(const Values& values, int64_t slot, int64_t size) {
  auto found = values.find(slot);
  std::vector<float> data(static_cast<size_t>(size), 0.f);
  if (found != values.end())
    for (size_t i = 0; i < data.size(); ++i) data[i] = found->second[i % found->second.size()];
  return data;
}

void bind(std::vector<driver::StoragePtr>& slots, const ir::Node& node, const Values& values) {
  int64_t slot = node.attrs.i("slot");
  if (slot < 0 || slot > kMostSlots) fail("slot ", slot, " is not in [0, ", kMostSlots, "]");
  while (slot >= static_cast<int64_t>(slots.size()))  // a text may leave slots out
    slots.push_back(std::make_shared<driver::Storage>(Shape{}, std::vector<float>{0}));
  slots[static_cast<size_t>(slot)] = std::make_shared<driver::Storage>(node.shape(), fill(values, slot, node.shape().size()));
}

void show_rows(const ir::Node& node, const std::vector<float>& rows, size_t number, int digits) {
  auto size = static_cast<size_t>(node.shape().size());
  std::printf("output %zu: %s@%s\n", number, node.shape().str().c_str(), node.clock().str().c_str());
  for (size_t i = 0; i < rows.size(); ++i) {
    float v = rows[i] == 0 ? 0.f : rows[i];  // -0 is 0
    std::printf("%s%.*g%s", i % size == 0 ? "  " : " ", digits, static_cast<double>(v), (i + 1) % size == 0 ? "\n" : "");
  }
}

void run(const ir::Graph& g, const Arguments& a) {
  driver::Capture capture{g, {}, {}};
  std::map<int64_t, std::vector<float>> inputs;
  for (auto& node : g.nodes()) {
    if (node.op->name == "param") bind(capture.params, node, a.params);
    if (node.op->name == "tensor") bind(capture.tensors, node, a.tensors);
    if (node.op->name == "input") inputs[node.attrs.i("channel")] = fill(a.inputs, node.attrs.i("channel"), a.frames * node.shape().size());
  }
  std::vector<std::span<const float>> spans;
  for (auto& [channel, data] : inputs) {
    if (channel < 0 || channel > kMostSlots) fail("channel ", channel, " is not in [0, ", kMostSlots, "]");
    spans.resize(std::max(spans.size(), static_cast<size_t>(channel) + 1));
    spans[static_cast<size_t>(channel)] = data;
  }
  driver::RunArgs args;
  args.frames = a.frames, args.inputs = spans, args.sample_rate = a.rate, args.per_tick = true;
  auto outputs = driver::get_program(capture, a.options)->run(driver::Bindings(capture), args, nullptr);
  ir::Graph prepared = driver::prepare(g);
  for (size_t o = 0; o < outputs.size(); ++o) show_rows(prepared[prepared.outputs[o]], outputs[o], o, a.digits);
}

// ---- showing --------------------------------------------------------------------------------------------------------------

void show_kernels(std::vector<ir::Kernel> kernels, const Arguments& a) {
  static const std::map<std::string, codegen::Target> targets = {
      {"c", codegen::Target::c}, {"cuda", codegen::Target::cuda}, {"metal", codegen::Target::metal}};
  for (auto& kernel : kernels) loop::verify(kernel);
  auto target = targets.find(a.emit.empty() ? "c" : a.emit);
  if (target == targets.end()) fail("unknown form '", a.emit, "'");
  // Loops are shown as they come, unless the text of a target is asked for.
  std::vector<ir::Kernel> shown;
  for (ir::Kernel& kernel : kernels) {
    std::optional<ir::Kernel> by_lanes;
    if (!a.emit.empty() && !codegen::is_gpu(target->second)) {
      loop::CpuKernels mapped = loop::map_to_cpu(std::move(kernel), !a.options.plain, a.lanes);
      kernel = std::move(mapped.whole), by_lanes = std::move(mapped.by_lanes);
    } else {
      if (!a.emit.empty()) kernel = loop::map_to_gpu(std::move(kernel));
      if (a.lanes && kernel.lanes > 0) by_lanes = loop::cut_lanes(kernel);
    }
    shown.push_back(std::move(kernel));
    if (by_lanes) shown.push_back(std::move(*by_lanes));
  }
  if (a.loops)
    for (auto& kernel : shown) std::cout << ir::print(kernel);
  if (a.emit.empty()) return;
  std::vector<const ir::Kernel*> all;
  for (const ir::Kernel& kernel : shown) all.push_back(&kernel);
  if (a.prelude) std::cout << codegen::render_program(target->second, all);
  else
    for (auto& kernel : shown) std::cout << codegen::render_kernel(codegen::dialect(target->second), kernel);
}

void work(const Arguments& a) {
  ir::Graph g = ir::parse(read_text(a.file));
  ir::verify(g, ir::Clocks::implicit);
  for (auto& pass : a.passes) {
    g = run_pass(pass, g);
    ir::verify(g, ir::Clocks::implicit);
  }
  if (a.emit == "dot") return void(std::cout << ir::print_dot(g));
  bool kernels = a.loops || !a.emit.empty();
  if (!a.plan && !kernels && a.frames < 0) return void(std::cout << ir::print(g));
  if (a.plan || kernels) {
    const bool as_driven = a.passes.empty() && a.options.backend == driver::Backend::cpu;
    schedule::Plan plan = as_driven ? driver::plan_program(g, a.options)
                                    : schedule::make_plan(a.passes.empty() ? driver::prepare(g) : g, driver::plan_options(a.options));
    if (a.plan) std::cout << driver::explain_plan(plan);
    const bool for_cpu = as_driven && (a.emit.empty() || a.emit == "c");
    if (kernels) show_kernels(loop::lower_plan(plan, for_cpu), a);
  }
  if (a.frames >= 0) run(g, a);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments a = parse_arguments({argv + 1, argv + argc});
    if (a.help) std::cout << usage;
    else work(a);
  } catch (const dgen::Error& e) {
    std::fprintf(stderr, "dgen-opt: %s\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dgen-opt: internal error: %s\n", e.what());
    return 2;
  }
  return 0;
}
