// Linear recurrences s' = A s + b of one lane, in C. A segment is sixteen ticks, counted from the stream's start. Inside a
// segment the state is m s + z in float: s, in double, is the state at the segment's start, z what comes from zeros and m
// the product of the A so far. Whole segments lie in the lanes of vectors; where a run begins or ends within a segment, s, z
// and m are kept and its ticks are done one by one with the same operations, so no cut of a run changes a bit. Where the
// state is not finite, a tick is computed as it is written, and s, z and m start anew; so are all ticks of constant A whose
// powers leave float's range. As written, a masked coefficient of 0 (of a value not chosen) drops what it multiplies, and so
// does a gradient of 0.
#include <algorithm>
#include <cctype>
#include <vector>

#include "base/check.h"
#include "codegen/prelude.h"

namespace dgen::codegen {
namespace {

constexpr int kSegment = 16;  // ticks

// Rows of 16 ticks in memory, one a segment, as 16 vectors, and back. A part of the lanes goes through a copy.
constexpr const char* segments = R"(
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define DG_FMA_DOUBLE(a, b, c) __builtin_fma(a, b, c)
#else
#define DG_FMA_DOUBLE(a, b, c) ((a) * (b) + (c))
#endif
DG_FN void dg_take_segments(dg_vf *x, const float *p, long count) {
  float rows[16 * DG_W];
  if (count < DG_W) {
    for (long i = 0; i < 16 * DG_W; ++i) rows[i] = i < 16 * count ? p[i] : 0;
    p = rows;
  }
  for (int t = 0; t < 16; t += 4) dg_take_rows_v(x + t, p + t, 16);
}
DG_FN long dg_part(long lanes) { return lanes < 0 ? 0 : lanes > DG_W ? DG_W : lanes; }
DG_FN void dg_give_segments(float *p, dg_vf *x, long lo, long hi) {
  float rows[16 * DG_W];
  const int whole = lo == 0 && hi == DG_W;
  float *to = whole ? p : rows;
  for (int t = 0; t < 16; t += 4) dg_give_rows_v(to + t, x + t, 16);
  if (lo < hi && !whole) __builtin_memcpy(p + 16 * lo, rows + 16 * lo, 64 * (hi - lo));
}
DG_FN double dg_scan_plain(double a, double s, double c) { return a * s + c; }
DG_FN double dg_scan_term(double a, double s, double c) { return a == 0 ? c : a * s + c; }
DG_FN double dg_scan_term_r(double a, double s, double c) { return (a == 0) | (s == 0) ? c : a * s + c; }
)";

// ---- one recurrence --------------------------------------------------------------------------------------------------

// dg_scan_ORDER_A_B_OUT[_r]: A by element, row by row: 0, 1, s (static), t (every tick), capital where nothing is masked; b by
// cell: 0, t, or s: a static multiple, in B, of the input f; of each cell's values go out those before the tick (b), after it
// (a), both (x), none (n); r: ticks in descending order.
class Scan {
 public:
  explicit Scan(const std::string& name) : name_(name) {
    auto part = [&name, at = name.find("scan_") + 5]() mutable {
      size_t end = std::min(name.find('_', at), name.size());
      std::string text = name.substr(at, end - at);
      at = end + 1;
      return text;
    };
    d_ = std::stoi(part());
    kinds_ = part(), b_ = part(), out_ = part();
    for (char kind : kinds_) a_ += static_cast<char>(std::tolower(kind));
    reverse_ = name.ends_with("_r");
    varies_ = a_.find('t') != std::string::npos;
  }

  std::string text() const { return state() + ticks() + in_segments(1) + (pairs_vectors() ? in_segments(2) : "") + whole(); }

