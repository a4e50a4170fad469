// The driver: from a captured graph to a compiled program, cached by structure, and its runs.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "driver/storage.h"
#include "ir/graph.h"

namespace dgen::driver {

// A user's graph as captured, with implicit clock changes, and what its slots are bound to. Leaves refer to slots:
// param{slot}, tensor{slot}. Gradients are grad{slot} nodes over a loss (see ops/effect.cpp).
struct Capture {
  ir::Graph graph;
  std::vector<StoragePtr> params;   // may be assigned
  std::vector<StoragePtr> tensors;  // constants
};

// What a run takes from a capture: a program of equal structure runs on any.
struct Bindings {
  explicit Bindings(const Capture& capture);

  std::vector<StoragePtr> params, tensors;
  std::vector<float> literals;  // the values of the graph's constants, in order: what literal slots are bound to
};

enum class Backend {
  interpreter,
  cpu,
  cuda,
  null,  // CUDA's programs on the null device: everything but computing, for tests on machines without a GPU
};

struct Options {
  Backend backend = Backend::cpu;
  int threads = 0;               // 0: all
  int64_t memory_budget = 0;     // bytes; 0: a quarter of the device's memory
  // For tests; 0 is automatic. Results may depend on chunk_frames, never on tile_frames (a multiple of chunk_frames).
  int64_t chunk_frames = 0;      // frames of one partial sum over time
  int64_t tile_frames = 0;
  bool careful = false;          // memory plans are verified, dead memory is filled with NaNs; always so in debug builds
  int optimize = 2;              // -O of the C compiler
  bool plain = false;            // without optional passes, scans and vectors

  bool operator==(const Options&) const = default;
};

struct RunArgs {
  int64_t frames = 0;
  std::span<const std::span<const float>> inputs;  // by channel
  double sample_rate = 44100;
  uint64_t step = 0;        // training step, part of every noise key
  bool per_tick = false;    // outputs have one row a tick of their own clock, else a row a frame
  bool real_time = false;   // on the calling thread alone, without waiting for any other
};

// What a program keeps between runs: cells, phases, histories and the stream position.
class State {
 public:
  virtual ~State() = default;
  virtual std::unique_ptr<State> clone() const = 0;
  virtual void clear() = 0;  // as fresh

  uint64_t position = 0;  // frames of the stream so far
};

// Memory of a run, kept for the next one; one run at a time.
class Workspace {
 public:
  virtual ~Workspace() = default;
};

struct Stats {
  int64_t compiles = 0, kernels = 0, launches = 0, ffts = 0;
  int64_t peak_bytes = 0, tiles = 0;
};

class Program {
 public:
  virtual ~Program() = default;
  virtual const std::vector<ir::Type>& outputs() const = 0;
  virtual std::unique_ptr<State> fresh_state() const = 0;
  virtual std::unique_ptr<Workspace> workspace() const = 0;
  // Writes row-major values, a span an output: a static output as many rows as the span holds, others exactly all of the
  // run. Params named in assign nodes are written. state null: fresh, and dropped afterwards. From the second run on with
  // the same workspace, and no more frames than before, nothing is allocated when there is nothing to complain about.
  virtual void run_into(const Bindings& bindings, const RunArgs& args, State* state, Workspace& workspace,
                        std::span<const std::span<float>> outputs) = 0;
  virtual std::string explain() const = 0;
  virtual Stats stats() const = 0;

  // The same in the program's own workspace, one thread after the other.
  void run_into(const Bindings& bindings, const RunArgs& args, State* state, std::span<const std::span<float>> outputs);
  // One vector an output, static ones with one row.
  std::vector<std::vector<float>> run(const Bindings& bindings, const RunArgs& args, State* state);

 private:
  struct Own;
  std::shared_ptr<Own> own_ = make_own();
  static std::shared_ptr<Own> make_own();
};

// Rows of an output in a run that starts at a stream position.
int64_t rows_of(ir::Clock clock, const RunArgs& args, uint64_t position);

// Compiles, or finds an equal graph's program.
std::shared_ptr<Program> get_program(const Capture& capture, const Options& options);

// A captured graph as bytes: equal for graphs that differ in labels, lines and data only.
std::string structure_of(const Capture& capture);

// Files asked of the C compiler so far, whether it ran or the kernel cache answered.
int64_t compile_requests();

}  // namespace dgen::driver
