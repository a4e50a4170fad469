#include "ir/helper.h"

#include "base/check.h"

namespace dgen::ir {

namespace {

constexpr Helper helpers[] = {
    {.name = "dg_phase_out",
     .result = LoopType::f32,
     .fused = {{"sin_turns", "dg_cos_phase", "dg_phase_back"}, {"cos_turns", "dg_cos_phase"}}},
    {.name = "dg_cos_phase", .result = LoopType::f32},
    {.name = "dg_phase_step", .result = LoopType::u64},
    {.name = "dg_phase_step_static", .result = LoopType::u64},
    {.name = "dg_phase_after", .result = LoopType::u64, .ramp = "dg_phase_lanes"},
    {.name = "dg_phase_back", .result = LoopType::u64, .through = "dg_phase_after"},
    {.name = "dg_phase_lanes", .result = LoopType::u64, .lanewise = false},
    {.name = "dg_phase_plus", .result = LoopType::u64},
    {.name = "dg_phase_reset", .result = LoopType::u64},
    {.name = "dg_noise_key", .result = LoopType::u64},
    {.name = "dg_noise", .result = LoopType::f32},
};

}  // namespace

const Helper& find_helper(std::string_view name) {
  for (auto& helper : helpers)
    if (helper.name == name) return helper;
  throw InternalError(cat("no helper [", name, "]"));
}

bool may_fuse(std::string_view row) {
  for (auto& helper : helpers)
    for (auto& fused : helper.fused)
      if (!fused.row.empty() && fused.row == row) return true;
  return false;
}

}  // namespace dgen::ir
