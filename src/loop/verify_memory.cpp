#include "loop/verify_memory.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "ir/op.h"

namespace dgen::loop {

using namespace ir;
using analysis::Kept;
using schedule::MemoryPlan;
using schedule::Place;
using schedule::Plan;

namespace {

class Play {
 public:
  Play(const Plan& plan, const MemoryPlan& memory, std::span<const KernelUse> kernels) : plan_(plan), m_(memory), kernels_(kernels) {
    tiles_ = static_cast<int>(m_.tiled() ? std::min<int64_t>(3, (m_.frames + m_.tile_frames - 1) / m_.tile_frames) : 1);
  }

  void run() {
    bounds();
    for (Kept skipped : {Kept::no, Kept::inputs, Kept::statics})
      if (skipped == Kept::no || m_.keeps(skipped)) skipped_ = skipped, play();
  }

 private:
  void play() {
    // The state's history is copied to the pads before the run.
    for (const Place& p : m_.places)
      if (p.kind == Place::stream && p.pad > 0 && !clock(p).reverse) claim(p, "the history");
    for (int level = 0; level < plan_.levels; ++level) sweep(level);
    for (Id id : plan_.graph.outputs) need(stream(id), "the caller");
    for (Id id : plan_.graph.effects)
      if (plan_.store[static_cast<size_t>(id)] == schedule::Store::stream) need(stream(id), "the params");
    for (const Place& p : m_.places)
      if (p.kind == Place::stream && p.pad > 0 && !clock(p).reverse) need(p, "the next run");
  }

  Clock clock(const Place& p) const { return plan_.graph[p.id].clock(); }
  const Place& stream(Id id) const { return m_.places.at(static_cast<size_t>(m_.stream.at(static_cast<size_t>(id)))); }

  void bounds() const {
    for (const Place& p : m_.places)
      if (p.offset < 0 || p.offset % 8 != 0 || p.offset + p.bytes > m_.bytes)
        throw InternalError(cat("memory plan: %", p.id, " lies at bytes ", p.offset, " to ", p.offset + p.bytes, " of ", m_.bytes));
  }

  void sweep(int level) {
    const int kind = level % 3;
    for (const Place& p : m_.places) {
      int region = plan_.region_of[static_cast<size_t>(p.id)];
      bool here = p.kind == Place::total
                      ? plan_.regions[static_cast<size_t>(region)].level == level
                      : p.kind == Place::stream && p.pad > 0 && clock(p).reverse && plan_.level[static_cast<size_t>(p.id)] == level;
      if (here) claim(p, "the sweep's start");
    }
    for (int i = 0; i < (kind == 0 ? 1 : tiles_); ++i) {
      tile_ = kind == 2 ? tiles_ - 1 - i : i;
      if (m_.recompute && kind == 2) tile(level - 1, true);
      tile(level, false);
    }
    level_ = -1;
    for (const KernelUse& use : kernels_)
      if (use.level == level && use.after_sweep) launch(use);
    if (kind == 0)
      for (Id id = 0; id < plan_.graph.size(); ++id) {
        const Node& node = plan_.graph[id];
        if (node.op->name == "state_read" && !node.in.empty() && plan_.level[static_cast<size_t>(id)] == level + 1)
          need(stream(node.in[0]), "a cell's initial value");
      }
  }

  void tile(int level, bool again) {
    level_ = again ? -1 : level;  // whose values are being made, tile by tile
    for (const KernelUse& use : kernels_)
      if (use.level == level && !use.after_sweep && !(again && use.sums)) launch(use);
  }

  // Of a run that skips what is kept until inputs change and one where only statics are still there.
  bool skips(const KernelUse& use) const { return m_.keeps(use.kept) && use.kept <= skipped_; }

