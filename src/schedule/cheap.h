// What takes no longer to compute than to read: a few plain operations on one array and on what is far smaller or static.
//   before:  %5 = add %3, hold(%bias)      (two readers: stored)       after:  computed by both, which read %3 instead
#pragma once
#include "schedule/plan.h"

namespace dgen::schedule {

struct Work {
  int64_t operations = 0;  // an element; more than `most` if one is not plain, or elements are read in another order
  ir::Ids arrays;          // stored values that are not far smaller
};
// Of an element of a computed value at a clock, from what is stored or given; up to `most` operations are counted.
Work work_of(const ir::Graph& g, ir::Id id, int64_t most, const IsStored& stored);

}  // namespace dgen::schedule
