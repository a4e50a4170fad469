// What of a program is the same in run after run, so that a driver may keep it instead of making it again.
//   in a training step:  %2 = sum |rfft(buffer(input 1))|^2, %3 = sqrt %2      %3 is kept while the input is the same
//                        %9 = sub %8, %3      (%8 follows a param: made in every run)
#pragma once
#include <vector>

#include "ir/graph.h"

namespace dgen::analysis {

// What a value is made of besides constants, the sample rate and other values; bits.
enum Follows : unsigned { follows_params = 1, follows_step = 2, follows_inputs = 4, follows_run = 8, follows_state = 16 };
// By node, of all that it is made from.
std::vector<unsigned> follows(const ir::Graph& g);

// Until when a value stays as it is.
enum class Kept {
  no,       // made in each run
  statics,  // static: until a constant changes, a param that the program does not assign, or the step that it follows
  inputs,   // until inputs or frames change; in runs from a fresh state only
};
std::vector<Kept> kept_until(const ir::Graph& g);

// Forward values that are the same while the inputs are and that others are made from, at the cut where they are few: what
// lies after them costs less to compute again than to keep. None in a program without gradients: it does not run on the
// same inputs again and again.
std::vector<bool> worth_keeping(const ir::Graph& g);

}  // namespace dgen::analysis
