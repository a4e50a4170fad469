// Builds one kernel over the values of one region, for lower.cpp alone.
#pragma once
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "loop/vectorise.h"
#include "schedule/exact.h"
#include "schedule/plan.h"

namespace dgen::loop {

using namespace ir;
using schedule::Plan;
using schedule::Region;
using schedule::Store;
using schedule::Strategy;

inline constexpr int64_t kLargestRegisterState = 64;
inline constexpr int64_t kShortestHold = 16;  // frames that are worth a loop
inline constexpr int64_t kRowEnd = 2 * kVector;  // several vectors side by side
static_assert(schedule::kBlock >= kVector);

// Builds one kernel over one region's values, or, with region -1, beside the regions.
class Lowering {
 public:
  Lowering(const Plan& plan, int region, std::string name)
      : plan_(plan),
        g_(plan.graph),
        region_(region < 0 ? none_ : plan.regions[static_cast<size_t>(region)]),
        number_(region),
        l_(std::move(name)) {}

  LoopBuilder& builder() { return l_; }
  const Plan& plan() const { return plan_; }

  Kernel ticks(bool for_cpu) {
    declare();
    aligns_rows_ = for_cpu;
    bool parallel = region_.strategy == Strategy::pointwise;
    int64_t period = for_cpu && parallel && region_.clock.period == 1 ? slower_period() : 0;
    if (region_.clock.is_static()) {
      body(l_.i(0));
    } else if (period > 0) {
      ticks_of(period);
    } else if (region_.strategy == Strategy::blocks) {
      blocks_of_ticks();
    } else if (for_cpu && leaves_out_zeros()) {
      ticks_without_zeros();
    } else {
      ticks_from(l_.arg(KernelArg::lo), l_.arg(KernelArg::hi));
    }
    return finish();
  }

  // Element of a value at a tick of its own clock.
  int element(Id id, int tick, const std::vector<int>& idx) {
    const Node& node = g_[id];
    if (plan_.stored(id)) return stored_element(id, tick, idx);
    ElemCtx ctx = context(id, tick, idx);
    if (!node.op->elem) throw InternalError(cat("[", node.op->name, "] cannot be computed in place"));
    return node.op->elem(ctx);
  }

  // A static number in double, as far as it is made of operators on numbers.
  int exact(Id id) {
    if (auto known = exact_.find(id); known != exact_.end()) return known->second;
    if (plan_.exact[static_cast<size_t>(id)]) return l_.load(exact_array(id, mine(id)), l_.i(0));
    const std::vector<int> first(static_cast<size_t>(g_[id].shape().rank()), l_.i(0));
    return l_.widen(plan_.stored(id) || !schedule::is_made_of_numbers(g_, id) ? element(id, l_.i(0), first) : exact_value(id));
  }

  ElemCtx context(Id id, int tick, std::vector<int> idx) {
    const Node& node = g_[id];
    return ElemCtx{
        l_,    g_,
        node,  id,
        tick,  std::move(idx),
        held_, [this, &node](int i, int t, std::vector<int> index) { return element(node.in[static_cast<size_t>(i)], t, index); }};
  }

  Kernel finish() {
    Kernel kernel = l_.finish();
    kernel.why = region_.reason;
    return kernel;
  }

  // Of data and of what is stored for the tile; -1: it does not lie in memory.
  int memory_of(Id id) {
    const Node& node = g_[id];
    const int64_t size = node.shape().size();
    if (node.op->name == "input") return l_.array({ArrayRef::input, id, size});
    if (node.op->name == "param") return l_.array({ArrayRef::param, static_cast<Id>(node.attrs.i("slot")), size});
    if (node.op->name == "tensor") return l_.array({ArrayRef::tensor, static_cast<Id>(node.attrs.i("slot")), size});
    return is_stream(id) ? stream_array(id, mine(id)) : -1;
  }
  // Of a stored value or data that lies as x does.
  int array_behind(Id x) {
    const int array = memory_of(schedule::array_behind(plan_, x));
    DGEN_ASSERT(array >= 0);
    return array;
  }

