#include "codegen/render.h"

#include <algorithm>
#include <functional>
#include <set>
#include <span>
#include <utility>

#include "base/check.h"
#include "codegen/spell.h"
#include "loop/parts.h"
#include "loop/walk.h"

namespace dgen::codegen {

using namespace ir;

namespace {

constexpr int kLanes = 16;
constexpr size_t kMostSums = 6;      // of a loop: each has its partial results in registers, two of AVX2
constexpr int64_t kShortFold = 256;  // terms that a first-level cache holds sixteen times over

std::string replace(std::string text, std::string_view what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) text.replace(at, what.size(), with);
  return text;
}

class Renderer {
 public:
  Renderer(const Dialect& d, const Kernel& k) : d_(d), k_(k), spell_(d, k) {
    loop::for_statements(k.body, [this](const Stmt& s) {
      for (auto [a, b] : s.trades) traded_.insert({a, b});
      shares_fold_ = shares_fold_ || (s.kind == Stmt::reduce && s.tag == LoopTag::threads);
    });
  }

  std::string run() {
    out_ = cat(replace(std::string(d_.before_name), "$t", cat(k_.threads)), k_.name,
               packed() ? replace(std::string(d_.arguments), "$n", cat(k_.arrays.size())) : parameters(), " {\n");
    indent_ = 1;
    numbers();
    const loop::Needs needs = loop::needs_of(k_, k_.body);
    for (size_t i = 0; i < k_.arrays.size(); ++i)
      if (needs.of_parts.empty() || declared(needs, static_cast<int>(i))) declare(i);
    if (shares_fold_) line(cat(d_.shared, "float fold[", kLanes, "];"));
    for (size_t i = 0; i < k_.arrays.size(); ++i) copy_state(i, true);
    list(k_.body);
    for (size_t i = 0; i < k_.arrays.size(); ++i) copy_state(i, false);
    return functions_ + out_ + "}\n";
  }

 private:
  void numbers() {
    for (size_t i = 0; packed() && i < k_.args.size(); ++i) line(cat("const ", d_.real_long, " n", i, " = n[", i, "];"));
  }

  void line(std::string_view text) { (out_.append(static_cast<size_t>(indent_) * 2, ' ') += text) += '\n'; }

  std::string element_type(size_t i) const {
    const ArrayRef& a = k_.arrays[i];
    return a.type == LoopType::u64       ? "dg_u64"
           : a.type == LoopType::f64     ? "double"
           : a.kind == ArrayRef::segment ? "double"
           : a.kind == ArrayRef::total   ? std::string(d_.total_type)
                                         : "float";
  }
  std::string local_type(size_t i) const {
    return !k_.arrays[i].lanes ? element_type(i) : k_.arrays[i].type == LoopType::u64 ? "dg_vu" : "dg_vf";
  }
  std::string array_name(size_t i) const { return cat(k_.arrays[i].home == ArrayRef::registers ? "g" : "a", i); }
  // What other threads write between meetings must not be `restrict`: compilers then move loads over barriers.
  std::string_view restrict_word(size_t i) const {
    const bool block = k_.threads > 1 && (k_.spread == Kernel::one_block || k_.spread == Kernel::ticks_over_blocks);
    return k_.arrays[i].written && (block || number_of(KernelArg::meeting) < k_.args.size()) ? "" : d_.restrict_word;
  }
  std::string pointer(size_t i) const {
    const std::string_view word = restrict_word(i);
    return cat(k_.arrays[i].written ? "" : "const ", d_.space, element_type(i), "*", word.empty() ? "" : " ", word);
  }