 private:
  // What two vectors of segments need stays in registers.
  bool pairs_vectors() const { return d_ <= 2; }
  bool plain(int i, int j) const { return std::isupper(kinds_[static_cast<size_t>(i * d_ + j)]) != 0; }
  char a(int i, int j) const { return a_[static_cast<size_t>(i * d_ + j)]; }
  bool before(int i) const { return out_[static_cast<size_t>(i)] == 'b' || out_[static_cast<size_t>(i)] == 'x'; }
  bool after(int i) const { return out_[static_cast<size_t>(i)] == 'a' || out_[static_cast<size_t>(i)] == 'x'; }
  bool adds(int i) const { return b_[static_cast<size_t>(i)] != '0'; }
  bool streamed(int i) const { return b_[static_cast<size_t>(i)] == 't'; }
  bool has_input() const { return b_.find('s') != std::string::npos; }
  // The columns of row i in the order of computing: the cell's own last, since it is on the shortest way around.
  std::vector<int> columns(int i) const {
    std::vector<int> js;
    for (int k = 0; k < d_; ++k)
      if (int j = (i + 1 + k) % d_; a(i, j) != '0') js.push_back(j);
    return js;
  }
  template <class F>
  void each_varying(const F& f) const {
    for (int i = 0; i < d_; ++i)
      for (int j = 0; j < d_; ++j)
        if (a(i, j) == 't') f(cat("a", i, j));
  }
  template <class F>
  void each_out(const F& f) const {
    for (int i = 0; i < d_; ++i) {
      if (before(i)) f(i, cat("u", i), false);
      if (after(i)) f(i, cat("w", i), true);
    }
  }
  template <class F>
  std::string cells(const F& f) const {
    std::string text;
    for (int i = 0; i < d_; ++i) text += f(i);
    return text;
  }
  template <class F>
  std::string pairs(const F& f) const {
    return cells([&](int i) { return cells([&](int j) { return f(i, j); }); });
  }

  template <class F>
  std::string statics(const F& f) const {
    std::string text;
    for (int i = 0; i < d_ * d_; ++i) text += a_[static_cast<size_t>(i)] == 's' ? f(i) : "";
    return text;
  }

  // Parameters: A's static elements, streams in, streams out.
  std::string streams(bool declare) const {
    std::string text = declare ? "const float *A, const float *B" : "A, B";
    auto add = [&](const std::string& name, bool in) { text += cat(declare ? (in ? ", const float *" : ", float *") : ", ", name); };
    each_varying([&](const std::string& name) { add(name, true); });
    if (has_input()) add("f", true);
    for (int i = 0; i < d_; ++i)
      if (streamed(i)) add(cat("b", i), true);
    each_out([&](int, const std::string& name, bool) { add(name, false); });
    return text;
  }
  std::string shared() const { return cat(streams(false), ", P, g"); }
  std::string declared() const { return cat(streams(true), ", const double *P, ", name_, "_state *g"); }

  std::string element(int i, int j, const char* constants, const std::string& g = "") const {
    if (a(i, j) == '1') return "1";
    return a(i, j) == 's' ? cat(constants, "[", i * d_ + j, "]") : cat("a", i, j, "t", g);
  }

  // Row i of A times a vector whose names start with x, plus a tick's input.
  std::string row(int i, const std::string& x, const std::string& plus, const char* fma, const char* constants, const std::string& g) const {
    std::string sum = plus;
    for (int j : columns(i)) {
      const std::string cell = cat(x, j, g), factor = element(i, j, constants, g);
      if (sum.empty()) sum = a(i, j) == '1' ? cell : cat(factor, " * ", cell);
      else sum = a(i, j) == '1' ? cat("(", cell, " + ", sum, ")") : cat(fma, "(", factor, ", ", cell, ", ", sum, ")");
    }
    return sum.empty() ? cat(x, "0", g, " * 0") : sum;
  }

  // One tick of z and m, old values to new ones; g: a suffix of their names.
  std::string step(const char* type, const char* fma, const char* constants, const std::string& g = "") const {
    std::string text = cells([&](int i) { return cat("    ", type, " y", i, g, " = ", row(i, "z", adds(i) ? cat("b", i, "t", g) : "", fma, constants, g), ";\n"); });
    if (varies_)
      text += pairs([&](int j, int i) { return cat("    ", type, " p", j, i, g, " = ", row(i, cat("m", j), "", fma, constants, g), ";\n"); });
    text += cells([&](int i) { return cat("    z", i, g, " = y", i, g, ";\n"); });
    if (varies_) text += pairs([&](int j, int i) { return cat("    m", j, i, g, " = p", j, i, g, ";\n"); });
    return text;
  }

  // The state at a segment's start times A^k in double, plus z: cell i.
  std::string advanced(int i, const std::string& power, const std::string& lane) const {
    std::string sum = cat("(double)z", i, lane);
    for (int k = 0; k < d_; ++k) {
      const int j = (i + 1 + k) % d_;
      sum = cat("DG_FMA_DOUBLE(", varies_ ? cat("(double)m", j, i, lane) : cat("P[((", power, ") * ", d_, " + ", i, ") * ", d_, " + ", j, "]"), ", s", j, ", ", sum, ")");
    }
    return sum;
  }

