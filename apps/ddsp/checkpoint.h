// Checkpoints: weights, optimiser state, configuration and progress in one safetensors file.
#pragma once
#include <filesystem>

#include "decoder.h"

namespace dgen::ddsp {

void save_checkpoint(const std::filesystem::path& path, const Config& config, const NamedParams& params, const Optimizer& optimizer);

// The configuration stored in a checkpoint; a file that is none is an Error.
Config checkpoint_config(const std::filesystem::path& path);

// Puts a checkpoint's values into params, and into the optimiser if one is given. Names and shapes must agree.
void load_checkpoint(const std::filesystem::path& path, const NamedParams& params, Optimizer* optimizer = nullptr);

}  // namespace dgen::ddsp
