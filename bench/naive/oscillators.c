// Oscillators: a phase that is wrapped at every frame, and a sine of it.
#include "real.h"

static real advance(real phase, real step) {
  phase += step;
  return phase >= 1 ? phase - 1 : phase;
}

void NAME(seed_patch)(real freq, real c, real gain, real rate, real* y, int n) {
  real phase = 0, low = 0;
  for (int i = 0; i < n; ++i) {
    low = (1 - c) * sin(two_pi * phase) + c * low;
    y[i] = gain * low;
    phase = advance(phase, freq / rate);
  }
}

void NAME(phasor)(real freq, real rate, real* phase, real* y, int n) {
  real at = *phase;
  for (int i = 0; i < n; ++i) {
    y[i] = at;
    at = advance(at, freq / rate);
  }
  *phase = at;
}

void NAME(sine_bank)(const real* freq, const real* weight, int voices, real rate, real* y, int n) {
  for (int i = 0; i < n; ++i) y[i] = 0;
  for (int k = 0; k < voices; ++k) {
    real phase = 0;
    for (int i = 0; i < n; ++i) {
      y[i] += weight[k] * sin(two_pi * phase);
      phase = advance(phase, freq[k] / rate);
    }
  }
}

void NAME(phasor_frames)(const real* freq, real rate, real* y, int n) {
  real phase = 0;
  for (int i = 0; i < n; ++i) {
    y[i] = phase;
    phase = advance(phase, freq[i] / rate);
  }
}