  // Arrays and numbers are packed into one argument each, or come one by one.
  bool packed() const { return !d_.arguments.empty(); }
  std::string parameters() const {
    std::string text;
    auto add = [&text](const std::string& parameter) { text += (text.empty() ? "" : ", ") + parameter; };
    if (k_.table) add("void* const* table");
    for (size_t i = 0; !k_.table && i < k_.arrays.size(); ++i)
      if (k_.arrays[i].kind != ArrayRef::local) add(cat(pointer(i), " ", array_name(i)));
    if (k_.scratch > 0) add("float* scratch");
    for (size_t i = 0; i < k_.args.size(); ++i) add(cat(d_.real_long, " n", i));
    return "(" + text + ")";
  }

  // As many as there are: none.
  size_t number_of(KernelArg::Kind kind) const { return size_t(std::ranges::find(k_.args, kind, &KernelArg::kind) - k_.args.begin()); }

  static std::string room(const ArrayRef& a) {
    return cat("[", std::max(a.size, a.room), a.room > 0 ? "] = {0}" : a.aligned ? "] __attribute__((aligned(64)))" : "]");
  }
  void declare(size_t i) {
    const ArrayRef& a = k_.arrays[i];
    if (a.kind == ArrayRef::local) {
      const std::string type = local_type(i);
      if (d_.target == Target::c && (a.home == ArrayRef::scratch || a.home == ArrayRef::shared)) {
        const size_t at = number_of(a.home == ArrayRef::scratch ? KernelArg::scratch : KernelArg::common);
        return line(cat(type, "* ", restrict_word(i), " a", i, " = (", type, "*)(n", at, " + ", 4 * a.at, ");"));
      }
      if (a.home == ArrayRef::scratch)
        return line(cat(d_.space, "float* a", i, " = scratch + (", d_.real_long, ")", d_.block, " * ", k_.scratch, " + ", a.at, ";"));
      return line(cat(a.home == ArrayRef::shared ? d_.shared : "", type, " a", i, room(a), ";"));
    }
    const std::string type = element_type(i);
    if (packed() || k_.table) {
      std::string from = packed() ? replace(std::string(d_.array), "$i", cat(i)) : cat("table[", passed_++, "]");
      line(cat(pointer(i), " ", array_name(i), " = (", a.written ? "" : "const ", d_.space, type, "*)", from, ";"));
    }
    if (a.home == ArrayRef::registers) line(cat(type, " a", i, room(a), ";"));
  }

  // A part declares what it touches itself, but for arrays that are local to its caller or have another name there: it is given those.
  bool given(int i) const { return k_.arrays[static_cast<size_t>(i)].kind == ArrayRef::local || traded_.count(i) > 0; }
  bool declared(const loop::Needs& needs, int i) const { return needs.arrays.count(i) > 0 || (given(i) && needs.of_parts.count(i) > 0); }

  void part(const Stmt& s) {
    DGEN_ASSERT(d_.target == Target::c && copies_ == 1);
    const loop::Needs needs = loop::needs_of(k_, s.body);
    const std::string function = cat(k_.name, "_part", parts_++);
    std::string parameters(d_.arguments.substr(1, d_.arguments.size() - 2)), values = "a, n", outer = std::exchange(out_, "");
    const auto parameter = [&](const std::string& type, const std::string& what) {
      parameters += cat(", ", type, " ", what), values += cat(", ", what);
    };
    if (spell_.masked()) parameters += ", const long lanes", values += ", DG_COUNT(there)";  // a mask that is handed over makes gcc slow
    for (int e : needs.values) parameter(cat("const ", spell_.type(e)), name(e));
    const int indent = std::exchange(indent_, 1);
    numbers();
    for (int i = 0; i < std::ssize(k_.arrays); ++i) {
      if (!declared(needs, i)) continue;
      if (given(i)) parameter(cat(local_type(static_cast<size_t>(i)), "* ", restrict_word(static_cast<size_t>(i))), cat("a", i));
      else declare(static_cast<size_t>(i));
    }
    if (spell_.masked()) line("const dg_part there = dg_part_of(lanes);");
    list(s.body);
    functions_ += cat("static __attribute__((noinline)) void ", function, "(", parameters, ") {\n", out_, "}\n");
    out_ = std::move(outer), indent_ = indent;
    line(cat(function, "(", values, ");"));
  }

