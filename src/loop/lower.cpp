#include "loop/lower.h"

#include <cctype>

#include "ir/expr.h"
#include "loop/lowering.h"
#include "loop/meet.h"
#include "loop/share.h"
#include "loop/sines.h"

namespace dgen::loop {

namespace {

// A list of one, whose braces would copy it.
std::vector<Kernel> only(Kernel kernel) {
  std::vector<Kernel> kernels;
  kernels.push_back(std::move(kernel));
  return kernels;
}

// ---- one matrix product over all ticks -------------------------------------------------------------------------------

Kernel lower_gemm(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const std::vector<Id>& nodes = plan.regions[static_cast<size_t>(region)].nodes;
  const Node& node = g[nodes[0]];
  const Id panels = schedule::static_panels(g, nodes[0]);
  const schedule::StaticMatrix right = panels != none ? schedule::StaticMatrix{panels} : schedule::static_matrix(g, node.in[1]);
  int64_t k = g[node.in[0]].shape().back(), n = node.shape().back(), rows = node.shape().size() / n;
  int lo = l.arg(KernelArg::lo), count = l.mul(l.sub(l.arg(KernelArg::hi), lo), rows);
  const std::pair<int, int> a{low.array_behind(node.in[0]), l.mul(lo, rows * k)}, b{low.array_behind(right.id), l.i(0)},
      c{low.stream_array(nodes.back(), true), l.mul(lo, rows * n)};
  const int layout = l.i(panels != none ? 2 : right.transposed);
  if (const schedule::ProductEnding& ending = plan.regions[static_cast<size_t>(region)].ending; ending.sum != none) {
    const std::string function = cat("dg_matmul_bias", ending.function.empty() ? "" : "_", ending.function);
    l.call(function, {a, b, {low.array_behind(ending.bias), l.i(0)}, c}, {l.i(0), layout, count, l.i(n), l.i(k)});
  } else {
    l.call("dg_matmul", {a, b, c}, {l.i(0), layout, count, l.i(n), l.i(k), l.i(node.attrs.i("zero", 0)), l.i(0)});
  }
  return low.finish();
}

// ---- linear recurrences ----------------------------------------------------------------------------------------------

// Which of a cell's values go out: before the tick, after it, both or none.
char values_out(const Plan& plan, Id read, Id write) {
  auto stream = [&plan](Id id) { return id != none && plan.store[static_cast<size_t>(id)] == Store::stream; };
  return stream(read) ? (stream(write) ? 'x' : 'b') : stream(write) ? 'a' : 'n';
}

// One call for the tile, or for each block of a sine that the scan makes itself; codegen/prelude_scan.cpp says what its name and
// parameters mean.
class ScanCall {
 public:
  ScanCall(const Plan& plan, int region, const std::string& name)
      : plan_(plan),
        g_(plan.graph),
        region_(plan.regions[static_cast<size_t>(region)]),
        r_(region_.recurrence),
        low_(plan, region, name),
        l_(low_.builder()),
        gains_(schedule::scan_gains(g_, r_, stored_)),
        fixed_(l_.local(static_cast<int64_t>(r_.a.size()), LoopType::f64)),
        factors_(l_.local(static_cast<int64_t>(r_.order()))) {}

  Kernel kernel() {
    name_coefficients(), name_inputs(), name_sums();
    if (made()) {
      for_blocks_of_sine(low_, gains_.input, [&](const SineBlock& sine) {
        call(sine.from, sine.end, {{sine.anchors, l_.i(0)}, {sine.table, l_.i(0)}, {sine.weight, l_.i(0)}}, "_w", {sine.groups});
      });
    } else {
      const int lo = l_.arg(KernelArg::lo);
      Pointers input;
      if (gains_.input != none) input.push_back({low_.array_behind(gains_.input), lo});
      const bool ordered = region_.strategy == schedule::Strategy::ordered, reverse = g_[r_.write[0]].clock().reverse;
      call(lo, l_.arg(KernelArg::hi), input, ordered ? (reverse ? "_or" : "_o") : reverse ? "_r" : "", {});
    }
    return low_.finish();
  }

