// Compiled backends: kernels built by the system's C compiler or NVRTC, launched tile by tile.
#include <atomic>
#include <typeinfo>
#include <utility>

#include "base/check.h"
#include "driver/debug.h"
#include "driver/explain.h"
#include "driver/pipeline.h"
#include "driver/programs.h"
#include "driver/run.h"

namespace dgen::driver {

#ifdef DGEN_CAREFUL
constexpr bool kCareful = true;
#else
constexpr bool kCareful = false;
#endif

Compiled::Compiled(ir::Graph captured, const Options& wanted)
    : plan(plan_program(std::move(captured), wanted)),
      inputs(input_nodes(plan.graph)), has_literals(!nodes_of(plan.graph, "literal").empty()),
      layout(plan), planner(plan), code(compile_steps(plan, wanted)), device(device_of(wanted.backend)), options(wanted),
      on_host(device.is_host()), careful(kCareful || wanted.careful), timed(debug().level >= 2), watched(debug().nan || debug().check),
      trace(driver::trace()) {}

namespace {

// A dynamic_cast between exact types, without its search.
template <class T, class Base>
T& same_as(Base& object) {
  DGEN_ASSERT(typeid(object) == typeid(T));
  return static_cast<T&>(object);
}

class CompiledProgram : public Program {
 public:
  CompiledProgram(ir::Graph captured, const Options& options) : c_(std::move(captured), options) {
    for (ir::Id id : c_.plan.graph.outputs) types_.push_back(c_.plan.graph[id].type);
  }
  ~CompiledProgram() override {
    if (debug().level >= 2) debug_print(kernel_times(c_.code.steps));
  }

  using Program::run_into;
  const std::vector<ir::Type>& outputs() const override { return types_; }
  std::unique_ptr<State> fresh_state() const override { return std::make_unique<DeviceState>(c_.device, c_.layout); }
  std::unique_ptr<Workspace> workspace() const override { return std::make_unique<RunWorkspace>(); }
  std::string explain() const override {
    std::string text = explain_plan(c_.plan, notes_on(c_.code.steps));
    if (frames_ > 0) text += explain_memory(c_.planner.plan(frames_, memory_limits(c_.options, c_.device)));
    return text;
  }

  Stats stats() const override {
    Stats s;
    s.compiles = static_cast<int64_t>(c_.code.modules.size());
    s.kernels = static_cast<int64_t>(c_.code.steps.size());
    s.launches = launches_, s.ffts = ffts_, s.peak_bytes = peak_bytes_, s.tiles = tiles_;
    return s;
  }

  void run_into(const Bindings& bindings, const RunArgs& args, State* state, Workspace& workspace,
                std::span<const std::span<float>> outputs) override {
    auto& w = same_as<RunWorkspace>(workspace);
    DeviceState& s = state ? same_as<DeviceState>(*state) : own_state(w);
    check_inputs(c_.inputs, args, s.position);
    plan_run(c_, w, args.frames);
    driver::run(c_, w, bindings, args, s, state != nullptr, outputs);
    frames_.store(args.frames, std::memory_order_relaxed);
    count(w);
  }

 private:
  // A state for one run, fresh again.
  DeviceState& own_state(RunWorkspace& w) const {
    if (!w.own_state) w.own_state = std::make_unique<DeviceState>(c_.device, c_.layout);
    w.own_state->clear();
    return *w.own_state;
  }

  void count(RunWorkspace& w) {
    launches_.fetch_add(std::exchange(w.launched, 0), std::memory_order_relaxed);
    if (w.ffts > 0) ffts_.fetch_add(std::exchange(w.ffts, 0), std::memory_order_relaxed);
    tiles_.store(static_cast<int64_t>(w.tiles.size()), std::memory_order_relaxed);
    const int64_t scratch = c_.on_host ? static_cast<int64_t>(w.scratch.bytes()) : 0;
    const int64_t bytes = w.memory.bytes + w.memory.input_bytes + scratch;
    int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
    while (bytes > peak && !peak_bytes_.compare_exchange_weak(peak, bytes)) {
    }
  }

  Compiled c_;
  std::vector<ir::Type> types_;
  std::atomic<int64_t> launches_ = 0, ffts_ = 0, tiles_ = 0, peak_bytes_ = 0, frames_ = 0;  // frames_: of the last run
};

}  // namespace

std::shared_ptr<Program> make_compiled_program(ir::Graph captured, const Options& options) {
  return std::make_shared<CompiledProgram>(std::move(captured), options);
}

}  // namespace dgen::driver
