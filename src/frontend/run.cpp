#include "frontend/run.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "dgen/config.h"
#include "driver/debug.h"
#include "frontend/node.h"

namespace dgen::detail {

driver::Options driver_options() {
  const Config& c = config();
  constexpr int most_threads = 1024;
  if (c.threads < 0) fail("[config] threads must be at least 0, which is all, got ", c.threads);
  if (c.threads > most_threads) fail("[config] threads must be at most ", most_threads, ", got ", c.threads);
  if (c.memory_budget < 0) fail("[config] memory_budget must be at least 0, which is a quarter of the memory, got ", c.memory_budget);
  driver::Options options;
  options.backend = c.backend == Backend::cpu    ? driver::Backend::cpu
                    : c.backend == Backend::cuda ? driver::Backend::cuda
                                                 : driver::Backend::interpreter;
  options.threads = c.threads;
  options.memory_budget = c.memory_budget;
  if (driver::debug().plain) options.plain = true;
  return options;
}

int64_t frame_count(const char* op, int frames) {
  int64_t n = frames == -1 ? config().default_frame_count : frames;
  if (n < 1) fail("[", op, "] frames must be at least 1, got ", n);
  return n;
}

int64_t ticks_in(int64_t period, uint64_t position, int64_t frames) {
  auto begin = static_cast<int64_t>(position);
  return period == 0 ? 1 : ir::ticks_before(period, begin + frames) - ir::ticks_before(period, begin);
}

void check_inputs(const std::vector<InputUse>& uses, const Inputs& inputs, uint64_t position, int64_t frames) {
  for (const InputUse& use : uses) {
    size_t need = static_cast<size_t>(ticks_in(use.period, position, frames) * use.elements);
    size_t channel = static_cast<size_t>(use.channel);
    if (channel < inputs.size() && inputs[channel].size() >= need) continue;
    std::string source = cat(use.label.empty() ? "" : cat(" (", use.label, ")"), where(use.loc));
    if (channel >= inputs.size()) fail("[input] channel ", use.channel, " is missing, ", need, " values are needed", source);
    fail("[input] channel ", use.channel, " has ", inputs[channel].size(), " values, ", need, " are needed", source);
  }
}

void check_ticks(const char* op, Value::Clock clock, uint64_t position, int64_t frames) {
  if (ticks_in(clock.period, position, frames) == 0)
    fail("[", op, "] no tick of ", clock.str(), " in frames ", position, " to ", position + static_cast<uint64_t>(frames));
}

driver::RunArgs run_args(const Inputs& inputs, int64_t frames, bool per_tick, uint64_t step) {
  const double rate = config().sample_rate;
  if (!(rate > 0 && rate < 1e12)) fail("[config] sample_rate must be a number above 0 Hz, got ", rate);
  driver::RunArgs args;
  args.frames = frames;
  args.inputs = inputs;
  args.sample_rate = rate;
  args.step = step;
  args.per_tick = per_tick;
  return args;
}

int64_t shown_rows(const Value& v, const driver::RunArgs& args, uint64_t position) {
  if (!v.clock().is_static()) return driver::rows_of({v.clock().period, false}, args, position);
  return v.kind() == Kind::tensor || args.per_tick ? 1 : args.frames;
}

std::vector<float> host_values(const char* op, int64_t size) {
  try {
    if (size < kMostValues) return std::vector<float>(static_cast<size_t>(size));
  } catch (const std::bad_alloc&) {
  }
  fail("[", op, "] not enough memory for ", size, " values; ask for fewer frames at a time");
}

Prepared::Prepared(const Capturer& captured, const driver::Options& wanted)
    : options(wanted), bindings(captured.capture()), inputs(captured.inputs()), program(driver::get_program(captured.capture(), options)) {}

struct StateStore::Impl {
  struct Entry {
    std::weak_ptr<driver::Program> program;
    std::unique_ptr<driver::State> state, spare;
    bool taken = false, reset = false;  // reset while taken: what is given back is dropped
  };
  using Key = std::pair<const driver::Program*, std::string>;
  using View = std::pair<const driver::Program*, std::string_view>;
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return View(a.first, a.second) < View(b.first, b.second);
    }
  };
  std::mutex mutex;
  std::condition_variable given_back;
  std::map<Key, Entry, Less> entries;

  Entry* find(const ProgramPtr& program, std::string_view name) {
    auto it = entries.find(View(program.get(), name));
    return it == entries.end() || it->second.program.lock() != program ? nullptr : &it->second;
  }
  Entry& find_or_add(const ProgramPtr& program, std::string_view name) {
    if (Entry* entry = find(program, name)) return *entry;
    if (entries.size() % 64 == 63) std::erase_if(entries, [](auto& item) { return item.second.program.expired(); });
    Entry& entry = entries[{program.get(), std::string(name)}];
    entry.program = program, entry.state = nullptr, entry.spare = nullptr, entry.taken = entry.reset = false;
    return entry;
  }
};

