// track_pitch: candidates by YIN, then the cheapest path.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "features.h"

namespace dgen::ddsp {
namespace {

constexpr int kCandidates = 8;
constexpr double kSilence = 1e-6;  // mean square, relative to the loudest tick: -60 dB

struct Candidate {
  float period = 0;  // samples; 0: unvoiced
  float aperiodicity = 1;
  float cost = 0;
};

struct Tick {
  std::array<Candidate, kCandidates + 1> candidates;  // number 0 is the unvoiced one
  int count = 1;
};

// The squared difference of the signal with itself, summed over a window around each tick, for every lag. Sums over
// blocks of a hop are shared by the windows that overlap there, so a tick costs hop * lags operations.
class Differences {
 public:
  Differences(std::span<const float> x, int hop, int lags, int blocks)
      : x_(x), hop_(hop), lags_(lags), blocks_(blocks), rows_(static_cast<size_t>(blocks) * lags), sum_(lags) {
    for (int k = -blocks_ / 2; k < blocks_ / 2 - 1; ++k) fill(k);
  }

  // Ticks must be asked for in order. Lag 0 holds the window's energy instead of its zero.
  std::span<const double> at(int tick) {
    fill(tick + blocks_ / 2 - 1);
    std::fill(sum_.begin(), sum_.end(), 0.0);
    for (int b = 0; b < blocks_; ++b)
      for (int lag = 0; lag < lags_; ++lag) sum_[lag] += rows_[static_cast<size_t>(b) * lags_ + lag];
    return sum_;
  }

 private:
  float sample(int64_t i) const { return i >= 0 && i < static_cast<int64_t>(x_.size()) ? x_[i] : 0.0f; }

