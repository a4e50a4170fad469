#include "interp/interp.h"

#include "analysis/history.h"
#include "analysis/levels.h"
#include "ir/op.h"

namespace dgen::interp {

using namespace ir;

namespace {

class Machine {
 public:
  Machine(const Graph& g, const RunInfo& info, const Leaves& leaves, State& state, bool single)
      : g_(g), info_(info), leaves_(leaves), state_(state), single_(single), history_(analysis::history_ticks(g)) {
    info_.position = state.position;
    for (size_t c = 0; c < g.cells.size(); ++c)
      if (g.cells[c].type.clock.reverse) state_.cells.erase(static_cast<int64_t>(c));  // adjoints start at the run's end
    values_.resize(static_cast<size_t>(g.size()));
    for (Id id = 0; id < g.size(); ++id) value(id).assign(static_cast<size_t>((end(id) - first(id)) * size(id)), 0.0);
  }

  void run() {
    std::vector<int> level = analysis::sweep_levels(g_);
    int last = 0;
    for (int l : level) last = std::max(last, l);
    for (int l = 0; l <= last; ++l) {
      std::vector<Id> nodes;
      for (Id id = 0; id < g_.size(); ++id)
        if (level[static_cast<size_t>(id)] == l) nodes.push_back(id);
      sweep(nodes, l % 3);
    }
    save();
  }

  std::vector<double> take(Id id) { return value(id); }

 private:
  std::vector<double>& value(Id id) { return values_[static_cast<size_t>(id)]; }
  int64_t size(Id id) const { return g_[id].shape().size(); }
  int64_t first(Id id) const {
    return g_[id].clock().is_static() ? 0 : ticks_before(g_[id].clock().period, static_cast<int64_t>(info_.position));
  }
  int64_t end(Id id) const { return ticks_before(g_[id].clock().period, static_cast<int64_t>(info_.position) + info_.frames); }

  void sweep(const std::vector<Id>& nodes, int kind) {
    if (kind == 0) {
      for (Id id : nodes) eval(id, 0);
      return;
    }
    for (int64_t i = 0; i < info_.frames; ++i) {
      int64_t frame = static_cast<int64_t>(info_.position) + (kind == 1 ? i : info_.frames - 1 - i);
      for (Id id : nodes)
        if (frame % g_[id].clock().period == 0) eval(id, frame / g_[id].clock().period);
      for (Id id : nodes)  // reads came first, writes are kept last
        if (frame % g_[id].clock().period == 0 && is_write(id)) keep(id, frame / g_[id].clock().period);
    }
  }

  static Op read_op() {
    static const Op read = op("state_read");
    return read;
  }

  bool is_write(Id id) const {
    return g_[id].attrs.has("cell") && g_.cells[static_cast<size_t>(g_[id].attrs.i("cell"))].write == id;
  }

  void keep(Id id, int64_t tick) {
    const double* v = &value(id)[static_cast<size_t>((tick - first(id)) * size(id))];
    state_.cells[g_[id].attrs.i("cell")].assign(v, v + size(id));
  }

  // A cell's memory as a read sees it; a fresh one takes its initial value from the read node's input.
  std::vector<double>& cell(Id read) {
    auto& memory = state_.cells[g_[read].attrs.i("cell")];
    if (memory.empty()) {
      memory.assign(static_cast<size_t>(size(read)), 0.0);
      if (!g_[read].in.empty()) memory = value(g_[read].in[0]);
    }
    return memory;
  }

  const double* at(Id id, int64_t tick) {
    int64_t n = size(id), from = first(id);
    if (tick >= end(id)) return zeros(n);
    if (tick >= from) return value(id).data() + (tick - from) * n;
    auto past = state_.history.find(id);
    if (past == state_.history.end() || g_[id].clock().reverse) return zeros(n);
    int64_t index = history_[static_cast<size_t>(id)] + tick - from;
    return index < 0 ? zeros(n) : past->second.data() + index * n;
  }

  const double* zeros(int64_t n) {
    if (static_cast<int64_t>(zeros_.size()) < n) zeros_.assign(static_cast<size_t>(n), 0.0);
    return zeros_.data();
  }

  void eval(Id id, int64_t tick) {
    const Node& node = g_[id];
    DGEN_ASSERT(node.op->eval);
    EvalCtx ctx{g_, node, info_};
    ctx.tick = tick;
    ctx.single = single_;
    ctx.out = value(id).data() + (tick - first(id)) * size(id);
    ctx.at = [this, &node](int i, int64_t t) { return at(node.in[static_cast<size_t>(i)], t); };
    ctx.leaf = [this, &node, tick, id] { return leaves_.data(node, tick - first(id)); };
    if (node.op == read_op()) {
      ctx.state = cell(id).data();
    } else if (node.op->is(in_order)) {
      auto& phase = state_.phases[id];
      phase.resize(static_cast<size_t>(size(id)));
      ctx.state = phase.data();
    }
    node.op->eval(ctx);
    if (single_)
      for (int64_t e = 0; e < size(id); ++e) ctx.out[e] = static_cast<double>(static_cast<float>(ctx.out[e]));
  }

  // Keeps the last ticks of what is read back in time, and moves the stream on.
  void save() {
    for (Id id = 0; id < g_.size(); ++id) {
      int64_t ticks = history_[static_cast<size_t>(id)], n = size(id);
      if (ticks == 0 || g_[id].clock().reverse) continue;
      std::vector<double> kept(static_cast<size_t>(ticks * n));
      for (int64_t t = 0; t < ticks; ++t) std::copy_n(at(id, end(id) - ticks + t), n, kept.begin() + t * n);
      next_history_[id] = std::move(kept);
    }
    state_.history = std::move(next_history_);
    state_.position = info_.position + static_cast<uint64_t>(info_.frames);
  }

  const Graph& g_;
  RunInfo info_;
  const Leaves& leaves_;
  State& state_;
  bool single_;
  std::vector<int64_t> history_;
  std::vector<std::vector<double>> values_;
  std::map<Id, std::vector<double>> next_history_;
  std::vector<double> zeros_;
};

}  // namespace

Result run(const Graph& g, const RunInfo& info, const Leaves& leaves, State* state, bool single, bool keep_nodes) {
  State fresh;
  Machine machine(g, info, leaves, state ? *state : fresh, single);
  machine.run();
  Result result;
  for (Id id : g.outputs) result.outputs.push_back(machine.take(id));
  for (Id id : g.effects) result.effects.push_back(machine.take(id));
  if (keep_nodes)
    for (Id id = 0; id < g.size(); ++id) result.nodes.push_back(machine.take(id));
  return result;
}

}  // namespace dgen::interp
