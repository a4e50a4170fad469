#include "ir/print_loop.h"

#include "ir/op.h"

namespace dgen::ir {
namespace {

const char* array_kind(ArrayRef::Kind kind) {
  static const char* names[] = {"stream",  "state", "segment", "phase",   "param", "tensor", "exact",
                                "literal", "input", "scalars", "partial", "total", "local"};
  return names[kind];
}

bool of_node(ArrayRef::Kind kind) {
  return kind == ArrayRef::stream || kind == ArrayRef::phase || kind == ArrayRef::input || kind == ArrayRef::partial ||
         kind == ArrayRef::total;
}

const char* arg_kind(KernelArg::Kind kind) {
  static const char* names[] = {"lo",    "hi",         "tile_frame", "tick0",   "offset", "step",
                                "ticks", "tile_ticks", "lane_lo",    "lane_hi", "scratch", "common", "meeting"};
  return names[kind];
}

class Printer {
 public:
  explicit Printer(const Kernel& k) : k_(k) {}

  std::string run() {
    out_ = "kernel " + k_.name + (k_.why.empty() ? "" : "  (" + k_.why + ")") + "\n";
    args();
    if (k_.lanes > 0) line(cat("threads may share ", k_.lanes, " lanes, ", k_.lane_group, k_.meet ? " at a time, and meet" : " at a time"));
    for (size_t i = 0; i < k_.arrays.size(); ++i) array(i);
    list(k_.body);
    return std::move(out_);
  }

  std::string name(int e) const {
    const LoopExpr& x = k_.exprs.at(static_cast<size_t>(e));
    switch (x.op) {
      case LoopOp::fconst: return cat(x.f);
      case LoopOp::iconst: return cat(x.i);
      case LoopOp::arg: return cat("n", x.i);
      default:
        return cat(x.lanes ? "v" : "",
                   x.type == LoopType::f32   ? "f"
                   : x.type == LoopType::i64 ? "i"
                   : x.type == LoopType::f64 ? "d"
                                             : "u",
                   e);
    }
  }

  std::string text(int e) const {
    const LoopExpr& x = k_.exprs.at(static_cast<size_t>(e));
    if (auto symbol = infix(x.op); !symbol.empty()) return cat(name(x.args[0]), " ", symbol, " ", name(x.args[1]));
    switch (x.op) {
      case LoopOp::scalar: return std::string(x.row->name) + list(x.args);
      case LoopOp::call: return x.name + list(x.args);
      case LoopOp::imin: return "min" + list(x.args);
      case LoopOp::imax: return "max" + list(x.args);
      case LoopOp::where: return "where" + list(x.args);
      case LoopOp::widen: return "double" + list(x.args);
      case LoopOp::to_float: return "float" + list(x.args);
      case LoopOp::to_int: return "int" + list(x.args);
      case LoopOp::load: return cat("a", x.i, "[", name(x.args[0]), steps(x.stride), "]");
      case LoopOp::ramp: return cat(name(x.args[0]), steps(x.i));
      case LoopOp::gather: return cat("a", x.i, "[", name(x.args[0]), "]");
      case LoopOp::clamped:
        return cat("a", x.i, "[", name(x.args[0]), " + clamp(", name(x.args[1]), steps(1), ", ", name(x.args[2]), ", ", name(x.args[3]),
                   ")]");
      default: return name(e);
    }
  }

 private:
  std::string list(std::span<const int> args) const {
    std::string text;
    for (int a : args) text += (text.empty() ? "" : ", ") + name(a);
    return "(" + text + ")";
  }

  static std::string steps(int64_t stride) { return stride == 0 ? "" : cat(" + ", stride, " lane"); }

  void line(const std::string& text) { out_ += std::string(2 * indent_, ' ') + text + "\n"; }

  void args() {
    std::string text;
    for (size_t i = 0; i < k_.args.size(); ++i) {
      text += cat(i ? ", n" : "n", i, " = ", arg_kind(k_.args[i].kind));
      if (k_.args[i].period > 0) text += cat("(", k_.args[i].period, ")");
    }
    if (!text.empty()) line(text);
  }