  void copy_state(size_t i, bool in) {
    const ArrayRef& a = k_.arrays[i];
    if (a.home != ArrayRef::registers) return;
    line(cat("for (int j = 0; j < ", a.size, "; ++j) ", in ? cat("a", i, "[j] = g", i, "[j];") : cat("g", i, "[j] = a", i, "[j];")));
  }

  void vector_store(const Stmt& s) {
    std::string at = cat("a", s.array, " + ", name(s.index)), value = spell_.splat(s.value);
    const bool longs = k_.arrays[static_cast<size_t>(s.array)].type == LoopType::u64, strided = s.stride != 1;
    if (strided) at += cat(", ", s.stride);
    if (s.kind == Stmt::add) value = cat(spell_.access(strided ? "dg_strided_v" : "dg_load_v", s.array, at), " + ", value);
    line(cat(spell_.access(longs ? "dg_store_u" : strided ? "dg_store_strided_v" : "dg_store_v", s.array, cat(at, ", ", value)), ";"));
  }

  // The last vector is masked, or begins where it just fits, or the rest is done one by one; so is all if there is too little.
  void vector_loop(const Stmt& s) {
    std::string lo = name(s.lo), hi = name(s.hi), v = name(s.var), rest = s.rest.empty() ? "" : name(s.rest_var), L(d_.real_long);
    const LoopExpr &first = k_.exprs[static_cast<size_t>(s.lo)], &end = k_.exprs[static_cast<size_t>(s.hi)];
    bool fixed = first.op == LoopOp::iconst && end.op == LoopOp::iconst;
    const int64_t n = fixed ? end.i - first.i : 0;
    line("{");
    ++indent_;
    line(cat(L, " at = ", s.reverse ? hi : lo, ";"));
    for (int count = s.abreast; !fixed && count > 1; count = s.share > 0 ? count / 2 : 1) vectors_abreast(s, count);
    for (int count = s.abreast; fixed && count > 1; count /= 2) {
      const std::string left = count == s.abreast ? cat(n) : cat(n, " % (", 2 * count, " * DG_W)");
      if (s.mask != Stmt::bank) line(cat("if (", left, " >= ", count, " * DG_W)"));
      vectors_abreast(s, count);
    }
    if (s.mask == Stmt::every || s.mask == Stmt::bank) return masked_vector(s, "for (; ", "; at += DG_W"), --indent_, line("}");
    if (s.overlaps && n % kLanes != 0) {
      line(cat("for (; at < ", hi, " && ", hi, " - ", lo, " >= DG_W; at += DG_W) {"));
      ++indent_;
      line(cat("const ", L, " ", v, " = at + DG_W <= ", hi, " ? at : ", hi, " - DG_W;"));
    } else {
      line(s.reverse ? cat("for (; at - DG_W >= ", lo, "; at -= DG_W) {") : cat("for (; at + DG_W <= ", hi, "; at += DG_W) {"));
      ++indent_;
      line(cat("const ", L, " ", v, " = at", s.reverse ? " - DG_W" : "", ";"));
    }
    list(s.body);
    --indent_;
    line("}");
    if (s.mask == Stmt::last)
      masked_vector(s, "if (", "");
    else if (s.reverse && !s.rest.empty())
      block(cat("for (", L, " ", rest, " = at - 1; ", rest, " >= ", lo, "; --", rest, ") {"), s.rest);
    else if (!s.rest.empty() && (!fixed || n % kLanes != 0))
      block(cat("for (", L, " ", rest, " = at; ", rest, " < ", hi, "; ++", rest, ") {"), s.rest);
    --indent_;
    line("}");
  }

