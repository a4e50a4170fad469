// Updates and training steps: graphs whose results are assigned to params.
#include "dgen/train.h"

#include "frontend/run.h"

namespace dgen {

using namespace detail;

namespace {

driver::Storage& leaf_storage(const Value& param, const char* op) {
  if (!param || !param.node()->storage || !param.node()->in.empty()) fail("[", op, "] a handle that is no param");
  return *param.node()->storage;
}

}  // namespace

Tensor detail::variable(const Shape& shape, float value) {
  std::vector<float> data(static_cast<size_t>(shape.size()), value);
  return as<Tensor>(leaf(make_storage(shape, std::move(data), false), true, {}));
}

std::span<const float> detail::gradient_data(const Value& param) { return leaf_storage(param, "gradient").grad; }
void detail::set_gradient(const Value& param, std::vector<float> gradient) {
  leaf_storage(param, "gradient").grad = std::move(gradient);
}

std::pair<float, float> detail::bounds(const Value& param) {
  const driver::Storage& storage = leaf_storage(param, "bounds");
  return {storage.min, storage.max};
}

bool detail::is_learnable(const Value& x) {
  return x && x.node()->storage && x.node()->in.empty() && x.node()->storage->learnable;
}

Tensor detail::iota(int64_t n) { return as<Tensor>(apply("iota", {}, {{"n", n}}, {})); }

namespace {

void capture_updates(Capturer& captured, const std::vector<Update>& updates) {
  for (const Update& u : updates) captured.assign(u.target.node()->storage, u.value);
}

}  // namespace

struct UpdateProgram::Impl {
  std::vector<Update> updates;
  std::optional<Prepared> prepared;  // for the settings of the last run
};

UpdateProgram::UpdateProgram(std::vector<Update> updates) : impl_(std::make_shared<Impl>()) { impl_->updates = std::move(updates); }

void UpdateProgram::run() {
  std::optional<Prepared>& prepared = impl_->prepared;
  if (driver::Options now = driver_options(); !prepared || prepared->options != now) {
    Capturer captured;
    capture_updates(captured, impl_->updates);
    prepared.emplace(captured, now);
  }
  prepared->program->run(prepared->bindings, run_args({}, 1, true), nullptr);
}

struct TrainingStep::Impl {
  std::shared_ptr<Optimizer::Progress> progress;
  int64_t frames = 0;
  bool preserve_state = false;
  std::vector<Update> updates;  // they own what the capture is bound to
  Value loss;
  Value::Clock clock;  // of the loss before it was reduced
  std::optional<Prepared> prepared;
  std::unique_ptr<driver::State> state;  // if it is preserved
};

namespace {

// A node for d loss / d param, which the compiler replaces by graph.
Tensor gradient_of(const Value& loss, const driver::StoragePtr& param) {
  auto node = std::make_shared<Node>();
  node->op = ir::op("grad");
  node->in = {loss.node()};
  node->type = {param->shape, ir::static_clock};
  node->storage = param;
  return as<Tensor>(make_value(std::move(node), loss.groups()));
}

// The gradients of the params that the loss depends on.
std::vector<std::optional<Tensor>> gradients_of(const Value& loss, const std::vector<Tensor>& params) {
  Capturer reached;
  reached.add(loss);
  const auto& met = reached.capture().params;
  std::vector<std::optional<Tensor>> gradients;
  for (const Tensor& param : params) {
    const driver::StoragePtr& storage = param.node()->storage;
    bool used = std::find(met.begin(), met.end(), storage) != met.end();
    gradients.push_back(used ? std::optional(gradient_of(loss, storage)) : std::nullopt);
  }
  return gradients;
}

}  // namespace

TrainingStep::TrainingStep(const Value& loss, Optimizer& optimizer, const TrainingOptions& options)
    : impl_(std::make_shared<Impl>()) {
  Value reduced = reduced_loss("compile_training", loss, options.reduction);
  auto gradients = gradients_of(reduced, optimizer.params());
  if (std::none_of(gradients.begin(), gradients.end(), [](auto& g) { return g.has_value(); }))
    fail("[compile_training] the loss depends on no parameter of the optimiser");
  impl_->progress = optimizer.progress();
  impl_->frames = frame_count("compile_training", options.frames);
  impl_->preserve_state = options.preserve_state;
  impl_->updates = optimizer.updates(gradients);
  impl_->loss = reduced, impl_->clock = loss.clock();
  Capturer captured;
  captured.output(reduced);
  capture_updates(captured, impl_->updates);
  impl_->prepared.emplace(captured, driver_options());
}

double TrainingStep::run(const Inputs& inputs) {
  Impl& s = *impl_;
  driver::Program& program = *s.prepared->program;
  if (s.preserve_state && !s.state) s.state = program.fresh_state();
  const uint64_t position = s.state ? s.state->position : 0;
  check_ticks("training step", s.clock, position, s.frames);
  check_inputs(s.prepared->inputs, inputs, position, s.frames);
  s.progress->before_step();
  auto args = run_args(inputs, s.frames, true, static_cast<uint64_t>(s.progress->steps));
  auto outputs = program.run(s.prepared->bindings, args, s.state.get());
  s.progress->after_step();
  return static_cast<double>(outputs[0][0]);
}

std::string TrainingStep::explain() const { return impl_->prepared->program->explain(); }

ProgramStats TrainingStep::stats() const {
  driver::Stats s = impl_->prepared->program->stats();
  return {s.compiles, s.kernels, s.launches, s.ffts, s.peak_bytes, s.tiles};
}

}  // namespace dgen
