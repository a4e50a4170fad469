// Which static numbers are kept in double, too: those that a scan's coefficients are made of. Rounded to float32, a filter's are those
// of another filter, by far at low frequencies.
#pragma once
#include "schedule/plan.h"

namespace dgen::schedule {

// Is it one number, and is all that it is made of?
bool is_made_of_numbers(const ir::Graph& g, ir::Id id);

// Sets plan->exact, and keeps those values; regions and storage must have been chosen.
void keep_exact(Plan* plan);

}  // namespace dgen::schedule
