// Settings of the whole process.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

namespace dgen {

enum class Backend { cpu, cuda, interpreter };

// Read at each realize, backward or compile; nothing of it becomes part of a graph.
struct Config {
  Backend backend = Backend::cpu;  // DGEN_DEVICE = cpu, cuda or interpreter sets it at the start
  double sample_rate = 44100;      // Hz
  int default_frame_count = 1024;  // frames of realize() and backward()
  int threads = 0;                 // 0: all; 1024 at most
  int64_t memory_budget = 0;       // bytes a gradient may store before it recomputes; 0: a quarter of RAM
  // Receives what is worth knowing but is no error. Empty: nothing is reported.
  std::function<void(std::string_view)> log;
};

// The settings, to read and to change. The first call reads the environment; an unknown DGEN_DEVICE is an Error.
Config& config();

}  // namespace dgen
