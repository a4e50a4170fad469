// The interpreter as a backend.
#include <algorithm>

#include "driver/bindings.h"
#include "driver/debug.h"
#include "driver/pipeline.h"
#include "driver/programs.h"
#include "interp/interp.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;

namespace {

struct InterpState : State {
  std::unique_ptr<State> clone() const override { return std::make_unique<InterpState>(*this); }

  interp::State state;
  std::map<Id, std::vector<float>> last;  // outputs' last rows, held over a block border
};

class InterpProgram : public Program {
 public:
  explicit InterpProgram(Graph g) : g_(std::move(g)) {}

  std::unique_ptr<State> fresh_state() const override { return std::make_unique<InterpState>(); }

  std::vector<std::vector<float>> run(const Capture& bindings, const RunArgs& args, State* state) override {
    runtime::Trace::Scope span(trace(), "run", args.frames);
    InterpState fresh;
    auto& s = state ? dynamic_cast<InterpState&>(*state) : fresh;
    uint64_t position = s.state.position;
    check_inputs(g_, args, position);
    interp::Leaves leaves = leaves_of(bindings, args);
    RunInfo info{args.frames, position, args.sample_rate, args.step};
    interp::Result result = interp::run(g_, info, leaves, &s.state);
    std::vector<std::vector<float>> outputs;
    for (size_t o = 0; o < g_.outputs.size(); ++o) {
      const Node& node = g_[g_.outputs[o]];
      std::vector<float> rows(result.outputs[o].begin(), result.outputs[o].end());
      outputs.push_back(shape_rows(node, g_.outputs[o], std::move(rows), args, position, s));
    }
    for (size_t e = 0; e < g_.effects.size(); ++e) {
      std::vector<float> values(result.effects[e].begin(), result.effects[e].end());
      assign(bindings, g_[g_.effects[e]], values.data());
    }
    return outputs;
  }

  std::string explain() const override { return "interpreter: every node in float64, tick by tick\n"; }
  Stats stats() const override { return {}; }

 private:
  std::vector<float> shape_rows(const Node& node, Id id, std::vector<float> rows, const RunArgs& args, uint64_t position, InterpState& s) {
    Clock clock = node.clock();
    if (clock.is_static() || args.per_tick || clock.period == 1) return rows;
    int64_t size = node.shape().size();
    std::vector<float>& last = s.last[id];
    auto held = hold_rows(rows.data(), last.empty() ? nullptr : last.data(), size, clock, position, args.frames);
    if (static_cast<int64_t>(rows.size()) >= size) last.assign(rows.end() - size, rows.end());
    return held;
  }

  Graph g_;
};

}  // namespace

interp::Leaves leaves_of(const Capture& bindings, const RunArgs& args) {
  return {[&bindings, &args, literals = literal_values(bindings.graph), scratch = std::vector<double>()](const Node& node, int64_t tick) mutable {
    static const Op input = op("input"), param = op("param"), literal = op("literal");
    const float* data;
    if (node.op == input) {
      data = args.inputs[static_cast<size_t>(node.attrs.i("channel"))].data() + tick * node.shape().size();
    } else {
      auto slot = static_cast<size_t>(node.attrs.i("slot"));
      data = node.op == literal ? &literals.at(slot) : (node.op == param ? bindings.params : bindings.tensors).at(slot)->data.data();
    }
    scratch.assign(data, data + node.shape().size());
    return scratch.data();
  }};
}

std::shared_ptr<Program> make_interp_program(const Graph& captured) { return std::make_shared<InterpProgram>(prepare(captured)); }

}  // namespace dgen::driver
