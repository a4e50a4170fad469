// The driver: from a captured graph to a compiled program, cached by structure, and its runs.
#pragma once
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dgen::driver {

// The memory of a param or constant tensor, shared by handles, programs and optimisers.
struct Storage {
  Shape shape;
  std::vector<float> data;
  bool learnable = false;
  float min = -std::numeric_limits<float>::infinity();
  float max = std::numeric_limits<float>::infinity();
  std::vector<float> grad;  // empty: no gradient
  std::string name;
};
using StoragePtr = std::shared_ptr<Storage>;

// A user's graph as captured, with implicit clock changes, and what its slots are bound to. Leaves refer to slots:
// param{slot}, tensor{slot}. Gradients are grad{slot} nodes over a loss (see ops/effect.cpp).
struct Capture {
  ir::Graph graph;
  std::vector<StoragePtr> params;   // may be assigned
  std::vector<StoragePtr> tensors;  // constants
};

enum class Backend { interpreter, cpu, cuda };

struct Options {
  Backend backend = Backend::cpu;
  int threads = 0;               // 0: all
  int64_t memory_budget = 0;     // bytes; 0: a quarter of RAM
  bool exact_blocks = false;
  // For tests; 0 is automatic. Results may depend on chunk_frames, never on tile_frames (a multiple of chunk_frames).
  int64_t chunk_frames = 0;      // frames of one partial sum over time
  int64_t tile_frames = 0;
  int optimize = 2;              // -O of the C compiler
  bool plain = false;            // without optional passes
};

struct RunArgs {
  int64_t frames = 0;
  std::vector<std::span<const float>> inputs;  // by channel
  double sample_rate = 44100;
  uint64_t step = 0;        // training step, part of every noise key
  bool per_tick = false;    // outputs have one row a tick of their own clock, else a row a frame
};

// What a program keeps between runs: cells, phases, histories and the stream position.
class State {
 public:
  virtual ~State() = default;
  virtual std::unique_ptr<State> clone() const = 0;
};

struct Stats {
  int64_t compiles = 0, kernels = 0, launches = 0, ffts = 0;
  int64_t peak_bytes = 0, tiles = 0;
};

class Program {
 public:
  virtual ~Program() = default;
  virtual std::unique_ptr<State> fresh_state() const = 0;
  // One row-major vector an output. Params named in assign nodes are written. state null: fresh, and dropped afterwards.
  virtual std::vector<std::vector<float>> run(const Capture& bindings, const RunArgs& args, State* state) = 0;
  virtual std::string explain() const = 0;
  virtual Stats stats() const = 0;
};

// Compiles, or finds an equal graph's program.
std::shared_ptr<Program> get_program(const Capture& capture, const Options& options);

// Files asked of the C compiler so far, whether it ran or the kernel cache answered.
int64_t compile_requests();

}  // namespace dgen::driver
