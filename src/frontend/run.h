// Running captured graphs: options, host inputs, stored state.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "frontend/capture.h"

namespace dgen::detail {

driver::Options driver_options();  // of config()
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

// Memory of the host for a run's values; too little is an Error.
std::vector<float> host_values(const char* op, int64_t size);

// The program of a captured graph and what it is bound to: what runs again without another capture.
struct Prepared {
  Prepared(const Capturer& captured, const driver::Options& options);

  driver::Options options;
  driver::Bindings bindings;
  std::vector<InputUse> inputs;
  std::shared_ptr<driver::Program> program;
};

// State between runs, by program and by the name of what was realized. Only a new entry allocates.
class StateStore {
 public:
  using ProgramPtr = std::shared_ptr<driver::Program>;
  // The stored state, null if there is none yet. Who takes it next waits until it is given back, null leaving none.
  std::unique_ptr<driver::State> take(const ProgramPtr& program, std::string_view name);
  void give_back(const ProgramPtr& program, std::string_view name, std::unique_ptr<driver::State> state);
  // A state of no more use, if there is one.
  std::unique_ptr<driver::State> take_spare(const ProgramPtr& program, std::string_view name);
  void put(const ProgramPtr& program, std::string_view name, std::unique_ptr<driver::State> state);
  void erase(const ProgramPtr& program, std::string_view name);
  void erase(std::string_view name);  // of every program
  static StateStore& instance();

 private:
  struct Impl;
  using Program = driver::Program;
  Impl& impl();
  void erase(const std::function<bool(const Program*, std::string_view)>& which);
};

// A run over what the options say of state, inputs and frames.
struct RunRequest {
  const Inputs& inputs;
  int64_t frames;
  bool per_tick = true;
  bool stored = true;     // the end state is kept
  bool preserve = false;  // the start state is what was kept
};

// One run, of what outlives it. Runs that go on from the same state are one after another, on whatever threads.
class StoredRun {
 public:
  StoredRun(const Prepared& prepared, std::string_view name, const RunRequest& request);
  ~StoredRun();
  StoredRun(const StoredRun&) = delete;
  StoredRun& operator=(const StoredRun&) = delete;

  const driver::RunArgs& args() const { return args_; }
  uint64_t position() const { return position_; }
  void into(std::span<const std::span<float>> outputs);
  std::vector<std::vector<float>> run();  // static outputs have one row

 private:
  StoredRun(const Prepared& prepared, std::string_view name, const RunRequest& request, driver::RunArgs args);
  std::unique_ptr<driver::State> begin();
  void end(std::unique_ptr<driver::State> state);

  const Prepared& prepared_;
  std::string_view name_;
  bool stored_, preserve_, taken_ = false;
  driver::RunArgs args_;
  uint64_t position_ = 0;
  std::unique_ptr<driver::State> state_;  // what was taken
};

// The mean or sum of a loss of one element over its ticks, static; anything else is an Error.
Value reduced_loss(const char* op, const Value& loss, Reduction reduction);

}  // namespace dgen::detail