  // A vector of the lanes that are there, the first being one; `before` and `after` stand around the condition that it is.
  void masked_vector(const Stmt& s, const std::string& before, const std::string& after) {
    DGEN_ASSERT(!s.reverse);
    const std::string hi = name(s.hi);
    line(cat(before, "at < ", hi, after, ") {"));
    ++indent_;
    line(cat("const dg_part there = dg_part_of(", hi, " - at);"));
    line(cat("const ", d_.real_long, " ", name(s.var), " = at;"));
    spell_.mask(true, s.mask == Stmt::bank);
    list(s.body);
    spell_.mask(false);
    --indent_;
    line("}");
  }

  // Several vectors, statement by statement, so that one has something to do while another waits, and what is the same for all
  // is done once. What the compiler's width leaves to fewer vectors is known when the text is compiled.
  void vectors_abreast(const Stmt& s, int count) {
    const std::string hi = name(s.hi), step = cat(count, " * DG_W");
    const bool masked = s.mask == Stmt::bank;  // of the last of them one lane is there
    line(masked ? cat("for (; ", hi, " - at > ", count - 1, " * DG_W; at += ", step, ") {")
                : cat("for (; at + ", step, " <= ", hi, "; at += ", step, ") {"));
    ++indent_;
    differ_ = {s.var}, copies_ = count;
    find_differing(s.body);
    for (int i = 0; i < count; ++i) {
      spell_.rename(&differ_, cat("_", i));
      line(cat("const ", d_.real_long, " ", name(s.var), " = at + ", i, " * DG_W;"));
      if (masked) line(cat("const dg_part there_", i, " = dg_part_of(", hi, " - ", name(s.var), ");"));
    }
    spell_.rename(nullptr), spell_.mask(masked, masked);
    list(s.body);
    spell_.mask(false);
    copies_ = 1;
    --indent_;
    line("}");
  }

  // Of vectors abreast: what is another value in each.
  void find_differing(const std::vector<Stmt>& body) {
    for (const Stmt& s : body) {
      for (auto& c : s.carried) differ_.insert(c.var);
      find_differing(s.body);
      if (s.kind == Stmt::reduce && (spell_.lanes(s.var) || differ_.count(s.value) || differ_.count(s.factor))) differ_.insert(s.var);
      if (s.kind != Stmt::let) continue;
      const LoopExpr& x = k_.exprs[static_cast<size_t>(s.value)];
      const bool written = x.op == LoopOp::load && k_.arrays[static_cast<size_t>(x.i)].written;
      if (written || std::any_of(x.args.begin(), x.args.end(), [this](int a) { return differ_.count(a) > 0; })) differ_.insert(s.value);
    }
  }

  // Once, or for each of the vectors abreast; render takes what their names end with.
  void each(const std::function<void(const std::string& suffix)>& render) {
    if (copies_ == 1) return render("");
    for (int i = 0; i < copies_; ++i) spell_.rename(&differ_, cat("_", i)), render(cat("_", i));
    spell_.rename(nullptr);
  }

  // ---- statements ------------------------------------------------------------------------------------------------------

  void list(const std::vector<Stmt>& body) {
    for (size_t i = 0; i < body.size(); ++i) {
      const Stmt& s = body[i];
      if (const size_t end = end_of_sums(body, i); end > i + 1) {
        sums(std::span(body).subspan(i, end - i));
        i = end - 1;
        continue;
      }
      const bool same =
          copies_ > 1 && ((s.kind == Stmt::let && !differ_.count(s.value)) || (s.kind == Stmt::reduce && !differ_.count(s.var)));
      const bool together = s.kind == Stmt::reduce || s.kind == Stmt::loop || (s.kind == Stmt::guard && !differ_.count(s.value));
      if (copies_ == 1 || together || same) {
        const int copies = std::exchange(copies_, same ? 1 : copies_);
        statement(s);
        copies_ = copies;
      } else {
        each([&](const std::string&) { statement(s); });
      }
    }
  }