 private:
  using Pointers = std::vector<std::pair<int, int>>;

  bool made() const { return gains_.input != none && plan_.store[static_cast<size_t>(gains_.input)] == Store::local; }
  int number(Id id) { return low_.element(id, l_.i(0), std::vector<int>(static_cast<size_t>(g_[id].shape().rank()), l_.i(0))); }

  void name_coefficients() {
    for (size_t i = 0; i < r_.a.size(); ++i) {
      const Id from = r_.a[i] == none ? none : schedule::static_number(g_, r_.a[i]);
      const double* known = from == none ? nullptr : constant_value(g_, from);
      const char kind = r_.a[i] == none ? '0' : from == none ? 't' : known && *known == 1 ? '1' : 's';
      a_ += r_.masked[i] ? kind : static_cast<char>(std::toupper(kind));
      if (kind == 't') coefficients_.push_back(low_.array_behind(r_.a[i]));
      if (kind == 's') l_.store(fixed_, l_.i(static_cast<int64_t>(i)), low_.exact(from));
    }
  }

  void name_inputs() {
    for (size_t i = 0; i < r_.order(); ++i) {
      const Id stream = r_.b[i] == none ? none : schedule::array_behind(g_, r_.b[i], stored_);
      b_ += stream == none ? '0' : gains_.gain[i] != none ? 's' : stream == gains_.input ? '1' : 't';
      if (b_.back() == 's') l_.store(factors_, l_.i(static_cast<int64_t>(i)), number(gains_.gain[i]));
      if (b_.back() == 't') streams_.push_back(low_.array_behind(r_.b[i]));
      out_ += values_out(plan_, r_.read[i], r_.write[i]);
      cells_.push_back(l_.array({ArrayRef::state, static_cast<Id>(g_[r_.write[i]].attrs.i("cell")), 1, LoopType::f32, true}));
    }
    for (size_t i = 0; i < r_.order(); ++i) {
      if (out_[i] == 'b' || out_[i] == 'x') streams_.push_back(low_.stream_array(r_.read[i], true));
      if (out_[i] == 'a' || out_[i] == 'x') streams_.push_back(low_.stream_array(r_.write[i], true));
    }
    cells_.push_back(l_.array({ArrayRef::segment, static_cast<Id>(g_[r_.write[0]].attrs.i("cell")), 1, LoopType::f32, true}));
  }

  void name_sums() {
    std::vector<std::pair<Id, schedule::ScanSum>> sums;
    for (Id id : region_.nodes)
      if (auto sum = schedule::scan_sum(g_, r_, id, stored_); !sum.factors.empty()) sums.emplace_back(id, std::move(sum));
    of_sums_ = l_.local(std::max<int64_t>(1, static_cast<int64_t>(sums.size() * (r_.order() + 1))));
    for (int64_t at = 0; auto& [sum, parts] : sums) {
      streams_.push_back(low_.stream_array(sum, true));
      for (Id part : parts.factors) {
        const double* known = part == none || parts.after ? nullptr : constant_value(g_, part);
        out_ += part == none ? '0' : known && *known == 1 ? '1' : parts.after ? 'S' : 's';
        if (std::tolower(out_.back()) == 's') l_.store(of_sums_, l_.i(at), number(part));
        ++at;
      }
    }
  }

  void call(int from, int end, const Pointers& input, const char* kind, std::vector<int> numbers) {
    Pointers pointers{{fixed_, l_.i(0)}, {factors_, l_.i(0)}, {of_sums_, l_.i(0)}};
    for (int array : coefficients_) pointers.push_back({array, from});
    pointers.insert(pointers.end(), input.begin(), input.end());
    for (int array : streams_) pointers.push_back({array, from});
    for (int array : cells_) pointers.push_back({array, l_.i(0)});
    numbers.insert(numbers.begin(), {l_.sub(end, from), l_.add(l_.arg(KernelArg::tile_frame), from)});
    l_.call(cat("dg_scan_", r_.order(), "_", a_, "_", b_, "_", out_, kind), pointers, numbers);
  }