StateStore& StateStore::instance() {
  static StateStore store;
  return store;
}

StateStore::Impl& StateStore::impl() {
  static Impl state;
  return state;
}

std::unique_ptr<driver::State> StateStore::take(const ProgramPtr& program, std::string_view name) {
  std::unique_lock lock(impl().mutex);
  impl().given_back.wait(lock, [&] { return !impl().find_or_add(program, name).taken; });
  Impl::Entry& entry = impl().find_or_add(program, name);
  entry.taken = true;
  return std::move(entry.state);
}

void StateStore::give_back(const ProgramPtr& program, std::string_view name, std::unique_ptr<driver::State> state) {
  {
    std::lock_guard lock(impl().mutex);
    Impl::Entry& entry = impl().find_or_add(program, name);
    entry.state = entry.reset ? nullptr : std::move(state);
    entry.taken = entry.reset = false;
  }
  impl().given_back.notify_all();
}

std::unique_ptr<driver::State> StateStore::take_spare(const ProgramPtr& program, std::string_view name) {
  std::lock_guard lock(impl().mutex);
  Impl::Entry* entry = impl().find(program, name);
  return entry ? std::move(entry->spare) : nullptr;
}

void StateStore::put(const ProgramPtr& program, std::string_view name, std::unique_ptr<driver::State> state) {
  std::lock_guard lock(impl().mutex);
  Impl::Entry& entry = impl().find_or_add(program, name);
  if (entry.state) entry.spare = std::move(entry.state);
  entry.state = std::move(state);
}

void StateStore::erase(const std::function<bool(const Program*, std::string_view)>& which) {
  std::lock_guard lock(impl().mutex);
  for (auto it = impl().entries.begin(); it != impl().entries.end();) {
    auto& [key, entry] = *it;
    const bool wanted = which(key.first, key.second);
    entry.reset = entry.reset || (wanted && entry.taken);
    it = wanted && !entry.taken ? impl().entries.erase(it) : std::next(it);
  }
}

void StateStore::erase(const ProgramPtr& program, std::string_view name) {
  erase([&](const Program* p, std::string_view n) { return p == program.get() && n == name; });
}

void StateStore::erase(std::string_view name) {
  erase([&](const Program*, std::string_view n) { return n == name; });
}

StoredRun::StoredRun(const Prepared& prepared, std::string_view name, const RunRequest& request, driver::RunArgs args)
    : prepared_(prepared), name_(name), stored_(request.stored), preserve_(request.preserve), args_(std::move(args)) {}

StoredRun::StoredRun(const Prepared& prepared, std::string_view name, const RunRequest& request)
    : StoredRun(prepared, name, request, run_args(request.inputs, request.frames, request.per_tick)) {
  if (stored_ && preserve_) {
    state_ = StateStore::instance().take(prepared.program, name);
    taken_ = true;
    position_ = state_ ? state_->position : 0;
  }
  check_inputs(prepared.inputs, request.inputs, position_, request.frames);
}

StoredRun::~StoredRun() {
  if (taken_) StateStore::instance().give_back(prepared_.program, name_, std::move(state_));
}

std::unique_ptr<driver::State> StoredRun::begin() {
  if (!stored_) return nullptr;
  if (state_) return std::move(state_);
  // A run from fresh state that fails leaves what was stored.
  std::unique_ptr<driver::State> state = preserve_ ? nullptr : StateStore::instance().take_spare(prepared_.program, name_);
  if (!state) return prepared_.program->fresh_state();
  state->clear();
  return state;
}

void StoredRun::end(std::unique_ptr<driver::State> state) {
  if (taken_) state_ = std::move(state);
  else if (state) StateStore::instance().put(prepared_.program, name_, std::move(state));
}

void StoredRun::into(std::span<const std::span<float>> outputs) {
  std::unique_ptr<driver::State> state = begin();
  prepared_.program->run_into(prepared_.bindings, args_, state.get(), outputs);
  end(std::move(state));
}

std::vector<std::vector<float>> StoredRun::run() {
  std::unique_ptr<driver::State> state = begin();
  auto outputs = prepared_.program->run(prepared_.bindings, args_, state.get());
  end(std::move(state));
  return outputs;
}

Value reduced_loss(const char* op, const Value& loss, Reduction reduction) {
  if (!loss) fail("[", op, "] an empty handle");
  Loc loc{loss.node()->loc.file, loss.node()->loc.line};
  if (loss.size() != 1)
    fail_at(op, cat("a loss has one element, this one has shape ", loss.shape().str()), &loss, 1, loc);
  CallSite site(loc, op);
  Value scalar_loss = reshape(loss, {}, loc);
  if (loss.clock().is_static()) return scalar_loss;
  Value total = sum_over_time(scalar_loss, loc);
  return reduction == Reduction::sum ? total : scalar("div", {total, tick_count(scalar_loss, loc)}, loc);
}

}  // namespace dgen::detail