  // What is kept between runs (see StateLayout). To see what changed between them: cell, the values that the cells had, and,
  // where A is constant, its static elements in m's place. P[k] = A^k for k up to a segment's length, once P[0][0] is 1; wild:
  // they leave float's range.
  std::string state() const {
    return cat("typedef struct { double s[", d_, "], P[", (kSegment + 1) * d_ * d_, "]; float cell[", d_, "], z[", d_, "], m[", d_ * d_, "], start, wild; } ",
               name_, "_state;\n", varies_ ? "" : powers());
  }

  // ---- one by one ------------------------------------------------------------------------------------------------------

  // Cell i in float, n ticks after s.
  std::string value(int i, const std::string& n) const {
    std::string y = cat("z", i);
    for (int j = 0; j < d_; ++j)
      y = cat("DG_FMA(", varies_ ? cat("m", j, i) : cat("(float)P[((", n, ") * ", d_, " + ", i, ") * ", d_, " + ", j, "]"), ", (float)s", j, ", ", y, ")");
    return y;
  }
  std::string load() const {
    std::string text = cells([&](int i) { return cat("  double s", i, " = g->s[", i, "];\n  float z", i, " = g->z[", i, "];\n"); });
    if (varies_) text += pairs([&](int j, int i) { return cat("  float m", j, i, " = g->m[", j * d_ + i, "];\n"); });
    return text + "  long start = (long)g->start;\n";
  }
  std::string save() const {
    std::string text = cells([](int i) { return cat("  g->s[", i, "] = s", i, ";\n  g->z[", i, "] = z", i, ";\n"); });
    if (varies_) text += pairs([&](int j, int i) { return cat("  g->m[", j * d_ + i, "] = m", j, i, ";\n"); });
    return text + "  g->start = (float)start;\n";
  }
  std::string anew(const char* start) const {
    std::string text = cells([](int i) { return cat("      z", i, " = 0;\n"); });
    if (varies_) text += pairs([](int j, int i) { return cat("      m", j, i, " = ", i == j ? 1 : 0, ";\n"); });
    return text + cat("      start = ", start, ";\n");
  }

  // `count` ticks from t on, tick k of their segment first; inside one segment.
  std::string ticks() const {
    std::string text = cat("static void ", name_, "_ticks(", declared(), ", long t, long k, long count) {\n", load());
    text += "  if (k == 0) {\n" + anew("0") + "  }\n";
    if (!varies_) text += "  const int wild = g->wild != 0;\n";
    text += cells([&](int i) { return cat("  float x", i, " = ", value(i, "k - start"), ";\n"); });
    text += cat("  for (; count > 0; --count, ++k, ", reverse_ ? "--t" : "++t", ") {\n");
    each_varying([&](const std::string& name) { text += cat("    const float ", name, "t = ", name, "[t];\n"); });
    if (has_input()) text += "    const float ft = f[t];\n";
    for (int i = 0; i < d_; ++i) {
      if (adds(i)) text += cat("    const float b", i, "t = ", streamed(i) ? cat("b", i, "[t]") : cat("B[", i, "] * ft"), ";\n");
      if (before(i)) text += cat("    u", i, "[t] = x", i, ";\n");
    }
    text += step("float", "DG_FMA", "A");
    text += cells([&](int i) { return cat("    float n", i, " = ", value(i, "k + 1 - start"), ";\n"); });
    text += cat("    if (", varies_ ? "" : "wild || ", "!(", cells([](int i) { return cat(i ? " + " : "", "n", i, " * 0"); }), " == 0)) {\n");
    for (int i = 0; i < d_; ++i) {
      std::string sum = adds(i) ? cat("(double)b", i, "t") : "0.0";
      for (int j : columns(i)) sum = cat(plain(i, j) ? "dg_scan_plain(" : reverse_ ? "dg_scan_term_r(" : "dg_scan_term(", element(i, j, "A"), ", x", j, ", ", sum, ")");
      text += cat("      s", i, " = ", sum, ";\n");
    }
    text += cells([](int i) { return cat("      n", i, " = (float)s", i, ";\n"); }) + anew("k + 1") + "    }\n";
    for (int i = 0; i < d_; ++i) {
      if (after(i)) text += cat("    w", i, "[t] = n", i, ";\n");
      text += cat("    x", i, " = n", i, ";\n");
    }
    text += "  }\n  if (k == 16) {\n" + cells([&](int i) { return cat("      const double e", i, " = ", advanced(i, "16 - start", ""), ";\n"); });
    text += cells([](int i) { return cat("      s", i, " = e", i, ", x", i, " = (float)e", i, ";\n"); }) + anew("0") + "  }\n" + save();
    return text + cells([](int i) { return cat("  g->cell[", i, "] = x", i, ";\n"); }) + "}\n";
  }

