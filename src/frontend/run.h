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

// A state and how many frames of the stream it has seen.
struct Stored {
  std::unique_ptr<driver::State> state;
  uint64_t position = 0;
};

// State between runs, by program and by the name of what was realized.
class StateStore {
 public:
  // The stored state, which leaves the store; fresh if there is none or none is wanted.
  Stored take(const std::shared_ptr<driver::Program>& program, const std::string& name, bool preserved);
  uint64_t position(const std::shared_ptr<driver::Program>& program, const std::string& name);
  void put(const std::shared_ptr<driver::Program>& program, const std::string& name, Stored stored);
  void erase(const std::shared_ptr<driver::Program>& program, const std::string& name);
  static StateStore& instance();

 private:
  struct Impl;
  Impl& impl();
};

// Runs over what the options say of state, inputs and frames.
struct RunRequest {
  const Inputs& inputs;
  int64_t frames;
  bool per_tick = true;
  bool stored = true;     // the end state is kept
  bool preserve = false;  // the start state is what was kept
};
std::vector<std::vector<float>> run_stored(const std::shared_ptr<driver::Program>& program, Capturer& captured,
                                           const std::string& name, const RunRequest& request);

// A static value gets as many rows as its handle shows; others have them already.
std::vector<float> with_rows(std::vector<float> values, const Value& of, int64_t rows);

// The mean or sum of a loss of one element over its ticks, static; anything else is an Error.
Value reduced_loss(const char* op, const Value& loss, Reduction reduction);

}  // namespace dgen::detail
