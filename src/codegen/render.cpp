#include "codegen/render.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "base/check.h"
#include "ir/op.h"

namespace dgen::codegen {

using namespace ir;

const Dialect& dialect(Target target) {
  static const Dialect dialects[] = {
      {Target::c, "void ", "(void* const* a, const long* n)", "a[$i]", "restrict", "long", "", "double", "#pragma GCC ivdep\n", "", "", "", "", "", ""},
      {Target::cuda, "extern \"C\" __global__ void ", "", "", "__restrict__", "long long", "", "double", "", "threadIdx.x", "blockDim.x", "blockIdx.x",
       "gridDim.x", "__syncthreads();", "__shared__ "},
      {Target::metal, "kernel void ",
       "(constant dg_arrays<$n>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], "
       "uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], "
       "uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]])",
       "a.at[$i]", "", "long", "device ", "float2", "", "dg_thread", "dg_threads", "dg_block", "dg_blocks",
       "threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);", "threadgroup "},
  };
  return dialects[static_cast<int>(target)];
}

namespace {

constexpr int kLanes = 16;

std::string float_text(double value) {
  auto f = static_cast<float>(value);
  if (std::isnan(f)) return "DG_AS_FLOAT(0x7fc00000u)";
  if (std::isinf(f)) return f > 0 ? "DG_AS_FLOAT(0x7f800000u)" : "DG_AS_FLOAT(0xff800000u)";
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(f));
  std::string s = text;
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return f < 0 ? "(" + s + "f)" : s + "f";
}

std::string replace(std::string text, std::string_view what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) text.replace(at, what.size(), with);
  return text;
}

// The row's text with its argument letters replaced.
std::string row_text(std::string_view text, const std::vector<std::string>& args) {
  std::string out;
  auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; };
  for (size_t i = 0; i < text.size(); ++i) {
    bool alone = (i == 0 || !word(text[i - 1])) && (i + 1 == text.size() || !word(text[i + 1]));
    size_t k = static_cast<size_t>(text[i] - 'a');
    if (alone && text[i] >= 'a' && k < args.size()) out += args[k];
    else out += text[i];
  }
  return out;
}

class Renderer {
 public:
  Renderer(const Dialect& d, const Kernel& k) : d_(d), k_(k) {}

  std::string run() {
    out_ = cat(d_.before_name, k_.name, packed() ? replace(std::string(d_.arguments), "$n", cat(k_.arrays.size())) : parameters(), " {\n");
    indent_ = 1;
    for (size_t i = 0; packed() && i < k_.args.size(); ++i) line(cat("const ", d_.real_long, " n", i, " = n[", i, "];"));
    for (size_t i = 0; i < k_.arrays.size(); ++i) declare(i);
    if (shares_fold(k_.body)) line(cat(d_.shared, "float fold[", kLanes, "];"));
    for (size_t i = 0; i < k_.arrays.size(); ++i) copy_state(i, true);
    list(k_.body);
    for (size_t i = 0; i < k_.arrays.size(); ++i) copy_state(i, false);
    return out_ + "}\n";
  }

 private:
  static bool shares_fold(const std::vector<Stmt>& body) {
    for (auto& s : body)
      if ((s.kind == Stmt::reduce && s.tag == LoopTag::threads) || shares_fold(s.body)) return true;
    return false;
  }

  void line(const std::string& text) { out_ += std::string(static_cast<size_t>(indent_) * 2, ' ') + text + "\n"; }

  std::string element_type(size_t i) const {
    const ArrayRef& a = k_.arrays[i];
    return a.type == LoopType::u64 ? "dg_u64" : a.kind == ArrayRef::segment ? "double" : a.kind == ArrayRef::total ? std::string(d_.total_type) : "float";
  }
  std::string array_name(size_t i) const { return cat(k_.arrays[i].home == ArrayRef::registers ? "g" : "a", i); }
  // What other threads of the block write must not be `restrict`: compilers then move loads over barriers.
  std::string pointer(size_t i) const {
    const bool written = k_.arrays[i].written;
    const bool met = written && k_.threads > 1 && (k_.spread == Kernel::one_block || k_.spread == Kernel::ticks_over_blocks);
    return cat(written ? "" : "const ", d_.space, element_type(i), "*", met || d_.restrict_word.empty() ? "" : " ", met ? "" : d_.restrict_word);
  }