  int stream_array(Id id, bool written) {
    const bool param = plan_.store[static_cast<size_t>(id)] == Store::param;
    const Id behind = param ? static_cast<Id>(g_[id].attrs.i("slot")) : id;
    return l_.array({param ? ArrayRef::param : ArrayRef::stream, behind, g_[id].shape().size(), LoopType::f32, written});
  }

 private:
  int exact_array(Id id, bool written) { return l_.array({ArrayRef::exact, id, 1, LoopType::f64, written}); }
  // The operator over its inputs in double.
  int exact_value(Id id) {
    const Node& node = g_[id];
    ElemCtx ctx = context(id, l_.i(0), std::vector<int>(static_cast<size_t>(node.shape().rank()), l_.i(0)));
    ctx.at = [this, &node](int i, int, const std::vector<int>&) { return exact(node.in[static_cast<size_t>(i)]); };
    return node.op->elem(ctx);
  }

  bool mine(Id id) const { return plan_.region_of[static_cast<size_t>(id)] == number_; }
  bool is_stream(Id id) const { return plan_.in_memory(id); }

  void declare() {
    for (Id id : region_.nodes)
      if (is_stream(id)) stream_array(id, true);
    for (Id id : region_.nodes) {
      const Node& node = g_[id];
      if (!node.attrs.has("cell") || node.clock().is_static()) continue;
      ArrayRef state{ArrayRef::state, static_cast<Id>(node.attrs.i("cell")), node.shape().size(), LoopType::f32, true};
      if (state.size <= kLargestRegisterState) state.home = ArrayRef::registers;
      l_.array(state);
    }
  }

  // The shortest period worth a loop of which values are read at frames; 0: none.
  int64_t slower_period() const {
    int64_t shortest = 0;
    for_values([&](Id id) {
      for (Id in : g_[id].in)
        if (int64_t period = g_[in].clock().period; period >= kShortestHold && g_[id].clock().period == 1)
          shortest = shortest == 0 ? period : std::min(shortest, period);
    });
    return shortest;
  }

  // Calls f for the region's values and what they are made of up to what is stored.
  template <class F>
  void for_values(const F& f) const {
    std::vector<bool> seen(static_cast<size_t>(g_.size()), false);
    std::vector<Id> todo = region_.nodes;
    while (!todo.empty()) {
      const Id id = todo.back();
      todo.pop_back();
      f(id);
      for (Id in : g_[id].in) {
        if (plan_.stored(in) || seen[static_cast<size_t>(in)]) continue;
        seen[static_cast<size_t>(in)] = true;
        todo.push_back(in);
      }
    }
  }

  void ticks_of(int64_t period) {
    ElemCtx ctx = context(region_.nodes[0], l_.i(0), {});
    const Clock clock{period};
    int lo = l_.arg(KernelArg::lo), hi = l_.arg(KernelArg::hi);
    int first = ctx.tick_at(lo, clock), end = l_.add(ctx.tick_at(l_.sub(hi, l_.i(1)), clock), l_.i(1));
    l_.loop(first, end, LoopTag::serial, false, [&](int tick) {
      int from = ctx.frame_of(tick, clock), to = l_.add(from, l_.i(period));
      l_.loop(l_.binary(LoopOp::imax, from, lo), l_.binary(LoopOp::imin, to, hi), LoopTag::parallel, false, [&](int t) {
        held_ = {period, t, tick};
        body(t);
      });
    });
    held_ = {};
  }

  void ticks_from(int lo, int hi) {
    const bool parallel = region_.strategy == Strategy::pointwise;
    traded_.clear();
    l_.loop(lo, hi, parallel ? LoopTag::parallel : LoopTag::serial, region_.clock.reverse && !parallel, [&](int t) { body(t); });
    if (!traded_.empty()) l_.guard(l_.binary(LoopOp::imod, l_.sub(hi, lo), l_.i(2)), [this] { trade_contents(); });
  }

  // After an odd number of ticks: what cells hold lies where it is looked for.
  void trade_contents() {
    for (const schedule::Trade& trade : traded_)
      l_.loop(g_[trade.write].shape().size(), [&](int e) {
        const int a = cell_of(trade.write), b = cell_of(trade.behind);
        const int of_a = l_.load(a, e), of_b = l_.load(b, e);
        l_.store(a, e, of_b), l_.store(b, e, of_a);
      });
  }