  // Both samples of a pair lie symmetrically around the block, so that a glide is not read early or late.
  void fill(int block) {
    const int64_t first = static_cast<int64_t>(block) * hop_;
    piece_.resize(hop_ + 2 * lags_);
    for (size_t i = 0; i < piece_.size(); ++i) piece_[i] = sample(first - lags_ + static_cast<int64_t>(i));
    float* row = &rows_[static_cast<size_t>((block + blocks_) % blocks_) * lags_];
    const float* centre = piece_.data() + lags_;
    row[0] = 0;
    for (int i = 0; i < hop_; ++i) row[0] += centre[i] * centre[i];
    for (int lag = 1; lag < lags_; ++lag) {
      const float *early = centre - lag / 2, *late = early + lag;
      float sums[4] = {};
      for (int i = 0; i + 3 < hop_; i += 4)
        for (int j = 0; j < 4; ++j) {
          const float d = early[i + j] - late[i + j];
          sums[j] += d * d;
        }
      for (int i = hop_ & ~3; i < hop_; ++i) sums[0] += (early[i] - late[i]) * (early[i] - late[i]);
      row[lag] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  }

  std::span<const float> x_;
  int hop_, lags_, blocks_;
  std::vector<float> rows_, piece_;
  std::vector<double> sum_;
};

// The vertex of the parabola through three points, relative to the middle one.
double vertex(double left, double middle, double right) {
  const double bend = left - 2 * middle + right;
  return bend > 0 ? std::clamp(0.5 * (left - right) / bend, -0.5, 0.5) : 0;
}

// The dip at a multiple of the period is as sharp in samples, so it tells a short period more exactly.
double refined(std::span<const double> d, double period) {
  const int last = static_cast<int>(d.size()) - 2;
  for (int times = 1; times < 4 && (times + 1) * period + 1 < last; ++times) {
    const double guess = (times + 1) * period;
    int lag = static_cast<int>(guess + 0.5);
    while (lag > 1 && d[lag - 1] < d[lag]) --lag;
    while (lag < last && d[lag + 1] < d[lag]) ++lag;
    const double found = lag + vertex(d[lag - 1], d[lag], d[lag + 1]);
    if (std::abs(found - guess) > 0.75) break;
    period = found / (times + 1);
  }
  return period;
}

Tick candidates_of(std::span<const double> d, std::vector<double>& normalised, const PitchOptions& o) {
  const int shortest = std::max(2, static_cast<int>(o.sample_rate / o.f0_max)), last = static_cast<int>(d.size()) - 2;
  normalised.resize(d.size());
  double running = 0;
  for (int lag = 1; lag < static_cast<int>(d.size()); ++lag) {
    running += d[lag];
    normalised[lag] = running > 0 ? d[lag] * lag / running : 1;
  }
  std::vector<Candidate> found;
  for (int lag = shortest; lag <= last; ++lag) {
    const double v = normalised[lag];
    if (v > normalised[lag - 1] || v >= normalised[lag + 1] || v > 1) continue;
    const double period = lag + vertex(d[lag - 1], d[lag], d[lag + 1]);
    const double cost = v + o.octave_cost * std::log2(period / shortest);
    found.push_back({static_cast<float>(period), static_cast<float>(v), static_cast<float>(cost)});
  }
  const size_t kept = std::min<size_t>(found.size(), kCandidates);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
  Tick tick;
  for (size_t i = 0; i < kept; ++i) {
    found[i].period = static_cast<float>(refined(d, found[i].period));
    tick.candidates[tick.count++] = found[i];
  }
  const double best = kept ? found[0].aperiodicity : 1;
  const double lags = std::log2(static_cast<double>(last) / shortest);
  tick.candidates[0] = {0, static_cast<float>(best), static_cast<float>(o.unvoiced_cost + o.octave_cost * lags / 2)};
  return tick;
}

double step_cost(const Candidate& from, const Candidate& to, const PitchOptions& o) {
  if (from.period == 0 && to.period == 0) return 0;
  if (from.period == 0 || to.period == 0) return o.voicing_cost;
  return o.octave_jump_cost * std::abs(std::log2(from.period / to.period));
}

std::vector<int> cheapest_path(const std::vector<Tick>& ticks, const PitchOptions& o) {
  std::vector<std::array<int8_t, kCandidates + 1>> from(ticks.size());
  std::array<double, kCandidates + 1> cost{}, next{};
  for (size_t t = 0; t < ticks.size(); ++t) {
    for (int to = 0; to < ticks[t].count; ++to) {
      double best = t ? std::numeric_limits<double>::infinity() : 0;
      for (int i = 0; t && i < ticks[t - 1].count; ++i) {
        const double c = cost[i] + step_cost(ticks[t - 1].candidates[i], ticks[t].candidates[to], o);
        if (c < best) best = c, from[t][to] = static_cast<int8_t>(i);
      }
      next[to] = best + ticks[t].candidates[to].cost;
    }
    cost = next;
  }
  std::vector<int> path(ticks.size());
  if (path.empty()) return path;
  const auto end = cost.begin() + ticks.back().count;
  path.back() = static_cast<int>(std::min_element(cost.begin(), end) - cost.begin());
  for (size_t t = ticks.size() - 1; t > 0; --t) path[t - 1] = from[t][path[t]];
  return path;
}

// Unvoiced stretches run from one voiced neighbour to the other, so that the decoder's phase has no jumps.
void fill_gaps(Pitch& p, double without_any) {
  const size_t n = p.f0.size();
  size_t before = n;
  for (size_t t = 0; t < n;) {
    if (p.voiced[t]) {
      before = t++;
      continue;
    }
    size_t after = t;
    while (after < n && !p.voiced[after]) ++after;
    const double right = after < n ? p.f0[after] : before < n ? p.f0[before] : without_any;
    const double left = before < n ? p.f0[before] : right;
    const double first = static_cast<double>(t) - 1, width = static_cast<double>(after) - first;
    for (; t < after; ++t)
      p.f0[t] = static_cast<float>(left * std::pow(right / left, (static_cast<double>(t) - first) / width));
  }
}

}  // namespace

Pitch track_pitch(std::span<const float> x, const PitchOptions& o) {
  const size_t count = x.size() / o.hop;
  const int lags = static_cast<int>(o.sample_rate / o.f0_min) + 3;
  const int blocks = 2 * std::max(1, static_cast<int>(o.window * o.sample_rate / o.hop / 2 + 0.5));
  Differences differences(x, o.hop, lags, blocks);
  std::vector<Tick> ticks(count);
  std::vector<double> energy(count), normalised;
  for (size_t t = 0; t < count; ++t) {
    const std::span<const double> d = differences.at(static_cast<int>(t));
    energy[t] = d[0];
    ticks[t] = candidates_of(d, normalised, o);
  }
  const double loudest = count ? *std::max_element(energy.begin(), energy.end()) : 0;
  for (size_t t = 0; t < count; ++t)
    if (energy[t] <= kSilence * loudest) ticks[t].count = 1;

  const std::vector<int> path = cheapest_path(ticks, o);
  Pitch pitch{std::vector<float>(count), std::vector<float>(count), std::vector<uint8_t>(count)};
  for (size_t t = 0; t < count; ++t) {
    const Candidate& c = ticks[t].candidates[path[t]];
    pitch.voiced[t] = c.period > 0;
    pitch.f0[t] = c.period > 0 ? static_cast<float>(o.sample_rate / c.period) : 0.0f;
    pitch.confidence[t] = energy[t] > 0 ? std::clamp(1 - c.aperiodicity, 0.0f, 1.0f) : 0.0f;
  }
  fill_gaps(pitch, std::sqrt(o.f0_min * o.f0_max));
  return pitch;
}

}  // namespace dgen::ddsp