  // Arrays and numbers are packed into one argument each, or come one by one.
  bool packed() const { return !d_.arguments.empty(); }
  std::string parameters() const {
    std::string text;
    auto add = [&text](const std::string& parameter) { text += (text.empty() ? "" : ", ") + parameter; };
    for (size_t i = 0; i < k_.arrays.size(); ++i)
      if (k_.arrays[i].kind != ArrayRef::local) add(cat(pointer(i), " ", array_name(i)));
    if (k_.scratch > 0) add("float* scratch");
    for (size_t i = 0; i < k_.args.size(); ++i) add(cat(d_.real_long, " n", i));
    return "(" + text + ")";
  }

  void declare(size_t i) {
    const ArrayRef& a = k_.arrays[i];
    std::string type = element_type(i);
    if (a.kind == ArrayRef::local) {
      if (a.home == ArrayRef::scratch) return line(cat(d_.space, "float* a", i, " = scratch + (", d_.real_long, ")", d_.block, " * ", k_.scratch, " + ", a.at, ";"));
      return line(cat(a.home == ArrayRef::shared ? d_.shared : "", a.lanes ? "dg_vf" : type, " a", i, "[", a.size, "];"));
    }
    if (packed())
      line(cat(pointer(i), " ", array_name(i), " = (", a.written ? "" : "const ", d_.space, type, "*)", replace(std::string(d_.array), "$i", cat(i)), ";"));
    if (a.home == ArrayRef::registers) line(cat(type, " a", i, "[", a.size, "];"));
  }

  void copy_state(size_t i, bool in) {
    const ArrayRef& a = k_.arrays[i];
    if (a.home != ArrayRef::registers) return;
    line(cat("for (int j = 0; j < ", a.size, "; ++j) ", in ? cat("a", i, "[j] = g", i, "[j];") : cat("g", i, "[j] = a", i, "[j];")));
  }

  // ---- expressions: operands are names or constants, since every other expression has its let --------------------------

  std::string name(int e) const {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    switch (x.op) {
      case LoopOp::fconst: return float_text(x.f);
      case LoopOp::iconst: return x.i < 0 ? cat("(", x.i, ")") : cat(x.i);
      case LoopOp::var: return cat("i", x.i);
      case LoopOp::arg: return cat("n", x.i);
      default: return cat("v", e);
    }
  }

  std::string text(int e) const { return k_.exprs[static_cast<size_t>(e)].lanes ? vector_text(e) : scalar_text(e); }

  std::string scalar_text(int e) const {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    auto arg = [&](size_t i) { return name(x.args[i]); };
    auto infix = [&](const char* symbol) { return cat(arg(0), " ", symbol, " ", arg(1)); };
    switch (x.op) {
      case LoopOp::scalar: {
        std::vector<std::string> args;
        for (int a : x.args) args.push_back(name(a));
        return row_text(x.row->c_text, args);
      }
      case LoopOp::iadd: return infix("+");
      case LoopOp::isub: return infix("-");
      case LoopOp::imul: return infix("*");
      case LoopOp::idiv: return infix("/");
      case LoopOp::imod: return infix("%");
      case LoopOp::ilt: return infix("<");
      case LoopOp::ieq: return infix("==");
      case LoopOp::iand: return infix("&");
      case LoopOp::imin: return cat(arg(0), " < ", arg(1), " ? ", arg(0), " : ", arg(1));
      case LoopOp::imax: return cat(arg(0), " > ", arg(1), " ? ", arg(0), " : ", arg(1));
      case LoopOp::where: return cat(arg(0), " ? ", arg(1), " : ", arg(2));
      case LoopOp::to_float: {
        bool near = k_.exprs[static_cast<size_t>(x.args[1])].op == LoopOp::iconst;
        return near ? cat("(float)(int)", arg(0)) : cat("(float)((", exact(), ")(int)", arg(0), " + (", exact(), ")", arg(1), ")");
      }
      case LoopOp::to_int: return cat("dg_to_int(", arg(0), ")");
      case LoopOp::load: return cat("a", x.i, "[", arg(0), "]", is_pair(x.i) ? ".x" : "");
      case LoopOp::call: {
        std::string list;
        for (size_t i = 0; i < x.args.size(); ++i) list += (i ? ", " : "") + arg(i);
        return cat(x.name, "(", list, ")");
      }
      default: return name(e);
    }
  }

