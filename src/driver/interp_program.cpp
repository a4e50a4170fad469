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
  void clear() override { *this = InterpState(); }

  interp::State state;
  std::map<Id, std::vector<float>> last;  // outputs' last rows, held over a block border
};

class InterpProgram : public Program {
 public:
  explicit InterpProgram(Graph g) : g_(std::move(g)), inputs_(input_nodes(g_)) {
    for (Id id : g_.outputs) types_.push_back(g_[id].type);
  }

  using Program::run_into;
  const std::vector<Type>& outputs() const override { return types_; }
  std::unique_ptr<State> fresh_state() const override { return std::make_unique<InterpState>(); }
  std::unique_ptr<Workspace> workspace() const override { return std::make_unique<Workspace>(); }

  void run_into(const Bindings& bindings, const RunArgs& args, State* state, Workspace&,
                std::span<const std::span<float>> outputs) override {
    runtime::Trace::Scope span(trace(), "run", args.frames);
    InterpState fresh;
    auto& s = state ? dynamic_cast<InterpState&>(*state) : fresh;
    check_inputs(inputs_, args, s.position);
    interp::Leaves leaves = leaves_of(bindings, args);
    RunInfo info{args.frames, s.position, args.sample_rate, args.step};
    interp::Result result = interp::run(g_, info, leaves, &s.state);
    for (size_t o = 0; o < outputs.size(); ++o) write(g_.outputs[o], result.outputs[o], args, s, outputs[o]);
    for (size_t e = 0; e < g_.effects.size(); ++e) {
      Storage& param = *bindings.params.at(static_cast<size_t>(g_[g_.effects[e]].attrs.i("slot")));
      param.assign(std::vector<float>(result.effects[e].begin(), result.effects[e].end()));
    }
    s.position += static_cast<uint64_t>(args.frames);
  }

  std::string explain() const override { return "interpreter: every node in float64, tick by tick\n"; }
  Stats stats() const override { return {}; }

 private:
  void write(Id id, const std::vector<double>& values, const RunArgs& args, InterpState& s, std::span<float> out) {
    const size_t size = static_cast<size_t>(g_[id].shape().size());
    std::vector<float> rows(values.begin(), values.end()), &last = s.last[id];
    write_output(g_[id], rows.data(), last.empty() ? nullptr : last.data(), args, s.position, out);
    if (rows.size() >= size) last.assign(rows.end() - static_cast<std::ptrdiff_t>(size), rows.end());
  }

  Graph g_;
  std::vector<InputNode> inputs_;
  std::vector<Type> types_;
};

}  // namespace

interp::Leaves leaves_of(const Bindings& bindings, const RunArgs& args) {
  return {[&bindings, &args, scratch = std::vector<double>()](const Node& node, int64_t tick) mutable {
    static const Op input = op("input"), param = op("param"), literal = op("literal");
    const float* data;
    if (node.op == input) {
      data = args.inputs[static_cast<size_t>(node.attrs.i("channel"))].data() + tick * node.shape().size();
    } else {
      auto slot = static_cast<size_t>(node.attrs.i("slot"));
      data = node.op == literal ? &bindings.literals.at(slot)
                                : (node.op == param ? bindings.params : bindings.tensors).at(slot)->values().data();
    }
    scratch.assign(data, data + node.shape().size());
    return scratch.data();
  }};
}

std::shared_ptr<Program> make_interp_program(Graph captured) {
  return std::make_shared<InterpProgram>(prepare(std::move(captured)));
}

}  // namespace dgen::driver
