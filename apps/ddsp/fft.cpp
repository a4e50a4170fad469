#include "fft.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace dgen::ddsp {

RealFft::RealFft(int size) : half_(size / 2), twiddle_(half_ + 1), reversed_(half_), work_(half_) {
  DGEN_ASSERT(size >= 4 && (size & (size - 1)) == 0);
  for (int k = 0; k <= half_; ++k) twiddle_[k] = std::polar(1.0, -2 * std::numbers::pi * k / size);
  for (int i = 1, j = 0; i < half_; ++i) {
    int bit = half_ >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    reversed_[i] = j ^= bit;
  }
}

// The even and odd samples are one complex signal of half the size; its spectrum is then taken apart.
void RealFft::magnitudes(std::span<const float> in, std::span<float> out) {
  for (int i = 0; i < half_; ++i) work_[reversed_[i]] = {in[2 * i], in[2 * i + 1]};
  for (int length = 2; length <= half_; length *= 2) {
    const int stride = size() / length;
    for (int start = 0; start < half_; start += length) {
      for (int k = 0; k < length / 2; ++k) {
        std::complex<double>&a = work_[start + k], &b = work_[start + k + length / 2];
        const std::complex<double> w = twiddle_[k * stride];
        const std::complex<double> t(b.real() * w.real() - b.imag() * w.imag(),
                                     b.real() * w.imag() + b.imag() * w.real());
        b = a - t;
        a += t;
      }
    }
  }
  for (int k = 0; k <= half_; ++k) {
    const std::complex<double> z = work_[k % half_], mirrored = std::conj(work_[(half_ - k) % half_]);
    const std::complex<double> even = (z + mirrored) * 0.5, odd = (z - mirrored) * std::complex<double>(0, -0.5);
    const std::complex<double> w = twiddle_[k];
    const double re = even.real() + odd.real() * w.real() - odd.imag() * w.imag();
    const double im = even.imag() + odd.real() * w.imag() + odd.imag() * w.real();
    out[k] = static_cast<float>(std::sqrt(re * re + im * im));
  }
}

std::vector<float> hann_window(int size) {
  std::vector<float> window(size);
  for (int i = 0; i < size; ++i) window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / size));
  return window;
}

}  // namespace dgen::ddsp
