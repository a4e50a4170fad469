// How near a reconstruction comes to its recording. Written apart from the compiler, so that it can judge it.
#pragma once
#include <span>
#include <vector>

#include "features.h"

namespace dgen::ddsp {

// The loss of training: sum over config.loss_sizes of mean |A-B| + weight * mean |ln(A+eps) - ln(B+eps)| over bins
// and ticks. A window ends at its tick and begins with zeros at the start; slower ticks are held, so the last tick of
// a large window counts only as long as it lasts.
double multi_scale_spectral_loss(std::span<const float> a, std::span<const float> b, const Config& config);

// Mean over frames (1024 samples, hop 256, Hann) of the root mean square over bins of the difference of the log
// spectra, in dB; magnitudes below 1e-3 (about -108 dB of a full-scale sine) count as 1e-3.
double log_spectral_distance(std::span<const float> a, std::span<const float> b);

// Mean |difference| in dB over the ticks where the target is above -60 dB.
double loudness_error(std::span<const float> target, std::span<const float> output);

// NaN where the target has no voiced tick.
struct PitchError {
  double median_cents = 0;  // over the ticks voiced in both
  double within_50 = 0;     // share of the target's voiced ticks whose output is voiced and within 50 cents
};
PitchError pitch_error(const Features& target, const Pitch& output);

struct Metrics {
  double loss = 0, silence_loss = 0;  // the latter: of an all-zero output
  double log_spectral_distance = 0, loudness_error = 0;
  PitchError pitch;
};

// Tracks the pitch of the output anew: the control track would only judge itself.
Metrics measure(std::span<const float> target, const Features& features, std::span<const float> output,
                const Config& config);

}  // namespace dgen::ddsp