  // Sums over the same terms, with nothing but lets between them, none of which waits for another, are one loop: each term waits
  // for the one before in its sum. Here they end.
  size_t end_of_sums(const std::vector<Stmt>& body, size_t first) const {
    auto sums = [](const Stmt& s) { return s.kind == Stmt::reduce && s.tag == LoopTag::vector && s.vars.size() == 1; };
    size_t end = first + 1, count = 1;
    if (copies_ > 1 || !sums(body[first])) return end;
    std::set<int> results{body[first].var};
    for (size_t i = end; i < body.size() && count < kMostSums && !reads(body[i], results); ++i) {
      if (body[i].kind == Stmt::let) continue;
      if (!sums(body[i]) || body[i].extents != body[first].extents || body[i].mask != body[first].mask) break;
      results.insert(body[i].var), end = i + 1, ++count;
    }
    return end;
  }
  bool reads(const Stmt& s, const std::set<int>& values) const {
    bool found = false;
    loop::for_all_reads(k_, s, [&](int e) { found = found || values.count(e) > 0; });
    return found;
  }
  void sums(std::span<const Stmt> body) {
    std::vector<const Stmt*> all;
    for (const Stmt& s : body) {
      if (s.kind == Stmt::let) statement(s);
      else all.push_back(&s);
    }
    vector_reduce(all);
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::let:
        return line(cat("const ", spell_.type(s.value), " ", name(s.value), " = ",
                        s.array < 0 ? spell_.text(s.value) : cat("a", s.array, "[", name(s.index), "]"), ";"));
      case Stmt::store: case Stmt::add:
        if (s.stride != 0) return vector_store(s);
        return line(cat("a", s.array, "[", name(s.index), s.kind == Stmt::add ? "] += " : "] = ",
                        k_.arrays[static_cast<size_t>(s.array)].lanes ? spell_.splat(s.value) : name(s.value), ";"));
      case Stmt::guard: return block(cat("if (", name(s.value), ") {"), s.body);
      case Stmt::call: return call(s);
      case Stmt::loop: return loop(s);
      case Stmt::reduce: return s.tag == LoopTag::threads ? shared_reduce(s) : s.tag == LoopTag::vector ? vector_reduce({&s}) : reduce(s);
      case Stmt::barrier: return line(replace(std::string(d_.barrier), "$m", cat(number_of(KernelArg::meeting))));
      case Stmt::single: return block(replace(std::string(d_.single), "$l", cat(number_of(KernelArg::lane_lo))), s.body);
      case Stmt::part: return part(s);
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
    if (tag == LoopTag::grid)
      return cat(", ", wide(d_.block), " * ", d_.threads, " + ", d_.thread, ", ", wide(d_.blocks), " * ", d_.threads);
    return tag == LoopTag::threads ? cat(", ", d_.thread, ", ", d_.threads) : ", 0, 1";
  }
  std::string wide(std::string_view word) const { return cat("(", d_.real_long, ")", word); }

  void loop(const Stmt& s) {
    if (s.tag == LoopTag::vector) return vector_loop(s);
    std::string v = name(s.var), lo = name(s.lo), hi = name(s.hi), type(d_.real_long);
    if (!s.trades.empty()) return trading_loop(s);
    if (s.reverse) return block(backwards(s), s.body);
    std::string first = lo, step = cat("++", v);
    switch (s.tag) {
      case LoopTag::grid:
        first = cat(lo, " + ", wide(d_.block), " * ", d_.threads, " + ", d_.thread),
        step = cat(v, " += ", wide(d_.blocks), " * ", d_.threads);
        break;
      case LoopTag::blocks: first = cat(lo, " + ", d_.block), step = cat(v, " += ", d_.blocks); break;
      case LoopTag::threads: first = cat(lo, " + ", d_.thread), step = cat(v, " += ", d_.threads); break;
      case LoopTag::parallel: case LoopTag::serial: case LoopTag::groups: case LoopTag::lanes: case LoopTag::vector: break;
    }
    std::string next;
    each([&](const std::string&) {
      for (auto& c : s.carried) {
        line(cat(spell_.type(c.var), " ", name(c.var), " = ", spell_.lanes(c.var) ? spell_.splat(c.first) : name(c.first), ";"));
        next += cat(next.empty() ? "" : " ", name(c.var), " = ", name(c.next), ";");
      }
    });
    block(cat("for (", type, " ", v, " = ", first, "; ", v, " < ", hi, "; ", step, ") {"), s.body, next);
  }