  // ---- zeros that are left out -----------------------------------------------------------------------------------------

  // Is there anything to leave out? Built once to see.
  bool leaves_out_zeros() const {
    if (known_zeros().empty()) return false;
    Lowering trial(plan_, number_, "trial");
    trial.l_.leaves_out_zeros = true;
    trial.declare();
    trial.ticks_from(trial.l_.arg(KernelArg::lo), trial.l_.arg(KernelArg::hi));
    return trial.l_.left_out();
  }

  // Two loops, of which one has no ticks.
  void ticks_without_zeros() {
    const int lo = l_.arg(KernelArg::lo), hi = l_.arg(KernelArg::hi), zeros = zeros_are_zero();
    l_.leaves_out_zeros = true;
    ticks_from(lo, l_.where(zeros, hi, lo));
    l_.leaves_out_zeros = false;
    ticks_from(l_.where(zeros, hi, lo), hi);
  }

  // Of all elements that may be left out: are they 0?
  int zeros_are_zero() {
    int all = l_.i(1);
    for (Id id : known_zeros())
      for (int64_t e : g_[id].attrs.ints("elements")) {
        const ElemCtx ctx = context(id, l_.i(0), {});
        const int value = ctx.at(0, l_.i(0), ctx.unravel(l_.i(e), g_[id].shape()));
        all = l_.both(all, l_.to_int(l_.scalar("eq", {value, l_.f(0)})));
      }
    return all;
  }

  // Those that the region's values are made of.
  std::vector<Id> known_zeros() const {
    static const Op known_zeros = op("known_zeros");
    std::vector<Id> found;
    for_values([&](Id id) {
      if (g_[id].op == known_zeros && g_[id].clock().is_static() && !g_[id].attrs.ints("elements").empty()) found.push_back(id);
    });
    return found;
  }

  // ---- feedback that comes back late ---------------------------------------------------------------------------------

  // Two loops, of which one has no ticks: blocks of ticks where all lines are long, else tick by tick. In blocks, cells lie in
  // their streams: what a tick writes is the next one's value there.
  void blocks_of_ticks() {
    const bool reverse = region_.clock.reverse;
    const int lo = l_.arg(KernelArg::lo), hi = l_.arg(KernelArg::hi), late = comes_late();
    const int cut = reverse ? l_.where(late, lo, hi) : l_.where(late, hi, lo);
    auto next = [&](int tick) { return l_.add(tick, l_.i(reverse ? -1 : 1)); };
    std::map<Id, Id> read_of;  // by write
    for (Id id : region_.nodes)
      if (is_read(id)) read_of[write_of(id)] = id;
    for (auto [write, read] : read_of) l_.store(stream_array(read, true), reverse ? next(hi) : lo, l_.load(cell_of(read), l_.i(0)));
    l_.loop(reverse ? cut : lo, reverse ? hi : cut, LoopTag::groups, reverse, [&](int t) {
      value_.clear();
      for (Id id : region_.late.order) {
        if (is_read(id) || !plan_.stored(id)) continue;
        group({id}, t);
        if (is_write(id)) l_.store(stream_array(read_of.at(id), true), next(t), value_.at(id).expr);
      }
    });
    for (auto [write, read] : read_of) l_.store(cell_of(read), l_.i(0), l_.load(stream_array(read, true), reverse ? next(cut) : cut));
    l_.loop(reverse ? lo : cut, reverse ? cut : hi, LoopTag::serial, reverse, [&](int t) { body(t); });
  }

  // Is every line as long as a block?
  int comes_late() {
    int all = l_.i(1);
    for (Id id : region_.late.lines) {
      ElemCtx ctx = context(id, l_.i(0), std::vector<int>(static_cast<size_t>(g_[id].shape().rank()), l_.i(0)));
      const int64_t least = schedule::kBlock - analysis::ticks_before_line(g_, id);
      all = l_.both(all, l_.less(l_.i(least - 1), g_[id].op->lag(ctx)));
    }
    return all;
  }