  // ---- vectors -----------------------------------------------------------------------------------------------------------

  bool lanes(int e) const { return k_.exprs[static_cast<size_t>(e)].lanes; }
  // A number that is the same in all lanes, as a vector.
  std::string splat(int e) const {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    if (x.lanes) return name(e);
    return x.type == LoopType::f32 ? cat("dg_splat(", name(e), ")") : x.type == LoopType::i64 ? cat("dg_splat_i((int)", name(e), ")") : cat("dg_splat_u(", name(e), ")");
  }
  std::string splats(const std::vector<int>& args) const {
    std::string list;
    for (int a : args) list += (list.empty() ? "" : ", ") + splat(a);
    return "(" + list + ")";
  }
  // As a mask: all bits of a lane or none.
  std::string mask(int e) const { return lanes(e) ? name(e) : cat("dg_splat_i(-(int)", name(e), ")"); }

  std::string vector_text(int e) const {
    const LoopExpr& x = k_.exprs[static_cast<size_t>(e)];
    auto infix = [&](const char* symbol) { return cat(splat(x.args[0]), " ", symbol, " ", splat(x.args[1])); };
    auto choice = [&](const std::string& which, int a, int b) { return cat(x.type == LoopType::f32 ? "DG_SEL_V(" : "dg_choose_i(", which, ", ", splat(a), ", ", splat(b), ")"); };
    switch (x.op) {
      case LoopOp::scalar: return vector_row(x);
      case LoopOp::iadd: return infix("+");
      case LoopOp::isub: return infix("-");
      case LoopOp::imul: return infix("*");
      case LoopOp::idiv: return infix("/");
      case LoopOp::imod: return infix("%");
      case LoopOp::ilt: return infix("<");
      case LoopOp::ieq: return infix("==");
      case LoopOp::iand: return cat(mask(x.args[0]), " & ", mask(x.args[1]));
      case LoopOp::imin: return choice(infix("<"), x.args[0], x.args[1]);
      case LoopOp::imax: return choice(infix(">"), x.args[0], x.args[1]);
      case LoopOp::where: return choice(mask(x.args[0]), x.args[1], x.args[2]);
      case LoopOp::to_float: {
        bool near = k_.exprs[static_cast<size_t>(x.args[1])].op == LoopOp::iconst;
        return near ? cat("dg_float_v(", splat(x.args[0]), ")") : cat("dg_float_from_v(", splat(x.args[0]), ", (double)", name(x.args[1]), ")");
      }
      case LoopOp::to_int: return cat("dg_to_int_v", splats(x.args));
      case LoopOp::call: return vector_call(x);
      case LoopOp::ramp: {
        if (x.type == LoopType::u64) return cat("dg_phase_ramp_v(", name(x.args[0]), ", ", x.i, ", 0)");
        return cat("dg_splat_i((int)", name(x.args[0]), ") + ", x.i == 1 ? "" : cat(x.i, " * "), "dg_lanes_v()");
      }
      case LoopOp::gather: return cat("dg_gather_v(a", x.i, ", ", name(x.args[0]), ")");
      case LoopOp::load: {
        if (x.stride == 0) return cat("a", x.i, "[", name(x.args[0]), "]");
        std::string at = cat("a", x.i, " + ", name(x.args[0]));
        return x.type == LoopType::u64 ? cat("dg_load_u(", at, ")") : x.stride == 1 ? cat("dg_load_v(", at, ")") : cat("dg_strided_v(", at, ", ", x.stride, ")");
      }
      default: throw InternalError("an expression that has no vector form");
    }
  }

