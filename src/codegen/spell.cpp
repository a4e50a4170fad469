#include "codegen/spell.h"

#include <cmath>
#include <cstdio>

#include "base/check.h"
#include "codegen/prelude_text.h"
#include "ir/helper.h"
#include "ir/op.h"

namespace dgen::codegen {

using namespace ir;

namespace {

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

// C's library without its headers.
std::string in_c(std::string_view text) {
  std::string out(text);
  for (size_t at; (at = out.find("std::")) != std::string::npos;) out.replace(at, 5, "__builtin_");
  return out;
}

// The row's text with its argument letters replaced.
std::string row_text(std::string_view text, const std::vector<std::string>& args) {
  std::string out;
  out.reserve(2 * text.size());
  auto word = [](char c) { return in_word(c) || c == '.'; };
  for (size_t i = 0; i < text.size(); ++i) {
    bool alone = (i == 0 || !word(text[i - 1])) && (i + 1 == text.size() || !word(text[i + 1]));
    size_t k = static_cast<size_t>(text[i] - 'a');
    if (alone && text[i] >= 'a' && k < args.size()) out += args[k];
    else out += text[i];
  }
  return out;
}

}  // namespace

std::string Speller::name(int e) const {
  const LoopExpr& x = expr(e);
  const std::string suffix = renamed_ && renamed_->count(e) ? suffix_ : "";
  switch (x.op) {
    case LoopOp::fconst: return float_text(x.f);
    case LoopOp::iconst: return x.i < 0 ? cat("(", x.i, ")") : cat(x.i);
    case LoopOp::var: return cat("i", x.i, suffix);
    case LoopOp::arg: return cat("n", x.i);
    default: return cat("v", e, suffix);
  }
}

std::string Speller::type(int e) const {
  switch (expr(e).type) {
    case LoopType::f32: return lanes(e) ? "dg_vf" : "float";
    case LoopType::u64: return lanes(e) ? "dg_vu" : "dg_u64";
    case LoopType::i64: return lanes(e) ? "dg_vi" : std::string(d_.real_long);
    case LoopType::f64: return "double";
  }
  throw InternalError("an expression without a type");
}

bool Speller::is_pair(int64_t array) const {
  return d_.total_type == "float2" && k_.arrays[static_cast<size_t>(array)].kind == ArrayRef::total;
}

// ---- numbers -----------------------------------------------------------------------------------------------------------

std::string Speller::scalar_text(int e) const {
  const LoopExpr& x = expr(e);
  auto arg = [&](size_t i) { return name(x.args[i]); };
  if (auto symbol = infix(x.op); !symbol.empty()) return cat(arg(0), " ", symbol, " ", arg(1));
  std::vector<std::string> args;
  for (int a : x.args) args.push_back(name(a));
  switch (x.op) {
    case LoopOp::scalar: return x.type == LoopType::f64 ? row_text(in_c(x.row->exact_text), args) : row_text(x.row->c_text, args);
    case LoopOp::widen: return cat("(double)", arg(0));
    case LoopOp::imin: return cat(arg(0), " < ", arg(1), " ? ", arg(0), " : ", arg(1));
    case LoopOp::imax: return cat(arg(0), " > ", arg(1), " ? ", arg(0), " : ", arg(1));
    case LoopOp::where: return cat(arg(0), " ? ", arg(1), " : ", arg(2));
    case LoopOp::to_float: {
      // Exact for stream positions; conversions from double vectorise, but Metal has none.
      const char* exact = d_.target == Target::metal ? "long" : "double";
      return is_near(x) ? cat("(float)(int)", arg(0)) : cat("(float)((", exact, ")(int)", arg(0), " + (", exact, ")", arg(1), ")");
    }
    case LoopOp::to_int: return cat("dg_to_int(", arg(0), ")");
    case LoopOp::load: return cat("a", x.i, "[", arg(0), "]", is_pair(x.i) ? ".x" : "");
    case LoopOp::call: return cat(x.name, "(", join(args), ")");
    default: return name(e);
  }
}

// ---- vectors -----------------------------------------------------------------------------------------------------------

std::string Speller::splat(int e) const {
  const LoopExpr& x = expr(e);
  if (x.lanes) return name(e);
  return x.type == LoopType::f32   ? cat("dg_splat(", name(e), ")")
         : x.type == LoopType::i64 ? cat("dg_splat_i((int)", name(e), ")")
                                   : cat("dg_splat_u(", name(e), ")");
}

std::string Speller::splats(const Args& args) const {
  std::vector<std::string> texts;
  for (int a : args) texts.push_back(splat(a));
  return join(texts);
}

// All bits of a lane or none.
std::string Speller::mask(int e) const { return lanes(e) ? name(e) : cat("dg_splat_i(-(int)", name(e), ")"); }

std::string Speller::vector_text(int e) const {
  const LoopExpr& x = expr(e);
  auto between = [&](std::string_view symbol) { return cat(splat(x.args[0]), " ", symbol, " ", splat(x.args[1])); };
  auto choice = [&](const std::string& which, int a, int b) {
    return cat(x.type == LoopType::f32 ? "DG_SEL_V(" : "dg_choose_i(", which, ", ", splat(a), ", ", splat(b), ")");
  };
  if (x.op == LoopOp::iand) return cat(mask(x.args[0]), " & ", mask(x.args[1]));
  if (auto symbol = infix(x.op); !symbol.empty()) return between(symbol);
  switch (x.op) {
    case LoopOp::scalar: return vector_row(x);
    case LoopOp::imin: return choice(between("<"), x.args[0], x.args[1]);
    case LoopOp::imax: return choice(between(">"), x.args[0], x.args[1]);
    case LoopOp::where: return choice(mask(x.args[0]), x.args[1], x.args[2]);
    case LoopOp::to_float:
      return is_near(x) ? cat("dg_float_v(", splat(x.args[0]), ")")
                        : cat("dg_float_from_v(", splat(x.args[0]), ", (double)", name(x.args[1]), ")");
    case LoopOp::to_int: return cat("dg_to_int_v(", splats(x.args), ")");
    case LoopOp::call: return vector_call(x);
    case LoopOp::ramp:
      if (x.type == LoopType::u64) return cat("dg_phase_plus_v(dg_splat_u(", name(x.args[0]), "), dg_phase_lanes_v(", x.i, "))");
      return cat("dg_splat_i((int)", name(x.args[0]), ") + ", x.i == 1 ? "" : cat(x.i, " * "), "dg_lanes_v()");
    case LoopOp::gather:
      return access("dg_gather_v", x.i, cat("a", x.i, ", ", name(x.args[0])));
    case LoopOp::clamped: {
      std::vector<std::string> numbers;
      for (int a : x.args) numbers.push_back(name(a));
      return cat("dg_clamped_v(a", x.i, " + ", join(numbers), ")");
    }
    case LoopOp::load: return vector_load(x);
    default: throw InternalError("an expression that has no vector form");
  }
}

std::string Speller::vector_load(const LoopExpr& x) const {
  if (x.stride == 0) return cat("a", x.i, "[", name(x.args[0]), "]");
  std::string at = cat("a", x.i, " + ", name(x.args[0]));
  if (x.type == LoopType::u64) return access("dg_load_u", x.i, at);
  return x.stride == 1 ? access("dg_load_v", x.i, at) : access("dg_strided_v", x.i, cat(at, ", ", x.stride));
}

// dg_sin(a) becomes dg_sin_v(a); + and * take a mixture.
std::string Speller::vector_row(const LoopExpr& x) const {
  std::string_view text = x.row->c_text;
  std::vector<std::string> args;
  args.reserve(x.args.size());
  for (int a : x.args) args.push_back(splat(a));
  size_t open = text.find('(');
  if (!text.starts_with("dg_")) return row_text(text, args);
  return cat(text.substr(0, open), "_v", row_text(text.substr(open), args));
}

std::string Speller::vector_call(const LoopExpr& x) const {
  std::vector<std::string> args;
  for (int a : x.args) {
    const LoopExpr& arg = expr(a);
    bool number = arg.type == LoopType::i64;  // helpers take numbers of 64 bits
    if (!find_helper(x.name).lanewise) args.push_back(name(a));
    else args.push_back(!number ? splat(a) : arg.lanes ? cat("dg_widen_v(", name(a), ")") : cat("dg_splat_u(", name(a), ")"));
  }
  return cat(x.name, "_v(", join(args), ")");
}

}  // namespace dgen::codegen
