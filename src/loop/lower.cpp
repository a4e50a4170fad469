#include "loop/lower.h"

#include <cctype>

#include "ir/expr.h"
#include "loop/lowering.h"
#include "loop/share.h"
#include "loop/sines.h"

namespace dgen::loop {

namespace {

// ---- one matrix product over all ticks -------------------------------------------------------------------------------

Kernel lower_gemm(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const std::vector<Id>& nodes = plan.regions[static_cast<size_t>(region)].nodes;
  const Node& node = g[nodes[0]];
  schedule::StaticMatrix right = schedule::static_matrix(g, node.in[1]);
  int64_t k = g[node.in[0]].shape().back(), n = node.shape().back(), rows = node.shape().size() / n;
  int lo = l.arg(KernelArg::lo), count = l.mul(l.sub(l.arg(KernelArg::hi), lo), rows);
  const std::pair<int, int> a{low.array_behind(node.in[0]), l.mul(lo, rows * k)}, b{low.array_behind(right.id), l.i(0)},
      c{low.stream_array(nodes.back(), true), l.mul(lo, rows * n)};
  const int transposed = l.i(right.transposed);
  if (nodes.size() == 1) {
    l.call("dg_matmul", {a, b, c}, {l.i(0), transposed, count, l.i(n), l.i(k), l.i(node.attrs.i("zero", 0)), l.i(0)});
  } else {
    const std::vector<std::vector<Id>> users = ir::users(g);
    const auto of = [&](Id id) { return id == nodes.back() ? std::vector<Id>() : users[static_cast<size_t>(id)]; };
    const schedule::ProductEnding ending = schedule::product_ending(g, nodes[0], of);
    const std::string function = cat("dg_matmul_bias", ending.function.empty() ? "" : "_", ending.function);
    l.call(function, {a, b, {low.array_behind(ending.bias), l.i(0)}, c}, {l.i(0), transposed, count, l.i(n), l.i(k)});
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
Kernel lower_scan(const Plan& plan, int region, const std::string& name) {
  Lowering low(plan, region, name);
  auto& l = low.builder();
  const Graph& g = plan.graph;
  const analysis::Recurrence& r = plan.regions[static_cast<size_t>(region)].recurrence;
  const schedule::IsStored stored = [&plan](Id id) { return plan.stored(id); };
  const schedule::ScanGains gains = schedule::scan_gains(g, r, stored);
  auto is_made = [&](Id id) { return id != none && plan.store[static_cast<size_t>(id)] == Store::local; };
  auto stream_of = [&](Id id) { return id == none ? none : schedule::array_behind(g, id, stored); };
  Id input = gains.input;
  for (size_t i = 0; i < r.order() && input == none; ++i)
    if (is_made(stream_of(r.b[i]))) input = stream_of(r.b[i]);
  std::vector<std::pair<Id, schedule::ScanSum>> sums;
  for (Id id : plan.regions[static_cast<size_t>(region)].nodes)
    if (auto sum = schedule::scan_sum(g, r, id, stored); !sum.factors.empty()) sums.emplace_back(id, std::move(sum));
  auto local = [&l](size_t size) { return l.local(std::max<int64_t>(1, static_cast<int64_t>(size))); };
  const int fixed = l.local(static_cast<int64_t>(r.a.size()), LoopType::f64), factors = local(r.order()),
            of_sums = local(sums.size() * (r.order() + 1));
  std::vector<int> coefficients, streams, cells;
  std::string a, b, out;
  auto number = [&](Id id) { return low.element(id, l.i(0), std::vector<int>(static_cast<size_t>(g[id].shape().rank()), l.i(0))); };
  for (size_t i = 0; i < r.a.size(); ++i) {
    const Id from = r.a[i] == none ? none : schedule::static_number(g, r.a[i]);
    const double* known = from == none ? nullptr : constant_value(g, from);
    const char kind = r.a[i] == none ? '0' : from == none ? 't' : known && *known == 1 ? '1' : 's';
    a += r.masked[i] ? kind : static_cast<char>(std::toupper(kind));
    if (kind == 't') coefficients.push_back(low.array_behind(r.a[i]));
    if (kind == 's') l.store(fixed, l.i(static_cast<int64_t>(i)), low.exact(from));
  }
  for (size_t i = 0; i < r.order(); ++i) {
    b += r.b[i] == none ? '0' : gains.gain[i] != none ? 's' : input != none && stream_of(r.b[i]) == input ? '1' : 't';
    if (b.back() == 's') l.store(factors, l.i(static_cast<int64_t>(i)), number(gains.gain[i]));
    if (b.back() == 't') streams.push_back(low.array_behind(r.b[i]));
    out += values_out(plan, r.read[i], r.write[i]);
    auto cell = static_cast<Id>(g[r.write[i]].attrs.i("cell"));
    cells.push_back(l.array({ArrayRef::state, cell, 1, LoopType::f32, true}));
  }
  for (size_t i = 0; i < r.order(); ++i) {
    if (out[i] == 'b' || out[i] == 'x') streams.push_back(low.stream_array(r.read[i], true));
    if (out[i] == 'a' || out[i] == 'x') streams.push_back(low.stream_array(r.write[i], true));
  }
  for (int64_t at = 0; auto& [sum, parts] : sums) {
    streams.push_back(low.stream_array(sum, true));
    for (Id part : parts.factors) {
      const double* known = part == none || parts.after ? nullptr : constant_value(g, part);
      out += part == none ? '0' : known && *known == 1 ? '1' : parts.after ? 'S' : 's';
      if (std::tolower(out.back()) == 's') l.store(of_sums, l.i(at), number(part));
      ++at;
    }
  }
  cells.push_back(l.array({ArrayRef::segment, static_cast<Id>(g[r.write[0]].attrs.i("cell")), 1, LoopType::f32, true}));

  using Pointers = std::vector<std::pair<int, int>>;
  auto call = [&](int from, int end, const Pointers& inputs, const char* kind, std::vector<int> numbers) {
    Pointers pointers{{fixed, l.i(0)}, {factors, l.i(0)}, {of_sums, l.i(0)}};
    for (int array : coefficients) pointers.push_back({array, from});
    pointers.insert(pointers.end(), inputs.begin(), inputs.end());
    for (int array : streams) pointers.push_back({array, from});
    for (int array : cells) pointers.push_back({array, l.i(0)});
    numbers.insert(numbers.begin(), {l.sub(end, from), l.add(l.arg(KernelArg::tile_frame), from)});
    l.call(cat("dg_scan_", r.order(), "_", a, "_", b, "_", out, kind), pointers, numbers);
  };
  if (is_made(input)) {
    for_blocks_of_sine(low, input, [&](const SineBlock& sine) {
      call(sine.from, sine.end, {{sine.anchors, l.i(0)}, {sine.table, l.i(0)}, {sine.weight, l.i(0)}}, "_w", {sine.groups});
    });
  } else {
    const int lo = l.arg(KernelArg::lo);
    Pointers inputs;
    if (input != none) inputs.push_back({low.array_behind(input), lo});
    call(lo, l.arg(KernelArg::hi), inputs, g[r.write[0]].clock().reverse ? "_r" : "", {});
  }
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
    schedule::TimeProduct product = plan_.stored(in_) ? schedule::TimeProduct{} : schedule::time_product(plan_.graph, in_);
    if (product.a != none) return chunk_product(low, product, out, base, from, to);
    if (size_ == 1 && !in.op->is(scatters)) {
      std::vector<int> zeros(static_cast<size_t>(in.shape().rank()), l.i(0));
      int sum =
          l.reduce_to("sum", {l.sub(to, from)}, [&](const std::vector<int>& r) { return low.element(in_, l.add(from, r[0]), zeros); });
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
    int a = low.array_behind(product.a), b = low.array_behind(product.b);
    l.call("dg_matmul", {{a, l.mul(from, rows * m)}, {b, l.mul(from, rows * n)}, {out, base}},
           {l.i(1), l.i(0), l.i(m), l.i(n), l.mul(l.sub(to, from), rows), l.i(product.zero), l.i(0)});
  }

  Kernel total() {
    Lowering low(plan_, region_, name_ + "_total");
    auto& l = low.builder();
    int part = partial_array(l, false);
    int sum = l.array({ArrayRef::total, id_, size_, LoopType::f32, true});
    l.loop(l.arg(KernelArg::lo), l.arg(KernelArg::hi), LoopTag::serial, clock_.reverse, [&](int chunk) {
      l.call("dg_add_to", {{part, l.mul(chunk, size_)}, {sum, l.i(0)}}, {l.i(size_)}, {size_, size_}, 0);
    });
    return find_shared_lanes(low.finish());
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
  if (region.strategy == Strategy::phase_sum) return {{lower_phase_sum(plan, number, name)}, false};
  if (region.strategy == Strategy::sines) return {{lower_sines(plan, number, name)}, true};
  if (region.strategy == Strategy::sum_time) return {TimeSum(plan, number, name).kernels(), true};
  if (region.strategy == Strategy::serial) return {{find_shared_lanes(Lowering(plan, number, name).ticks(hold_ticks))}, false};
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
