#include "loop/sines.h"

#include "loop/lowering.h"

namespace dgen::loop {

namespace {

constexpr int64_t kMostGroups = 32, kMostAnchors = 16384;  // whose anchors are computed at a time

class Sines {
 public:
  Sines(Lowering& low, const Graph& g, Id id)
      : low_(low),
        l_(low.builder()),
        g_(g),
        id_(id),
        node_(g_[id_]),
        voices_(g_[node_.in[0]].shape()),
        rows_(2 * voices_.size()),
        many_(std::clamp<int64_t>(kMostAnchors / rows_, 1, kMostGroups)),
        large_(voices_.size() >= kVector) {}

  void lower() {
    out_ = low_.stream_array(id_, true);
    blocks([&](int start, int count) {
      const std::pair<int, int> out{out_, lo_}, anchors{anchors_, l_.i(0)}, table{table_, l_.i(0)};
      const int from = l_.sub(start, lo_), end = l_.sub(hi_, lo_), voice = l_.i(large_ ? 1 : many_), group = l_.i(large_ ? rows_ : 1);
      if (is_single()) l_.call("dg_sine", {out, anchors, table, {single_, l_.i(0)}}, {count, voice, from, end});
      else l_.call("dg_sines", {out, anchors, table}, {l_.i(rows_), count, group, voice, from, end});
    });
  }

  void lower_for(const std::function<void(const SineBlock&)>& body) {
    DGEN_ASSERT(is_single());
    blocks([&](int start, int count) {
      const int from = l_.binary(LoopOp::imax, start, lo_), end = l_.add(start, l_.mul(count, kSineGroup));
      body({anchors_, table_, single_, l_.i(many_), from, l_.binary(LoopOp::imin, end, hi_)});
    });
  }

 private:
  // Calls f(the first group's first tick, how many groups) where their anchors are there.
  void blocks(const std::function<void(int start, int count)>& f) {
    table_ = low_.array_behind(g_[node_.in[2]].in[0]);
    phases_ = l_.array({ArrayRef::phase, node_.in[0], voices_.size(), LoopType::u64, true});
    anchors_ = l_.local(many_ * rows_);
    const std::vector<int> first(static_cast<size_t>(voices_.rank()), l_.i(0));
    if (is_single()) single_ = l_.local(1), l_.store(single_, l_.i(0), weight_of(first));
    lo_ = l_.arg(KernelArg::lo), hi_ = l_.arg(KernelArg::hi);
    const int early = l_.mod(l_.add(l_.arg(KernelArg::tile_frame), lo_), kSineGroup);  // of the first group, ticks before lo
    const int begin = l_.sub(lo_, early), groups = groups_in(l_.sub(hi_, begin), kSineGroup);
    l_.loop(l_.i(0), groups_in(groups, many_), LoopTag::serial, false, [&](int block) {
      const int done = l_.mul(block, many_), start = l_.add(begin, l_.mul(done, kSineGroup));
      const int count = l_.binary(LoopOp::imin, l_.sub(groups, done), l_.i(many_));
      fill_anchors(start, count);
      f(start, count);
    });
  }

  int groups_in(int n, int64_t size) { return l_.div(l_.add(n, l_.i(size - 1)), size); }

  // Vectors go along many voices, or along the groups of few.
  int anchor(int row, int group) { return large_ ? l_.add(l_.mul(group, rows_), row) : l_.add(l_.mul(row, many_), group); }

  void fill_anchors(int start, int count) {
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
    const int weight = weight_of(idx);
    int sine = l_.scalar("sin_turns", {turns}), cosine = l_.scalar("cos_turns", {turns});
    if (node_.attrs.i("cosine")) std::swap(sine, cosine), cosine = l_.scalar("neg", {cosine});
    l_.store(anchors_, anchor(voice, group), l_.scalar("mul", {weight, sine}));
    l_.store(anchors_, anchor(l_.add(voice, l_.i(voices_.size())), group), l_.scalar("mul", {weight, cosine}));
  }

  // A sum of angles may round beyond 1, which a single sine must not.
  bool is_single() const { return voices_.size() == 1; }
  int weight_of(const std::vector<int>& idx) { return low_.element(g_[node_.in[1]].in[0], l_.i(0), idx); }

  Lowering& low_;
  LoopBuilder& l_;
  const Graph& g_;
  Id id_;
  const Node& node_;
  const Shape voices_;
  int64_t rows_, many_;  // rows of the table; groups at a time
  bool large_;            // many voices
  int out_ = -1, table_ = -1, phases_ = -1, anchors_ = -1, single_ = -1, lo_ = -1, hi_ = -1;
};

}  // namespace

Kernel lower_sines(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  for (Id id : plan.regions[static_cast<size_t>(region)].nodes) Sines(low, plan.graph, id).lower();
  return low.finish();
}

void for_blocks_of_sine(Lowering& low, Id id, const std::function<void(const SineBlock&)>& body) {
  Sines(low, low.plan().graph, id).lower_for(body);
}

}  // namespace dgen::loop