  // dg_sin(a) becomes dg_sin_v(a); + and * take a mixture.
  std::string vector_row(const LoopExpr& x) const {
    std::string_view text = x.row->c_text;
    std::vector<std::string> args;
    for (int a : x.args) args.push_back(splat(a));
    size_t open = text.find('(');
    if (!text.starts_with("dg_")) return row_text(text, args);
    return cat(text.substr(0, open), "_v", row_text(text.substr(open), args));
  }

  std::string vector_call(const LoopExpr& x) const {
    if (x.name == "dg_phase_ramp") return cat("dg_phase_ramp_v(", name(x.args[0]), ", ", name(x.args[1]), ", ", name(x.args[2]), ")");
    std::string list;
    for (int a : x.args) {
      const LoopExpr& arg = k_.exprs[static_cast<size_t>(a)];
      bool number = arg.type == LoopType::i64;  // helpers take numbers of 64 bits
      list += cat(list.empty() ? "" : ", ", !number ? splat(a) : arg.lanes ? cat("dg_widen_v(", name(a), ")") : cat("dg_splat_u(", name(a), ")"));
    }
    return cat(x.name, "_v(", list, ")");
  }

  void vector_store(const Stmt& s) {
    std::string at = cat("a", s.array, " + ", name(s.index)), value = splat(s.value);
    bool longs = k_.arrays[static_cast<size_t>(s.array)].type == LoopType::u64;
    if (s.kind == Stmt::add) value = cat(s.stride == 1 ? cat("dg_load_v(", at, ")") : cat("dg_strided_v(", at, ", ", s.stride, ")"), " + ", value);
    if (longs) line(cat("dg_store_u(", at, ", ", value, ");"));
    else if (s.stride == 1) line(cat("dg_store_v(", at, ", ", value, ");"));
    else line(cat("dg_store_strided_v(", at, ", ", s.stride, ", ", value, ");"));
  }

  // The last vector begins where it just fits, or the rest is done one by one; so is all if there is too little.
  void vector_loop(const Stmt& s) {
    std::string lo = name(s.lo), hi = name(s.hi), v = name(s.var), rest = name(s.rest_var), L(d_.real_long);
    const LoopExpr &first = k_.exprs[static_cast<size_t>(s.lo)], &end = k_.exprs[static_cast<size_t>(s.hi)];
    bool fixed = first.op == LoopOp::iconst && end.op == LoopOp::iconst;
    const int64_t n = fixed ? end.i - first.i : 0;
    line("{");
    ++indent_;
    line(cat(L, " at = ", lo, ";"));
    if (s.overlaps && n % kLanes != 0) {
      line(cat("for (; at < ", hi, " && ", hi, " - ", lo, " >= DG_W; at += DG_W) {"));
      ++indent_;
      line(cat("const ", L, " ", v, " = at + DG_W <= ", hi, " ? at : ", hi, " - DG_W;"));
    } else {
      line(cat("for (; at + DG_W <= ", hi, "; at += DG_W) {"));
      ++indent_;
      line(cat("const ", L, " ", v, " = at;"));
    }
    list(s.body);
    --indent_;
    line("}");
    if (!fixed || n % kLanes != 0) block(cat("for (", L, " ", rest, " = at; ", rest, " < ", hi, "; ++", rest, ") {"), s.rest);
    --indent_;
    line("}");
  }