  std::string backwards(const Stmt& s) const {
    const std::string v = name(s.var);
    return cat("for (", d_.real_long, " ", v, " = ", name(s.hi), " - 1; ", v, " >= ", name(s.lo), "; --", v, ") {");
  }

  // Arrays that trade places: each iteration has names of its own for them.
  void trading_loop(const Stmt& s) {
    DGEN_ASSERT(d_.target == Target::c);
    const std::string v = name(s.var), lo = name(s.lo), hi = name(s.hi), L(d_.real_long);
    for (auto [a, b] : s.trades) line(cat(element_type(static_cast<size_t>(a)), "* const t", a, "_", v, "[2] = {a", a, ", a", b, "};"));
    line(s.reverse ? backwards(s) : cat("for (", L, " ", v, " = ", lo, "; ", v, " < ", hi, "; ++", v, ") {"));
    ++indent_;
    line(cat("const ", L, " odd = (", s.reverse ? cat(hi, " - 1 - ", v) : cat(v, " - ", lo), ") & 1;"));
    for (auto [a, b] : s.trades) {
      line(cat(pointer(static_cast<size_t>(a)), " a", a, " = t", a, "_", v, "[odd];"));
      line(cat(pointer(static_cast<size_t>(b)), " a", b, " = t", a, "_", v, "[1 - odd];"));
    }
    list(s.body);
    --indent_;
    line("}");
  }

  std::string fold(const std::string& op, bool vector, const std::string& a, const std::string& b) const {
    if (op == "max" && vector) return cat("DG_SEL_V((", b, " > ", a, ") | (", b, " != ", b, "), ", b, ", ", a, ")");
    if (op == "sum") return cat(a, " + ", b);
    if (op == "prod") return cat(a, " * ", b);
    DGEN_ASSERT(op == "max");
    return cat("(", b, " > ", a, ") | (", b, " != ", b, ") ? ", b, " : ", a);  // a NaN stays
  }
  // sum and one more term of a statement's fold.
  std::string add_term(const Stmt& s, bool vector, const std::string& sum) const {
    auto term = [&](int e) { return vector ? spell_.splat(e) : name(e); };
    if (s.factor < 0) return fold(s.name, vector, sum, term(s.value));
    return cat(vector ? "DG_FMA_V(" : "DG_FMA(", term(s.value), ", ", term(s.factor), ", ", sum, ")");
  }
  static const char* start(const std::string& op) { return op == "sum" ? "0.0f" : op == "prod" ? "1.0f" : "DG_AS_FLOAT(0xff800000u)"; }

