#include "driver/steps.h"

#include <algorithm>
#include <functional>
#include <future>
#include <set>

#include "base/check.h"
#include "codegen/render.h"
#include "compile/c_compiler.h"
#include "compile/nvrtc.h"
#include "driver/debug.h"
#include "loop/cost.h"
#include "loop/cpu_map.h"
#include "loop/gpu_map.h"
#include "loop/lower.h"
#include "loop/vectorise.h"
#include "loop/verify.h"
#include "runtime/cuda.h"
#include "runtime/threads.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;
using schedule::Strategy;

namespace {

constexpr size_t kStatementsPerFile = 600;
constexpr size_t kLongFunction = 1000;  // statements that take as long to compile as a product or transform that is called

int64_t count_ffts(const Kernel& kernel, const std::vector<Stmt>& body) {
  int64_t n = 0;
  for (auto& s : body) {
    int64_t inside = count_ffts(kernel, s.body);
    if (s.kind == Stmt::loop) {
      const LoopExpr &lo = kernel.exprs[static_cast<size_t>(s.lo)], &hi = kernel.exprs[static_cast<size_t>(s.hi)];
      if (lo.op == LoopOp::iconst && hi.op == LoopOp::iconst) inside *= hi.i - lo.i;
    }
    n += inside + (s.kind == Stmt::call && s.name.find("fft_") != std::string::npos);
  }
  return n;
}

// Code of several texts, compiled side by side; find(text number, kernel) is its handle.
struct Compiler {
  std::vector<std::shared_ptr<void>> modules;
  std::function<void*(size_t, const std::string&)> find;
};

Compiler compile_c(const std::vector<std::string>& texts, const Options& wanted) {
  compilers::CCompiler& compiler = compilers::default_compiler();
  compilers::COptions options;
  options.optimize = wanted.optimize;
  auto libraries = compiler.compile_many(texts, options);
  return {{libraries.begin(), libraries.end()}, [libraries](size_t i, const std::string& kernel) { return libraries[i]->symbol(kernel); }};
}

Compiler compile_cuda(const std::vector<std::string>& texts, runtime::GpuDevice& device) {
  std::vector<std::future<std::string>> cubins;
  for (auto& text : texts)
    cubins.push_back(std::async(std::launch::async, [&] { return compilers::compile_cubin(text, device.architecture()); }));
  std::vector<std::shared_ptr<runtime::Module>> modules;
  for (auto& cubin : cubins) modules.push_back(device.load(cubin.get()));
  return {{modules.begin(), modules.end()}, [modules](size_t i, const std::string& kernel) { return modules[i]->kernel(kernel); }};
}

runtime::GpuDevice& gpu_of(Backend backend) { return backend == Backend::null ? runtime::null_device() : runtime::cuda_device(); }

}  // namespace

runtime::Device& device_of(Backend backend) { return backend == Backend::cpu ? runtime::host_device() : gpu_of(backend); }

// Asked once: the system opens a file to tell.
static int hardware_threads() {
  static const int threads = runtime::hardware_threads();
  return threads;
}

int threads_of(const Options& options) { return options.threads > 0 ? options.threads : hardware_threads(); }
codegen::Target target_of(Backend backend) { return backend == Backend::cpu ? codegen::Target::c : codegen::Target::cuda; }

std::vector<Step> make_steps(const Plan& plan, const Options& options) {
  const bool gpu = codegen::is_gpu(target_of(options.backend)), threads = !gpu && threads_of(options) > 1;
  runtime::Trace::Scope span(trace(), "lower");
  std::vector<Step> steps;
  auto add = [&steps](Kernel kernel, Step::When when, int region, int level) -> Step& {
    Step& step = steps.emplace_back();
    step.kernel = std::move(kernel);
    step.when = when, step.region = region, step.level = level;
    return step;
  };
  for (size_t r = 0; r < plan.regions.size(); ++r) {
    const schedule::Region& region = plan.regions[r];
    loop::LoweredRegion lowered = loop::lower_region(plan, static_cast<int>(r), !gpu);
    for (size_t k = 0; k < lowered.kernels.size(); ++k) {
      Step& step = add(std::move(lowered.kernels[k]), Step::in_tile, static_cast<int>(r), region.level);
      step.clock = region.clock;
      step.parallel = lowered.parallel && k == 0;
      step.chunks = region.strategy == Strategy::sum_time;
      for (Id id : region.nodes) step.work = std::max(step.work, plan.graph[id].shape().size());
      step.ffts = count_ffts(step.kernel, step.kernel.body);
    }
  }
  for (int level = 0; level < plan.levels; ++level) {
    for (Kernel& kernel : loop::advance_kernels(plan, level)) add(std::move(kernel), Step::after_tile, -1, level);
    for (Kernel& kernel : loop::finish_kernels(plan, level)) add(std::move(kernel), Step::after_sweep, -1, level);
  }
  for (Step& step : steps) {
    loop::verify(step.kernel);
    const bool lanes = threads && step.kernel.lanes > 0;
    const int64_t ticks = std::max<int64_t>(1, plan.chunk / std::max<int64_t>(1, step.clock.period));
    step.operations = lanes ? loop::shared_operations(step.kernel, ticks) : loop::operations(step.kernel, ticks);
    if (gpu) {
      step.kernel = loop::map_to_gpu(std::move(step.kernel));
    } else {
      loop::CpuKernels kernels = loop::map_to_cpu(std::move(step.kernel), !options.plain, threads);
      step.kernel = std::move(kernels.whole), step.by_lanes = std::move(kernels.by_lanes);
      const bool product = step.region >= 0 && plan.regions[static_cast<size_t>(step.region)].strategy == Strategy::gemm;
      if (product || loop::has_ticks_in_lanes(step.kernel)) step.least = loop::kVector;
    }
    loop::verify(step.kernel);
    if (step.by_lanes) loop::verify(*step.by_lanes);
  }
  std::stable_sort(steps.begin(), steps.end(), [](auto& a, auto& b) { return a.level < b.level; });
  return steps;
}

