// A small FFT for features and metrics, which must not depend on the code they judge.
#pragma once
#include <complex>
#include <span>
#include <vector>

namespace dgen::ddsp {

class RealFft {
 public:
  explicit RealFft(int size);  // a power of two >= 4

  int size() const { return 2 * half_; }
  int bins() const { return half_ + 1; }

  // |X| of bins 0..size/2 of the unnormalised transform.
  void magnitudes(std::span<const float> in, std::span<float> out);

 private:
  int half_;
  std::vector<std::complex<double>> twiddle_;  // exp(-2 pi i k / size)
  std::vector<int> reversed_;
  std::vector<std::complex<double>> work_;
};

std::vector<float> hann_window(int size);  // periodic

}  // namespace dgen::ddsp