namespace dgen {

using namespace detail;

std::vector<float> Value::realize(int frames) const {
  RealizeOptions options;
  options.frames = frames;
  return realize(options);
}

namespace {

// A constant's or param's values, as often as there is room.
void repeat(const std::vector<float>& values, std::span<float> out) {
  for (size_t at = 0; at < out.size(); at += values.size()) std::copy(values.begin(), values.end(), out.data() + at);
}

struct Realization : Prepared {
  Realization(const Capturer& captured, const driver::Options& wanted, uint64_t edits_before)
      : Prepared(captured, wanted), edits(edits_before) {}
  uint64_t edits;
};

// What realizes x, kept with its node, so that the same handle realized again is not captured again.
std::shared_ptr<const Prepared> prepare(const Value& x) {
  static std::mutex mutex;
  const driver::Options options = driver_options();
  {
    std::lock_guard lock(mutex);
    auto kept = std::static_pointer_cast<const Realization>(x.node()->prepared);
    if (kept && kept->edits == graph_edits() && kept->options == options) return kept;
  }
  const uint64_t edits = graph_edits();
  Capturer captured;
  captured.output(x);
  auto made = std::make_shared<const Realization>(captured, options, edits);
  std::lock_guard lock(mutex);
  x.node()->prepared = made;
  return made;
}

// Asks for room once it is known how many values there are.
template <class Room>
void realize_to(const Value& x, const RealizeOptions& options, const Room& room) {
  const NodePtr& node = x.node();
  if (!node) fail("[realize] an empty handle");
  const int64_t frames = frame_count("realize", options.frames);
  const bool tensor = x.kind() == Kind::tensor;
  // What a constant or param holds needs no program.
  if (node->storage && node->in.empty()) {
    driver::RunArgs args = run_args({}, frames, options.per_tick);
    return repeat(node->storage->values(), room(shown_rows(x, args, 0) * x.size()));
  }
  const std::shared_ptr<const Prepared> prepared = prepare(x);
  StoredRun run(*prepared, node->label, {options.inputs, frames, options.per_tick, !tensor, options.preserve_state});
  std::span<float> out = room(shown_rows(x, run.args(), run.position()) * x.size());
  run.into({&out, 1});
}

}  // namespace

std::vector<float> Value::realize(const RealizeOptions& options) const {
  std::vector<float> values;
  realize_to(*this, options, [&](int64_t size) {
    values = host_values("realize", size);
    return std::span<float>(values);
  });
  return values;
}

void Value::realize_into(std::span<float> out, const RealizeOptions& options) const {
  realize_to(*this, options, [&](int64_t size) {
    if (static_cast<size_t>(size) != out.size()) fail("[realize_into] room for ", out.size(), " values, there are ", size);
    return out;
  });
}

namespace {

// Under what the state of x.backward() is stored: its program is not that of x.realize().
std::string backward_state(const Value& x) {
  Capturer captured;
  captured.output(x);
  return cat("backward ", x.node()->label, "\n", driver::structure_of(captured.capture()));
}

}  // namespace

void reset_state(const Value& x) {
  if (!x) fail("[reset_state] an empty handle");
  if (x.node()->storage && x.node()->in.empty()) return;
  StateStore::instance().erase(prepare(x)->program, x.node()->label);
  StateStore::instance().erase(backward_state(x));
}

double Value::backward(int frames) const {
  BackwardOptions options;
  options.frames = frames;
  return backward(options);
}

double Value::backward(const BackwardOptions& options) const {
  int64_t frames = frame_count("backward", options.frames);
  Value reduced = reduced_loss("backward", *this, options.reduction);
  Capturer captured;
  ir::Id loss = captured.add(reduced);
  captured.capture().graph.outputs.push_back(loss);
  std::vector<driver::StoragePtr> learnable = captured.output_gradients(loss);
  const Prepared prepared(captured, driver_options());
  const std::string name = options.preserve_state ? backward_state(*this) : "";
  StoredRun run(prepared, name, {options.inputs, frames, true, options.preserve_state, options.preserve_state});
  check_ticks("backward", clock(), run.position(), frames);
  auto outputs = run.run();
  for (size_t i = 0; i < learnable.size(); ++i) {
    std::vector<float>& total = learnable[i]->grad;
    std::vector<float>& part = outputs[i + 1];
    if (total.empty())
      total = std::move(part);
    else
      for (size_t k = 0; k < total.size(); ++k) total[k] += part[k];
  }
  return static_cast<double>(outputs[0][0]);
}

}  // namespace dgen
