#include "dgen/program.h"

#include <algorithm>

#include "frontend/run.h"

namespace dgen {

using namespace detail;

namespace {

// Single values are rows as they stand; others are gathered here, in memory that grows only.
struct HostChannels {
  int64_t width = 1;
  std::vector<float> rows;

  std::span<float> room(int64_t frames) {
    const auto size = static_cast<size_t>(width * frames);
    if (rows.size() < size) rows.resize(size);
    return std::span(rows).first(size);
  }
  std::span<const float> gather(const float* const* from, int64_t frames) {
    const std::span<float> to = room(frames);
    for (int64_t e = 0; e < width; ++e)
      for (int64_t n = 0; n < frames; ++n) to[static_cast<size_t>(n * width + e)] = from[e][n];
    return to;
  }
  void scatter(float* const* to, int64_t frames) const {
    for (int64_t e = 0; e < width; ++e)
      for (int64_t n = 0; n < frames; ++n) to[e][n] = rows[static_cast<size_t>(n * width + e)];
  }
};

std::vector<HostChannels> channels_in(const std::vector<InputUse>& uses) {
  std::vector<HostChannels> channels;
  for (const InputUse& use : uses) {
    const auto channel = static_cast<size_t>(use.channel);
    while (channels.size() <= channel) channels.emplace_back().width = 0;
    channels[channel].width = std::max(channels[channel].width, use.elements);
  }
  return channels;
}

}  // namespace

struct Program::Impl : Prepared {
  Impl(const Capturer& captured, std::vector<Value> of, const driver::Options& wanted)
      : Prepared(captured, wanted), outputs(std::move(of)), workspace(program->workspace()), in(channels_in(inputs)), spans_in(in.size()),
        out(outputs.size()), spans_out(outputs.size()) {
    for (size_t i = 0; i < outputs.size(); ++i) out[i].width = outputs[i].size();
  }

  std::vector<Value> outputs;  // they own what the capture is bound to
  std::unique_ptr<driver::State> state;
  std::unique_ptr<driver::Workspace> workspace;

  // Of process().
  std::vector<HostChannels> in;
  Inputs spans_in;
  std::vector<HostChannels> out;
  std::vector<std::span<float>> spans_out;

  bool all_once() const {
    return std::all_of(outputs.begin(), outputs.end(), [](const Value& v) { return v.kind() == Kind::tensor; });
  }
  driver::RunArgs begin(const char* op, const RunOptions& options);
  int64_t values_of(const Value& output, const driver::RunArgs& args) const {
    return shown_rows(output, args, state->position) * output.size();
  }
  // A run that fails ends the stream.
  void go(const driver::RunArgs& args, std::span<const std::span<float>> into) {
    try {
      program->run_into(bindings, args, state.get(), *workspace, into);
    } catch (...) {
      state = program->fresh_state();
      throw;
    }
  }
  void bind_channels(const float* const* from, float* const* to, int64_t frames);
  void give_channels(float* const* to, int64_t frames) const;
};

Program::Program(std::vector<Value> outputs, const CompileOptions&) {
  if (outputs.empty()) fail("[compile] no outputs");
  Capturer captured;
  for (const Value& v : outputs) {
    if (!v) fail("[compile] an empty handle");
    captured.output(v);
  }
  impl_ = std::make_shared<Impl>(captured, std::move(outputs), driver_options());
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

void Program::reset() {
  if (impl_->state) impl_->state->clear();
  else impl_->state = impl_->program->fresh_state();
}
std::string Program::explain() const { return impl_->program->explain(); }

ProgramStats Program::stats() const {
  driver::Stats s = impl_->program->stats();
  return {s.compiles, s.kernels, s.launches, s.ffts, s.peak_bytes, s.tiles};
}

driver::RunArgs Program::Impl::begin(const char* op, const RunOptions& options) {
  const int64_t frames = frame_count(op, options.frames);
  if (!options.preserve_state) state->clear();
  driver::RunArgs args = run_args(options.inputs, frames, options.per_tick || all_once());
  check_inputs(inputs, options.inputs, state->position, frames);
  return args;
}

std::vector<std::vector<float>> Program::run(const RunOptions& options) {
  const driver::RunArgs args = impl_->begin("run", options);
  std::vector<std::vector<float>> values;
  std::vector<std::span<float>> spans;
  for (const Value& v : impl_->outputs) {
    values.push_back(host_values("run", impl_->values_of(v, args)));
    spans.emplace_back(values.back());
  }
  impl_->go(args, spans);
  return values;
}

void Program::run_into(std::span<const std::span<float>> out, const RunOptions& options) {
  const driver::RunArgs args = impl_->begin("run_into", options);
  const std::vector<Value>& outputs = impl_->outputs;
  if (out.size() != outputs.size()) fail("[run_into] room for ", out.size(), " outputs, there are ", outputs.size());
  for (size_t i = 0; i < out.size(); ++i)
    if (const int64_t size = impl_->values_of(outputs[i], args); static_cast<size_t>(size) != out[i].size())
      fail("[run_into] output ", i, ": room for ", out[i].size(), " values, there are ", size);
  impl_->go(args, out);
}

void Program::Impl::bind_channels(const float* const* from, float* const* to, int64_t frames) {
  const auto size = static_cast<size_t>(frames);
  std::span<const float>* rows_in = spans_in.data();
  for (HostChannels& c : in) {
    *rows_in++ = c.width == 1 ? std::span(*from, size) : c.gather(from, frames);
    from += c.width;
  }
  std::span<float>* rows_out = spans_out.data();
  for (HostChannels& c : out) {
    *rows_out++ = c.width == 1 ? std::span(*to, size) : c.room(frames);
    to += c.width;
  }
}

void Program::Impl::give_channels(float* const* to, int64_t frames) const {
  for (const HostChannels& c : out) {
    if (c.width > 1) c.scatter(to, frames);
    to += c.width;
  }
}

void Program::process(const float* const* in, float* const* out, int nframes) {
  Impl& impl = *impl_;
  if (nframes < 0) fail("[process] frames must not be negative, got ", nframes);
  if (nframes == 0) return;
  for (const InputUse& use : impl.inputs)
    if (use.period > 1)
      fail("[process] channel ", use.channel, " is at hop(", use.period, "), a stream has one value a frame");
  impl.bind_channels(in, out, nframes);
  driver::RunArgs args = run_args(impl.spans_in, nframes, false);
  args.real_time = true;
  impl.go(args, impl.spans_out);
  impl.give_channels(out, nframes);
}

}  // namespace dgen
