// Generated sounds and a scratch folder for the tests.
#pragma once
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace dgen::ddsp {

// Harmonics 1..count of amplitude 1/k at a frequency that may change over time.
inline std::vector<float> harmonic_tone(double seconds, const std::function<double(double)>& hz, int count = 8,
                                        double rate = 16000) {
  std::vector<float> x(static_cast<size_t>(seconds * rate));
  double phase = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double f = hz(static_cast<double>(i) / rate);
    for (int k = 1; k <= count && k * f < rate / 2; ++k)
      x[i] += static_cast<float>(0.3 / k * std::sin(6.283185307179586 * k * phase));
    phase += f / rate;
  }
  return x;
}

inline std::vector<float> white_noise(size_t samples, float amplitude) {
  std::vector<float> x(samples);
  uint32_t state = 1;
  for (float& v : x) {
    state = state * 1664525u + 1013904223u;
    v = amplitude * (static_cast<float>(state >> 8) / 8388608.0f - 1);
  }
  return x;
}

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("ddsp test " + std::to_string(::getpid()));
};

// The text of the Error that a call throws.
template <class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace dgen::ddsp
