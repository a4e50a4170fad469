// The folder of one training run: config.json, checkpoints/, renders/, logs/.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "config.h"

namespace dgen::ddsp {

class RunFolder {
 public:
  // Makes the folders and writes the resolved configuration. A folder that already holds checkpoints is an Error.
  static RunFolder create(const std::filesystem::path& root, const Config& config);

  // A run to go on with: it must hold a configuration and a checkpoint.
  static RunFolder open(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config_path() const { return root_ / "config.json"; }
  std::filesystem::path checkpoint(int step) const;  // checkpoints/step_00000500.safetensors
  std::filesystem::path renders() const { return root_ / "renders"; }
  std::filesystem::path logs() const { return root_ / "logs"; }
  std::filesystem::path curves() const { return logs() / "loss.csv"; }

  // The checkpoint of the highest step.
  std::optional<std::filesystem::path> latest_checkpoint() const;

  void write_config(const Config& config) const;

  // One line to standard output and to logs/train.log. A full disk must not end the training: the line is then only
  // printed, with a warning.
  void log(const std::string& line) const;

 private:
  explicit RunFolder(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;
};

}  // namespace dgen::ddsp