  int stored_element(Id id, int tick, const std::vector<int>& idx) {
    const Node& node = g_[id];
    const auto rows = rows_.find(id);
    int linear = context(id, tick, {}).ravel(idx, node.shape(), rows == rows_.end() ? RowLayout{} : rows->second);
    if (node.clock().is_static()) tick = l_.i(0);
    if (mine(id)) {
      auto now = value_.find(id);
      if (now != value_.end() && now->second.tick == tick) {
        if (now->second.expr >= 0 && (node.shape().size() == 1 || idx == now->second.idx)) return now->second.expr;
        if (!is_stream(id)) return l_.load(now->second.array, linear);
      }
      DGEN_ASSERT(is_stream(id));
    }
    return l_.load(stream_array(id, mine(id)), l_.add(l_.mul(tick, node.shape().size()), linear));
  }

  // ---- one tick ------------------------------------------------------------------------------------------------------

  // Reads of cells come first in a tick and writes last, in whatever order the nodes stand.
  void body(int t) {
    value_.clear(), committed_.clear(), written_over_.clear();
    by_clock(region_.nodes, t, [this](const std::vector<Id>& nodes, int tick) { groups(nodes, tick); });
    std::vector<Id> writes;
    for (Id id : region_.nodes)
      if (is_write(id)) writes.push_back(id);
    by_clock(writes, t, [this](const std::vector<Id>& nodes, int tick) {
      for (Id id : nodes)
        if (!committed_.count(id)) commit(id, tick);
    });
  }

  // Consecutive nodes of one clock; those of slower clocks on their own ticks only.
  void by_clock(const std::vector<Id>& nodes, int t, const std::function<void(const std::vector<Id>&, int tick)>& run) {
    for (size_t from = 0, to = 0; from < nodes.size(); from = to) {
      Clock clock = g_[nodes[from]].clock();
      while (to < nodes.size() && g_[nodes[to]].clock() == clock) ++to;
      std::vector<Id> some(nodes.begin() + static_cast<std::ptrdiff_t>(from), nodes.begin() + static_cast<std::ptrdiff_t>(to));
      if (clock == region_.clock || clock.is_static()) {
        run(some, clock.is_static() ? l_.i(0) : t);
        continue;
      }
      ElemCtx ctx = context(some[0], t, {});
      int frame = ctx.frame_of(t, region_.clock), tick = ctx.tick_at(frame, clock);
      l_.guard(l_.equal(ctx.frame_of(tick, clock), frame), [&] {
        run(some, tick);
        for (Id id : some) value_.erase(id);  // known inside the guard only
      });
    }
  }

  // Consecutive values of one shape that read each other only at the same element share a loop nest.
  void groups(const std::vector<Id>& nodes, int tick) {
    for (size_t from = 0; from < nodes.size();) {
      size_t to = from + 1;
      while (to < nodes.size() && joins(nodes, from, to)) ++to;
      group({nodes.begin() + static_cast<std::ptrdiff_t>(from), nodes.begin() + static_cast<std::ptrdiff_t>(to)}, tick);
      from = to;
    }
  }

  bool is_write(Id id) const {
    const Node& node = g_[id];
    return node.attrs.has("cell") && g_.cells[static_cast<size_t>(node.attrs.i("cell"))].write == id;
  }

  Id write_of(Id cell) const { return g_.cells[static_cast<size_t>(g_[cell].attrs.i("cell"))].write; }

  bool is_read(Id id) const { return g_[id].attrs.has("cell") && g_[id].op->is(in_order) && !is_write(id); }

  bool by_statement(Id id) const { return g_[id].op->stmt && !is_closed_form(g_, id); }

  bool joins(const std::vector<Id>& nodes, size_t from, size_t to) const {
    Id id = nodes[to];
    if (by_statement(id) || by_statement(nodes[from]) || g_[id].shape() != g_[nodes[from]].shape()) return false;
    if (g_[id].shape().size() == 1) return true;
    std::vector<Id> group(nodes.begin() + static_cast<std::ptrdiff_t>(from), nodes.begin() + static_cast<std::ptrdiff_t>(to));
    return same_element(id, group, true);
  }

