// Running captured graphs: options, host inputs, stored state.
#pragma once
#include <memory>
#include <string>

#include "frontend/capture.h"

namespace dgen::detail {

driver::Options driver_options(bool exact_blocks);
// Ticks of a clock on stream frames [position, position + frames).
int64_t ticks_in(int64_t period, uint64_t position, int64_t frames);
// frames of a call, -1 being the default; fewer than 1 is an Error.
int64_t frame_count(const char* op, int frames);
// Each channel that the graph reads must hold all ticks of the run.
void check_inputs(const std::vector<InputUse>& uses, const Inputs& inputs, uint64_t position, int64_t frames);
// A loss needs a tick in the call.
void check_ticks(const char* op, Value::Clock clock, uint64_t position, int64_t frames);
driver::RunArgs run_args(const Inputs& inputs, int64_t frames, bool per_tick, uint64_t step = 0);
// Rows of a handle's values after a run: a static one as often as its kind shows it.
int64_t shown_rows(const Value& v, const driver::RunArgs& args, uint64_t position);

// State between runs, by program and by the name of what was realized.
class StateStore {
 public:
  // The stored state, which leaves the store; null if there is none.
  std::unique_ptr<driver::State> take(const std::shared_ptr<driver::Program>& program, const std::string& name);
  uint64_t position(const std::shared_ptr<driver::Program>& program, const std::string& name);
  void put(const std::shared_ptr<driver::Program>& program, const std::string& name, std::unique_ptr<driver::State> state);
  void erase(const std::shared_ptr<driver::Program>& program, const std::string& name);
  void erase(const std::string& name);  // of every program
  static StateStore& instance();

 private:
  struct Impl;
  Impl& impl();
};

// A run over what the options say of state, inputs and frames.
struct RunRequest {
  const Inputs& inputs;
  int64_t frames;
  bool per_tick = true;
  bool stored = true;     // the end state is kept
  bool preserve = false;  // the start state is what was kept
};

class StoredRun {
 public:
  StoredRun(std::shared_ptr<driver::Program> program, Capturer& captured, std::string name, const RunRequest& request);

  const driver::RunArgs& args() const { return args_; }
  uint64_t position() const { return state_ ? state_->position : 0; }
  void into(std::span<const std::span<float>> outputs);
  std::vector<std::vector<float>> run();  // static outputs have one row

 private:
  std::shared_ptr<driver::Program> program_;
  const driver::Capture& capture_;
  std::string name_;
  driver::RunArgs args_;
  std::unique_ptr<driver::State> state_;
};

// The mean or sum of a loss of one element over its ticks, static; anything else is an Error.
Value reduced_loss(const char* op, const Value& loss, Reduction reduction);

}  // namespace dgen::detail