  bool is_pair(int64_t array) const { return d_.total_type == "float2" && k_.arrays[static_cast<size_t>(array)].kind == ArrayRef::total; }

  // Exact for stream positions; conversions from double vectorise, but Metal has none.
  const char* exact() const { return d_.target == Target::metal ? "long" : "double"; }

  const char* type(int e) const {
    const bool vector = lanes(e);
    switch (k_.exprs[static_cast<size_t>(e)].type) {
      case LoopType::f32: return vector ? "dg_vf" : "float";
      case LoopType::u64: return vector ? "dg_vu" : "dg_u64";
      default:
        if (vector) return "dg_vi";
        return d_.target == Target::cuda ? "long long" : "long";
    }
  }

  // ---- statements ------------------------------------------------------------------------------------------------------

  void list(const std::vector<Stmt>& body) {
    for (auto& s : body) statement(s);
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let: return line(cat("const ", type(s.value), " v", s.value, " = ", text(s.value), ";"));
      case Stmt::store: case Stmt::add:
        if (s.stride != 0) return vector_store(s);
        return line(cat("a", s.array, "[", name(s.index), s.kind == Stmt::add ? "] += " : "] = ", k_.arrays[static_cast<size_t>(s.array)].lanes ? splat(s.value) : name(s.value), ";"));
      case Stmt::guard: return block(cat("if (", name(s.value), ") {"), s.body);
      case Stmt::call: return call(s);
      case Stmt::loop: return loop(s);
      case Stmt::reduce: return s.tag == LoopTag::threads ? shared_reduce(s) : s.tag == LoopTag::vector ? vector_reduce(s) : reduce(s);
      case Stmt::barrier: return line(std::string(d_.barrier));
      case Stmt::single: return block(cat("if (", d_.thread, " == 0) {"), s.body);
    }
  }

  void block(const std::string& head, const std::vector<Stmt>& body, const std::string& last = "") {
    line(head);
    ++indent_;
    list(body);
    if (!last.empty()) line(last);
    --indent_;
    line("}");
  }

  void call(const Stmt& s) {
    std::string args;
    for (auto [array, index] : s.pointers) args += cat(args.empty() ? "" : ", ", "a", array, " + ", name(index));
    for (int n : s.numbers) args += cat(args.empty() ? "" : ", ", name(n));
    if (!d_.thread.empty() && (s.name == "dg_matmul" || s.name == "dg_add_to")) args += share(s.tag);
    line(cat(s.name, s.lanes ? "_v(" : "(", args, ");"));
  }

  // The first element of shared work that is this thread's, and how far it is to the next.
  std::string share(LoopTag tag) const {
    if (tag == LoopTag::grid) return cat(", ", wide(d_.block), " * ", d_.threads, " + ", d_.thread, ", ", wide(d_.blocks), " * ", d_.threads);
    return tag == LoopTag::threads ? cat(", ", d_.thread, ", ", d_.threads) : ", 0, 1";
  }
  std::string wide(std::string_view word) const { return cat("(", d_.real_long, ")", word); }

  void loop(const Stmt& s) {
    if (s.tag == LoopTag::vector) return vector_loop(s);
    std::string v = name(s.var), lo = name(s.lo), hi = name(s.hi), type(d_.real_long);
    if (s.reverse) return block(cat("for (", type, " ", v, " = ", hi, " - 1; ", v, " >= ", lo, "; --", v, ") {"), s.body);
    std::string first = lo, step = cat("++", v);
    switch (s.tag) {
      case LoopTag::grid:
        first = cat(lo, " + ", wide(d_.block), " * ", d_.threads, " + ", d_.thread), step = cat(v, " += ", wide(d_.blocks), " * ", d_.threads);
        break;
      case LoopTag::blocks: first = cat(lo, " + ", d_.block), step = cat(v, " += ", d_.blocks); break;
      case LoopTag::threads: first = cat(lo, " + ", d_.thread), step = cat(v, " += ", d_.threads); break;
      case LoopTag::parallel: out_ += d_.before_parallel; break;
      case LoopTag::serial: case LoopTag::lanes: case LoopTag::vector: break;
    }
    block(cat("for (", type, " ", v, " = ", first, "; ", v, " < ", hi, "; ", step, ") {"), s.body);
  }

  std::string fold(const std::string& op, bool vector, const std::string& a, const std::string& b) const {
    if (op == "max" && vector) return cat("DG_SEL_V((", b, " > ", a, ") | (", b, " != ", b, "), ", b, ", ", a, ")");
    if (op == "sum") return cat(a, " + ", b);
    if (op == "prod") return cat(a, " * ", b);
    DGEN_ASSERT(op == "max");
    return cat("(", b, " > ", a, ") | (", b, " != ", b, ") ? ", b, " : ", a);  // a NaN stays
  }
  static const char* start(const std::string& op) { return op == "sum" ? "0.0f" : op == "prod" ? "1.0f" : "DG_AS_FLOAT(0xff800000u)"; }

  // 16 partial results by position, then a tree: the same order whatever the compiler does, and vectorisable.
  void reduce(const Stmt& s) {
    std::string r = name(s.var), inner = name(s.vars.back()), n = name(s.extents.back());
    const LoopExpr& extent = k_.exprs[static_cast<size_t>(s.extents.back())];
    bool fixed = extent.op == LoopOp::iconst;
    bool partial = !fixed || extent.i >= kLanes, wide = lanes(s.var);
    std::string L(d_.real_long), number = wide ? "dg_vf" : "float";
    line(cat(number, " ", r, ";"));
    line("{");
    ++indent_;
    line(cat(number, " w[", partial ? kLanes : 1, "];"));
    line(cat("for (int j = 0; j < ", partial ? kLanes : 1, "; ++j) w[j] = ", wide ? cat("dg_splat(", start(s.name), ")") : start(s.name), ";"));
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) {
      std::string v = name(s.vars[i]);
      line(cat("for (", L, " ", v, " = 0; ", v, " < ", name(s.extents[i]), "; ++", v, ") {"));
      ++indent_;
    }
    auto into = [&](const std::string& slot) { return cat("w[", slot, "] = ", fold(s.name, wide, cat("w[", slot, "]"), wide ? splat(s.value) : name(s.value)), ";"); };
    if (!partial) {
      block(cat("for (", L, " ", inner, " = 0; ", inner, " < ", n, "; ++", inner, ") {"), s.body, into("0"));
    } else {
      line(cat("const ", L, " whole = ", n, " / ", kLanes, " * ", kLanes, ";"));
      line(cat("for (", L, " q = 0; q < whole; q += ", kLanes, ") {"));
      ++indent_;
      line(cat("for (", L, " j = 0; j < ", kLanes, "; ++j) {"));
      ++indent_;
      line(cat("const ", L, " ", inner, " = q + j;"));
      list(s.body);
      line(into("j"));
      --indent_;
      line("}");
      --indent_;
      line("}");
      if (!fixed || extent.i % kLanes != 0)
        block(cat("for (", L, " ", inner, " = whole; ", inner, " < ", n, "; ++", inner, ") {"), s.body, into(inner + " - whole"));
    }
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) --indent_, line("}");
    if (partial) line(cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = ", fold(s.name, wide, "w[j]", "w[j + h]"), ";"));
    line(cat(r, " = w[0];"));
    --indent_;
    line("}");
  }

  // The same with the partial results in vectors.
  void vector_reduce(const Stmt& s) {
    std::string r = name(s.var), inner = name(s.vars.back()), rest = name(s.rest_var), n = name(s.extents.back()), L(d_.real_long);
    const LoopExpr& extent = k_.exprs[static_cast<size_t>(s.extents.back())];
    line(cat("float ", r, ";"));
    line("{");
    ++indent_;
    line(cat("union { float one[", kLanes, "]; dg_vf all[", kLanes, " / DG_W]; } w;"));
    line(cat("for (int j = 0; j < ", kLanes, " / DG_W; ++j) w.all[j] = dg_splat(", start(s.name), ");"));
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) {
      std::string v = name(s.vars[i]);
      line(cat("for (", L, " ", v, " = 0; ", v, " < ", name(s.extents[i]), "; ++", v, ") {"));
      ++indent_;
    }
    line(cat("const ", L, " whole = ", n, " / ", kLanes, " * ", kLanes, ";"));
    line(cat("for (", L, " q = 0; q < whole; q += ", kLanes, ") {"));
    ++indent_;
    line("DG_UNROLL");
    line(cat("for (", L, " j = 0; j < ", kLanes, " / DG_W; ++j) {"));
    ++indent_;
    line(cat("const ", L, " ", inner, " = q + j * DG_W;"));
    list(s.body);
    line(cat("w.all[j] = ", fold(s.name, true, "w.all[j]", splat(s.value)), ";"));
    for (int i = 0; i < 2; ++i) --indent_, line("}");
    if (extent.op != LoopOp::iconst || extent.i % kLanes != 0)
      block(cat("for (", L, " ", rest, " = whole; ", rest, " < ", n, "; ++", rest, ") {"), s.rest,
            cat("w.one[", rest, " - whole] = ", fold(s.name, false, cat("w.one[", rest, " - whole]"), name(s.rest_value)), ";"));
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) --indent_, line("}");
    line(cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) w.one[j] = ", fold(s.name, false, "w.one[j]", "w.one[j + h]"), ";"));
    line(cat(r, " = w.one[0];"));
    --indent_;
    line("}");
  }

  // The same with a thread for each of the 16 partial results.
  void shared_reduce(const Stmt& s) {
    std::string r = name(s.var), inner = name(s.vars.back()), n = name(s.extents.back()), L(d_.real_long);
    line(cat("if (", d_.thread, " < ", kLanes, ") {"));
    ++indent_;
    line(cat("float w = ", start(s.name), ";"));
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) {
      std::string v = name(s.vars[i]);
      line(cat("for (", L, " ", v, " = 0; ", v, " < ", name(s.extents[i]), "; ++", v, ") {"));
      ++indent_;
    }
    block(cat("for (", L, " ", inner, " = ", d_.thread, "; ", inner, " < ", n, "; ", inner, " += ", kLanes, ") {"), s.body,
          cat("w = ", fold(s.name, false, "w", name(s.value)), ";"));
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) --indent_, line("}");
    line(cat("fold[", d_.thread, "] = w;"));
    --indent_;
    line("}");
    line(std::string(d_.barrier));
    line(cat("float ", r, ";"));
    line("{");
    ++indent_;
    line(cat("float w[", kLanes, "];"));
    line(cat("for (int j = 0; j < ", kLanes, "; ++j) w[j] = fold[j];"));
    line(cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = ", fold(s.name, false, "w[j]", "w[j + h]"), ";"));
    line(cat(r, " = w[0];"));
    --indent_;
    line("}");
  }

  const Dialect& d_;
  const Kernel& k_;
  std::string out_;
  int indent_ = 0;
};