  // Does id read members of the group at its own element only?
  bool same_element(Id id, const std::vector<Id>& group, bool direct) const {
    const Node& node = g_[id];
    const bool elementwise = direct && node.op->elementwise();
    for (Id in : node.in) {
      if (std::find(group.begin(), group.end(), in) != group.end()) {
        if (!elementwise) return false;
      } else if (!plan_.stored(in) && !same_element(in, group, elementwise)) {
        return false;
      }
    }
    return true;
  }

  // A cell's elements are read where they lie, until it takes those of the next tick.
  bool in_cell(Id id) const { return is_read(id) && !is_stream(id) && g_[id].shape().size() > 1; }

  void group(const std::vector<Id>& nodes, int tick) {
    const Shape& shape = g_[nodes[0]].shape();
    if (by_statement(nodes[0])) return statement(nodes[0], tick);
    for (Id id : nodes)
      if (!is_stream(id) && shape.size() > 1) value_[id] = {tick, -1, {}, in_cell(id) ? cell_of(id) : l_.local(shape.size())};
    if (std::all_of(nodes.begin(), nodes.end(), [this](Id id) { return in_cell(id); })) return;
    const Ints ends = start_trades(nodes);
    std::vector<Id> taken;
    std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(taken), [&](Id id) { return is_write(id) && takes_elements(id, nodes); });
    // What a cell takes is read there from now on, by whatever name: what is the same in all loops over the elements.
    std::map<std::pair<Id, int>, int> same;
    int loops = 0;
    nest(shape, ends, {}, [&](const std::vector<int>& idx) {
      for (Id id : nodes) {
        ElemCtx ctx = context(id, tick, idx);
        int value = g_[id].op->elem(ctx);
        keep(id, tick, idx, value);
      }
      for (Id id : taken) {
        const int to = memory_taken_by(id), value = value_[id].expr;
        l_.store(to, context(id, tick, {}).ravel(idx, shape), value);
        for (Id other : nodes)
          if (value_[other].expr == value) ++same[{other, to}];
      }
      ++loops;
    });
    for (auto& [moved, times] : same)
      if (times == loops) value_[moved.first].array = moved.second;
    committed_.insert(taken.begin(), taken.end());
    if (shape.size() > 1)
      for (Id id : nodes) value_[id].expr = -1;  // known in the loop only
  }

  void keep(Id id, int tick, const std::vector<int>& idx, int value) {
    Value& v = value_[id];
    v.tick = tick, v.expr = value, v.idx = idx;
    int64_t size = g_[id].shape().size();
    int linear = context(id, tick, {}).ravel(idx, g_[id].shape());
    if (is_stream(id)) l_.store(stream_array(id, true), l_.add(l_.mul(tick, size), linear), value);
    else if (size > 1 && !in_cell(id)) l_.store(v.array, linear, value);
    if (plan_.exact[static_cast<size_t>(id)]) l_.store(exact_array(id, true), l_.i(0), exact_[id] = l_.widen(exact_value(id)));
  }

  bool takes_elements(Id write, const std::vector<Id>& group) const {
    if (written_over_.count(write)) return true;
    const Shape& shape = g_[write].shape();
    return !committed_.count(write) && shape.size() > 1 && fills_vectors(shape) && !needed_after(write, group);
  }
  int memory_taken_by(Id write) {
    const auto trade = written_over_.find(write);
    return cell_of(trade == written_over_.end() ? write : trade->second);
  }

  // Does this group make the new field, and is what it is written over read nowhere else?
  bool may_trade(const schedule::Trade& trade, const std::vector<Id>& group) const {
    const bool here = std::find(group.begin(), group.end(), trade.write) != group.end() && mine(trade.behind);
    const bool each_tick = region_.strategy == Strategy::serial && g_[trade.write].clock() == region_.clock;
    return here && each_tick && !committed_.count(trade.behind) && !needed_after(trade.behind, group);
  }
  // By axis: near the ends, so many elements of pads that are then asked where they lie.
  Ints start_trades(const std::vector<Id>& group) {
    Ints ends(static_cast<size_t>(g_[group[0]].shape().rank()), 0);
    for (const schedule::Trade& trade : plan_.trades) {
      if (!may_trade(trade, group)) continue;
      written_over_[trade.write] = trade.behind;
      committed_.insert(trade.behind);
      traded_.push_back(trade);
      l_.trade(cell_of(trade.write), cell_of(trade.behind));
      for_values([&](Id id) {
        const bool field = g_[id].op->is(pieces) && is_read(g_[id].in[0]) && write_of(g_[id].in[0]) == trade.write;
        if (!field || plan_.stored(id) || g_[id].shape().rank() != static_cast<int>(ends.size())) return;
        for (size_t axis = 0; axis < ends.size(); ++axis)
          if (g_[id].shape()[static_cast<int>(axis)] > g_[g_[id].in[0]].shape()[static_cast<int>(axis)]) ends[axis] = 1;
      });
    }
    if (!ends.empty() && ends.back() > 0) ends.back() = kRowEnd;
    return ends;
  }