  const Plan& plan_;
  const Graph& g_;
  const Region& region_;
  const analysis::Recurrence& r_;
  Lowering low_;
  LoopBuilder& l_;
  const schedule::IsStored stored_ = [this](Id id) { return plan_.stored(id); };
  const schedule::ScanGains gains_;
  int fixed_, factors_, of_sums_ = -1;  // local arrays
  std::string a_, b_, out_;             // parts of the function's name
  std::vector<int> coefficients_, streams_, cells_;
};

Kernel lower_shift(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const analysis::Recurrence& r = plan.regions[static_cast<size_t>(region)].recurrence;
  const Node& write = g[r.write[0]];
  const int64_t size = write.shape().size();
  const int lo = l.arg(KernelArg::lo), n = l.sub(l.arg(KernelArg::hi), lo), at = l.mul(lo, size);
  const int from = low.array_behind(r.b[0]);
  const int cell = l.array({ArrayRef::state, static_cast<Id>(write.attrs.i("cell")), size, LoopType::f32, true});
  l.call(write.clock().reverse ? "dg_shift_r" : "dg_shift", {{low.stream_array(r.read[0], true), at}, {from, at}, {cell, l.i(0)}},
         {n, l.i(size)});
  return low.finish();
}

Kernel lower_phase_sum(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Id id = plan.regions[static_cast<size_t>(region)].nodes[0];
  const int lo = l.arg(KernelArg::lo), n = l.sub(l.arg(KernelArg::hi), lo);
  const int phase = l.array({ArrayRef::phase, id, 1, LoopType::u64, true}), scalars = l.array({ArrayRef::scalars});
  l.call("dg_phase_sum",
         {{low.stream_array(id, true), lo}, {low.array_behind(plan.graph[id].in[0]), lo}, {phase, l.i(0)}, {scalars, l.i(0)}}, {n});
  return low.finish();
}

// ---- sums over time --------------------------------------------------------------------------------------------------

// One float32 partial sum a chunk of the stream; a second kernel adds them in order in float64. A region of several has only sums of
// single elements. Products, of many elements, are added to their totals as they are made, some terms at a time (dg_matmul_onto).
class TimeSums {
 public:
  TimeSums(const Plan& plan, int region, const std::string& name)
      : plan_(plan), region_(region), name_(name), sums_(plan.regions[static_cast<size_t>(region)].nodes) {
    clock_ = plan.graph[summed(sums_[0])].clock();
    ticks_ = plan.chunk == 0 ? 0 : plan.chunk / clock_.period;
  }

  LoweredRegion kernels() {
    if (plan_.regions[static_cast<size_t>(region_)].onto.a != none) return {only(onto()), false};
    return {{partial(), total()}, true};
  }

 private:
  Id summed(Id sum) const { return plan_.graph[sum].in[0]; }
  schedule::TimeProduct product_of(Id sum) const {
    return plan_.stored(summed(sum)) ? schedule::TimeProduct{} : schedule::time_product(plan_.graph, summed(sum));
  }
  int64_t size(Id sum) const { return plan_.graph[sum].shape().size(); }
  int partial_array(LoopBuilder& l, Id sum, bool written) {
    return l.array({ArrayRef::partial, sum, size(sum), LoopType::f32, written});
  }

  // lo and hi count chunks of the tile; a chunk's ticks end with the run.
  std::pair<int, int> ticks_of(LoopBuilder& l, int chunk) const {
    const int end = l.arg(KernelArg::tile_ticks, clock_.period);
    if (ticks_ == 0) return {l.i(0), end};
    const int from = l.mul(chunk, ticks_);
    return {from, l.binary(LoopOp::imin, l.add(from, l.i(ticks_)), end)};
  }

  Kernel partial() {
    Lowering low(plan_, region_, name_);
    auto& l = low.builder();
    for (Id sum : sums_) partial_array(l, sum, true);
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::parallel, false, [&](int chunk) {
      const auto [from, to] = ticks_of(l, chunk);
      const Id first = sums_[0];
      const bool single = size(first) == 1 && !plan_.graph[summed(first)].op->is(scatters) && product_of(first).a == none;
      DGEN_ASSERT(single || sums_.size() == 1);
      if (single) single_sums(low, chunk, from, to);
      else chunk_sum(low, first, l.mul(chunk, size(first)), from, to);
    });
    return low.finish();
  }