// Glue between the loop IR's calls and the prelude.
std::string helpers(Target target) {
  std::string text = R"(
DG_FN DG_LONG dg_to_int(float x) {
  float y = x == x ? x : 0.0f;
  y = y < -2147483520.0f ? -2147483520.0f : y;
  y = y > 2147483520.0f ? 2147483520.0f : y;
  return (DG_LONG)(int)y;
}
)";
  text = replace(text, "DG_LONG", std::string(dialect(target).real_long));
  return text + R"(
DG_FN dg_u64 dg_phase_after(dg_u64 phase, dg_u64 step, dg_u64 ticks) { return phase + step * ticks; }
DG_FN dg_u64 dg_phase_reset(float reset, dg_u64 phase) { return reset > 0.0f ? 0 : phase; }
)";
}

// sum += part, the sums in double or as a float and what it lost (Knuth's two-sum).
const char* add_helper(Target target) {
  if (target == Target::c)
    return "DG_FN void dg_add_to(double* sum, const float* part, long n) { for (long i = 0; i < n; ++i) sum[i] += part[i]; }\n";
  if (target == Target::cuda) return R"(
DG_FN void dg_add_to(double* sum, const float* part, long long n, long long first, long long step) {
  for (long long i = first; i < n; i += step) sum[i] += part[i];
}
)";
  return R"(
