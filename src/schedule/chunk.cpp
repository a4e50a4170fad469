#include "schedule/chunk.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr uint64_t kLongest = 4096, kShortest = 512;  // frames
constexpr int64_t kLargestMultiple = 1 << 20;
constexpr double kTileBytes = 1 << 18;  // of streams that a tile of one chunk has, to stay in a second-level cache
constexpr double kSumBytes = 200;       // of streams that are worth adding up an element of a sum over time once more

// Few where a frame has many bytes and few sums, but a vector of ticks of each clock.
uint64_t frames_for(const Plan& plan) {
  double frame_bytes = 1, summed = 0;
  int64_t longest = 0;
  for (Id id = 0; id < plan.graph.size(); ++id) {
    const Node& node = plan.graph[id];
    const auto size = static_cast<double>(node.shape().size());
    longest = std::max(longest, node.clock().period);
    if (node.op->name == "sum_time") summed += size;
    else if (plan.store[static_cast<size_t>(id)] == Store::stream && !node.clock().is_static())
      frame_bytes += 4 * size / static_cast<double>(node.clock().period);
  }
  const double frames = std::max({kTileBytes / frame_bytes, summed * kSumBytes / frame_bytes, static_cast<double>(kBlock * longest)});
  return std::clamp(std::bit_floor(static_cast<uint64_t>(std::min(frames, 1e6))), kShortest, kLongest);
}

}  // namespace

int64_t chunk_of(const Plan& plan, int64_t wanted) {
  const int64_t frames = wanted > 0 ? wanted : static_cast<int64_t>(frames_for(plan));
  int64_t all = 1;
  for (auto& node : plan.graph.nodes())
    if (!node.clock().is_static() && all <= kLargestMultiple) all = std::lcm(all, node.clock().period);
  return all > kLargestMultiple ? 0 : (frames + all - 1) / all * all;
}

}  // namespace dgen::schedule
