// What the sub-commands do once their arguments are known. Each returns the exit status: 0, or 3 when the work was
// done but some files had to be skipped.
#pragma once
#include <filesystem>

#include "config.h"

namespace dgen::ddsp {

constexpr int kSkippedFiles = 3;

int preprocess(const Config& config);

// config.data names the recordings; `resume` goes on with the run in that folder.
int train_run(const Config& config, const std::filesystem::path& run, bool resume);

struct Reconstruction {
  std::filesystem::path checkpoint;
  std::filesystem::path out;  // where audio, pictures and metrics.csv go; empty: only the table is printed
  bool all_files = false;     // else only those kept for validation
};

// Reconstructs the recordings of config.data; config is the checkpoint's with the overrides of the command line.
int reconstruct(const Config& config, const Reconstruction& what);

}  // namespace dgen::ddsp