// Which file each kernel goes to: where least is to be compiled with it. Kernels that call the same long function meet.
std::vector<size_t> share_among(size_t files, const std::vector<std::pair<const Kernel*, void**>>& kernels) {
  std::vector<size_t> weight(files, 0), part_of;
  std::vector<std::set<std::string>> functions(files);
  for (auto& entry : kernels) {
    const Kernel& kernel = *entry.first;
    const std::set<std::string> called = codegen::long_functions(kernel);
    auto with = [&](size_t part) {
      auto fresh = std::count_if(called.begin(), called.end(), [&](auto& name) { return functions[part].count(name) == 0; });
      return weight[part] + kernel.exprs.size() + 20 + kLongFunction * static_cast<size_t>(fresh);
    };
    size_t best = 0;
    for (size_t part = 1; part < files; ++part)
      if (with(part) < with(best)) best = part;
    weight[best] = with(best);
    functions[best].insert(called.begin(), called.end());
    part_of.push_back(best);
  }
  return part_of;
}

// Several files when there is much to compile, so that several compilers work at it.
CompiledSteps compile_steps(const Plan& plan, const Options& wanted) {
  CompiledSteps out{make_steps(plan, wanted), {}, {}};
  for (int level = 0; level <= plan.levels; ++level)
    out.first.push_back(
        static_cast<size_t>(std::count_if(out.steps.begin(), out.steps.end(), [&](auto& step) { return step.level < level; })));
  std::vector<std::pair<const Kernel*, void**>> kernels;
  for (Step& step : out.steps) {
    kernels.emplace_back(&step.kernel, &step.code);
    if (step.by_lanes) kernels.emplace_back(&*step.by_lanes, &step.lanes_code);
  }
  size_t statements = 0;
  for (auto [kernel, code] : kernels) statements += kernel->exprs.size();
  const auto most = static_cast<size_t>(2 * hardware_threads());
  const size_t files = std::min(kernels.size(), std::clamp<size_t>(statements / kStatementsPerFile, 1, most));
  std::vector<std::vector<const Kernel*>> parts(files);
  std::vector<size_t> part_of = share_among(files, kernels);
  for (size_t i = 0; i < kernels.size(); ++i) parts[part_of[i]].push_back(kernels[i].first);
  std::vector<std::string> texts;
  for (auto& part : parts) {
    runtime::Trace::Scope span(trace(), "render");
    texts.push_back(codegen::render_program(target_of(wanted.backend), part));
  }
  runtime::Trace::Scope span(trace(), wanted.backend == Backend::cpu ? "cc" : "nvrtc");
  Compiler code = wanted.backend == Backend::cpu ? compile_c(texts, wanted) : compile_cuda(texts, gpu_of(wanted.backend));
  for (size_t i = 0; i < kernels.size(); ++i) *kernels[i].second = code.find(part_of[i], kernels[i].first->name);
  out.modules = std::move(code.modules);
  for (auto [kernel, code] : kernels)
    out.scratch = std::max(out.scratch, kernel->scratch), out.common = std::max(out.common, kernel->common);
  return out;
}

int64_t compile_requests() {
  const compilers::CacheCounters c = compilers::default_compiler().cache().counters();
  return static_cast<int64_t>(c.compiles + c.disk_hits + c.memory_hits);
}

std::map<int, std::string> notes_on(const std::vector<Step>& steps) {
  std::map<int, std::string> notes;
  for (const Step& step : steps) {
    std::string& note = notes[step.region];
    auto add = [&note](const std::string& what) { note += cat(note.empty() || what.empty() ? "" : "; ", what); };
    if (note.empty()) add(loop::say_lanes(step.kernel));
    if (step.by_lanes && step.kernel.meet) add("threads that meet share its long loops and products");
    else if (step.by_lanes) add(cat("threads share its ", step.kernel.lanes, " lanes, ", step.kernel.lane_group, " at a time"));
  }
  std::erase_if(notes, [](auto& note) { return note.second.empty(); });
  return notes;
}

std::string kernel_times(const std::vector<Step>& steps) {
  std::vector<const Step*> order;
  double all = 0;
  for (auto& step : steps) order.push_back(&step), all += step.seconds;
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->seconds > b->seconds; });
  std::string text = cat("program of ", steps.size(), " kernels: ", all * 1e3, " ms in kernels\n");
  for (auto* step : order)
    if (step->seconds > 0.005 * all)
      text += cat("  ", step->kernel.name, "  sweep ", step->level, "  ", step->seconds * 1e3, " ms  ", step->kernel.why, "\n");
  return text;
}

}  // namespace dgen::driver
