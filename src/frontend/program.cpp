#include "dgen/program.h"

#include <map>

#include "frontend/run.h"

namespace dgen {

using namespace detail;

struct Program::Impl {
  driver::Capture capture;
  std::vector<InputUse> inputs;
  std::vector<Value> outputs;  // they own what the capture is bound to
  std::shared_ptr<driver::Program> program;
  Stored stored;

  bool all_once() const {
    return std::all_of(outputs.begin(), outputs.end(), [](const Value& v) { return v.kind() == Kind::tensor; });
  }
  std::vector<std::vector<float>> run(const Inputs& host, int64_t frames, bool per_tick) {
    check_inputs(inputs, host, stored.position, frames);
    auto values = program->run(capture, run_args(host, frames, per_tick), stored.state.get());
    stored.position += static_cast<uint64_t>(frames);
    return values;
  }
};

Program::Program(std::vector<Value> outputs, const CompileOptions& options) : impl_(std::make_shared<Impl>()) {
  if (outputs.empty()) fail("[compile] no outputs");
  Capturer captured;
  for (const Value& v : outputs) {
    if (!v) fail("[compile] an empty handle");
    captured.output(v);
  }
  impl_->program = driver::get_program(captured.capture(), driver_options(options.exact_blocks));
  impl_->capture = std::move(captured.capture());
  impl_->inputs = captured.inputs();
  impl_->outputs = std::move(outputs);
  reset();
}

struct ProgramState::Impl {
  std::shared_ptr<driver::Program> program;
  std::unique_ptr<driver::State> state;
  uint64_t position = 0;
};

ProgramState Program::state() const {
  auto copy = std::make_shared<ProgramState::Impl>();
  copy->program = impl_->program;
  copy->state = impl_->stored.state->clone();
  copy->position = impl_->stored.position;
  ProgramState saved;
  saved.impl_ = std::move(copy);
  return saved;
}

void Program::restore(const ProgramState& saved) {
  if (!saved.impl_ || saved.impl_->program != impl_->program) fail("[restore] the state of another program");
  impl_->stored = {saved.impl_->state->clone(), saved.impl_->position};
}

void Program::reset() { impl_->stored = {impl_->program->fresh_state(), 0}; }
std::string Program::explain() const { return impl_->program->explain(); }

ProgramStats Program::stats() const {
  driver::Stats s = impl_->program->stats();
  return {s.compiles, s.kernels, s.launches, s.ffts, s.peak_bytes, s.tiles};
}

std::vector<std::vector<float>> Program::run(const RunOptions& options) {
  int64_t frames = frame_count("run", options.frames);
  if (!options.preserve_state) reset();
  bool per_tick = options.per_tick || impl_->all_once();
  auto values = impl_->run(options.inputs, frames, per_tick);
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& output = impl_->outputs[i];
    bool once = output.kind() == Kind::tensor || (per_tick && output.clock().is_static());
    values[i] = with_rows(std::move(values[i]), output, once ? 1 : frames);
  }
  return values;
}

namespace {

// Channels of the host, sample by sample, as the rows a graph reads.
std::vector<std::vector<float>> gather_inputs(const std::vector<InputUse>& uses, const float* const* in, int frames) {
  std::map<int64_t, int64_t> elements;
  for (const InputUse& use : uses) elements[use.channel] = std::max(elements[use.channel], use.elements);
  std::vector<std::vector<float>> rows(elements.empty() ? 0 : static_cast<size_t>(elements.rbegin()->first) + 1);
  for (auto& [channel, width] : elements) {
    std::vector<float>& row = rows[static_cast<size_t>(channel)];
    row.resize(static_cast<size_t>(width * frames));
    for (int64_t e = 0; e < width; ++e, ++in)
      for (int64_t n = 0; n < frames; ++n) row[static_cast<size_t>(n * width + e)] = (*in)[n];
  }
  return rows;
}

}  // namespace

void Program::process(const float* const* in, float* const* out, int nframes) {
  if (nframes < 1) return;
  for (const InputUse& use : impl_->inputs)
    if (use.period > 1)
      fail("[process] channel ", use.channel, " is at hop(", use.period, "), a stream has one value a frame");
  std::vector<std::vector<float>> rows = gather_inputs(impl_->inputs, in, nframes);
  auto values = impl_->run(Inputs(rows.begin(), rows.end()), nframes, false);
  for (size_t i = 0; i < values.size(); ++i) {
    std::vector<float> all = with_rows(std::move(values[i]), impl_->outputs[i], nframes);
    int64_t width = impl_->outputs[i].size();
    for (int64_t e = 0; e < width; ++e, ++out)
      for (int64_t n = 0; n < nframes; ++n) (*out)[n] = all[static_cast<size_t>(n * width + e)];
  }
}

}  // namespace dgen
