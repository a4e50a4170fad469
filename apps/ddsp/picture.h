// The two pictures of a run.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace dgen::ddsp {

// Two spectrograms of equal scale, the recording above its reconstruction.
void save_spectrograms(const std::filesystem::path& path, std::span<const float> target, std::span<const float> output,
                       int sample_rate);

struct Curve {
  std::string label;
  std::vector<double> steps, values;
  void add(double step, double value) { steps.push_back(step), values.push_back(value); }
};

// Loss over steps, logarithmic upwards; values that are not positive are left out.
void save_loss_curves(const std::filesystem::path& path, const std::vector<Curve>& curves);

}  // namespace dgen::ddsp
