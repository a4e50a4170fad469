#include "loop/sines.h"

#include "loop/lowering.h"

namespace dgen::loop {

namespace {

constexpr int64_t kMostGroups = 32, kMostAnchors = 16384;  // whose anchors are computed at a time

class Sines {
 public:
  Sines(const Plan& plan, int region, const std::string& name)
      : low_(plan, region, name),
        l_(low_.builder()),
        g_(plan.graph),
        id_(plan.regions[static_cast<size_t>(region)].nodes[0]),
        node_(g_[id_]),
        voices_(g_[node_.in[0]].shape()),
        rows_(2 * voices_.size()),
        many_(std::clamp<int64_t>(kMostAnchors / rows_, 1, kMostGroups)),
        large_(voices_.size() >= kLargestVector) {}

  Kernel kernel() {
    out_ = low_.stream_array(id_, true), table_ = low_.array_behind(g_[node_.in[2]].in[0]);
    phases_ = l_.array({ArrayRef::phase, node_.in[0], voices_.size(), LoopType::u64, true});
    anchors_ = l_.local(many_ * rows_);
    lo_ = l_.arg(KernelArg::lo), hi_ = l_.arg(KernelArg::hi);
    const int before = l_.mod(l_.add(l_.arg(KernelArg::tile_frame), lo_), kSineGroup);  // of the first group, ticks before lo
    const int first = l_.sub(lo_, before), groups = groups_in(l_.sub(hi_, first), kSineGroup);
    l_.loop(l_.i(0), groups_in(groups, many_), LoopTag::serial, false, [&](int block) {
      const int done = l_.mul(block, many_), start = l_.add(first, l_.mul(done, kSineGroup));
      const int count = l_.binary(LoopOp::imin, l_.sub(groups, done), l_.i(many_));
      anchors(start, count);
      const int voice = large_ ? l_.i(1) : l_.i(many_), group = large_ ? l_.i(rows_) : l_.i(1);
      l_.call("dg_sines", {{out_, lo_}, {anchors_, l_.i(0)}, {table_, l_.i(0)}},
              {l_.i(rows_), count, group, voice, l_.sub(start, lo_), l_.sub(hi_, lo_)});
    });
    return low_.finish();
  }

 private:
  int groups_in(int n, int64_t size) { return l_.div(l_.add(n, l_.i(size - 1)), size); }

  // Vectors go along many voices, or along the groups of few.
  int anchor(int row, int group) { return large_ ? l_.add(l_.mul(group, rows_), row) : l_.add(l_.mul(row, many_), group); }

  void anchors(int start, int count) {
    if (large_) {
      l_.loop(l_.i(0), count, LoopTag::serial, false, [&](int group) {
        l_.loop(voices_.size(), [&](int voice) { store_anchor(start, group, voice); });
      });
    } else {
      l_.loop(l_.i(0), l_.i(voices_.size()), LoopTag::serial, false, [&](int voice) {
        l_.loop(l_.i(0), count, LoopTag::lanes, false, [&](int group) { store_anchor(start, group, voice); });
      });
    }
  }

  void store_anchor(int start, int group, int voice) {
    const std::vector<int> idx = low_.context(node_.in[0], l_.i(0), {}).unravel(voice, voices_);
    const int rate = l_.load(l_.array({ArrayRef::scalars}), l_.i(static_cast<int64_t>(RunScalar::sample_rate)));
    const int freq = low_.element(g_[node_.in[0]].in[0], l_.i(0), idx), step = l_.call("dg_phase_step_static", {freq, rate});
    const int base = l_.call("dg_phase_after", {l_.load(phases_, voice), step, start});
    const int long_step = l_.call("dg_phase_after", {step, step, l_.i(kSineGroup - 1)});
    const int turns = l_.call("dg_phase_out", {l_.call("dg_phase_after", {base, long_step, group}), l_.scalar("mul", {freq, l_.f(0)})});
    const int weight = low_.element(g_[node_.in[1]].in[0], l_.i(0), idx);
    int sine = l_.scalar("sin_turns", {turns}), cosine = l_.scalar("cos_turns", {turns});
    if (node_.attrs.i("cosine")) std::swap(sine, cosine), cosine = l_.scalar("neg", {cosine});
    l_.store(anchors_, anchor(voice, group), l_.scalar("mul", {weight, sine}));
    l_.store(anchors_, anchor(l_.add(voice, l_.i(voices_.size())), group), l_.scalar("mul", {weight, cosine}));
  }

  Lowering low_;
  LoopBuilder& l_;
  const Graph& g_;
  Id id_;
  const Node& node_;
  const Shape voices_;
  int64_t rows_, many_;  // rows of the table; groups at a time
  bool large_;            // many voices
  int out_ = -1, table_ = -1, phases_ = -1, anchors_ = -1, lo_ = -1, hi_ = -1;
};

}  // namespace

Kernel lower_sines(const Plan& plan, int region, const std::string& name) { return Sines(plan, region, name).kernel(); }

}  // namespace dgen::loop