DG_FN void dg_add_to(device float2* sum, const device float* part, long n, long first, long step) {
  for (long i = first; i < n; i += step) {
    float a = sum[i].x, b = part[i], s = a + b, t = s - a, low = sum[i].y + ((a - (s - t)) + (b - t));
    sum[i].x = s + low;
    sum[i].y = low - (sum[i].x - s);
  }
}
)";
}

std::string vector_helpers(Target target, const std::string& code) {
  if (target != Target::c || code.find("dg_v") == std::string::npos) return "";
  return "DG_FN dg_vi dg_choose_i(dg_vi mask, dg_vi a, dg_vi b) { return (a & mask) | (b & ~mask); }\n";
}

// The functions that statements call, and whether for vectors.
void collect_calls(const std::vector<Stmt>& body, std::map<std::string, bool>& names) {
  for (auto& s : body) {
    if (s.kind == Stmt::call) names[s.name] |= s.lanes;
    collect_calls(s.body, names);
    collect_calls(s.rest, names);
  }
}

// How often each function of a scalar operator's text is called.
std::map<std::string_view, int> count_calls(std::span<const Kernel> kernels) {
  std::map<std::string_view, int> calls;
  for (auto& kernel : kernels)
    for (auto& x : kernel.exprs)
      if (x.op == LoopOp::scalar) ++calls[x.row->c_text.substr(0, x.row->c_text.find('('))];
  return calls;
}

