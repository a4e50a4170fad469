// The C backend: kernels compiled by the system's compiler, launched tile by tile.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "codegen/render.h"
#include "compile/c_compiler.h"
#include "driver/cpu_memory.h"
#include "driver/debug.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "driver/programs.h"
#include "ir/op.h"
#include "loop/lower.h"
#include "runtime/threads.h"
#include "schedule/recompute.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;
using schedule::Strategy;

namespace {

using KernelFn = void(void* const*, const long*);
constexpr size_t kStatementsPerFile = 600;
constexpr int64_t kGrain = 1 << 15;  // elements that are worth another thread

struct Step {
  Kernel kernel;
  KernelFn* fn = nullptr;
  int region = -1;      // -1: after the tile
  int level = 0;
  bool parallel = false;
  bool chunks = false;  // lo and hi count chunks of the tile
  Clock clock;
  int64_t work = 1;     // elements a tick or chunk
  int64_t ffts = 0;     // a tick
  double seconds = 0;   // spent, when timing is asked for
};

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

class CpuProgram : public Program {
 public:
  CpuProgram(const Graph& captured, const Options& options) : options_(options) {
    Graph graph = schedule::recompute_pointwise(prepare(captured));
    plan_ = options.chunk_frames > 0 ? schedule::make_plan(std::move(graph), options.chunk_frames) : schedule::make_plan(std::move(graph));
    if (debug().level >= 3) debug_print(explain_plan(plan_));
    build_steps();
    compile();
  }
  ~CpuProgram() override {
    if (debug().level >= 2) print_times();
  }

  std::unique_ptr<State> fresh_state() const override { return std::make_unique<CpuState>(); }
  std::string explain() const override { return explain_plan(plan_); }
  Stats stats() const override {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  std::vector<std::vector<float>> run(const Capture& bindings, const RunArgs& args, State* state) override {
    std::lock_guard lock(mutex_);
    CpuState fresh;
    CpuState& s = state ? dynamic_cast<CpuState&>(*state) : fresh;
    check_inputs(plan_.graph, args, s.position);
    Run run(*this, bindings, args, s, state != nullptr);
    return run.go();
  }

 private:
  // ---- building ------------------------------------------------------------------------------------------------------

  void build_steps() {
    for (size_t r = 0; r < plan_.regions.size(); ++r) {
      const schedule::Region& region = plan_.regions[r];
      loop::LoweredRegion lowered = loop::lower_region(plan_, static_cast<int>(r));
      for (size_t k = 0; k < lowered.kernels.size(); ++k) {
        Step step;
        step.kernel = std::move(lowered.kernels[k]);
        step.region = static_cast<int>(r), step.level = region.level, step.clock = region.clock;
        step.parallel = lowered.parallel && k == 0;
        step.chunks = region.strategy == Strategy::sum_time;
        for (Id id : region.nodes) step.work = std::max(step.work, plan_.graph[id].shape().size());
        step.ffts = count_ffts(step.kernel, step.kernel.body);
        steps_.push_back(std::move(step));
      }
    }
    for (int level = 1; level < plan_.levels; level += 3)
      for (Kernel& kernel : loop::advance_kernels(plan_, level)) {
        Step step;
        step.kernel = std::move(kernel);
        step.level = level;
        steps_.push_back(std::move(step));
      }
    std::stable_sort(steps_.begin(), steps_.end(), [](auto& a, auto& b) { return a.level < b.level; });
  }

  // Several files when there is much to compile, so that several compilers work at it.
  void compile() {
    size_t statements = 0;
    for (Step& step : steps_) statements += step.kernel.exprs.size();
    compile::CCompiler& compiler = compile::default_compiler();
    size_t files = std::clamp<size_t>(statements / kStatementsPerFile, 1, 2 * std::max(1u, std::thread::hardware_concurrency()));
    std::vector<std::vector<Kernel>> parts(files);
    std::vector<size_t> weight(files, 0);
    std::vector<size_t> part_of;
    for (Step& step : steps_) {
      size_t part = static_cast<size_t>(std::min_element(weight.begin(), weight.end()) - weight.begin());
      weight[part] += step.kernel.exprs.size() + 20;
      parts[part].push_back(step.kernel);
      part_of.push_back(part);
    }
    std::vector<std::string> texts;
    for (auto& part : parts) texts.push_back(codegen::render_program(codegen::Target::c, part));
    if (debug().level >= 4)
      for (auto& text : texts) debug_print(text);
    compile::COptions options;
    options.optimize = options_.optimize;
    if (compiler.toolchain().family == "gcc" && options.optimize >= 2) options.extra_flags = {"-ftree-vectorize", "-fvect-cost-model=dynamic"};
    libraries_ = compiler.compile_many(texts, options);
    stats_.compiles = static_cast<int64_t>(texts.size()), stats_.kernels = static_cast<int64_t>(steps_.size());
    for (size_t i = 0; i < steps_.size(); ++i) steps_[i].fn = libraries_[part_of[i]]->function<KernelFn>(steps_[i].kernel.name.c_str());
  }

  // Time of each kernel, slowest first.
  void print_times() const {
    std::vector<const Step*> order;
    double all = 0;
    for (auto& step : steps_) order.push_back(&step), all += step.seconds;
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->seconds > b->seconds; });
    debug_print(cat("program of ", steps_.size(), " kernels: ", all * 1e3, " ms in kernels, ", stats_.launches, " launches\n"));
    for (auto* step : order)
      if (step->seconds > 0.005 * all)
        debug_print(cat("  ", step->kernel.name, "  sweep ", step->level, "  ", step->seconds * 1e3, " ms  ", step->kernel.why, "\n"));
  }