  void launch(const KernelUse& use) {
    if (skips(use)) return;
    for (bool written : {false, true})
      for (const ArrayRef& a : use.kernel->arrays) {
        const Place* p = place(a);
        if (!p || a.written != written) continue;
        // Sums are added to, and a delay line keeps what is in it.
        bool adds = a.kind == ArrayRef::total || plan_.graph[a.id].op->is(adds_in_place);
        if (!written || (adds && !use.after_sweep)) need(*p, use.kernel->name);
        if (written) claim_ticks(*p, use.kernel->name);
      }
    for (const ArrayRef& a : use.kernel->arrays)
      if (const Place* p = place(a)) need(*p, use.kernel->name);  // two arrays of one kernel may not overlap
  }

  const Place* place(const ArrayRef& a) const {
    const std::vector<int>* index = a.kind == ArrayRef::stream || a.kind == ArrayRef::exact ? &m_.stream
                                    : a.kind == ArrayRef::partial ? &m_.partial
                                    : a.kind == ArrayRef::total   ? &m_.total
                                                                  : nullptr;
    return index ? &m_.places.at(static_cast<size_t>(index->at(static_cast<size_t>(a.id)))) : nullptr;
  }

  // ---- owners: half-open byte ranges -------------------------------------------------------------------------------------

  struct Owned {
    int64_t end;
    const Place* owner;
    std::string by;
  };

  void claim(const Place& p, const std::string& by) { claim(p, p.offset, p.offset + p.bytes, by); }
  // A kernel writes a tile's part of what lies between the pads, which must have kept what was put there before.
  void claim_ticks(const Place& p, const std::string& by) {
    claim(p, part(p, parts(p) > 1 ? tile_ : 0), part(p, parts(p) > 1 ? tile_ + 1 : 1), by);
  }
  int parts(const Place& p) const { return p.kind == Place::stream && p.whole && !clock(p).is_static() ? tiles_ : 1; }
  int64_t part(const Place& p, int t) const {
    int64_t pad = p.pad * p.size * 4;
    return p.offset + pad + (p.bytes - 2 * pad) * t / parts(p);
  }
  void claim(const Place& p, int64_t from, int64_t to, const std::string& by) {
    if (from == to) return;
    split(from), split(to);
    owned_.erase(owned_.lower_bound(from), owned_.lower_bound(to));
    owned_[from] = {to, &p, by};
  }

  void split(int64_t byte) {
    auto after = owned_.upper_bound(byte);
    if (after == owned_.begin()) return;
    auto it = std::prev(after);
    if (it->first == byte || it->second.end <= byte) return;
    owned_[byte] = it->second;
    it->second.end = byte;
  }

  // All of it, or what the tiles so far have made.
  void need(const Place& p, const std::string& who) const {
    const bool growing = parts(p) > 1 && plan_.level[static_cast<size_t>(p.id)] == level_, reverse = level_ % 3 == 2;
    int first = growing && reverse ? tile_ : 0, last = growing && !reverse ? tile_ + 1 : parts(p);
    need(p, p.offset, part(p, 0), who);
    need(p, part(p, first), part(p, last), who);
    need(p, part(p, parts(p)), p.offset + p.bytes, who);
  }
  void need(const Place& p, int64_t byte, int64_t to, const std::string& who) const {
    while (byte < to) {
      auto after = owned_.upper_bound(byte);
      const Owned* range = after == owned_.begin() ? nullptr : &std::prev(after)->second;
      if (!range || range->end <= byte)
        throw InternalError(cat("memory plan: ", who, " reads %", p.id, " before it is made"));
      if (range->owner != &p)
        throw InternalError(cat("memory plan: ", who, " reads %", p.id, ", but %", range->owner->id, " of ", range->by, " lies there"));
      byte = range->end;
    }
  }

  const Plan& plan_;
  const MemoryPlan& m_;
  std::span<const KernelUse> kernels_;
  int tiles_, tile_ = 0, level_ = -1;
  Kept skipped_ = Kept::no;
  std::map<int64_t, Owned> owned_;
};

}  // namespace

void verify_memory(const Plan& plan, const MemoryPlan& memory, std::span<const KernelUse> kernels) { Play(plan, memory, kernels).run(); }

}  // namespace dgen::loop