  void array(size_t i) {
    const ArrayRef& a = k_.arrays[i];
    std::string text = cat("a", i, " = ", array_kind(a.kind));
    if (a.id != none) text += cat(of_node(a.kind) ? " %" : " ", a.id);
    text += cat(", ", a.size, a.kind == ArrayRef::stream || a.kind == ArrayRef::input ? " a tick" : "");
    if (a.written && a.kind != ArrayRef::local) text += ", written";
    if (a.lanes) text += ", of vectors";
    if (a.aligned) text += ", aligned";
    static const char* homes[] = {"", ", in registers", ", shared", ", in scratch"};
    text += homes[a.home];
    if (a.home == ArrayRef::scratch) text += cat(" at ", a.at);
    line(text);
  }

  void list(const std::vector<Stmt>& body) {
    for (auto& s : body) statement(s);
  }
  void block(const std::string& head, const std::vector<Stmt>& body) {
    line(head);
    ++indent_;
    list(body);
    --indent_;
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let: return line(name(s.value) + " = " + (s.array < 0 ? text(s.value) : cat("a", s.array, "[", name(s.index), "] again")));
      case Stmt::store: return line(cat("a", s.array, "[", name(s.index), steps(s.stride), "] = ", name(s.value)));
      case Stmt::add: return line(cat("a", s.array, "[", name(s.index), steps(s.stride), "] += ", name(s.value)));
      case Stmt::guard: return block("if " + name(s.value), s.body);
      case Stmt::call: return call(s);
      case Stmt::loop:
        return block(cat("for ", name(s.var), " in [", name(s.lo), ", ", name(s.hi), ")", s.reverse ? " descending" : "", tag(s.tag),
                         s.share > 0 ? ", shared" : "", masked(s), s.overlaps ? ", the last overlapping" : "",
                         s.abreast > 1 ? cat(", ", s.abreast, " abreast") : "", trades(s), carried(s)),
                     s.body);
      case Stmt::reduce: return reduce(s);
      case Stmt::barrier: return line("barrier");
      case Stmt::single: return block("single", s.body);
      case Stmt::part: return block("part", s.body);
    }
  }

  static const char* tag(LoopTag tag) {
    static const char* tags[] = {"", " in groups", " lanes", " parallel", " in vectors", " over the grid", " over blocks", " over threads"};
    return tags[static_cast<int>(tag)];
  }

  static std::string trades(const Stmt& s) {
    std::string text;
    for (auto [a, b] : s.trades) text += cat(", a", a, " and a", b, " trading places");
    return text;
  }

  std::string carried(const Stmt& s) const {
    std::string text;
    for (auto [var, first, next] : s.carried) text += cat(", ", name(var), " = ", name(first), " then ", name(next));
    return text;
  }

  static const char* masked(const Stmt& s) {
    static const char* masks[] = {"", ", the last masked", ", masked", ", a masked bank"};
    return masks[s.mask];
  }

  void call(const Stmt& s) {
    std::string text;
    for (auto [array, index] : s.pointers) text += cat(text.empty() ? "" : ", ", "a", array, " + ", name(index));
    for (int n : s.numbers) text += cat(text.empty() ? "" : ", ", name(n));
    line(s.name + "(" + text + ")" + (s.lanes ? " in vectors" : tag(s.tag)) + (s.share > 0 ? ", shared" : ""));
  }

  void reduce(const Stmt& s) {
    std::string vars;
    for (size_t i = 0; i < s.vars.size(); ++i) vars += cat(i ? ", " : "", name(s.vars[i]), " < ", name(s.extents[i]));
    line(cat(name(s.var), " = ", s.name, " over ", vars, tag(s.tag), masked(s)));
    ++indent_;
    list(s.body);
    line(cat("of ", name(s.value), s.factor >= 0 ? " * " + name(s.factor) : ""));
    --indent_;
  }

  const Kernel& k_;
  std::string out_;
  size_t indent_ = 1;
};

}  // namespace

std::string print(const Kernel& kernel) { return Printer(kernel).run(); }
std::string print_expr(const Kernel& kernel, int e) { return Printer(kernel).text(e); }

}  // namespace dgen::ir