  // ---- one run -------------------------------------------------------------------------------------------------------

  class Run {
   public:
    Run(CpuProgram& p, const Capture& bindings, const RunArgs& args, CpuState& state, bool keep)
        : p_(p), plan_(p.plan_), bindings_(bindings), args_(args), state_(state), keep_(keep), tile_frames_(choose_tile(plan_, args.frames, p.options_.tile_frames)),
          memory_(plan_, p.arena_, state.position, args.frames, tile_frames_) {
      for (int64_t start = 0; start < args.frames; start += tile_frames_) tiles_.push_back({start, std::min(tile_frames_, args.frames - start)});
      scalars_[0] = static_cast<float>(args.sample_rate);
      scalars_[1] = static_cast<float>(1 / args.sample_rate);
    }

    std::vector<std::vector<float>> go() {
      memory_.begin(keep_ ? &state_ : nullptr);
      for (int level = 0; level < plan_.levels; ++level) sweep(level);
      auto outputs = collect();
      for (Id id : plan_.graph.effects) assign(bindings_, plan_.graph[id], memory_.stream(id, {}));
      if (keep_) memory_.save(state_);
      p_.stats_.tiles = static_cast<int64_t>(tiles_.size());
      p_.stats_.peak_bytes = std::max(p_.stats_.peak_bytes, memory_.bytes());
      return outputs;
    }

   private:
    void sweep(int level) {
      if (level % 3 == 0) {
        for (Step& step : p_.steps_)
          if (step.level == level) launch(step, {0, args_.frames}, 0, 1);
        if (level == 0) init_cells();
        return;
      }
      bool reverse = level % 3 == 2;
      if (reverse) memory_.begin_reverse(level), start_reverse(level);
      for (size_t i = 0; i < tiles_.size(); ++i) {
        size_t t = reverse ? tiles_.size() - 1 - i : i;
        for (Step& step : p_.steps_)
          if (step.level == level) launch_tile(step, tiles_[t]);
        memory_.carry(level, tiles_[t], reverse && t > 0 ? &tiles_[t - 1] : nullptr);
      }
      for (size_t r = 0; r < plan_.regions.size(); ++r)
        if (plan_.regions[r].level == level && plan_.regions[r].strategy == Strategy::sum_time) finish_sum(plan_.regions[r].nodes[0]);
    }

    void finish_sum(Id id) {
      const double* total = memory_.total(id);
      float* out = memory_.stream(id, {});
      for (int64_t e = 0; e < plan_.graph[id].shape().size(); ++e) out[e] = static_cast<float>(total[e]);
    }

    // Reverse streams of one tile read zeros after the run's end.
    void start_reverse(int level) {
      for (Id id = 0; id < plan_.graph.size(); ++id) {
        if (plan_.level[static_cast<size_t>(id)] != level || plan_.store[static_cast<size_t>(id)] != schedule::Store::stream) continue;
        const StreamMemory& s = memory_.info(id);
        if (s.whole || s.pad == 0) continue;
        int64_t n = memory_.ticks(plan_.graph[id].clock(), tiles_.back()).count;
        std::fill_n(memory_.stream(id, tiles_.back()) + n * s.size, s.pad * s.size, 0.0f);
      }
    }

    void init_cells() {
      const Graph& g = plan_.graph;
      bool fresh = state_.cells.empty();
      state_.cells.resize(g.cells.size());
      for (size_t c = 0; c < g.cells.size(); ++c)
        if (fresh || g.cells[c].type.clock.reverse) state_.cells[c].assign(static_cast<size_t>(g.cells[c].type.shape.size()), 0.0f);
      for (Id id = 0; id < g.size(); ++id) {
        const Node& node = g[id];
        if (node.op->name == "phasor") state_.phases[id].resize(static_cast<size_t>(node.shape().size()));
        if (fresh && node.op->name == "state_read" && !node.in.empty())
          std::copy_n(memory_.stream(node.in[0], {}), node.shape().size(), state_.cells[static_cast<size_t>(node.attrs.i("cell"))].data());
      }
    }

    void launch_tile(Step& step, const Tile& tile) {
      if (step.region < 0) return launch(step, tile, 0, 1);
      if (!step.chunks) return launch(step, tile, 0, memory_.ticks(step.clock, tile).count);
      int64_t chunk = plan_.chunk == 0 ? tile.frames : plan_.chunk;
      launch(step, tile, 0, (tile.frames + chunk - 1) / chunk);
    }

