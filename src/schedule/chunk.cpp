#include "schedule/chunk.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kLongest = 4096, kShortest = 512, kLargestMultiple = 1 << 20;  // frames
constexpr double kTimesCarried = 8;     // of what is carried over a tile's border its streams should be
constexpr double kTileBytes = 1 << 18;  // of streams that a tile of one chunk has, to stay in a second-level cache
constexpr double kSumBytes = 200;       // of streams that are worth adding up an element of a sum over time once more

// Few where a frame has many bytes, few are summed and few are carried from tile to tile; but, up to kLongest, at least a vector of
// ticks of each clock.
int64_t frames_for(const Plan& plan) {
  double frame_bytes = 1, summed = 0, carried = 0;
  int64_t longest = 0;
  for (Id id = 0; id < plan.graph.size(); ++id) {
    const Node& node = plan.graph[id];
    const auto size = static_cast<double>(node.shape().size());
    longest = std::max(longest, node.clock().period);
    if (node.op->name == "sum_time") summed += size;
    else if (plan.store[static_cast<size_t>(id)] == Store::stream && !node.clock().is_static()) {
      const int64_t line = node.op->is(adds_in_place) ? node.attrs.i("max") + 1 : 0;
      carried += 4 * size * static_cast<double>(std::max(plan.history[static_cast<size_t>(id)], line));
      frame_bytes += 4 * size / static_cast<double>(node.clock().period);
    }
  }
  const double wanted = std::max({kTileBytes, summed * kSumBytes, carried * kTimesCarried}) / frame_bytes;
  const auto frames = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::min<double>(wanted, kLongest))));
  return std::clamp(std::max(frames, kBlock * longest), kShortest, kLongest);
}

}  // namespace

int64_t chunk_of(const Plan& plan, int64_t wanted) {
  const int64_t frames = wanted > 0 ? wanted : frames_for(plan);
  int64_t all = 1;
  for (auto& node : plan.graph.nodes())
    if (!node.clock().is_static() && all <= kLargestMultiple) all = std::lcm(all, node.clock().period);
  return all > kLargestMultiple ? 0 : (frames + all - 1) / all * all;
}

}  // namespace dgen::schedule
