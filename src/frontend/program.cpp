#include "dgen/program.h"

#include <map>

#include "base/flush_denormals.h"
#include "frontend/run.h"

namespace dgen {

using namespace detail;

struct Program::Impl {
  driver::Capture capture;
  std::vector<InputUse> inputs;
  std::vector<Value> outputs;  // they own what the capture is bound to
  std::shared_ptr<driver::Program> program;
  std::unique_ptr<driver::State> state;
  std::unique_ptr<driver::Workspace> workspace;

  // Of process(): the host's channels as rows and back.
  std::vector<std::vector<float>> rows_in, rows_out;
  Inputs spans_in;
  std::vector<std::span<float>> spans_out;

  bool all_once() const {
    return std::all_of(outputs.begin(), outputs.end(), [](const Value& v) { return v.kind() == Kind::tensor; });
  }
  void room_for(int64_t frames);
  void take_channels(const float* const* in, int64_t frames);
  void give_channels(float* const* out, int64_t frames) const;
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
  impl_->workspace = impl_->program->workspace();
  reset();
}

struct ProgramState::Impl {
  std::shared_ptr<driver::Program> program;
  std::unique_ptr<driver::State> state;
};

ProgramState Program::state() const {
  auto copy = std::make_shared<ProgramState::Impl>();
  copy->program = impl_->program;
  copy->state = impl_->state->clone();
  ProgramState saved;
  saved.impl_ = std::move(copy);
  return saved;
}

void Program::restore(const ProgramState& saved) {
  if (!saved.impl_ || saved.impl_->program != impl_->program) fail("[restore] the state of another program");
  impl_->state = saved.impl_->state->clone();
}

void Program::reset() { impl_->state = impl_->program->fresh_state(); }
std::string Program::explain() const { return impl_->program->explain(); }

ProgramStats Program::stats() const {
  driver::Stats s = impl_->program->stats();
  return {s.compiles, s.kernels, s.launches, s.ffts, s.peak_bytes, s.tiles};
}

std::vector<std::vector<float>> Program::run(const RunOptions& options) {
  int64_t frames = frame_count("run", options.frames);
  if (!options.preserve_state) reset();
  driver::RunArgs args = run_args(options.inputs, frames, options.per_tick || impl_->all_once());
  check_inputs(impl_->inputs, options.inputs, impl_->state->position, frames);
  std::vector<std::vector<float>> values;
  std::vector<std::span<float>> spans;
  for (const Value& v : impl_->outputs) {
    values.emplace_back(static_cast<size_t>(shown_rows(v, args, impl_->state->position) * v.size()));
    spans.emplace_back(values.back());
  }
  impl_->program->run_into(impl_->capture, args, impl_->state.get(), *impl_->workspace, spans);
  return values;
}

// Grows only; the rows of a shorter block use the front.
void Program::Impl::room_for(int64_t frames) {
  auto grow = [](std::vector<float>& row, int64_t size) {
    if (row.size() < static_cast<size_t>(size)) row.resize(static_cast<size_t>(size));
  };
  for (const InputUse& use : inputs) {
    auto channel = static_cast<size_t>(use.channel);
    if (rows_in.size() <= channel) rows_in.resize(channel + 1), spans_in.resize(channel + 1);
    grow(rows_in[channel], use.elements * frames);
    spans_in[channel] = std::span(rows_in[channel]).first(std::max(spans_in[channel].size(), static_cast<size_t>(use.elements * frames)));
  }
  rows_out.resize(outputs.size());
  spans_out.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    grow(rows_out[i], outputs[i].size() * frames);
    spans_out[i] = std::span(rows_out[i]).first(static_cast<size_t>(outputs[i].size() * frames));
  }
}

// Channels of the host, sample by sample, as the rows a graph reads.
void Program::Impl::take_channels(const float* const* in, int64_t frames) {
  for (size_t channel = 0; channel < rows_in.size(); ++channel) {
    auto width = static_cast<int64_t>(spans_in[channel].size()) / frames;
    for (int64_t e = 0; e < width; ++e, ++in)
      for (int64_t n = 0; n < frames; ++n) rows_in[channel][static_cast<size_t>(n * width + e)] = (*in)[n];
  }
}

void Program::Impl::give_channels(float* const* out, int64_t frames) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    int64_t width = outputs[i].size();
    for (int64_t e = 0; e < width; ++e, ++out)
      for (int64_t n = 0; n < frames; ++n) (*out)[n] = rows_out[i][static_cast<size_t>(n * width + e)];
  }
}

void Program::process(const float* const* in, float* const* out, int nframes) {
  if (nframes < 1) return;
  for (const InputUse& use : impl_->inputs)
    if (use.period > 1)
      fail("[process] channel ", use.channel, " is at hop(", use.period, "), a stream has one value a frame");
  for (auto& span : impl_->spans_in) span = {};
  impl_->room_for(nframes);
  impl_->take_channels(in, nframes);
  driver::RunArgs args = run_args(impl_->spans_in, nframes, false);
  args.real_time = true;
  FlushDenormals flush;
  impl_->program->run_into(impl_->capture, args, impl_->state.get(), *impl_->workspace, impl_->spans_out);
  impl_->give_channels(out, nframes);
}

}  // namespace dgen
