#include "loop/lower.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "ir/expr.h"
#include "ir/lower.h"
#include "ir/op.h"

namespace dgen::loop {

using namespace ir;
using schedule::Plan;
using schedule::Region;
using schedule::Store;
using schedule::Strategy;

namespace {

constexpr int64_t kLargestRegisterState = 64;
constexpr int64_t kShortestHold = 16;  // frames that are worth a loop
constexpr int64_t kLargestVector = 16;

// Builds one kernel over one region's values, or, with region -1, beside the regions.
class Lowering {
 public:
  Lowering(const Plan& plan, int region, std::string name)
      : plan_(plan), g_(plan.graph), region_(region < 0 ? none_ : plan.regions[static_cast<size_t>(region)]), number_(region), l_(std::move(name)) {}

  LoopBuilder& builder() { return l_; }

  Kernel ticks(bool hold_ticks) {
    declare();
    bool parallel = region_.strategy == Strategy::pointwise;
    int64_t period = hold_ticks && parallel && region_.clock.period == 1 ? slower_period() : 0;
    if (region_.clock.is_static()) {
      body(l_.i(0));
    } else if (period > 0) {
      ticks_of(period);
    } else {
      l_.loop(l_.arg(KernelArg::lo), l_.arg(KernelArg::hi), parallel ? LoopTag::parallel : LoopTag::serial,
              region_.clock.reverse && !parallel, [&](int t) { body(t); });
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

  ElemCtx context(Id id, int tick, std::vector<int> idx) {
    const Node& node = g_[id];
    return ElemCtx{l_, g_, node, id, tick, std::move(idx),
                   held_, [this, &node](int i, int t, std::vector<int> index) { return element(node.in[static_cast<size_t>(i)], t, index); }};
  }

  Kernel finish() {
    Kernel kernel = l_.finish();
    kernel.why = region_.reason;
    return kernel;
  }

  int stream_array(Id id, bool written) { return l_.array({ArrayRef::stream, id, g_[id].shape().size(), LoopType::f32, written}); }

 private:
  bool mine(Id id) const { return plan_.region_of[static_cast<size_t>(id)] == number_; }
  bool is_stream(Id id) const { return plan_.store[static_cast<size_t>(id)] == Store::stream; }

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
    std::set<Id> seen;
    std::vector<Id> todo = region_.nodes;
    int64_t shortest = 0;
    while (!todo.empty()) {
      Id id = todo.back();
      todo.pop_back();
      for (Id in : g_[id].in) {
        int64_t period = g_[in].clock().period;
        if (period >= kShortestHold && g_[id].clock().period == 1) shortest = shortest == 0 ? period : std::min(shortest, period);
        if (!plan_.stored(in) && seen.insert(in).second) todo.push_back(in);
      }
    }
    return shortest;
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

  int stored_element(Id id, int tick, const std::vector<int>& idx) {
    const Node& node = g_[id];
    int linear = context(id, tick, {}).ravel(idx, node.shape());
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
    value_.clear(), committed_.clear();
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
    bool elementwise = direct && (node.op->family == Family::scalar || node.op->family == Family::state);
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
    nest(shape, {}, [&](const std::vector<int>& idx) {
      for (Id id : nodes) {
        ElemCtx ctx = context(id, tick, idx);
        int value = g_[id].op->elem(ctx);
        keep(id, tick, idx, value);
      }
      for (Id id : nodes)
        if (is_write(id) && shape.size() > 1 && fills_vectors(shape.back()) && !needed_after(id, nodes))
          commit_element(id, tick, idx, nodes);
    });
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
  }

  // What the cell takes is read there from now on, by whatever name.
  void commit_element(Id write, int tick, const std::vector<int>& idx, const std::vector<Id>& group) {
    const Value& value = value_[write];
    l_.store(cell_of(write), context(write, tick, {}).ravel(idx, g_[write].shape()), value.expr);
    committed_.insert(write);
    for (Id id : group)
      if (value_[id].expr == value.expr) value_[id].array = cell_of(write);
  }

  void nest(const Shape& shape, std::vector<int> idx, const std::function<void(const std::vector<int>&)>& inner) {
    int axis = static_cast<int>(idx.size());
    if (axis == shape.rank()) return inner(idx);
    if (shape[axis] == 1) {
      idx.push_back(l_.i(0));
      return nest(shape, std::move(idx), inner);
    }
    l_.loop(shape[axis], [&](int var) {
      std::vector<int> next = idx;
      next.push_back(var);
      nest(shape, std::move(next), inner);
    });
  }

  void statement(Id id, int tick) {
    const Node& node = g_[id];
    int64_t size = node.shape().size();
    int out = is_stream(id) ? stream_array(id, true) : l_.local(size);
    int base = is_stream(id) ? l_.mul(tick, size) : l_.i(0);
    StmtCtx ctx = statement_context(id, tick, out, base);
    node.op->stmt(ctx);
    value_[id] = {tick, size == 1 ? l_.load(out, base) : -1, {}, out};
  }

 public:
  StmtCtx statement_context(Id id, int tick, int out, int base) {
    StmtCtx ctx{context(id, tick, {})};
    ctx.out = out, ctx.base = base;
    ctx.array_of = [this, id, tick](int i) { return array_of(g_[id].in[static_cast<size_t>(i)], tick); };
    return ctx;
  }

 private:
  // A value at this tick as an array: where it is stored, or a copy made here.
  std::pair<int, int> array_of(Id id, int tick) {
    const Node& node = g_[id];
    int64_t size = node.shape().size();
    Id plain = schedule::array_behind(plan_, id);
    if (plan_.stored(plain)) {
      if (is_stream(plain)) return {stream_array(plain, mine(plain)), l_.mul(g_[plain].clock().is_static() ? l_.i(0) : tick, size)};
      if (size > 1) return {value_.at(plain).array, l_.i(0)};
    }
    int copy = l_.local(size);
    nest(node.shape(), {}, [&](const std::vector<int>& idx) {
      l_.store(copy, context(id, tick, {}).ravel(idx, node.shape()), element(id, tick, idx));
    });
    return {copy, l_.i(0)};
  }

  int cell_of(Id id) {
    const Node& node = g_[id];
    return l_.array({ArrayRef::state, static_cast<Id>(node.attrs.i("cell")), node.shape().size(), LoopType::f32, true});
  }

  // Elements that read a cell and write it cannot be done twice, as a last vector may do those of other loops.
  static bool fills_vectors(int64_t size) { return size % kLargestVector == 0 || kLargestVector % size == 0; }

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
  std::set<Id> committed_;  // writes that their cells have taken at this tick
  ElemCtx::Held held_;
};

// ---- one matrix product over all ticks -------------------------------------------------------------------------------

int array_for(Lowering& low, const Plan& plan, Id id) {
  id = schedule::array_behind(plan, id);
  const Node& node = plan.graph[id];
  auto& l = low.builder();
  int64_t size = node.shape().size();
  if (node.op->name == "input") return l.array({ArrayRef::input, id, size});
  if (node.op->name == "param") return l.array({ArrayRef::param, static_cast<Id>(node.attrs.i("slot")), size});
  if (node.op->name == "tensor") return l.array({ArrayRef::tensor, static_cast<Id>(node.attrs.i("slot")), size});
  return low.stream_array(id, false);
}

Kernel lower_gemm(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  Id id = plan.regions[static_cast<size_t>(region)].nodes[0];
  const Node& node = g[id];
  schedule::StaticMatrix right = schedule::static_matrix(g, node.in[1]);
  int64_t k = g[node.in[0]].shape().back(), n = node.shape().back(), rows = node.shape().size() / n;
  int lo = l.arg(KernelArg::lo), count = l.mul(l.sub(l.arg(KernelArg::hi), lo), rows);
  int a = array_for(low, plan, node.in[0]), b = array_for(low, plan, right.id), c = low.stream_array(id, true);
  l.call("dg_matmul", {{a, l.mul(lo, rows * k)}, {b, l.i(0)}, {c, l.mul(lo, rows * n)}},
         {l.i(0), l.i(right.transposed), count, l.i(n), l.i(k), l.i(node.attrs.i("zero", 0))});
  return low.finish();
}

// ---- linear recurrences ----------------------------------------------------------------------------------------------

// Which of a cell's values go out: before the tick, after it, both or none.
char values_out(const Plan& plan, Id read, Id write) {
  auto stream = [&plan](Id id) { return id != none && plan.store[static_cast<size_t>(id)] == Store::stream; };
  return stream(read) ? (stream(write) ? 'x' : 'b') : stream(write) ? 'a' : 'n';
}

// One call for the tile; codegen/prelude_scan.cpp says what its name and parameters mean.
Kernel lower_scan(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const analysis::Recurrence& r = plan.regions[static_cast<size_t>(region)].recurrence;
  const int lo = l.arg(KernelArg::lo), n = l.sub(l.arg(KernelArg::hi), lo);
  const schedule::IsStored stored = [&plan](Id id) { return plan.stored(id); };
  const schedule::ScanGains gains = schedule::scan_gains(g, r, stored);
  std::vector<std::pair<Id, std::vector<Id>>> sums;
  for (Id id : plan.regions[static_cast<size_t>(region)].nodes)
    if (auto factors = schedule::scan_sum(g, r, id, stored); !factors.empty()) sums.emplace_back(id, std::move(factors));
  auto local = [&l](size_t size) { return l.local(std::max<int64_t>(1, static_cast<int64_t>(size))); };
  const int fixed = local(r.a.size()), factors = local(r.order()), of_sums = local(sums.size() * (r.order() + 1));
  std::vector<std::pair<int, int>> pointers{{fixed, l.i(0)}, {factors, l.i(0)}, {of_sums, l.i(0)}}, cells;
  std::string a, b, out;
  auto number = [&](Id id) { return low.element(id, l.i(0), std::vector<int>(static_cast<size_t>(g[id].shape().rank()), l.i(0))); };
  for (size_t i = 0; i < r.a.size(); ++i) {
    const Id from = r.a[i] == none ? none : schedule::static_number(g, r.a[i]);
    const double* known = from == none ? nullptr : constant_value(g, from);
    const char kind = r.a[i] == none ? '0' : from == none ? 't' : known && *known == 1 ? '1' : 's';
    a += r.masked[i] ? kind : static_cast<char>(std::toupper(kind));
    if (kind == 't') pointers.push_back({array_for(low, plan, r.a[i]), lo});
    if (kind == 's') l.store(fixed, l.i(static_cast<int64_t>(i)), number(from));
  }
  if (gains.input != none) pointers.push_back({array_for(low, plan, gains.input), lo});
  for (size_t i = 0; i < r.order(); ++i) {
    b += r.b[i] == none ? '0' : gains.gain[i] == none ? 't' : 's';
    if (b.back() == 's') l.store(factors, l.i(static_cast<int64_t>(i)), number(gains.gain[i]));
    if (b.back() == 't') pointers.push_back({array_for(low, plan, r.b[i]), lo});
    out += values_out(plan, r.read[i], r.write[i]);
    auto cell = static_cast<Id>(g[r.write[i]].attrs.i("cell"));
    cells.push_back({l.array({ArrayRef::state, cell, 1, LoopType::f32, true}), l.i(0)});
  }
  for (size_t i = 0; i < r.order(); ++i) {
    if (out[i] == 'b' || out[i] == 'x') pointers.push_back({low.stream_array(r.read[i], true), lo});
    if (out[i] == 'a' || out[i] == 'x') pointers.push_back({low.stream_array(r.write[i], true), lo});
  }
  for (int64_t at = 0; auto& [sum, parts] : sums) {
    pointers.push_back({low.stream_array(sum, true), lo});
    for (Id part : parts) {
      const double* known = part == none ? nullptr : constant_value(g, part);
      out += part == none ? '0' : known && *known == 1 ? '1' : 's';
      if (out.back() == 's') l.store(of_sums, l.i(at), number(part));
      ++at;
    }
  }
  cells.push_back({l.array({ArrayRef::segment, static_cast<Id>(g[r.write[0]].attrs.i("cell")), 1, LoopType::f32, true}), l.i(0)});
  pointers.insert(pointers.end(), cells.begin(), cells.end());
  const char* order = g[r.write[0]].clock().reverse ? "_r" : "";
  l.call(cat("dg_scan_", r.order(), "_", a, "_", b, "_", out, order), pointers, {n, l.add(l.arg(KernelArg::tile_frame), lo)});
  return low.finish();
}

Kernel lower_shift(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const analysis::Recurrence& r = plan.regions[static_cast<size_t>(region)].recurrence;
  const Node& write = g[r.write[0]];
  const int64_t size = write.shape().size();
  const int lo = l.arg(KernelArg::lo), n = l.sub(l.arg(KernelArg::hi), lo), at = l.mul(lo, size);
  const int from = array_for(low, plan, r.b[0]);
  const int cell = l.array({ArrayRef::state, static_cast<Id>(write.attrs.i("cell")), size, LoopType::f32, true});
  l.call(write.clock().reverse ? "dg_shift_r" : "dg_shift", {{low.stream_array(r.read[0], true), at}, {from, at}, {cell, l.i(0)}}, {n, l.i(size)});
  return low.finish();
}

// ---- sums over time --------------------------------------------------------------------------------------------------

// One float32 partial sum a chunk of the stream; a second kernel adds them in order in float64.
class TimeSum {
 public:
  TimeSum(const Plan& plan, int region, const std::string& name)
      : plan_(plan), region_(region), name_(name), id_(plan.regions[static_cast<size_t>(region)].nodes[0]), in_(plan.graph[id_].in[0]) {
    size_ = plan.graph[id_].shape().size();
    clock_ = plan.graph[in_].clock();
    ticks_ = plan.chunk == 0 ? 0 : plan.chunk / clock_.period;
  }

  std::vector<Kernel> kernels() { return {partial(), total()}; }

 private:
  int partial_array(LoopBuilder& l, bool written) { return l.array({ArrayRef::partial, id_, size_, LoopType::f32, written}); }

  // lo and hi count chunks of the tile; a chunk's ticks end with the run.
  Kernel partial() {
    Lowering low(plan_, region_, name_);
    auto& l = low.builder();
    int out = partial_array(l, true);
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::parallel, false, [&](int chunk) {
      int end = l.arg(KernelArg::tile_ticks, clock_.period);
      int from = ticks_ == 0 ? l.i(0) : l.mul(chunk, ticks_);
      int to = ticks_ == 0 ? end : l.binary(LoopOp::imin, l.add(from, l.i(ticks_)), end);
      chunk_sum(low, out, l.mul(chunk, size_), from, to);
    });
    return low.finish();
  }

  void chunk_sum(Lowering& low, int out, int base, int from, int to) {
    auto& l = low.builder();
    const Node& in = plan_.graph[in_];
    schedule::TimeProduct product = plan_.stored(in_) ? schedule::TimeProduct{} : schedule::time_product(plan_.graph, id_);
    if (product.a != none) return chunk_product(low, product, out, base, from, to);
    if (size_ == 1 && !in.op->is(scatters)) {
      std::vector<int> zeros(static_cast<size_t>(in.shape().rank()), l.i(0));
      int sum = l.reduce_to("sum", {l.sub(to, from)}, [&](const std::vector<int>& r) { return low.element(in_, l.add(from, r[0]), zeros); });
      return l.store(out, base, sum);
    }
    l.loop(size_, [&](int e) { l.store(out, l.add(base, e), l.f(0)); });
    l.loop(from, to, LoopTag::serial, false, [&](int t) {
      if (in.op->is(scatters) && !plan_.stored(in_)) {
        StmtCtx ctx = low.statement_context(in_, t, out, base);
        ctx.onto = true;
        return in.op->stmt(ctx);
      }
      l.loop(size_, [&](int e) {
        std::vector<int> idx = low.context(in_, t, {}).unravel(e, in.shape());
        l.accumulate(out, l.add(base, e), low.element(in_, t, idx));
      });
    });
  }

  // a^T b over the chunk's ticks and rows is one matrix product.
  void chunk_product(Lowering& low, schedule::TimeProduct product, int out, int base, int from, int to) {
    auto& l = low.builder();
    const Graph& g = plan_.graph;
    int64_t m = plan_.graph[id_].shape()[0], n = plan_.graph[id_].shape()[1], rows = g[product.a].shape().size() / m;
    int a = array_for(low, plan_, product.a), b = array_for(low, plan_, product.b);
    l.call("dg_matmul", {{a, l.mul(from, rows * m)}, {b, l.mul(from, rows * n)}, {out, base}},
           {l.i(1), l.i(0), l.i(m), l.i(n), l.mul(l.sub(to, from), rows), l.i(product.zero)});
  }

  Kernel total() {
    Lowering low(plan_, region_, name_ + "_total");
    auto& l = low.builder();
    int part = partial_array(l, false);
    int sum = l.array({ArrayRef::total, id_, size_, LoopType::f32, true});
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::serial, clock_.reverse, [&](int chunk) {
      l.call("dg_add_to", {{sum, l.i(0)}, {part, l.mul(chunk, size_)}}, {l.i(size_)});
    });
    return low.finish();
  }

