// Linear recurrences s' = A s + b of one lane, in C. A segment is sixteen ticks, counted from the stream's start, and a
// segment's work does not depend on what surrounds it, so cutting a run at a multiple of sixteen frames changes no bit.
// Several segments lie in the lanes of vectors. Each is run from zeros, and, where A changes, from unit states; then the
// state goes from segment to segment in double, and what it adds to the outputs is added to all ticks at once. Where
// values are not finite, and for the ticks at a run's ragged ends, the ticks are done one after the other in double.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "codegen/prelude.h"

namespace dgen::codegen {
namespace {

constexpr int kSegment = 16;  // ticks

// ---- vectors: segments in lanes --------------------------------------------------------------------------------------

constexpr const char* vectors = R"(
#if defined(__AVX512F__)
#define DG_SW 16
#elif defined(__AVX__)
#define DG_SW 8
#else
#define DG_SW 4
#endif
typedef float dg_sv __attribute__((vector_size(4 * DG_SW), may_alias));
typedef float dg_su __attribute__((vector_size(4 * DG_SW), aligned(4), may_alias)); /* anywhere in memory */
#ifdef __has_builtin
#if __has_builtin(__builtin_elementwise_fma)
#define DG_SFMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#endif
#endif
#if defined(DG_SFMA)
#elif defined(__AVX512F__)
#define DG_SFMA(a, b, c) ((dg_sv)__builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4))
#elif defined(__FMA__) && DG_SW == 8
#define DG_SFMA(a, b, c) __builtin_ia32_vfmaddps256(a, b, c)
#else /* rounded twice: near enough, since a segment starts from an exact state */
#define DG_SFMA(a, b, c) ((a) * (b) + (c))
#endif
)";

using Pick = int (*)(int i, int width);  // element i of a shuffle of two vectors

std::string shuffle(const char* a, const char* b, int width, Pick pick) {
  std::string text = cat("__builtin_shufflevector(", a, ", ", b);
  for (int i = 0; i < width; ++i) text += cat(", ", pick(i, width));
  return text + ")";
}

// The elements of a and b by turns, inside each four: the lower two of each, or the upper two.
int low_of_four(int i, int width) { return i / 4 * 4 + i % 4 / 2 + i % 2 * width; }
int high_of_four(int i, int width) { return low_of_four(i, width) + 2; }
// Pairs by turns.
int low_pairs(int i, int width) { return i / 4 * 4 + i % 2 + i % 4 / 2 * width; }
int high_pairs(int i, int width) { return low_pairs(i, width) + 2; }
// Halves of a, then of b; quarters two by two.
int low_halves(int i, int width) { return i < width / 2 ? i : i + width / 2; }
int high_halves(int i, int width) { return i < width / 2 ? i + width / 2 : i + width; }
int even_quarters(int i, int width) { return i / 4 * 8 % (2 * width) + i % 4; }
int odd_quarters(int i, int width) { return even_quarters(i, width) + 4; }

// dg_turn transposes a square: fours first, then the fours of four rows among each other.
std::string turn(int width) {
  auto s = [width](const char* a, const char* b, Pick pick) { return shuffle(a, b, width, pick); };
  std::string text = cat(R"(DG_FN void dg_turn(dg_sv *x) {
  dg_sv y[)", width, R"(];
  for (int r = 0; r < )", width, R"(; r += 4) {
    dg_sv a = )", s("x[r]", "x[r + 1]", low_of_four), ", b = ", s("x[r]", "x[r + 1]", high_of_four), R"(;
    dg_sv c = )", s("x[r + 2]", "x[r + 3]", low_of_four), ", d = ", s("x[r + 2]", "x[r + 3]", high_of_four), R"(;
    y[r] = )", s("a", "c", low_pairs), ", y[r + 1] = ", s("a", "c", high_pairs), R"(;
    y[r + 2] = )", s("b", "d", low_pairs), ", y[r + 3] = ", s("b", "d", high_pairs), R"(;
  }
  for (int c = 0; c < 4; ++c) {
)");
  if (width == 4) text += "    x[c] = y[c];\n";
  if (width == 8) text += cat("    x[c] = ", s("y[c]", "y[c + 4]", low_halves), ", x[c + 4] = ", s("y[c]", "y[c + 4]", high_halves), ";\n");
  if (width == 16)
    text += cat("    dg_sv p = ", s("y[c]", "y[c + 4]", low_halves), ", q = ", s("y[c]", "y[c + 4]", high_halves), ";\n    dg_sv r = ",
                s("y[c + 8]", "y[c + 12]", low_halves), ", t = ", s("y[c + 8]", "y[c + 12]", high_halves), ";\n    x[c] = ",
                s("p", "r", even_quarters), ", x[c + 4] = ", s("p", "r", odd_quarters), ", x[c + 8] = ", s("q", "t", even_quarters),
                ", x[c + 12] = ", s("q", "t", odd_quarters), ";\n");
  return text + "  }\n}\n";
}

// Rows of 16 ticks in memory, one a segment, as 16 vectors, and back.
constexpr const char* segments = R"(
DG_FN void dg_take_segments(dg_sv *x, const float *p, long count) {
  for (int h = 0; h < 16; h += DG_SW) {
    for (int r = 0; r < DG_SW; ++r) x[h + r] = r < count ? (dg_sv) * (const dg_su *)(p + 16 * r + h) : (dg_sv){0};
    dg_turn(x + h);
  }
}
DG_FN void dg_give_segments(float *p, dg_sv *x, long count) {
  for (int h = 0; h < 16; h += DG_SW) {
    dg_turn(x + h);
    for (int r = 0; r < DG_SW; ++r)
      if (r < count) *(dg_su *)(p + 16 * r + h) = (dg_su)x[h + r];
  }
}
DG_FN double dg_scan_term(double a, double s, double c) { return (a == 0) | (s == 0) ? c : a * s + c; }
DG_FN void dg_scan_load(double *s, const float *cell, const double *exact) { *s = (float)*exact == *cell ? *exact : (double)*cell; }
DG_FN void dg_scan_keep(float *cell, double *exact, double s) { *exact = s, *cell = (float)s; }
)";

// ---- one recurrence --------------------------------------------------------------------------------------------------

// dg_scan_ORDER_A_B_OUT[_r]: A by element, row by row: 0, 1, s (static), t (every tick); b by cell: 0 or t; of each cell's
// values go out those before the tick (b), after it (a), both (x), none (n); r: ticks in descending order.
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
    a_ = part(), b_ = part(), out_ = part();
    reverse_ = name.ends_with("_r");
    varies_ = a_.find('t') != std::string::npos;
  }

  std::string text() const { return serial() + in_segments() + whole(); }

 private:
  char a(int i, int j) const { return a_[static_cast<size_t>(i * d_ + j)]; }
  bool before(int i) const { return out_[static_cast<size_t>(i)] == 'b' || out_[static_cast<size_t>(i)] == 'x'; }
  bool after(int i) const { return out_[static_cast<size_t>(i)] == 'a' || out_[static_cast<size_t>(i)] == 'x'; }
  bool adds(int i) const { return b_[static_cast<size_t>(i)] == 't'; }
  // The columns of row i in the order of computing: the cell's own last.
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
        if (a(i, j) == 't') f(cat(i, j));
  }
  template <class F>
  void each_out(const F& f) const {
    for (int i = 0; i < d_; ++i) {
      if (before(i)) f(i, cat("u", i), false);
      if (after(i)) f(i, cat("w", i), true);
    }
  }

  // Parameters: A's static elements, streams in, streams out.
  std::string streams(bool declare) const {
    std::string text = declare ? "const float *A" : "A";
    auto add = [&](const std::string& name, bool in) { text += cat(declare ? (in ? ", const float *" : ", float *") : ", ", name); };
    each_varying([&](const std::string& ij) { add("a" + ij, true); });
    for (int i = 0; i < d_; ++i)
      if (adds(i)) add(cat("b", i), true);
    each_out([&](int, const std::string& name, bool) { add(name, false); });
    return text;
  }

  std::string element(int i, int j, const char* constant, const char* at) const {
    switch (a(i, j)) {
      case '1': return "1";
      case 's': return cat(constant, "[", i * d_ + j, "]");
      default: return cat("a", i, j, at);
    }
  }

  // Ticks one after the other, from t on, `count` of them.
  std::string serial() const {
    std::string text = cat("static void ", name_, "_serial(", streams(true), ", double *s, long t, long count) {\n");
    text += cat("  for (; count > 0; --count, ", reverse_ ? "--t" : "++t", ") {\n");
    for (int i = 0; i < d_; ++i) {
      std::string sum = adds(i) ? cat("(double)b", i, "[t]") : "0.0";
      for (int j : columns(i)) sum = cat("dg_scan_term(", element(i, j, "A", "[t]"), ", s[", j, "], ", sum, ")");
      text += cat("    double n", i, " = ", sum, ";\n");
    }
    for (int i = 0; i < d_; ++i) {
      if (before(i)) text += cat("    u", i, "[t] = (float)s[", i, "];\n");
      if (after(i)) text += cat("    w", i, "[t] = (float)n", i, ";\n");
    }
    for (int i = 0; i < d_; ++i) text += cat("    s[", i, "] = n", i, ";\n");
    return text + "  }\n}\n";
  }

  // Row i of A times a vector of cells whose names start with x, plus a tick's input.
  std::string row(int i, const std::string& x, const std::string& plus) const {
    std::string sum = plus;
    for (int j : columns(i)) {
      const std::string cell = cat(x, j), factor = element(i, j, "k", "t");
      if (sum.empty()) sum = a(i, j) == '1' ? cell : cat(factor, " * ", cell);
      else sum = a(i, j) == '1' ? cat("(", cell, " + ", sum, ")") : cat("DG_SFMA(", factor, ", ", cell, ", ", sum, ")");
    }
    return sum.empty() ? "(dg_sv){0}" : sum;
  }

  // Segments [t, t + 16 count), count <= DG_SW, ascending in lanes; P: powers of a constant A, rows before and after ticks.
  std::string in_segments() const {
    std::string text = cat("static void ", name_, "_segments(", streams(true), ", const double *P, double *s, long at, long count) {\n");
    each_varying([&](const std::string& ij) { text += cat("  dg_sv a", ij, "x[16];\n  dg_take_segments(a", ij, "x, a", ij, " + at, count);\n"); });
    for (int i = 0; i < d_; ++i)
      if (adds(i)) text += cat("  dg_sv b", i, "x[16];\n  dg_take_segments(b", i, "x, b", i, " + at, count);\n");
    each_out([&](int, const std::string& o, bool) {
      text += cat("  dg_sv ", o, "z[16];\n");
      for (int j = 0; varies_ && j < d_; ++j) text += cat("  dg_sv ", o, "m", j, "[16];\n");
    });
    return text + from_zeros() + carry() + add_state() + "}\n";
  }

  std::string from_zeros() const {
    std::string text;
    if (a_.find('s') != std::string::npos) {
      text += cat("  dg_sv k[", d_ * d_, "];\n  for (int i = 0; i < ", d_ * d_, "; ++i) k[i] = A[i] - (dg_sv){0};\n");
    }
    for (int i = 0; i < d_; ++i) {
      text += cat("  dg_sv z", i, " = {0};\n");
      for (int j = 0; varies_ && j < d_; ++j) text += cat("  dg_sv m", j, i, " = (dg_sv){0} + ", i == j ? 1 : 0, ";\n");
    }
    text += cat("  for (int n = 0; n < 16; ++n) {\n    const int t = ", reverse_ ? "15 - n" : "n", ";\n");
    each_varying([&](const std::string& ij) { text += cat("    const dg_sv a", ij, "t = a", ij, "x[t];\n"); });
    text += keep(false);
    for (int i = 0; i < d_; ++i) text += cat("    dg_sv y", i, " = ", row(i, "z", adds(i) ? cat("b", i, "x[t]") : ""), ";\n");
    for (int j = 0; varies_ && j < d_; ++j)
      for (int i = 0; i < d_; ++i) text += cat("    dg_sv p", j, i, " = ", row(i, cat("m", j), ""), ";\n");
    for (int i = 0; i < d_; ++i) {
      text += cat("    z", i, " = y", i, ";\n");
      for (int j = 0; varies_ && j < d_; ++j) text += cat("    m", j, i, " = p", j, i, ";\n");
    }
    return text + keep(true) + "  }\n";
  }

  std::string keep(bool later) const {
    std::string text;
    each_out([&](int i, const std::string& o, bool after) {
      if (after != later) return;
      text += cat("    ", o, "z[t] = z", i, ";\n");
      for (int j = 0; varies_ && j < d_; ++j) text += cat("    ", o, "m", j, "[t] = m", j, i, ";\n");
    });
    return text;
  }

  // The state before each segment, in order; values that are not finite spoil all that comes after them.
  std::string carry() const {
    std::string text, spoilt;
    for (int i = 0; i < d_; ++i) text += cat("  float s", i, "x[DG_SW] = {0};\n  double s", i, " = s[", i, "];\n");
    text += cat("  for (long n = 0; n < count; ++n) {\n    const long r = ", reverse_ ? "count - 1 - n" : "n", ";\n");
    for (int i = 0; i < d_; ++i) text += cat("    s", i, "x[r] = (float)s", i, ";\n");
    for (int i = 0; i < d_; ++i) {
      std::string sum = cat("(double)z", i, "[r]");
      for (int k = 0; k < d_; ++k) {
        int j = (i + 1 + k) % d_;
        sum = cat(varies_ ? cat("(double)m", j, i, "[r]") : cat("P[", (kSegment * d_ + i) * d_ + j, "]"), " * s", j, " + (", sum, ")");
      }
      text += cat("    const double n", i, " = ", sum, ";\n");
    }
    for (int i = 0; i < d_; ++i) {
      text += cat("    s", i, " = n", i, ";\n");
      spoilt += cat(i ? " + " : "", "(float)s", i, " * 0.0f");
    }
    text += cat("  }\n  if (!(", spoilt, " == 0)) return ", name_, "_serial(", streams_at_serial(), ");\n");
    for (int i = 0; i < d_; ++i) text += cat("  s[", i, "] = s", i, ";\n  const dg_sv v", i, " = *(const dg_su *)s", i, "x;\n");
    return text;
  }
  std::string streams_at_serial() const { return cat(streams(false), ", s, ", reverse_ ? "at + 16 * count - 1" : "at", ", 16 * count"); }

  std::string add_state() const {
    std::string text;
    each_out([&](int i, const std::string& o, bool after) {
      text += cat("  for (int n = 0; n < 16; ++n) {\n    const int t = ", reverse_ ? "15 - n" : "n", ";\n    dg_sv y = ", o, "z[t];\n");
      for (int j = 0; j < d_; ++j) {
        std::string m = varies_ ? cat(o, "m", j, "[t]") : cat("((float)P[((n + ", after ? 1 : 0, ") * ", d_, " + ", i, ") * ", d_, " + ", j, "] - (dg_sv){0})");
        text += cat("    y = DG_SFMA(", m, ", v", j, ", y);\n");
      }
      text += cat("    ", o, "z[t] = y;\n  }\n  dg_give_segments(", o, " + at, ", o, "z, count);\n");
    });
    return text;
  }

  // P[k] = A^k for k up to a segment's length.
  std::string powers() const {
    if (varies_) return "  const double *P = 0;\n";
    std::string text = cat("  double P[", (kSegment + 1) * d_ * d_, "] = {");
    for (int i = 0; i < d_ * d_; ++i) text += i % (d_ + 1) == 0 ? "1, " : "0, ";
    text += cat("};\n  for (int n = 0; n < 16; ++n) {\n    const double *p = P + n * ", d_ * d_, ";\n    double *q = P + (n + 1) * ", d_ * d_, ";\n");
    for (int i = 0; i < d_; ++i)
      for (int c = 0; c < d_; ++c) {
        std::string sum;
        for (int j : columns(i)) sum += cat(sum.empty() ? "" : " + ", a(i, j) == '1' ? "" : cat("A[", i * d_ + j, "] * "), "p[", j * d_ + c, "]");
        text += cat("    q[", i * d_ + c, "] = ", sum.empty() ? "0" : sum, ";\n");
      }
    return text + "  }\n";
  }

  std::string whole() const {
    std::string text = cat("static void ", name_, "(", streams(true));
    for (int i = 0; i < d_; ++i) text += cat(", float *cell", i, ", double *exact", i);
    text += cat(", long n, long first) {\n  double s[", d_, "];\n");
    for (int i = 0; i < d_; ++i) text += cat("  dg_scan_load(s + ", i, ", cell", i, ", exact", i, ");\n");
    text += cat("  long ragged = ", reverse_ ? "(first + n) & 15" : "-first & 15", ";\n  ragged = ragged < n ? ragged : n;\n");
    text += cat("  const long whole = (n - ragged) / 16, rest = n - ragged - 16 * whole;\n");
    text += cat("  ", name_, "_serial(", streams(false), ", s, ", reverse_ ? "n - 1" : "0", ", ragged);\n  if (whole > 0) {\n");
    text += powers();
    text += "    for (long done = 0; done < whole; done += DG_SW) {\n      const long count = whole - done < DG_SW ? whole - done : DG_SW;\n";
    text += cat("      ", name_, "_segments(", streams(false), ", P, s, ", reverse_ ? "rest + 16 * (whole - done - count)" : "ragged + 16 * done",
                ", count);\n    }\n  }\n");
    text += cat("  ", name_, "_serial(", streams(false), ", s, ", reverse_ ? "rest - 1" : "n - rest", ", rest);\n");
    for (int i = 0; i < d_; ++i) text += cat("  dg_scan_keep(cell", i, ", exact", i, ", s[", i, "]);\n");
    return text + "}\n";
  }

  std::string name_, a_, b_, out_;
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
  std::string text = cat(vectors, "#if DG_SW == 16\n", turn(16), "#elif DG_SW == 8\n", turn(8), "#else\n", turn(4), "#endif\n", segments, shift);
  for (auto& name : names)
    if (name.starts_with("dg_scan_")) text += Scan(name).text();
  return text;
}

}  // namespace dgen::codegen
