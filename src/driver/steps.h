// The launches of a compiled program in order: kernels with what the driver must know to call them.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codegen/prelude.h"
#include "driver/driver.h"
#include "ir/loop.h"
#include "runtime/device.h"
#include "schedule/plan.h"

namespace dgen::driver {

struct Step {
  enum When { in_tile, after_tile, after_sweep };

  ir::Kernel kernel;
  void* code = nullptr;  // the device's handle
  std::optional<ir::Kernel> by_lanes;  // the same for a share of the lanes: its arrays, and more numbers
  void* lanes_code = nullptr;
  When when = in_tile;
  int region = -1;
  int level = 0;
  bool parallel = false;
  bool chunks = false;  // a sum over time: lo and hi count chunks of the tile
  ir::Clock clock;
  int64_t work = 1;     // elements a tick or chunk
  int64_t operations = 1;  // a tick or chunk; of a kernel whose lanes threads share, those that they do
  int64_t least = 1;    // ticks or chunks that a thread should have at least, so that its vectors and its rows of a product are full
  int64_t ffts = 0;     // a tick
  mutable double seconds = 0;  // spent, when timing is asked for
};

struct CompiledSteps {
  std::span<const Step> of_sweep(int level) const {
    const size_t begin = first[static_cast<size_t>(level)], end = first[static_cast<size_t>(level) + 1];
    return std::span(steps).subspan(begin, end - begin);
  }

  std::vector<Step> steps;  // by sweep
  std::vector<size_t> first;  // of each sweep, and the end
  std::vector<std::shared_ptr<void>> modules;  // that hold the code
  int64_t scratch = 0, common = 0;  // floats that a call on a CPU may need, and calls that meet
};

// The backend's device. Throws Error when this machine has none.
runtime::Device& device_of(Backend backend);
// Kernels in order of execution, mapped for the backend's device, not compiled.
std::vector<Step> make_steps(const schedule::Plan& plan, const Options& options);
CompiledSteps compile_steps(const schedule::Plan& plan, const Options& options);
codegen::Target target_of(Backend backend);
int threads_of(const Options& options);
// By region, what its kernels do that the plan does not say.
std::map<int, std::string> notes_on(const std::vector<Step>& steps);
// Time of each kernel, slowest first.
std::string kernel_times(const std::vector<Step>& steps);

}  // namespace dgen::driver