  const Plan& plan_;
  int region_;
  std::string name_;
  Id id_, in_;
  int64_t size_ = 0, ticks_ = 0;
  Clock clock_;
};

}  // namespace

LoweredRegion lower_region(const Plan& plan, int number, bool hold_ticks) {
  const Region& region = plan.regions[static_cast<size_t>(number)];
  std::string name = "k" + std::to_string(number);
  if (region.strategy == Strategy::gemm) return {{lower_gemm(plan, number, name)}, true};
  if (region.strategy == Strategy::scan) return {{lower_scan(plan, number, name)}, false};
  if (region.strategy == Strategy::shift) return {{lower_shift(plan, number, name)}, false};
  if (region.strategy == Strategy::sum_time) return {TimeSum(plan, number, name).kernels(), true};
  bool parallel = region.strategy == Strategy::pointwise && !region.clock.is_static();
  return {{Lowering(plan, number, name).ticks(hold_ticks)}, parallel};
}

std::vector<Kernel> advance_kernels(const Plan& plan, int level) {
  std::vector<Kernel> kernels;
  const Graph& g = plan.graph;
  for (Id id = 0; id < g.size(); ++id) {
    if (!is_closed_form(g, id) || plan.level[static_cast<size_t>(id)] != level) continue;
    Lowering low(plan, plan.region_of[static_cast<size_t>(id)], "advance" + std::to_string(id));
    auto& l = low.builder();
    int64_t size = g[id].shape().size();
    int phase = l.array({ArrayRef::phase, id, size, LoopType::u64, true});
    int rate = l.load(l.array({ArrayRef::scalars}), l.i(static_cast<int64_t>(RunScalar::sample_rate)));
    l.loop(size, [&](int e) {
      ElemCtx ctx = low.context(id, l.i(0), {});
      int step = l.call("dg_phase_step_static", {low.element(g[id].in[0], l.i(0), ctx.unravel(e, g[id].shape())), rate});
      l.store(phase, e, l.call("dg_phase_after", {l.load(phase, e), step, l.arg(KernelArg::tile_ticks, 1)}));
    });
    kernels.push_back(low.finish());
  }
  return kernels;
}

std::vector<Kernel> finish_kernels(const Plan& plan, int level) {
  std::vector<Kernel> kernels;
  for (size_t r = 0; r < plan.regions.size(); ++r) {
    const Region& region = plan.regions[r];
    if (region.level != level || region.strategy != Strategy::sum_time) continue;
    Id id = region.nodes[0];
    int64_t size = plan.graph[id].shape().size();
    Lowering low(plan, static_cast<int>(r), "finish" + std::to_string(r));
    auto& l = low.builder();
    int out = low.stream_array(id, true), sum = l.array({ArrayRef::total, id, size});
    l.loop(size, [&](int e) { l.store(out, e, l.load(sum, e)); });
    kernels.push_back(low.finish());
  }
  return kernels;
}

std::vector<Kernel> lower_plan(const Plan& plan, bool hold_ticks) {
  std::vector<Kernel> all;
  auto append = [&all](std::vector<Kernel> kernels) {
    for (Kernel& kernel : kernels) all.push_back(std::move(kernel));
  };
  for (size_t r = 0; r < plan.regions.size(); ++r) append(lower_region(plan, static_cast<int>(r), hold_ticks).kernels);
  for (int level = 0; level < plan.levels; ++level) append(advance_kernels(plan, level)), append(finish_kernels(plan, level));
  return all;
}

}  // namespace dgen::loop
