// The losses of a run over its steps, kept beside its checkpoints so that a resumed run's picture shows all of it.
#pragma once
#include <filesystem>

#include "picture.h"

namespace dgen::ddsp {

struct Curves {
  Curve training{"training", {}, {}}, validation{"validation", {}, {}};
};

// A row for each point: curve,step,loss.
void save_curves(const std::filesystem::path& path, const Curves& curves);

// The points before `step`; no points if there is no such file. Rows that are none are left out.
Curves load_curves(const std::filesystem::path& path, int step);

}  // namespace dgen::ddsp