  // ends: by axis, so many elements at both ends have loops of their own, and between them no index leaves the axis.
  void nest(const Shape& shape, const Ints& ends, std::vector<int> idx, const std::function<void(const std::vector<int>&)>& inner) {
    const auto axis = idx.size();
    if (static_cast<int>(axis) == shape.rank()) return inner(idx);
    auto of_element = [&](int var) {
      std::vector<int> next = idx;
      next.push_back(var);
      nest(shape, ends, std::move(next), inner);
    };
    auto loop = [&](int64_t from, int64_t to) {
      if (to == from + 1) return of_element(l_.i(from));
      if (from < to) l_.loop(l_.i(from), l_.i(to), LoopTag::lanes, false, of_element);
    };
    const int64_t n = shape[static_cast<int>(axis)], end = ends.empty() || n < 2 * ends[axis] ? 0 : ends[axis];
    if (end > 0) loop(0, end);
    loop(end, n - end);
    if (end > 0) loop(n - end, n);
  }

  // Rows of pieces around a wider one, which windows read, lie such that the wider one's vectors each fill a cache line.
  RowLayout row_layout(Id id) const {
    const Node& node = g_[id];
    if (!aligns_rows_ || !node.op->is(pieces) || is_stream(id) || node.shape().back() < kVector || read_whole(id)) return {};
    int64_t widest = 0;
    for (Id in : node.in) widest = std::max(widest, g_[in].shape().back());
    const auto round_up = [](int64_t n) { return (n + kVector - 1) / kVector * kVector; };
    const int64_t before = (node.shape().back() - widest) / 2, begin = round_up(before) - before;
    return {begin, round_up(begin + node.shape().back())};  // rows that begin within their pitch, so that threads may share them
  }
  // Does an operator take the value as an array?
  bool read_whole(Id id) const {
    return std::any_of(region_.nodes.begin(), region_.nodes.end(), [&](Id reader) {
      const Ids& in = g_[reader].in;
      return by_statement(reader) && std::any_of(in.begin(), in.end(), [&](Id i) { return schedule::array_behind(plan_, i) == id; });
    });
  }

  void statement(Id id, int tick) {
    const Node& node = g_[id];
    const int64_t size = node.shape().size();
    const RowLayout rows = row_layout(id);
    int out = -1;
    if (rows.pitch > 0) {
      rows_[id] = rows;
      const int64_t end = rows.begin + size / node.shape().back() * rows.pitch;
      out = l_.array({.kind = ArrayRef::local, .size = end, .written = true, .aligned = true});
    } else {
      out = is_stream(id) ? stream_array(id, true) : l_.local(size);
    }
    int base = is_stream(id) ? l_.mul(tick, size) : l_.i(0);
    StmtCtx ctx = statement_context(id, tick, out, base);
    ctx.rows = rows;
    node.op->stmt(ctx);
    value_[id] = {tick, size == 1 ? l_.load(out, base) : -1, {}, out};
  }

 public:
  StmtCtx statement_context(Id id, int tick, int out, int base) {
    StmtCtx ctx{context(id, tick, {})};
    ctx.out = out, ctx.base = base;
    ctx.array_of = [this, id, tick](int i) { return array_of(g_[id].in[static_cast<size_t>(i)], tick); };
    ctx.matrix_of = [this, id, tick](int i) {
      const Id in = g_[id].in[static_cast<size_t>(i)];
      const schedule::StaticMatrix known = schedule::static_matrix(g_, in);
      return StmtCtx::Matrix{array_of(known.id == none ? in : known.id, tick), known.transposed};
    };
    return ctx;
  }

