#include "dgen/program.h"

#include <map>

#include "base/flush_denormals.h"
#include "frontend/run.h"

namespace dgen {

using namespace detail;

struct Program::Impl : Prepared {
  Impl(Capturer& captured, std::vector<Value> of, const driver::Options& wanted) : Prepared(captured, wanted), outputs(std::move(of)) {}

  std::vector<Value> outputs;  // they own what the capture is bound to
  std::unique_ptr<driver::State> state;
  std::unique_ptr<driver::Workspace> workspace;

  // Of process(): the host's channels as rows and back.
  std::vector<std::vector<float>> rows_in, rows_out;
  std::vector<int64_t> widths_in;
  Inputs spans_in;
  std::vector<std::span<float>> spans_out;

  bool all_once() const {
    return std::all_of(outputs.begin(), outputs.end(), [](const Value& v) { return v.kind() == Kind::tensor; });
  }
  // A run that fails ends the stream.
  void go(const driver::RunArgs& args, std::span<const std::span<float>> into) {
    try {
      program->run_into(capture, args, state.get(), *workspace, into);
    } catch (...) {
      state = program->fresh_state();
      throw;
    }
  }
  void bind_channels(const float* const* in, float* const* out, int64_t frames);
  void give_channels(float* const* out, int64_t frames) const;
};

Program::Program(std::vector<Value> outputs, const CompileOptions&) {
  if (outputs.empty()) fail("[compile] no outputs");
  Capturer captured;
  for (const Value& v : outputs) {
    if (!v) fail("[compile] an empty handle");
    captured.output(v);
  }
  impl_ = std::make_shared<Impl>(captured, std::move(outputs), driver_options());
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
    values.push_back(host_values("run", shown_rows(v, args, impl_->state->position) * v.size()));
    spans.emplace_back(values.back());
  }
  impl_->go(args, spans);
  return values;
}

// A channel of single values is a row as it stands; others are gathered. Buffers grow only.
void Program::Impl::bind_channels(const float* const* in, float* const* out, int64_t frames) {
  auto buffer = [frames](std::vector<float>& row, int64_t width) {
    auto size = static_cast<size_t>(width * frames);
    if (row.size() < size) row.resize(size);
    return std::span(row).first(size);
  };
  std::fill(widths_in.begin(), widths_in.end(), 0);
  for (const InputUse& use : inputs) {
    auto channel = static_cast<size_t>(use.channel);
    if (widths_in.size() <= channel) rows_in.resize(channel + 1), spans_in.resize(channel + 1), widths_in.resize(channel + 1);
    widths_in[channel] = std::max(widths_in[channel], use.elements);
  }
  for (size_t channel = 0; channel < rows_in.size(); in += widths_in[channel], ++channel) {
    const int64_t width = widths_in[channel];
    spans_in[channel] = width == 1 ? std::span<const float>(*in, static_cast<size_t>(frames)) : std::span<const float>(buffer(rows_in[channel], width));
    for (int64_t e = 0; width > 1 && e < width; ++e)
      for (int64_t n = 0; n < frames; ++n) rows_in[channel][static_cast<size_t>(n * width + e)] = in[e][n];
  }
  rows_out.resize(outputs.size());
  spans_out.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); out += outputs[i].size(), ++i)
    spans_out[i] = outputs[i].size() == 1 ? std::span(*out, static_cast<size_t>(frames)) : buffer(rows_out[i], outputs[i].size());
}

void Program::Impl::give_channels(float* const* out, int64_t frames) const {
  for (size_t i = 0; i < outputs.size(); out += outputs[i].size(), ++i) {
    const int64_t width = outputs[i].size();
    for (int64_t e = 0; width > 1 && e < width; ++e)
      for (int64_t n = 0; n < frames; ++n) out[e][n] = rows_out[i][static_cast<size_t>(n * width + e)];
  }
}

void Program::process(const float* const* in, float* const* out, int nframes) {
  if (nframes < 0) fail("[process] frames must not be negative, got ", nframes);
  if (nframes == 0) return;
  for (const InputUse& use : impl_->inputs)
    if (use.period > 1)
      fail("[process] channel ", use.channel, " is at hop(", use.period, "), a stream has one value a frame");
  impl_->bind_channels(in, out, nframes);
  driver::RunArgs args = run_args(impl_->spans_in, nframes, false);
  args.real_time = true;
  FlushDenormals flush;
  impl_->go(args, impl_->spans_out);
  impl_->give_channels(out, nframes);
}

}  // namespace dgen
