// Sines of phasors whose frequencies and weights are static, as angle sums: sin(a + b) = sin a cos b + cos a sin b, a at the
// start of a group of ticks of the stream, b from a table that is made once. A sum of voices is then a product of matrices.
//   before:  %4 = sum (sin_turns(phasor(%f)) * hold(%w))     (16 voices)
//   after:   %3 = sine_table %f                                  (static (32,128), stored: cosines, then sines)
//            %4 = sine_sum phasor(%f), hold(%w), hold(%3)
#pragma once
#include "ir/graph.h"

namespace dgen::schedule {

ir::Graph sum_angles(const ir::Graph& g);

// Will the kernel of a sine_sum be an angle sum? Phases and table must be what sum_angles gave it.
bool is_angle_sum(const ir::Graph& g, ir::Id id);

}  // namespace dgen::schedule