  // 16 partial results by position, then a tree: the same order whatever the compiler does, and vectorisable.
  void reduce(const Stmt& s) {
    const std::string inner = name(s.vars.back()), n = name(s.extents.back()), L(d_.real_long);
    const LoopExpr& extent = k_.exprs[static_cast<size_t>(s.extents.back())];
    const bool fixed = extent.op == LoopOp::iconst, partial = !fixed || extent.i >= kLanes, wide = spell_.lanes(s.var);
    const std::string number = wide ? "dg_vf" : "float", first = wide ? cat("dg_splat(", start(s.name), ")") : start(s.name);
    each([&](const std::string&) { line(cat(number, " ", name(s.var), ";")); });
    line("{");
    ++indent_;
    each([&](const std::string& suffix) { line(cat(number, " w", suffix, "[", partial ? kLanes : 1, "];")); });
    if (wide && partial && fixed && s.extents.size() == 1 && extent.i <= kShortFold) {
      fold_by_result(s, first);
    } else {
      each([&](const std::string& suffix) {
        line(cat("for (int j = 0; j < ", partial ? kLanes : 1, "; ++j) w", suffix, "[j] = ", first, ";"));
      });
      for (size_t i = 0; i + 1 < s.vars.size(); ++i) {
        std::string v = name(s.vars[i]);
        line(cat("for (", L, " ", v, " = 0; ", v, " < ", name(s.extents[i]), "; ++", v, ") {"));
        ++indent_;
      }
      if (partial) fold_in_order(s, fixed && extent.i % kLanes == 0);
      else fold_over(cat(inner, " = 0; ", inner, " < ", n, "; ++", inner), s, "0");
      for (size_t i = 0; i + 1 < s.vars.size(); ++i) --indent_, line("}");
    }
    each([&](const std::string& suffix) {
      const std::string w = "w" + suffix, tree = fold(s.name, wide, w + "[j]", w + "[j + h]");
      if (partial && wide) fold_vectors(s.name, w);
      else if (partial) line(cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) ", w, "[j] = ", tree, ";"));
      line(cat(name(s.var), " = ", w, "[0];"));
    });
    --indent_;
    line("}");
  }

  // The tree of partial results in vectors, a level a line and without loops: they would take longer than the sums.
  void fold_vectors(const std::string& op, const std::string& w) {
    for (int h = kLanes / 2; h; h /= 2) {
      line("DG_UNROLL");
      line(cat("for (int j = 0; j < ", h, "; ++j) ", w, "[j] = ", fold(op, true, w + "[j]", cat(w, "[j + ", h, "]")), ";"));
    }
  }

  void fold_over(const std::string& range, const Stmt& s, const std::string& slot) {
    line(cat("for (", d_.real_long, " ", range, ") {"));
    ++indent_;
    fold_one(s, slot);
    --indent_;
    line("}");
  }
  void fold_one(const Stmt& s, const std::string& slot) {
    list(s.body);
    each([&](const std::string& suffix) {
      const std::string w = cat("w", suffix, "[", slot, "]");
      line(cat(w, " = ", add_term(s, spell_.lanes(s.var), w), ";"));
    });
  }
  void fold_in_order(const Stmt& s, bool whole_rows) {
    const std::string inner = name(s.vars.back()), n = name(s.extents.back()), L(d_.real_long);
    line(cat("const ", L, " whole = ", n, " / ", kLanes, " * ", kLanes, ";"));
    line(cat("for (", L, " q = 0; q < whole; q += ", kLanes, ") {"));
    ++indent_;
    line(cat("for (", L, " j = 0; j < ", kLanes, "; ++j) {"));
    ++indent_;
    line(cat("const ", L, " ", inner, " = q + j;"));
    fold_one(s, "j");
    for (int i = 0; i < 2; ++i) --indent_, line("}");
    if (!whole_rows) fold_over(cat(inner, " = whole; ", inner, " < ", n, "; ++", inner), s, inner + " - whole");
  }
  // One partial result after the other, each in a register.
  void fold_by_result(const Stmt& s, const std::string& first) {
    const std::string inner = name(s.vars.back()), L(d_.real_long);
    line(cat("for (", L, " j = 0; j < ", kLanes, "; ++j) {"));
    ++indent_;
    each([&](const std::string& suffix) { line(cat("dg_vf sum", suffix, " = ", first, ";")); });
    line(cat("for (", L, " ", inner, " = j; ", inner, " < ", name(s.extents.back()), "; ", inner, " += ", kLanes, ") {"));
    ++indent_;
    list(s.body);
    each([&](const std::string& suffix) { line(cat("sum", suffix, " = ", add_term(s, true, "sum" + suffix), ";")); });
    --indent_;
    line("}");
    each([&](const std::string& suffix) { line(cat("w", suffix, "[j] = sum", suffix, ";")); });
    --indent_;
    line("}");
  }

