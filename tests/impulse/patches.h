// One row a patch: what it is made of, and its response worked out in double by plain loops or in closed form.
#pragma once
#include <dgen/dgen.h>

#include <cmath>
#include <span>
#include <vector>

namespace dgen::test {

using Values = std::vector<double>;

constexpr double kRate = 44100;
constexpr double kPi = M_PI;

struct Patch {
  const char* name;
  int frames;
  Value (*build)();
  Values (*expect)(int frames);  // [frame][element]
  // Holds sums or products of its own past in float: blocks that do not end on multiples of 16 may round otherwise.
  bool recurrent = false;
  double relative = 1e-5, absolute = 1e-6;
};

// The tables, one file each.
std::span<const Patch> filter_patches();
std::span<const Patch> delay_patches();
std::span<const Patch> memory_patches();
std::span<const Patch> hop_patches();
std::span<const Patch> feedback_patches();

// Sources as graph and as numbers. wild() repeats after 391 frames, and float holds it exactly.
inline Signal wild() {
  Signal n = frame_index();
  return mod(n * (7.0f * n + 3.0f), 17) * (1.0f / 16) + mod(n * (3.0f * n + 1.0f), 23) * (1.0f / 32) - 1.0f;
}

template <class F>
Values per_frame(int frames, F value) {
  Values x;
  for (int n = 0; n < frames; ++n) x.push_back(value(n));
  return x;
}
inline double wild_at(int n) { return n * (7 * n + 3) % 17 / 16.0 + n * (3 * n + 1) % 23 / 32.0 - 1; }
inline Values wild_values(int frames) { return per_frame(frames, wild_at); }
inline Values click_values(int frames) {
  return per_frame(frames, [](int n) { return n == 0 ? 1.0 : 0.0; });
}

// x[n], 0 before the start.
inline double at(const Values& x, int n) { return n < 0 ? 0 : x.at(static_cast<size_t>(n)); }

inline Values doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

}  // namespace dgen::test