 private:
  // A value at this tick as an array: where it is stored, or a copy made here.
  std::pair<int, int> array_of(Id id, int tick) {
    const Node& node = g_[id];
    int64_t size = node.shape().size();
    Id plain = schedule::array_behind(plan_, id);
    const Node& held = g_[plain];
    if (held.op->name == "hold" && !plan_.stored(plain) && g_[held.in[0]].clock().is_static())
      plain = schedule::array_behind(plan_, held.in[0]);
    if (plan_.stored(plain) && !is_stream(plain)) {
      DGEN_ASSERT(!rows_.count(plain));
      if (size > 1) return {value_.at(plain).array, l_.i(0)};
    } else if (const int array = memory_of(plain); array >= 0) {
      return {array, l_.mul(g_[plain].clock().is_static() ? l_.i(0) : tick, size)};
    }
    int copy = l_.local(size);
    nest(node.shape(), {}, {}, [&](const std::vector<int>& idx) {
      l_.store(copy, context(id, tick, {}).ravel(idx, node.shape()), element(id, tick, idx));
    });
    return {copy, l_.i(0)};
  }

  int cell_of(Id id) {
    const Node& node = g_[id];
    return l_.array({ArrayRef::state, static_cast<Id>(node.attrs.i("cell")), node.shape().size(), LoopType::f32, true});
  }

  // Elements that read a cell and write it cannot be done twice, as a last vector may do those of other loops; one of a bank is masked.
  static bool fills_vectors(const Shape& shape) {
    const int64_t row = shape.back();
    return row % kVector == 0 || kVector % row == 0 || (row == shape.size() && row < kLongestBank);
  }

  // Does a node after the group read the cell that is written, or one of the group other elements of it than its own?
  bool needed_after(Id write, const std::vector<Id>& group) const {
    const int64_t cell = g_[write].attrs.i("cell");
    auto reads = [&](Id id) { return is_read(id) && g_[id].attrs.i("cell") == cell; };
    auto after = std::find(region_.nodes.begin(), region_.nodes.end(), group.back()) + 1;
    const bool later = std::any_of(after, region_.nodes.end(), [&](Id id) {
      const std::vector<Id> in = schedule::stored_inputs(plan_, id);
      return reads(id) || std::any_of(in.begin(), in.end(), [&](Id i) { return reads(i) && in_cell(i); });
    });
    std::vector<Id> cells;
    std::copy_if(region_.nodes.begin(), region_.nodes.end(), std::back_inserter(cells), reads);
    return later || !std::all_of(group.begin(), group.end(), [&](Id id) { return same_element(id, cells, true); });
  }

  // The cell takes the written value; every read of this tick is done.
  void commit(Id id, int tick) {
    const int64_t size = g_[id].shape().size();
    int state = cell_of(id);
    auto known = value_.find(id);
    if (size == 1 && known != value_.end()) return l_.store(state, l_.i(0), known->second.expr);
    l_.loop(size, [&](int e) {
      int value = is_stream(id) ? l_.load(stream_array(id, true), l_.add(l_.mul(tick, size), e)) : l_.load(known->second.array, e);
      l_.store(state, e, value);
    });
  }

  struct Value {
    int tick = -1, expr = -1;
    std::vector<int> idx;
    int array = -1;
  };
  inline static const Region none_;
  const Plan& plan_;
  const Graph& g_;
  const Region& region_;
  int number_;
  LoopBuilder l_;
  std::map<Id, Value> value_;
  std::map<Id, int> exact_;  // what this kernel has computed in double
  bool aligns_rows_ = false;
  std::map<Id, RowLayout> rows_;  // of local values, where their rows do not follow each other
  std::set<Id> committed_;  // writes that their cells have taken at this tick
  std::map<Id, Id> written_over_;   // writes that go to the memory of another cell at this tick, by that cell's write
  std::vector<schedule::Trade> traded_;  // in the loop over ticks that is built
  ElemCtx::Held held_;
};

}  // namespace dgen::loop
