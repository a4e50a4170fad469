#include "ir/verify.h"

#include "ir/op.h"
#include "ir/print.h"

namespace dgen::ir {
namespace {

class Verifier {
 public:
  Verifier(const Graph& g, Clocks clocks) : g_(g), clocks_(clocks) {}

  void run() {
    for (id_ = 0; id_ < g_.size(); ++id_) node();
    for (size_t c = 0; c < g_.cells.size(); ++c) cell(c);
    for (Id id : g_.outputs) root(id, "output");
    for (Id id : g_.effects) root(id, "effect");
  }

 private:
  template <class... T>
  [[noreturn]] void wrong(const T&... parts) const {
    throw InternalError(cat("invalid graph: ", parts..., " in: ", print_node(g_, id_)));
  }

  void node() {
    const Node& node = g_[id_];
    types_.clear();
    for (Id in : node.in) {
      if (in < 0 || in >= id_) wrong("input %", in, " does not come first");
      types_.push_back(g_[in].type);
    }
    if (Type type = infer(node); type != node.type) wrong("the type should be ", type.shape.str(), "@", type.clock.str());
    for (size_t i = 0; i < node.in.size(); ++i) input(node, static_cast<int>(i), types_[i].clock);
    if (node.attrs.has("cell")) uses_cell(node);
  }

  Type infer(const Node& node) const {
    try {
      return infer_type(node.op, types_, node.attrs);
    } catch (const std::exception& e) {
      wrong(e.what());
    }
  }

  // A reverse sweep reads forward values, never the other way round.
  void input(const Node& node, int i, Clock now) const {
    if (clocks_ == Clocks::implicit) return;
    Clock want = node.op->want ? node.op->want(node, i, now) : node.clock();
    if (now.period != want.period) wrong("input ", i, " is at ", now.str(), ", not ", want.str());
    if (now.reverse && !node.clock().reverse && !node.clock().is_static()) wrong("input ", i, " is of a reverse sweep");
  }

  void uses_cell(const Node& node) const {
    static const Op state_write = op("state_write");
    int64_t number = node.attrs.i("cell");
    if (number < 0 || number >= static_cast<int64_t>(g_.cells.size())) wrong("no cell ", number);
    const Cell& cell = g_.cells[static_cast<size_t>(number)];
    if (node.shape() != cell.type.shape || (!node.clock().is_static() && node.clock() != cell.type.clock)) wrong("not of its cell's type");
    if (node.op == state_write && cell.write != id_) wrong("a write that cell ", number, " does not know");
  }

  void cell(size_t number) {
    static const Op state_write = op("state_write");
    id_ = g_.cells[number].write;
    if (id_ == none) return;
    if (id_ < 0 || id_ >= g_.size()) throw InternalError(cat("invalid graph: cell ", number, " is written by no node"));
    if (g_[id_].op != state_write || g_[id_].attrs.i("cell") != static_cast<int64_t>(number)) wrong("not the write of cell ", number);
  }

  void root(Id id, const char* what) const {
    if (id < 0 || id >= g_.size()) throw InternalError(cat("invalid graph: ", what, " %", id, " is no node"));
  }

  const Graph& g_;
  Clocks clocks_;
  Id id_ = 0;
  std::vector<Type> types_;  // of the inputs
};

}  // namespace

void verify(const Graph& g, Clocks clocks) { Verifier(g, clocks).run(); }

}  // namespace dgen::ir
