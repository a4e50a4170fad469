// Training: examples in, checkpoints, renders and log lines out.
#pragma once
#include <optional>

#include "config.h"
#include "dataset.h"
#include "run.h"

namespace dgen::ddsp {

struct TrainResult {
  int steps = 0;
  std::optional<double> train_loss;  // none if the run was at its end already
  double validation_loss = 0;
};

// Runs from step 0, or from the run's latest checkpoint when `resume`, to config.steps. Resuming gives the weights
// that an uninterrupted run would have.
TrainResult train(const Config& config, const Dataset& data, const RunFolder& run, bool resume);

}  // namespace dgen::ddsp
