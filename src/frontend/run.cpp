#include "frontend/run.h"

#include <map>
#include <mutex>

#include "dgen/config.h"
#include "driver/debug.h"

namespace dgen::detail {

driver::Options driver_options(bool exact_blocks) {
  const Config& c = config();
  driver::Options options;
  options.backend = c.backend == Backend::cpu    ? driver::Backend::cpu
                    : c.backend == Backend::cuda ? driver::Backend::cuda
                                                 : driver::Backend::interpreter;
  options.threads = c.threads;
  options.memory_budget = c.memory_budget;
  options.exact_blocks = exact_blocks;
  if (driver::debug().plain) options.plain = true, options.optimize = 0;
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
    if (channel >= inputs.size()) fail("[input] channel ", use.channel, " is missing, ", need, " values are needed");
    if (inputs[channel].size() < need)
      fail("[input] channel ", use.channel, " has ", inputs[channel].size(), " values, ", need, " are needed");
  }
}

void check_ticks(const char* op, Value::Clock clock, uint64_t position, int64_t frames) {
  if (ticks_in(clock.period, position, frames) == 0)
    fail("[", op, "] no tick of ", clock.str(), " in frames ", position, " to ", position + static_cast<uint64_t>(frames));
}

driver::RunArgs run_args(const Inputs& inputs, int64_t frames, bool per_tick, uint64_t step) {
  driver::RunArgs args;
  args.frames = frames;
  args.inputs = inputs;
  args.sample_rate = config().sample_rate;
  args.step = step;
  args.per_tick = per_tick;
  return args;
}

struct StateStore::Impl {
  struct Entry {
    std::weak_ptr<driver::Program> program;
    Stored stored;
  };
  using Key = std::pair<const driver::Program*, std::string>;
  std::mutex mutex;
  std::map<Key, Entry> entries;

  Entry* find(const std::shared_ptr<driver::Program>& program, const std::string& name) {
    auto it = entries.find({program.get(), name});
    return it == entries.end() || it->second.program.lock() != program ? nullptr : &it->second;
  }
  void drop_expired() {
    std::erase_if(entries, [](auto& item) { return item.second.program.expired(); });
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

Stored StateStore::take(const std::shared_ptr<driver::Program>& program, const std::string& name, bool preserved) {
  if (preserved) {
    std::lock_guard lock(impl().mutex);
    Impl::Entry* entry = impl().find(program, name);
    if (entry && entry->stored.state) return std::move(entry->stored);
  }
  return {program->fresh_state(), 0};
}

uint64_t StateStore::position(const std::shared_ptr<driver::Program>& program, const std::string& name) {
  std::lock_guard lock(impl().mutex);
  Impl::Entry* entry = impl().find(program, name);
  return entry && entry->stored.state ? entry->stored.position : 0;
}

void StateStore::put(const std::shared_ptr<driver::Program>& program, const std::string& name, Stored stored) {
  std::lock_guard lock(impl().mutex);
  if (impl().entries.size() % 64 == 63) impl().drop_expired();
  impl().entries[{program.get(), name}] = {program, std::move(stored)};
}

void StateStore::erase(const std::shared_ptr<driver::Program>& program, const std::string& name) {
  std::lock_guard lock(impl().mutex);
  impl().entries.erase({program.get(), name});
}

std::vector<std::vector<float>> run_stored(const std::shared_ptr<driver::Program>& program, Capturer& captured,
                                           const std::string& name, const RunRequest& request) {
  StateStore& store = StateStore::instance();
  driver::RunArgs args = run_args(request.inputs, request.frames, request.per_tick);
  check_inputs(captured.inputs(), request.inputs, request.preserve ? store.position(program, name) : 0, request.frames);
  if (!request.stored) return program->run(captured.capture(), args, nullptr);
  Stored stored = store.take(program, name, request.preserve);
  auto outputs = program->run(captured.capture(), args, stored.state.get());
  stored.position += static_cast<uint64_t>(request.frames);
  store.put(program, name, std::move(stored));
  return outputs;
}

std::vector<float> with_rows(std::vector<float> values, const Value& of, int64_t rows) {
  size_t row = static_cast<size_t>(of.size());
  if (!of.clock().is_static() || values.size() == row * static_cast<size_t>(rows)) return values;
  values.resize(row);
  std::vector<float> all;
  all.reserve(row * static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) all.insert(all.end(), values.begin(), values.end());
  return all;
}

Value reduced_loss(const char* op, const Value& loss, Reduction reduction) {
  if (!loss) fail("[", op, "] an empty handle");
  Loc loc{loss.node()->loc.file, loss.node()->loc.line};
  if (loss.size() != 1)
    fail_at(op, cat("a loss has one element, this one has shape ", loss.shape().str()), &loss, 1, loc);
  CallSite site(loc);
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

std::vector<float> Value::realize(const RealizeOptions& options) const {
  if (!node_) fail("[realize] an empty handle");
  int64_t frames = frame_count("realize", options.frames);
  bool once = kind_ == Kind::tensor || (options.per_tick && clock().is_static());
  int64_t rows = once ? 1 : frames;
  // What a constant or param holds needs no program.
  if (node_->storage && node_->in.empty()) return with_rows(node_->storage->data, *this, rows);
  Capturer captured;
  captured.output(*this);
  auto program = driver::get_program(captured.capture(), driver_options(options.exact_blocks));
  RunRequest request{options.inputs, frames, once || options.per_tick, kind_ != Kind::tensor, options.preserve_state};
  return with_rows(std::move(run_stored(program, captured, node_->label, request)[0]), *this, rows);
}

void Value::realize_into(std::span<float> out, const RealizeOptions& options) const {
  std::vector<float> values = realize(options);
  if (values.size() != out.size()) fail("[realize_into] room for ", out.size(), " values, there are ", values.size());
  std::copy(values.begin(), values.end(), out.begin());
}

void reset_state(const Value& x) {
  if (!x) fail("[reset_state] an empty handle");
  if (x.node()->storage && x.node()->in.empty()) return;
  Capturer captured;
  captured.output(x);
  auto program = driver::get_program(captured.capture(), driver_options(false));
  StateStore::instance().erase(program, x.node()->label);
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
  auto program = driver::get_program(captured.capture(), driver_options(false));
  check_ticks("backward", clock(), options.preserve_state ? StateStore::instance().position(program, node_->label) : 0,
              frames);
  RunRequest request{options.inputs, frames, true, options.preserve_state, options.preserve_state};
  auto outputs = run_stored(program, captured, node_->label, request);
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