// dg_rfft_1024 and the like.
bool fft_plan(const std::string& name, FftPlan* plan) {
  static const std::map<std::string, FftPlan::Kind> kinds = {
      {"dg_rfft", FftPlan::rfft}, {"dg_irfft", FftPlan::irfft}, {"dg_fft", FftPlan::fft}, {"dg_ifft", FftPlan::ifft}};
  size_t cut = name.rfind('_');
  auto kind = kinds.find(name.substr(0, cut));
  if (kind == kinds.end()) return false;
  *plan = {kind->second, std::stoi(name.substr(cut + 1))};
  return true;
}

}  // namespace

std::string render_kernel(const Dialect& d, const Kernel& kernel) { return Renderer(d, kernel).run(); }

std::string render_program(Target target, std::span<const Kernel> kernels) {
  std::map<std::string, bool> calls;
  for (auto& kernel : kernels) collect_calls(kernel.body, calls);
  std::vector<FftPlan> plans;
  for (auto& [name, lanes] : calls)
    if (FftPlan plan; fft_plan(name, &plan)) plan.lanes = lanes, plans.push_back(plan);

  std::string text;
  if (!plans.empty()) text += prelude_fft(target, plans);
  if (calls.count("dg_matmul")) text += prelude_gemm(target);
  std::set<std::string> scans;
  for (auto& [name, lanes] : calls)
    if (name.starts_with("dg_scan_") || name.starts_with("dg_shift")) scans.insert(name);
  if (!scans.empty()) text += prelude_scan(scans);
  if (calls.count("dg_add_to")) text += add_helper(target);
  for (auto& kernel : kernels) text += "\n" + render_kernel(dialect(target), kernel);
  return prelude_math(target) + helpers(target) + prelude_calls(target, count_calls(kernels)) + prelude_vector(target, text) +
         vector_helpers(target, text) + text;
}

}  // namespace dgen::codegen