  // One after the other, so that a renderer may make one loop of them.
  void single_sums(Lowering& low, int chunk, int from, int to) {
    auto& l = low.builder();
    std::vector<int> values;
    for (Id sum : sums_) {
      const Id in = summed(sum);
      const std::vector<int> zeros(static_cast<size_t>(plan_.graph[in].shape().rank()), l.i(0));
      const auto term = [&](const std::vector<int>& r) { return low.element(in, l.add(from, r[0]), zeros); };
      values.push_back(l.reduce_to("sum", {l.sub(to, from)}, term));
    }
    for (size_t i = 0; i < sums_.size(); ++i) l.store(partial_array(l, sums_[i], true), chunk, values[i]);
  }

  void chunk_sum(Lowering& low, Id sum, int base, int from, int to) {
    auto& l = low.builder();
    const Id in = summed(sum);
    const int out = partial_array(l, sum, true);
    const OpDef& op = *plan_.graph[in].op;
    if (const schedule::TimeProduct product = product_of(sum); product.a != none)
      return chunk_product(low, product, sum, base, from, to);
    l.loop(size(sum), [&](int e) { l.store(out, l.add(base, e), l.f(0)); });
    l.loop(from, to, LoopTag::serial, false, [&](int t) {
      if (op.is(scatters) && !plan_.stored(in)) {
        StmtCtx ctx = low.statement_context(in, t, out, base);
        ctx.onto = true;
        return op.stmt(ctx);
      }
      for_elements(low, plan_.graph[in].shape(), [&](int e, const std::vector<int>& idx) {
        l.accumulate(out, l.add(base, e), low.element(in, t, idx));
      });
    });
  }

  // Row by row if rows are whole vectors: what has an element a row, or is the same in all of them, then needs no index of its own.
  static void for_elements(Lowering& low, const Shape& shape, const std::function<void(int e, const std::vector<int>& idx)>& f) {
    auto& l = low.builder();
    const ElemCtx ctx = low.context(0, l.i(0), {});
    if (shape.rank() < 2 || shape.back() % kVector != 0) return l.loop(shape.size(), [&](int e) { f(e, ctx.unravel(e, shape)); });
    Ints outer = shape.sizes();
    outer.pop_back();
    l.loop(shape.size() / shape.back(), [&](int row) {
      l.loop(shape.back(), [&](int i) {
        std::vector<int> idx = ctx.unravel(row, Shape(outer));
        idx.push_back(i);
        f(l.add(l.mul(row, shape.back()), i), idx);
      });
    });
  }

  // a^T b over the chunk's ticks and rows is one matrix product.
  void chunk_product(Lowering& low, schedule::TimeProduct product, Id sum, int base, int from, int to) {
    auto& l = low.builder();
    const Graph& g = plan_.graph;
    int64_t m = g[sum].shape()[0], n = g[sum].shape()[1], rows = g[product.a].shape().size() / m;
    int a = low.array_behind(product.a), b = low.array_behind(product.b);
    l.call("dg_matmul", {{a, l.mul(from, rows * m)}, {b, l.mul(from, rows * n)}, {partial_array(l, sum, true), base}},
           {l.i(1), l.i(0), l.i(m), l.i(n), l.mul(l.sub(to, from), rows), l.i(product.zero), l.i(0)});
  }