  // ---- segments in lanes -----------------------------------------------------------------------------------------------

  // Segments [at, at + 16 count), ascending in the lanes of one vector or, so that one waits less for the other, two: count
  // <= DG_W or 2 DG_W. Returns how many are done: not those from one on whose values are not finite.
  std::string in_segments(int vectors) const {
    std::string text = cat("static long ", name_, "_segments", vectors, "(", declared(), ", long at, long count) {\n");
    auto take = [&](const std::string& name) {
      each_vector(vectors, [&](const std::string& g, const std::string& from) {
        text += cat("  dg_vf ", name, "x", g, "[16];\n  dg_take_segments(", name, "x", g, ", ", name, " + at + 16 * ", from, ", count - ", from, ");\n");
      });
    };
    each_varying(take);
    if (has_input()) take("f");
    for (int i = 0; i < d_; ++i)
      if (streamed(i)) take(cat("b", i));
    each_out([&](int, const std::string& o, bool) {
      each_vector(vectors, [&](const std::string& g, const std::string&) {
        text += cat("  dg_vf ", o, "z", g, "[16];\n");
        for (int j = 0; varies_ && j < d_; ++j) text += cat("  dg_vf ", o, "m", j, g, "[16];\n");
      });
    });
    return text + from_zeros(vectors) + carry(vectors) + add_state(vectors) + "  return good;\n}\n";
  }
  // f(suffix of a vector's names, its first segment)
  template <class F>
  static void each_vector(int vectors, const F& f) {
    for (int v = 0; v < vectors; ++v) f(vectors == 1 ? "" : v == 0 ? "l" : "h", v == 0 ? "0" : "DG_W");
  }

  std::string from_zeros(int vectors) const {
    std::string text;
    if (a_.find('s') != std::string::npos)
      text += cat("  dg_vf c[", d_ * d_, "];\n  for (int i = 0; i < ", d_ * d_, "; ++i) c[i] = dg_splat(A[i]);\n");
    for (int i = 0; i < d_; ++i)
      if (adds(i) && !streamed(i)) text += cat("  const dg_vf e", i, " = dg_splat(B[", i, "]);\n");
    each_vector(vectors, [&](const std::string& g, const std::string&) {
      text += cells([&](int i) { return cat("  dg_vf z", i, g, " = {0};\n"); });
      if (varies_) text += pairs([&](int j, int i) { return cat("  dg_vf m", j, i, g, " = dg_splat(", i == j ? 1 : 0, ");\n"); });
    });
    text += cat("  DG_UNROLL\n  for (int n = 0; n < 16; ++n) {\n    const int t = ", reverse_ ? "15 - n" : "n", ";\n");
    each_vector(vectors, [&](const std::string& g, const std::string&) {
      each_varying([&](const std::string& name) { text += cat("    const dg_vf ", name, "t", g, " = ", name, "x", g, "[t];\n"); });
      for (int i = 0; i < d_; ++i)
        if (adds(i)) text += cat("    const dg_vf b", i, "t", g, " = ", streamed(i) ? cat("b", i, "x", g, "[t]") : cat("e", i, " * fx", g, "[t]"), ";\n");
      text += keep(false, g) + step("dg_vf", "DG_FMA_V", "c", g) + keep(true, g);
    });
    return text + "  }\n";
  }
  std::string keep(bool later, const std::string& g) const {
    std::string text;
    each_out([&](int i, const std::string& o, bool after) {
      if (after != later) return;
      text += cat("    ", o, "z", g, "[t] = z", i, g, ";\n");
      for (int j = 0; varies_ && j < d_; ++j) text += cat("    ", o, "m", j, g, "[t] = m", j, i, g, ";\n");
    });
    return text;
  }