    void launch(Step& step, const Tile& tile, int64_t lo, int64_t hi) {
      if (lo >= hi) return;
      arrays_.clear();
      for (auto& ref : step.kernel.arrays) arrays_.push_back(address(ref, tile));
      auto start = debug().level >= 2 ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
      launch_ranges(step, tile, lo, hi);
      if (debug().level >= 2) step.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }

    void launch_ranges(Step& step, const Tile& tile, int64_t lo, int64_t hi) {
      ++p_.stats_.launches;
      p_.stats_.ffts += step.ffts * (hi - lo);
      int64_t grain = step.chunks ? 1 : std::max<int64_t>(16, kGrain / step.work);
      if (!step.parallel || hi - lo < 2 * grain) return call(step, tile, lo, hi);
      runtime::parallel_for(hi - lo, grain, [&](int64_t from, int64_t to, int) { call(step, tile, lo + from, lo + to); });
    }

    void call(const Step& step, const Tile& tile, int64_t lo, int64_t hi) {
      long numbers[32];
      DGEN_ASSERT(step.kernel.args.size() <= 32);
      for (size_t i = 0; i < step.kernel.args.size(); ++i) numbers[i] = number(step.kernel.args[i], tile, lo, hi);
      step.fn(arrays_.data(), numbers);
    }

    long number(const KernelArg& arg, const Tile& tile, int64_t lo, int64_t hi) const {
      Clock clock{arg.period, false};
      auto frame = static_cast<int64_t>(state_.position) + tile.start;
      switch (arg.kind) {
        case KernelArg::lo: return lo;
        case KernelArg::hi: return hi;
        case KernelArg::tile_frame: return frame;
        case KernelArg::tick0: return memory_.ticks(clock, tile).first;
        case KernelArg::offset: return memory_.ticks(clock, tile).first * arg.period - frame;
        case KernelArg::step: return static_cast<long>(args_.step);
        case KernelArg::ticks: return memory_.ticks(clock).count;
        case KernelArg::tile_ticks: return memory_.ticks(clock, tile).count;
      }
      throw InternalError("unknown kernel argument");
    }

    void* address(const ArrayRef& ref, const Tile& tile) {
      auto slot = static_cast<size_t>(ref.id);
      switch (ref.kind) {
        case ArrayRef::stream: return memory_.stream(ref.id, tile);
        case ArrayRef::state: return state_.cells.at(slot).data();
        case ArrayRef::phase: return state_.phases.at(ref.id).data();
        case ArrayRef::param: return bindings_.params.at(slot)->data.data();
        case ArrayRef::tensor: return bindings_.tensors.at(slot)->data.data();
        case ArrayRef::input: return input(ref.id, tile);
        case ArrayRef::scalars: return scalars_;
        case ArrayRef::partial: return memory_.partial(ref.id);
        case ArrayRef::total: return memory_.total(ref.id);
        case ArrayRef::local: return nullptr;
        case ArrayRef::literal: break;
      }
      throw InternalError("unknown kernel array");
    }

    void* input(Id id, const Tile& tile) {
      const Node& node = plan_.graph[id];
      std::span<const float> data = args_.inputs[static_cast<size_t>(node.attrs.i("channel"))];
      int64_t first = memory_.ticks(node.clock(), tile).first - memory_.ticks(node.clock()).first;
      return const_cast<float*>(data.data()) + first * node.shape().size();
    }

    std::vector<std::vector<float>> collect() {
      std::vector<std::vector<float>> outputs;
      for (Id id : plan_.graph.outputs) {
        const Node& node = plan_.graph[id];
        const float* rows = memory_.stream(id, {});
        int64_t size = node.shape().size(), n = memory_.ticks(node.clock()).count;
        bool held = !node.clock().is_static() && !args_.per_tick && node.clock().period != 1;
        if (held) outputs.push_back(hold_rows(rows, rows - size, size, node.clock(), state_.position, args_.frames));
        else outputs.emplace_back(rows, rows + n * size);
      }
      return outputs;
    }

    CpuProgram& p_;
    const Plan& plan_;
    const Capture& bindings_;
    const RunArgs& args_;
    CpuState& state_;
    bool keep_;
    int64_t tile_frames_;
    CpuMemory memory_;
    std::vector<Tile> tiles_;
    std::vector<void*> arrays_;
    float scalars_[2] = {};
  };

  Options options_;
  Plan plan_;
  std::vector<Step> steps_;
  std::vector<std::shared_ptr<compile::Library>> libraries_;
  runtime::Buffer arena_;
  mutable std::mutex mutex_;
  Stats stats_;
};

}  // namespace

std::shared_ptr<Program> make_cpu_program(const Graph& captured, const Options& options) {
  return std::make_shared<CpuProgram>(captured, options);
}

}  // namespace dgen::driver
