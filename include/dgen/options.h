// Options of the operators, for designated initialisers: x.biquad({.cutoff = c, .q = q}). An Operand is a number or a
// handle; times are in samples and frequencies in Hz unless a line says otherwise.
#pragma once
#include <limits>

#include "dgen/ops.h"

namespace dgen {

struct RandnOptions {
  std::optional<uint64_t> seed;  // without one: the number of unseeded calls so far, so a program repeats itself
  float std = 1;
};

struct ParamOptions {
  float min = -std::numeric_limits<float>::infinity();  // clamped after every optimiser step; min > max is an Error
  float max = std::numeric_limits<float>::infinity();
};

struct PhasorOptions {
  Operand reset;  // > 0 puts the phase to 0, seen on the next frame
};

struct NoiseOptions {
  std::optional<uint64_t> seed;  // equal seeds, equal noise; without one: its number in the captured graph
  int hop = 1;                   // SignalTensor only: one draw every hop frames
};

struct InputOptions {
  int hop = 1;
};

struct HistoryOptions {
  Operand init = 0.0f;  // static, may be learnable
  int hop = 1;          // the cell steps at hop(hop)
};

struct AccumOptions {
  Operand reset;  // > 0 puts the sum to its start
  Operand min;    // with both bounds the sum wraps into [min, max)
  Operand max;
};

enum class Edge { wrap, clamp };
enum class Window { hann, hamming, blackman, rect };
enum class Interpolation { linear, hann };
enum class BiquadMode { lowpass, highpass, bandpass, bandpass_skirt, notch, allpass, peaking, lowshelf, highshelf };
enum class SvfMode { lowpass, highpass, bandpass, notch, peak, allpass };

struct PeekOptions {
  Edge edge = Edge::wrap;  // beyond the rows: modulo the row count, or the last row
};

struct ConvOptions {
  int stride = 1;
  int padding = 0;  // zeros on both sides
  int dilation = 1;
};

struct InterpolateOptions {
  Interpolation kind = Interpolation::linear;
};

struct BiquadOptions {
  Operand cutoff = 1000.0f;  // Hz, clamped to [0, .49 sample_rate]
  Operand q = 0.7071f;       // at least 1e-3
  BiquadMode mode = BiquadMode::lowpass;
  Operand gain_db = 0.0f;  // peaking and shelves
};

struct SvfOptions {
  Operand cutoff = 1000.0f;  // Hz, clamped to [0, .49 sample_rate]
  Operand q = 0.7071f;       // at least 1e-3
  SvfMode mode = SvfMode::lowpass;
};

struct LadderOptions {
  Operand cutoff = 1000.0f;  // Hz, clamped to [0, .49 sample_rate]
  Operand resonance = 0.0f;  // 0 to 1; near 1 it oscillates
  Operand drive = 1.0f;      // gain into the tanh
};

struct CombOptions {
  Operand time = 1000.0f;  // samples, at least 1
  int max = 0;             // longest time; 0: time, which is then a number
  Operand feedback = 0.5f;
  Operand damping = 0.0f;  // 0 to 1: one-pole coefficient in the loop
};

struct AllpassDelayOptions {
  Operand time = 100.0f;  // samples, at least 1
  int max = 0;            // longest time; 0: time, which is then a number
  Operand gain = 0.5f;
};

struct FdnOptions {
  std::vector<int> times = {1031, 1327, 1523, 1801};  // samples, one a line; a power of two of them
  Operand decay = 2.0f;                               // seconds to fall by 60 dB
  Operand damping = 0.2f;                             // 0 to 1: one-pole coefficient in each line
};

struct CompressorOptions {
  Operand ratio = 4.0f;
  Operand threshold_db = -20.0f;
  Operand knee_db = 6.0f;
  Operand attack = 0.01f;  // seconds
  Operand release = 0.1f;  // seconds
  Operand sidechain;       // what is measured instead of x
};

struct FilterHopsOptions {
  int hop = 64;
};

struct StftOptions {
  int size = 1024;
  int hop = 256;
  Window window = Window::hann;
};

struct LoudnessOptions {
  int hop = 64;
  int size = 2048;  // window
};

}  // namespace dgen
