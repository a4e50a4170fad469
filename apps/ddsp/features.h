// What the decoder hears of a recording: pitch, how sure it is, and loudness, once a hop (250 Hz).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config.h"

namespace dgen::ddsp {

constexpr float kLoudnessFloor = -80;  // dB

// Value i belongs to sample i * hop. f0 is never 0: unvoiced ticks continue their voiced neighbours in log frequency.
struct Features {
  std::vector<float> f0;          // Hz
  std::vector<float> confidence;  // 0..1, 1 - aperiodicity
  std::vector<float> loudness;    // A-weighted dB, -80 at least
  std::vector<uint8_t> voiced;

  size_t size() const { return f0.size(); }
  Features slice(size_t first, size_t count) const;
};

struct Pitch {
  std::vector<float> f0, confidence;
  std::vector<uint8_t> voiced;
};

struct PitchOptions {
  int sample_rate = 16000, hop = 64;
  double f0_min = 50, f0_max = 2000;
  double window = 0.040;          // seconds compared with themselves one period later
  double unvoiced_cost = 0.45;    // aperiodicity at which a tick is as well called unvoiced
  double octave_cost = 0.12;      // an octave lower must be this much more periodic
  double octave_jump_cost = 2.0;  // for a jump of an octave between two ticks
  double voicing_cost = 1.0;      // for a change between voiced and unvoiced
};

// YIN (de Cheveigne and Kawahara 2002: cumulative mean normalised difference, parabolic interpolation) for the
// candidates of each tick, and the cheapest path through them (Viterbi; costs as in Boersma 1993).
Pitch track_pitch(std::span<const float> x, const PitchOptions& options);

// The power spectrum (1024 samples around the tick, periodic Hann) weighted by the A curve of IEC 61672, over the
// number of bins, in dB. The transform is not normalised: a sine of amplitude 1 at 1 kHz and 16 kHz reads 22.8 dB.
std::vector<float> loudness(std::span<const float> x, int sample_rate, int hop);

// x is cut to whole hops.
Features extract_features(std::span<const float> x, const Config& config);

double median(std::vector<double> values);  // NaN of nothing

}  // namespace dgen::ddsp
