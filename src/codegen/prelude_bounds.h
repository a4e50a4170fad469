// How wrong the prelude's functions of one argument may be, over which range. docs/accuracy.md has the worst of every float.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

namespace dgen::codegen {

struct FunctionBounds {
  const char* name;
  double (*reference)(double);
  float low, high;                    // negative `low`: the range has both signs, from denormals up
  double most_ulp, most_absolute = 0;  // either bound suffices
};

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr double kTwoPi = 6.283185307179586476925286766559;

inline const FunctionBounds function_bounds[] = {
    {"sin", std::sin, -1e6f, 1e6f, 3, 1.5e-7},
    {"cos", std::cos, -1e6f, 1e6f, 3, 1.5e-7},
    {"tan", std::tan, -1e6f, 1e6f, 3.2},  // 3.13 at 687495.125
    {"sin_turns", [](double p) { return std::sin(kTwoPi * (p - std::rint(p))); }, -1e4f, 1e4f, 3, 1.9e-7},
    {"cos_turns", [](double p) { return std::cos(kTwoPi * (p - std::rint(p))); }, -1e4f, 1e4f, 3, 1.9e-7},
    {"exp", std::exp, -150, 150, 3},
    {"exp2", std::exp2, -200, 200, 3},
    {"log", std::log, 0, kInfinity, 3},
    {"log2", std::log2, 0, kInfinity, 3},
    {"log10", std::log10, 0, kInfinity, 3},
    {"sqrt", std::sqrt, 0, kInfinity, 0.5001},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 0, kInfinity, 3},
    {"tanh", std::tanh, -kInfinity, kInfinity, 3},
    {"sinh", std::sinh, -150, 150, 3},
    {"cosh", std::cosh, -150, 150, 3},
    {"asin", std::asin, -1, 1, 3},
    {"acos", std::acos, -1, 1, 3},
    {"atan", std::atan, -kInfinity, kInfinity, 3},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, -87, 150, 3},
    {"softplus", [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }, -100, 1e30f, 3},
    {"floor", std::floor, -kInfinity, kInfinity, 0},
    {"ceil", std::ceil, -kInfinity, kInfinity, 0},
    {"round", std::round, -kInfinity, kInfinity, 0},
    {"abs", std::fabs, -kInfinity, kInfinity, 0},
};

}  // namespace dgen::codegen