  // The same with the partial results in vectors, of several reduces at once. Those that the last terms leave out keep their bits.
  void vector_reduce(const std::vector<const Stmt*>& all) {
    const Stmt& s = *all[0];
    const std::string n = name(s.extents.back()), L(d_.real_long);
    for (const Stmt* one : all) line(cat("float ", name(one->var), ";"));
    line("{");
    ++indent_;
    for (size_t i = 0; i < all.size(); ++i) {
      line(cat("union { float one[", kLanes, "]; dg_vf all[", kLanes, " / DG_W]; } w", i, ";"));
      line(cat("for (int j = 0; j < ", kLanes, " / DG_W; ++j) w", i, ".all[j] = dg_splat(", start(all[i]->name), ");"));
    }
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) {
      std::string v = name(s.vars[i]);
      line(cat("for (", L, " ", v, " = 0; ", v, " < ", name(s.extents[i]), "; ++", v, ") {"));
      ++indent_;
    }
    line(cat(L, " q = 0;"));
    if (s.mask != Stmt::every) sixteen_terms(all, cat("for (; q + ", kLanes, " <= ", n, "; q += ", kLanes, ") {"), false);
    if (s.mask == Stmt::last) sixteen_terms(all, cat("if (q < ", n, ") {"), true);
    if (s.mask == Stmt::every) sixteen_terms(all, cat("for (; q < ", n, "; q += ", kLanes, ") {"), true);
    for (size_t i = 0; i + 1 < s.vars.size(); ++i) --indent_, line("}");
    for (size_t i = 0; i < all.size(); ++i) {
      const std::string w = cat("w", i, ".one"), tree = fold(all[i]->name, false, w + "[j]", w + "[j + h]");
      line(cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) ", w, "[j] = ", tree, ";"));
      line(cat(name(all[i]->var), " = ", w, "[0];"));
    }
    --indent_;
    line("}");
  }

  void sixteen_terms(const std::vector<const Stmt*>& all, const std::string& head, bool masked) {
    const std::string n = name(all[0]->extents.back()), L(d_.real_long);
    line(head);
    ++indent_;
    line("DG_UNROLL");
    line(cat("for (", L, " j = 0; j < ", kLanes, " / DG_W", masked ? cat(" && q + j * DG_W < ", n) : "", "; ++j) {"));
    ++indent_;
    for (const Stmt* s : all) line(cat("const ", L, " ", name(s->vars.back()), " = q + j * DG_W;"));
    if (masked) line(cat("const dg_part there = dg_part_of(", n, " - ", name(all[0]->vars.back()), ");"));
    spell_.mask(masked);
    for (size_t i = 0; i < all.size(); ++i) {
      const std::string w = cat("w", i, ".all[j]"), sum = add_term(*all[i], true, w);
      list(all[i]->body);
      line(cat(w, " = ", masked ? cat("dg_blend_part(", sum, ", ", w, ", there)") : sum, ";"));
    }
    spell_.mask(false);
    for (int i = 0; i < 2; ++i) --indent_, line("}");
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
          cat("w = ", add_term(s, false, "w"), ";"));
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
    line(
        cat("for (int h = ", kLanes / 2, "; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = ", fold(s.name, false, "w[j]", "w[j + h]"), ";"));
    line(cat(r, " = w[0];"));
    --indent_;
    line("}");
  }

  std::string name(int e) const { return spell_.name(e); }

  const Dialect& d_;
  const Kernel& k_;
  Speller spell_;
  std::string out_, functions_;  // of the function that is written, of those before it
  int indent_ = 0;
  int parts_ = 0;
  std::set<int> traded_;  // arrays that trade places somewhere
  bool shares_fold_ = false;
  int passed_ = 0;  // arrays that came in the table so far
  int copies_ = 1;  // vectors abreast, and what differs between them
  std::unordered_set<int> differ_;
};

}  // namespace

std::string render_kernel(const Dialect& d, const Kernel& kernel) { return Renderer(d, kernel).run(); }

}  // namespace dgen::codegen