  // Chunks in order, their products added to the total; threads may share its rows, or its columns where rows are few.
  Kernel onto() {
    Lowering low(plan_, region_, name_);
    auto& l = low.builder();
    const Id sum = sums_[0];
    const Shape& shape = plan_.graph[sum].shape();
    schedule::TimeProduct product = plan_.regions[static_cast<size_t>(region_)].onto;
    int64_t m = shape[0], n = shape[1], row = n, column = 1;
    const int64_t rows = plan_.graph[product.a].shape().size() / m;
    if (m < kFewRows && m < n) {
      std::swap(product.a, product.b), std::swap(m, n), std::swap(row, column);
      product.zero = product.zero == 0 ? 0 : 3 - product.zero;
    }
    const int a = low.array_behind(product.a), b = low.array_behind(product.b);
    const int total = l.array({ArrayRef::total, sum, size(sum), LoopType::f32, true});
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::serial, clock_.reverse, [&](int chunk) {
      const auto [from, to] = ticks_of(l, chunk);
      l.call("dg_matmul_onto", {{a, l.mul(from, rows * m)}, {b, l.mul(from, rows * n)}, {total, l.i(0)}},
             {l.i(m), l.i(n), l.i(m), l.i(n), l.mul(l.sub(to, from), rows), l.i(row), l.i(column), l.i(product.zero)}, {m, n, m * row}, 2);
    });
    return find_shared_lanes(low.finish());
  }

  Kernel total() {
    Lowering low(plan_, region_, name_ + "_total");
    auto& l = low.builder();
    std::vector<std::pair<int, int>> arrays;  // of each sum: its parts, and their total
    for (Id sum : sums_)
      arrays.emplace_back(partial_array(l, sum, false), l.array({ArrayRef::total, sum, size(sum), LoopType::f32, true}));
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::serial, clock_.reverse, [&](int chunk) {
      for (size_t i = 0; i < sums_.size(); ++i) {
        const int64_t n = size(sums_[i]);
        l.call("dg_add_to", {{arrays[i].first, l.mul(chunk, n)}, {arrays[i].second, l.i(0)}}, {l.i(n)}, {n, n}, 0);
      }
    });
    return find_shared_lanes(low.finish());
  }

  static constexpr int64_t kFewRows = 32;  // of a product: threads share none of so few

  const Plan& plan_;
  int region_;
  std::string name_;
  const std::vector<Id>& sums_;
  int64_t ticks_ = 0;
  Clock clock_;
};

}  // namespace

LoweredRegion lower_region(const Plan& plan, int number, bool for_cpu) {
  const Region& region = plan.regions[static_cast<size_t>(number)];
  std::string name = "k" + std::to_string(number);
  if (region.strategy == Strategy::gemm) return {only(lower_gemm(plan, number, name)), true};
  if (region.is_recurrence()) return {only(ScanCall(plan, number, name).kernel()), false};
  if (region.strategy == Strategy::shift) return {only(lower_shift(plan, number, name)), false};
  if (region.strategy == Strategy::phase_sum) return {only(lower_phase_sum(plan, number, name)), false};
  if (region.strategy == Strategy::sines) return {only(lower_sines(plan, number, name)), true};
  if (region.strategy == Strategy::sum_time) return TimeSums(plan, number, name).kernels();
  if (region.strategy == Strategy::serial) return {only(find_shared_lanes(Lowering(plan, number, name).ticks(for_cpu))), false};
  if (region.clock.is_static()) return {only(find_shared_work(Lowering(plan, number, name).ticks(for_cpu))), false};
  return {only(Lowering(plan, number, name).ticks(for_cpu)), region.strategy == Strategy::pointwise};
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
    Lowering low(plan, static_cast<int>(r), "finish" + std::to_string(r));
    auto& l = low.builder();
    for (Id id : region.nodes) {
      int64_t size = plan.graph[id].shape().size();
      int out = low.stream_array(id, true), sum = l.array({ArrayRef::total, id, size});
      l.loop(size, [&](int e) { l.store(out, e, l.load(sum, e)); });
    }
    kernels.push_back(find_shared_work(low.finish()));
  }
  return kernels;
}

std::vector<Kernel> lower_plan(const Plan& plan, bool for_cpu) {
  std::vector<Kernel> all;
  auto append = [&all](std::vector<Kernel> kernels) {
    for (Kernel& kernel : kernels) all.push_back(std::move(kernel));
  };
  for (size_t r = 0; r < plan.regions.size(); ++r) append(lower_region(plan, static_cast<int>(r), for_cpu).kernels);
  for (int level = 0; level < plan.levels; ++level) append(advance_kernels(plan, level)), append(finish_kernels(plan, level));
  return all;
}

}  // namespace dgen::loop
