#include "driver/pipeline.h"

#include <algorithm>

#include "analysis/banks.h"
#include "analysis/clocks.h"
#include "analysis/recurrence.h"
#include "analysis/turns.h"
#include "autodiff/gradients.h"
#include "driver/debug.h"
#include "ir/op.h"
#include "ir/verify.h"
#include "schedule/panels.h"
#include "schedule/products.h"
#include "schedule/recompute.h"
#include "schedule/sines.h"

namespace dgen::driver {

namespace {

// A string as a template's argument.
template <size_t n>
struct Name {
  constexpr Name(const char (&name)[n]) { std::copy_n(name, n, text); }
  char text[n];
};
template <Name... names>
bool is_op(const ir::Node& node) {
  static const ir::Op ops[] = {ir::op(names.text)...};
  return std::find(std::begin(ops), std::end(ops), node.op) != std::end(ops);
}

ir::Graph run_passes(ir::Graph g, Pass::For offered, const Watch& watch) {
  ir::verify(g, ir::Clocks::implicit);
  for (const Pass& pass : passes()) {
    if (pass.needs > offered) continue;
    std::vector<ir::Rewrite> rewrites;
    if (std::any_of(g.nodes().begin(), g.nodes().end(), pass.concerns)) {
      runtime::Trace::Scope span(trace(), pass.name);
      if (watch) g.rewrites = &rewrites;
      g = pass.run(g);
      g.rewrites = nullptr;
      ir::verify(g, ir::Clocks::aligned);
    }
    if (watch) watch(pass, g, rewrites);
  }
  return g;
}

}  // namespace

std::span<const Pass> passes() {
  static constexpr Pass table[] = {
      {"clocks", "every clock change becomes a node, constants fold", analysis::align_clocks,
       [](const ir::Node&) { return true; }, Pass::always},
      {"turns", "sines of 2 pi times something become sines of turns", analysis::measure_in_turns, is_op<"sin", "cos">, Pass::kernels},
      {"gradients", "grad nodes become a reverse sweep", autodiff::expand_gradients, is_op<"grad">, Pass::always},
      {"recompute", "the reverse sweep computes pointwise values again instead of reading them", schedule::recompute_pointwise,
       [](const ir::Node& node) { return node.clock().reverse; }, Pass::kernels},
      {"banks", "a narrow bank of linear filters becomes filters of one lane", analysis::split_banks, is_op<"state_read">, Pass::vectors},
      {"recurrences", "linear feedback keeps only what must be done in order", analysis::isolate_recurrences, is_op<"state_read">,
       Pass::kernels},
      {"products", "gradients of one weight through several products are summed over time apart", schedule::sum_products_apart,
       is_op<"sum_time">, Pass::kernels},
      {"panels", "matrices that every tick of a loop reads lie in panels of columns", schedule::lay_out_panels, is_op<"matmul">,
       Pass::kernels},
      {"weights", "matrices of products over many ticks lie in panels of columns", schedule::pack_weights, is_op<"matmul">, Pass::vectors},
      {"sines", "sines of static frequencies become angle sums", schedule::sum_angles, is_op<"sin_turns", "cos_turns">, Pass::vectors},
  };
  return table;
}

ir::Graph prepare(ir::Graph captured, const Watch& watch) { return run_passes(std::move(captured), Pass::always, watch); }

static Pass::For offered_by(const Options& options) {
  return options.plain ? Pass::always : options.backend == Backend::cpu ? Pass::vectors : Pass::kernels;
}

schedule::PlanOptions plan_options(const Options& options) {
  const bool in_vectors = offered_by(options) == Pass::vectors;
  constexpr int64_t long_chunk = 4096;  // what the second-level cache of a CPU has room for is nothing to a GPU
  schedule::PlanOptions wanted;
  wanted.chunk_frames = in_vectors || options.chunk_frames > 0 ? options.chunk_frames : long_chunk;
  wanted.scans = wanted.blocks = wanted.trades = wanted.onto = in_vectors;
  wanted.keep = !options.plain;
  wanted.in_place = !options.plain && !debug().check && !debug().nan;  // those look at what a run has read when it is done
  if (options.backend == Backend::cpu) wanted.largest_local = 1 << 20;  // one a thread, where a GPU has one for each of its blocks
  return wanted;
}

schedule::Plan plan_program(ir::Graph captured, const Options& options, const Watch& watch) {
  ir::Graph prepared = run_passes(std::move(captured), offered_by(options), watch);
  runtime::Trace::Scope span(trace(), "plan");
  return schedule::make_plan(std::move(prepared), plan_options(options));
}

}  // namespace dgen::driver
