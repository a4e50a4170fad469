// Program: a graph compiled once and run many times.
#pragma once
#include "dgen/tensor.h"

namespace dgen {

struct CompileOptions {
  bool exact_blocks = false;  // bit-identical for every split into blocks, as every program is so far
};

struct RunOptions {
  int frames = -1;  // -1: config().default_frame_count
  Inputs inputs;
  bool preserve_state = false;  // go on where the last run or process() ended; after one that failed, at the start
  bool per_tick = false;        // one row a tick of each output's clock, not one a frame
};

struct ProgramStats {
  int64_t compiles = 0, kernels = 0, launches = 0, ffts = 0;
  int64_t peak_bytes = 0, tiles = 0;
};

// A stream's memory at some frame: cells, phases, histories and the position.
class ProgramState {
 private:
  friend class Program;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

class Program {
 public:
  // Compiles the outputs, or finds the program of an equal graph.
  Program(std::vector<Value> outputs, const CompileOptions& options);

  // One vector an output, laid out as realize() does.
  std::vector<std::vector<float>> run(const RunOptions& options = {});
  // The same values in the caller's memory: a span an output, just as large. Long outputs cost no fresh memory then.
  void run_into(std::span<const std::span<float>> out, const RunOptions& options = {});
  // The next nframes of the stream, one channel an element: out holds the elements of all outputs in order, in those of
  // all host channels by number. For real time: the first call with so many frames sets memory aside, later ones with as
  // many or fewer allocate nothing, take no lock and wait for no thread.
  void process(const float* const* in, float* const* out, int nframes);
  // Back to the start of the stream.
  void reset();
  // A copy of the stream's memory; going back to one. The state of another program is an Error.
  ProgramState state() const;
  void restore(const ProgramState& state);
  // Regions, strategies with their reasons, buffers and bytes.
  std::string explain() const;
  ProgramStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

inline Program compile(std::vector<Value> outputs, const CompileOptions& options = {}) {
  return Program(std::move(outputs), options);
}
template <std::derived_from<Value> Output>
Program compile(const Output& output, const CompileOptions& options = {}) {
  return Program({output}, options);
}

}  // namespace dgen
