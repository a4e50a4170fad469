#include "ops/coverage.h"

#include <algorithm>

#include "base/check.h"
#include "support/graphs.h"

namespace dgen::test {

using namespace ir;
using driver::Backend;

namespace {

constexpr const char* kAbout = R"(# What the tests try of every operator

One row an operator, tried in the uses that its row of the table states (`uses` in `src/ops`): its value at a clock compared with
the interpreter's, its gradient with differences in float64. **static** is once a run, **hop** once every few frames, **frame** once
a frame, **bank** once a frame for several elements. `x`: agrees; `0`: agrees, and the gradient is zero for every input; `-`: not
tried, for the reason in the last column. Written by `DGEN_UPDATE=1 build/release/tests/test_ops`, and checked by it; with
`DGEN_TEST_BACKEND=cuda` on a machine with a GPU, [the page for CUDA](coverage_cuda.md).
[Another page](coverage_composites.md) is about what the library composes of them.
)";

// Why cells are empty, by operator.
const std::map<std::string_view, std::string_view>& reasons() {
  static const char* source = "static by nature, and has no input to differentiate";
  static const char* at_frames = "runs at frame clock, whatever the clock of its inputs";
  static const char* reverse = "only gradients make it, in reverse sweeps: compared as a part of them";
  static const std::map<std::string_view, std::string_view> map = {
      {"const", source},
      {"literal", "what the program cache makes of a constant that changes from graph to graph: a graph as captured has none"},
      {"param", "static by nature"},
      {"tensor", source},
      {"input", "is never static, and has no input to differentiate"},
      {"sample_rate", source},
      {"frame_index", "one number a frame, and has no input to differentiate"},
      {"tick_count", source},
      {"noise", "has no input to differentiate"},
      {"sine_sum", "one number a tick"},
      {"iota", source},
      {"buffer", "has a clock: a static input is held"},
      {"overlap_add", "has a clock: a static input is held"},
      {"hold", "goes to a clock that is faster, so never to static"},
      {"decimate", "goes to a clock that is slower than its input's, so always to a hop"},
      {"place", "goes to a clock that is faster, so never to static"},
      {"sum_ticks", reverse},
      {"sum_time", "goes to static"},
      {"state_read", "steps at a clock"},
      {"state_write", "steps at a clock"},
      {"state_final", reverse},
      {"delay", at_frames},
      {"ring_add", reverse},
      {"phasor", at_frames},
      {"assign", "a result of the run, not a value: test_ops, AssignsAfterAllReads"},
      {"grad", "replaced by graph before anything runs: every gradient here is one"},
  };
  return map;
}

}  // namespace

void Coverage::mark(Marks& marks, const Type& type, char symbol) {
  auto set = [&](Column c) {
    if (marks[c] != 'x') marks[c] = symbol;
  };
  if (type.clock.is_static()) return set(fixed);
  if (type.clock.period > 1) return set(hop);
  set(frame);
  if (type.shape.size() > 1) set(bank);
}

void Coverage::value(Backend backend, Op op, const Type& type) { mark(rows_[{backend, op->name}].value, type, 'x'); }

void Coverage::gradient(Backend backend, Op op, const Type& type, bool has_slope) {
  mark(rows_[{backend, op->name}].gradient, type, has_slope ? 'x' : '0');
}

void Coverage::add_parts(Backend backend, const Graph& program) {
  for (const Node& node : program.nodes())
    if (!node.op->uses) value(backend, node.op, node.type);
}

void Coverage::add(const Coverage& other) {
  for (auto& [key, row] : other.rows_)
    for (auto marks : {&Row::value, &Row::gradient})
      for (size_t c = 0; c < kColumns; ++c) {
        char &mine = (rows_[key].*marks)[c], more = (row.*marks)[c];
        if (mine != 'x' && more) mine = more;
      }
}

Coverage::Row Coverage::row(Backend backend, Op op) const {
  auto found = rows_.find({backend, op->name});
  return found == rows_.end() ? Row{} : found->second;
}

bool Coverage::has_gap(const Row& row) {
  auto empty = [](const Marks& marks) { return std::count(marks.begin(), marks.end(), 0) > 0; };
  return empty(row.value) || empty(row.gradient);
}

std::string Coverage::unexplained() const {
  std::string text;
  for (Backend backend : graph_backends())
    for (Op op : all_ops()) {
      bool gap = has_gap(row(backend, op)), reason = reasons().count(op->name) != 0;
      if (gap && !reason) text += cat(op->name, " has an empty cell and no reason\n");
      if (!gap && reason) text += cat(op->name, " has a reason and no empty cell\n");
    }
  return text;
}

std::string Coverage::page() const {
  std::string text = kAbout;
  for (Backend backend : graph_backends()) {
    text += cat("\n## ", backend == Backend::interpreter ? "Interpreter" : backend == Backend::cpu ? "C" : "CUDA",
                "\n\n| operator | static | hop | frame | bank | gradient: static | hop | frame | bank | why not |\n",
                "|---|---|---|---|---|---|---|---|---|---|\n");
    for (Op op : all_ops()) {
      Row r = row(backend, op);
      text += cat("| `", op->name, "` |");
      for (const Marks& marks : {r.value, r.gradient})
        for (char c : marks) text += cat(" ", std::string(1, c ? c : '-'), " |");
      auto reason = reasons().find(op->name);
      text += cat(" ", reason == reasons().end() ? "" : reason->second, reason == reasons().end() ? "|\n" : " |\n");
    }
  }
  return text;
}

}  // namespace dgen::test