  // The state before each segment, in order, and after the last.
  std::string carry(int vectors) const {
    const std::string lanes = vectors == 1 ? "DG_W" : "2 * DG_W";
    auto in_memory = [&](const std::string& name) {
      std::string stores = cat("  float ", name, "x[", lanes, "];\n");
      each_vector(vectors, [&](const std::string& g, const std::string& from) { stores += cat("  dg_store_v(", name, "x + ", from, ", ", name, g, ");\n"); });
      return stores;
    };
    std::string text = cells([&](int i) { return in_memory(cat("z", i)); });
    if (varies_) text += pairs([&](int j, int i) { return in_memory(cat("m", j, i)); });
    text += cells([&](int i) { return cat("  double s", i, " = g->s[", i, "], d", i, "x[", lanes, " + 1];\n  float s", i, "x[", lanes, " + 1] = {0};\n"); });
    text += cat("  for (long n = 0; n < count; ++n) {\n    const long r = ", reverse_ ? "count - 1 - n" : "n", ";\n");
    text += cells([&](int i) { return cat("    d", i, "x[n] = s", i, ", s", i, "x[r] = (float)s", i, ";\n"); });
    text += cells([&](int i) { return cat("    const double n", i, " = ", advanced(i, "16", "x[r]"), ";\n"); });
    text += cells([](int i) { return cat("    s", i, " = n", i, ";\n"); }) + "  }\n";
    text += cells([](int i) { return cat("  d", i, "x[count] = s", i, ";\n"); });
    text += "  long good = count;\n  if (!(" + cells([](int i) { return cat(i ? " + " : "", "(float)s", i, " * 0"); }) + " == 0))\n";
    text += cat("    for (good = 0; ", cells([](int i) { return cat(i ? " + " : "", "(float)d", i, "x[good + 1] * 0"); }), " == 0;) ++good;\n");
    return text + cells([&](int i) { return cat("  g->s[", i, "] = d", i, "x[good], g->cell[", i, "] = (float)d", i, "x[good];\n"); });
  }

  std::string add_state(int vectors) const {
    std::string text;
    each_vector(vectors, [&](const std::string& g, const std::string& from) {
      text += "  {\n" + cells([&](int i) { return cat("  const dg_vf v", i, " = dg_load_v(s", i, "x + ", from, ");\n"); });
      each_out([&](int i, const std::string& o, bool after) {
        text += cat("  DG_UNROLL\n  for (int n = 0; n < 16; ++n) {\n    const int t = ", reverse_ ? "15 - n" : "n", ";\n    dg_vf y = ", o, "z", g, "[t];\n");
        for (int j = 0; j < d_; ++j) {
          std::string m = varies_ ? cat(o, "m", j, g, "[t]") : cat("dg_splat((float)P[((n + ", after ? 1 : 0, ") * ", d_, " + ", i, ") * ", d_, " + ", j, "])");
          text += cat("    y = DG_FMA_V(", m, ", v", j, ", y);\n");
        }
        const std::string lo = reverse_ ? "count - good" : "0", hi = reverse_ ? "count" : "good";
        text += cat("    ", o, "z", g, "[t] = y;\n  }\n  dg_give_segments(", o, " + at + 16 * ", from, ", ", o, "z", g, ", dg_part(", lo, " - ", from, "), dg_part(", hi, " - ", from, "));\n");
      });
      text += "  }\n";
    });
    return text;
  }

  std::string powers() const {
    std::string text = cat("static void ", name_, "_powers(", name_, "_state *g, const float *A) {\n  double *P = g->P;\n  float all = 0;\n");
    text += pairs([this](int i, int j) { return cat("  P[", i * d_ + j, "] = ", i == j ? 1 : 0, ";\n"); });
    text += cat("  for (int n = 0; n < 16; ++n) {\n    const double *p = P + n * ", d_ * d_, ";\n    double *q = P + (n + 1) * ", d_ * d_, ";\n");
    text += pairs([&](int i, int column) {
      std::string sum;
      for (int j : columns(i)) sum += cat(sum.empty() ? "" : " + ", a(i, j) == '1' ? "" : cat("A[", i * d_ + j, "] * "), "p[", j * d_ + column, "]");
      return cat("    q[", i * d_ + column, "] = ", sum.empty() ? "0" : sum, ";\n");
    });
    text += cat("  }\n", statics([](int i) { return cat("  g->m[", i, "] = A[", i, "];\n"); }));
    return text + cat("  for (int i = 0; i < ", (kSegment + 1) * d_ * d_, "; ++i) all += (float)P[i] * 0;\n  g->wild = !(all == 0);\n}\n");
  }

