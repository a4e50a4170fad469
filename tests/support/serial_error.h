// How far rounding alone takes a recurrence, which bounds what its other forms may differ by.
#pragma once
#include "driver/pipeline.h"
#include "driver/programs.h"
#include "frontend/run.h"

namespace dgen::test {

// The largest error of a run that rounds every step to float32, against float64.
inline double serial_error(const Value& y, int frames) {
  detail::Capturer captured;
  captured.output(y);
  ir::Graph graph = driver::prepare(captured.capture().graph);
  driver::RunArgs args = detail::run_args({}, frames, false);
  const driver::Bindings bindings(captured.capture());
  interp::Leaves leaves = driver::leaves_of(bindings, args);
  ir::RunInfo info{frames, 0, args.sample_rate, 0};
  auto exact = interp::run(graph, info, leaves, nullptr).outputs[0];
  auto single = interp::run(graph, info, leaves, nullptr, true).outputs[0];
  double worst = 0;
  for (size_t i = 0; i < exact.size(); ++i) worst = std::max(worst, std::abs(exact[i] - single[i]));
  return worst;
}

}  // namespace dgen::test
