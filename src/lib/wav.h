// Plain WAV files in memory, for builds without libsndfile and because libsndfile reads truncated ones silently.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dgen/io.h"

namespace dgen {

// Empty if the bytes are no RIFF WAVE, or one in a coding other than plain PCM and float. Errors carry no path.
std::optional<Audio> decode_wav(std::string_view bytes);

std::string encode_wav(std::span<const float> samples, int sample_rate, int channels, int bits);

// A sample as a signed integer of that many bits: clipped, rounded, NaN as 0.
int32_t quantise(float sample, int bits);

}  // namespace dgen