  // ---- a tile ----------------------------------------------------------------------------------------------------------

  std::string whole() const {
    std::string text = cat("static void ", name_, "(", streams(true), cells([](int i) { return cat(", float *cell", i); }));
    text += cat(", double *kept, long n, long first) {\n  ", name_, "_state *g = (", name_, "_state *)kept;\n  const double *P = g->P;\n");
    text += cat("  const long k = ", reverse_ ? "-(first + n)" : "first", " & 15, ragged = (-k & 15) < n ? -k & 15 : n;\n");
    if (!varies_) {
      text += cat("  const int other = P[0] != 1", statics([](int i) { return cat(" || g->m[", i, "] != A[", i, "]"); }), ";\n");
      text += cat("  if (other) ", name_, "_powers(g, A);\n");
    }
    text += cat("  if (", cells([](int i) { return cat(i ? " || " : "", "g->cell[", i, "] != *cell", i); }), varies_ ? "" : " || other", ") { /* from outside */\n");
    text += cells([](int i) { return cat("    g->s[", i, "] = *cell", i, ", g->z[", i, "] = 0;\n"); });
    if (varies_) text += pairs([&](int j, int i) { return cat("    g->m[", j * d_ + i, "] = ", i == j ? 1 : 0, ";\n"); });
    text += cat("    g->start = (float)k;\n  }\n  if (ragged > 0) ", name_, "_ticks(", shared(), ", ", reverse_ ? "n - 1" : "0", ", k, ragged);\n");
    if (!varies_) text += "  const int wild = g->wild != 0;\n";
    text += "  const long whole = (n - ragged) / 16, rest = n - ragged - 16 * whole;\n  for (long done = 0; done < whole;) {\n";
    const std::string from = reverse_ ? "rest + 16 * (whole - done - count)" : "ragged + 16 * done";
    text += cat("    const long most = ", pairs_vectors() ? "whole - done > DG_W ? 2 * DG_W : DG_W" : "DG_W", ", count = whole - done < most ? whole - done : most;\n");
    text += cat("    const long good = ", varies_ ? "" : "wild ? 0 : ");
    if (pairs_vectors()) text += cat("most > DG_W ? ", name_, "_segments2(", shared(), ", ", from, ", count) : ");
    text += cat(name_, "_segments1(", shared(), ", ", from, ", count);\n");
    text += cat("    done += good;\n    if (good == count) continue;\n    ", name_, "_ticks(", shared(), ", ",
                reverse_ ? "rest + 16 * (whole - done) - 1" : "ragged + 16 * done", ", 0, 16);\n    ++done;\n  }\n");
    text += cat("  if (rest > 0) ", name_, "_ticks(", shared(), ", ", reverse_ ? "rest - 1" : "n - rest", ", 0, rest);\n");
    return text + cells([](int i) { return cat("  *cell", i, " = g->cell[", i, "];\n"); }) + "}\n";
  }

  std::string name_, kinds_, a_, b_, out_;
  int d_ = 0;
  bool reverse_ = false, varies_ = false;
};

// Every value one tick late; `size` elements a tick.
constexpr const char* shift = R"(
DG_FN void dg_shift(float *to, const float *from, float *cell, long n, long size) {
  __builtin_memcpy(to, cell, 4 * size);
  __builtin_memcpy(to + size, from, 4 * (n - 1) * size);
  __builtin_memcpy(cell, from + (n - 1) * size, 4 * size);
}
DG_FN void dg_shift_r(float *to, const float *from, float *cell, long n, long size) {
  __builtin_memcpy(to + (n - 1) * size, cell, 4 * size);
  __builtin_memcpy(to, from + size, 4 * (n - 1) * size);
  __builtin_memcpy(cell, from, 4 * size);
}
)";

}  // namespace

std::string prelude_scan(const std::set<std::string>& names) {
  std::string text = cat(segments, shift);
  for (auto& name : names)
    if (name.starts_with("dg_scan_")) text += Scan(name).text();
  return text;
}

}  // namespace dgen::codegen
