// What a compile did, for DGEN_DEBUG and DGEN_DUMP. Passes are pure functions, so it is found by running them once more:
// nothing of it is in the way of a compile that nobody watches.
#pragma once
#include <map>
#include <optional>

#include "codegen/prelude.h"
#include "driver/driver.h"
#include "ir/loop.h"
#include "schedule/plan.h"

namespace dgen::driver {

struct Stage {
  std::string name, does;
  ir::Graph graph;
  std::vector<ir::Rewrite> rewrites;
};

struct RecordedKernel {
  ir::Kernel kernel;
  int region = -1;  // -1: after a tile
  std::string source;
};

struct Record {
  Backend backend = Backend::cpu;
  std::vector<Stage> stages;           // as captured, then after every pass that changed it
  std::optional<schedule::Plan> plan;  // the interpreter has none
  std::map<int, std::string> notes;    // on the plan's regions
  std::vector<RecordedKernel> kernels;
  std::string source;                  // all kernels with their helpers: what the compiler gets, if in one file
  std::string error;                   // what ended it early
};

Record record_compile(const ir::Graph& captured, const Options& options);

// The parts that a DGEN_DEBUG level from 3 on asks for.
std::string print_record(const Record& record, int level);

// Before a compile: prints and writes what the environment asks for.
void show_compile(const ir::Graph& captured, const Options& options);
// After it, at level 1 and above: a line.
void show_compiled(const Program& program, double seconds);

}  // namespace dgen::driver
