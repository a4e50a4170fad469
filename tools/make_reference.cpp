// make_reference: docs/operators.md from the operator table.
//   make_reference FILE            writes it
//   make_reference --check FILE    fails if it would change
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "base/check.h"
#include "base/file.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/vjp.h"

namespace {

using namespace dgen;

struct Section {
  ir::Family family;
  const char *title, *about;
};

constexpr Section kSections[] = {
    {ir::Family::leaf, "Leaves", "Values that come from nowhere in the graph."},
    {ir::Family::scalar, "Scalar operators",
     "Element by element; `a`, `b` and `c` are the inputs, true is > 0. In C++ they are functions and methods of the same name,\n"
     "or the usual symbols."},
    {ir::Family::view, "Views", "They move elements and compute nothing: most cost nothing at run time."},
    {ir::Family::reduce, "Reductions", ""},
    {ir::Family::linear, "Matrices", ""},
    {ir::Family::index, "Indexing", ""},
    {ir::Family::spectral, "Spectra", "A spectrum is real, with two planes on axis -2: real and imaginary parts."},
    {ir::Family::time, "Time", "Windows, delays, oscillators, and the changes from one clock to another."},
    {ir::Family::state, "State", "A cell is read by `state_read` and written by `state_write`; the value read was written a tick ago."},
    {ir::Family::effect, "Effects and gradients", ""},
};

constexpr const char* kAbout = R"(# Operators

The operators of the graph, as `explain()`, `DGEN_DEBUG` and `DGEN_DUMP` name them. Everything else in `include/dgen`, such as
`biquad` or `gru`, is made of these. Made by `make_reference docs/operators.md` from the operator table; do not edit.

The last column says whether there is a gradient, for scalar operators to which inputs. Words in backquotes are attributes.
)";

std::string inputs(const ir::OpDef& op) {
  if (op.max_inputs < 0) return cat(op.min_inputs, " or more");
  return op.min_inputs == op.max_inputs ? cat(op.min_inputs) : cat(op.min_inputs, " to ", op.max_inputs);
}

// A scalar operator's inputs that get an adjoint from its vjp; of others, whether they have one.
std::string gradient(ir::Op op) {
  if (op->max_inputs == 0) return "";
  if (!op->vjp) return "none";
  if (op->family != ir::Family::scalar) return "yes";
  ir::Graph g;
  std::vector<ir::Id> in;
  for (int64_t slot = 0; slot < op->max_inputs; ++slot) in.push_back(g.add(ir::op("param"), {}, {{"slot", slot}, {"shape", ir::Ints{}}}));
  ir::Id y = g.add(op, in), d = g.add(ir::op("param"), {}, {{"slot", int64_t{3}}, {"shape", ir::Ints{}}});
  std::string text;
  ir::VjpCtx ctx{g, y, d, [](int) { return true; }, [&](int i, ir::Id) { text += cat(text.empty() ? "" : ", ", "abc"[i]); }, {}, {}};
  op->vjp(ctx);
  return text.empty() ? "none" : text;
}

// "|" would end a cell of the table.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string reference() {
  std::string text = kAbout;
  for (const Section& section : kSections) {
    text += cat("\n## ", section.title, "\n\n", section.about, *section.about ? "\n\n" : "",
                "| operator | inputs | value | gradient |\n|---|---|---|---|\n");
    for (ir::Op op : ir::all_ops())
      if (op->family == section.family)
        text += cat("| `", op->name, "` | ", inputs(*op), " | ", cell(op->doc), " | ", gradient(op), " |\n");
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  bool check = argc == 3 && std::strcmp(argv[1], "--check") == 0;
  if (argc != 2 && !check) {
    std::fprintf(stderr, "usage: make_reference [--check] FILE\n");
    return 2;
  }
  try {
    const std::string file = argv[argc - 1];
    if (!check) write_file_atomic(file, reference());
    else if (read_file(file) != reference()) fail(file, " is not what the operator table says; make_reference ", file, " writes it anew");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make_reference: %s\n", e.what());
    return 1;
  }
  return 0;
}
