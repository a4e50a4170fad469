// Assignments that write their param's memory while they compute, element by element, so that nothing is copied at the run's end:
//   before:  %9 = assign sub(param {slot=2}, %8)   stored, then copied to the param         after:  stored in the param's memory
// That needs every other reader of the param to be done before, and an element to follow from none that is replaced before it.
#pragma once
#include "schedule/plan.h"

namespace dgen::schedule {

// Sets Store::param.
void assign_in_place(Plan& plan);

}  // namespace dgen::schedule
