// Spectra, windows and patches that are no methods of one handle.
#pragma once
#include "dgen/operators.h"

namespace dgen {

namespace detail {
// 0, 1, ..., n - 1 as graph.
Tensor iota(int64_t n);
}  // namespace detail

// Windows of n samples, as graph. Hann is periodic: .5 - .5 cos(2 pi i / n).
Tensor hann(int64_t n);
Tensor hamming(int64_t n);   // .54 - .46 cos(2 pi i / n)
Tensor blackman(int64_t n);  // .42 - .5 cos(2 pi i / n) + .08 cos(4 pi i / n)
Tensor window(Window kind, int64_t n);

// Spectra of windows of the last size samples, at hop(hop): [.., size/2 + 1].
Complex<SignalTensor> stft(const SignalTensor& x, const StftOptions& options = {}, Loc loc = Loc::here());
// Overlap-add of the windowed inverse, divided by the steady sum of window^2: istft(stft(x)) is x, size - 1 samples
// late.
SignalTensor istft(const Complex<SignalTensor>& x, const StftOptions& options = {}, Loc loc = Loc::here());

// n triangles of peak 1 from 0 to sample_rate/2, equally spaced in mel = 2595 log10(1 + f/700) (HTK), applied to
// rfft magnitudes [.., bins]: [.., n].
template <Handle T>
T mel(const T& magnitudes, int n, Loc loc = Loc::here()) {
  return detail::as<T>(detail::mel(magnitudes, n, loc));
}

// A-weighted level (IEC 61672) in dB at hop(hop), of Hann windows of .size samples; a full-scale sine at 1 kHz is at
// -3 dB, silence at -100 dB.
SignalTensor loudness(const SignalTensor& x, const LoudnessOptions& options = {}, Loc loc = Loc::here());

// Feedback delay network: parallel lines mixed by a Hadamard matrix (Jot and Chaigne 1991). Wet signal only.
Signal fdn(const Signal& x, const FdnOptions& options = {}, Loc loc = Loc::here());

}  // namespace dgen
