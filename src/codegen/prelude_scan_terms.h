// What the linear recurrence of one lane is made of, as C text: the elements of A, a tick's inputs, sums of its cells. See
// prelude_scan.cpp for what is computed with them.
#pragma once
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/two_cells.h"

namespace dgen::codegen {

// dg_scan_ORDER_A_B_OUT[_r|_w|_o|_or]: A by element, row by row: 0, 1, s (static), t (every tick), capital where nothing is masked; b by
// cell: 0, t, the input f (1), or s: a static multiple, in B, of it; of each cell's values go out those before the tick (b), after it
// (a), both (x), none (n); then sums of the cells before the tick and f, each as what multiplies them: 0, 1, or s (static, in
// C), or of the cells after the tick (S); r: ticks in descending order; w: the input is a sine, which is made here (dg_wave); o: ticks in
// order.
class ScanTerms {
 public:
  explicit ScanTerms(const std::string& name) : name_(name) {
    auto part = [&name, at = name.find("scan_") + 5]() mutable {
      const size_t end = std::min(name.find('_', at), name.size());
      std::string text = name.substr(std::min(at, end), end - at);
      at = end + 1;
      return text;
    };
    d_ = std::stoi(part());
    kinds_ = part(), b_ = part(), out_ = part();
    const auto d = static_cast<size_t>(d_);
    for (size_t at = d; at < out_.size(); at += d + 1) sums_.push_back(out_.substr(at, d + 1));
    for (char kind : kinds_) a_ += static_cast<char>(std::tolower(kind));
    const std::string how = part();
    reverse_ = how.find('r') != std::string::npos, wave_ = how == "w", ordered_ = how.starts_with('o');
    varies_ = a_.find('t') != std::string::npos;
    if (varies_ && d_ == 2 && !ordered_) two_ = two_cells(a_);
  }

  bool ordered() const { return ordered_; }

 protected:
  bool plain(int i, int j) const { return std::isupper(kinds_[static_cast<size_t>(i * d_ + j)]) != 0; }
  char a(int i, int j) const { return a_[static_cast<size_t>(i * d_ + j)]; }
  bool before(int i) const { return out_[static_cast<size_t>(i)] == 'b' || out_[static_cast<size_t>(i)] == 'x'; }
  bool after(int i) const { return out_[static_cast<size_t>(i)] == 'a' || out_[static_cast<size_t>(i)] == 'x'; }
  bool summed(int i, bool after) const {
    return std::any_of(sums_.begin(), sums_.end(), [i, after](const std::string& sum) {
      const char kind = sum[static_cast<size_t>(i)];
      return kind != '0' && (kind == 'S') == after;
    });
  }
  static bool of_next(const std::string& sum) { return sum.find('S') != std::string::npos; }
  bool adds(int i) const { return b_[static_cast<size_t>(i)] != '0'; }
  bool streamed(int i) const { return b_[static_cast<size_t>(i)] == 't'; }
  bool takes_input() const { return b_.find_first_of("1s") != std::string::npos; }
  std::string gain(int i) const { return b_[static_cast<size_t>(i)] == '1' ? "1" : cat("e", i); }
  bool scaled(int i) const { return b_[static_cast<size_t>(i)] == 's'; }
  bool sums_input() const {
    return std::any_of(sums_.begin(), sums_.end(), [](const std::string& sum) { return sum.back() != '0'; });
  }
  bool has_input() const { return takes_input() || sums_input(); }
  // The columns of row i in the order of computing: the cell's own last, since it is on the shortest way around.
  std::vector<int> columns(int i, bool all = false) const {
    std::vector<int> js;
    for (int k = 0; k < d_; ++k)
      if (int j = (i + 1 + k) % d_; all || differs() || a(i, j) != '0') js.push_back(j);
    return js;
  }

  // One of two cells is counted from the other: z, m, v and s are of that.
  bool differs() const { return two_.counted >= 0; }
  int counted() const { return two_.counted; }
  int y() const { return 1 - two_.counted; }
  std::string from_cells(int i, const std::string& x, const std::string& y) const {
    return i == counted() ? cat("(", x, two_.adds ? " + " : " - ", y, ")") : x;
  }
  std::string to_cells(int i, const std::string& x, const std::string& y) const {
    return i == counted() ? cat("(", x, two_.adds ? " - " : " + ", y, ")") : x;
  }
  // Cell i of values whose names start with a name, counted from the other.
  std::string from_cells(int i, const char* name) const { return from_cells(i, cat(name, i), cat(name, 1 - i)); }
  // The elements of A, of a tick, for cells that are counted so.
  std::string differences(const char* type, const char* constants) const {
    if (!differs()) return "";
    const int o = 1 - two_.own, i = two_.adds ? o : two_.own, j = two_.adds ? two_.own : o;
    const std::string own = element(two_.own, two_.own, constants);
    return cat("    const ", type, " ea = ", own, " - 1.0f, ec = ea + ", element(i, j, constants), ";\n");
  }
  std::string factor(int i, int j, const char* constants) const {
    if (!differs()) return element(i, j, constants);
    if (i == two_.own && j == two_.own) return "ea";
    return (two_.adds ? i != two_.own && j == two_.own : i == two_.own && j != two_.own) ? "ec" : "1";
  }
  template <class F>
  void each_varying(const F& f) const {
    for (int i = 0; i < d_; ++i)
      for (int j = 0; j < d_; ++j)
        if (a(i, j) == 't') f(cat("a", i, j));
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
  // first + sum over j of factor(j) x(j), the own cell's last.
  template <class F, class G>
  std::string sum_of(int i, const char* fma, const std::string& first, const F& factor, const G& x) const {
    std::string sum = first;
    for (int j : columns(i, true)) sum = cat(fma, "(", factor(j), ", ", x(j), ", ", sum, ")");
    return sum;
  }
  int at(int i, int j) const { return i * d_ + j; }
  static std::string finite(const std::string& values) { return cat("(", values, ") == 0"); }
  template <class F>
  std::string all_finite(const F& value) const {
    return finite(cells([&](int i) { return cat(i ? " + " : "", value(i), " * 0"); }));
  }

  // Parameters: static factors of A, b and the sums, streams in, streams out.
  std::string streams(bool declare, bool whole = false) const {
    std::string text = declare ? "const double *A, const float *B, const float *C" : "A, B, C";
    auto add = [&](const std::string& name, bool in) { text += cat(declare ? (in ? ", const float *" : ", float *") : ", ", name); };
    each_varying([&](const std::string& name) { add(name, true); });
    if (wave_ && declare) text += whole ? ", const float *anchors, const float *table, const float *weight" : ", const dg_wave *f";
    else if (has_input()) add("f", true);
    for (int i = 0; i < d_; ++i)
      if (streamed(i)) add(cat("b", i), true);
    for (int i = 0; i < d_; ++i) {
      if (before(i)) add(cat("u", i), false);
      if (after(i)) add(cat("w", i), false);
    }
    for (size_t k = 0; k < sums_.size(); ++k) add(cat("y", k), false);
    return text;
  }
  std::string shared() const { return cat(streams(false), ", g"); }
  std::string declared() const { return cat(streams(true), ", ", name_, "_state *g"); }

  std::string element(int i, int j, const char* constants) const {
    if (a(i, j) == '1') return "1";
    return a(i, j) == 's' ? cat(constants, "[", at(i, j), "]") : cat("a", i, j, "t");
  }

  // Row i of A times a vector whose names start with x.
  std::string row(int i, const std::string& x, const char* fma, const char* constants) const {
    std::string sum;
    for (int j : in_order(i, constants)) sum = plus(sum, factor(i, j, constants), cat(x, j), fma);
    return sum.empty() ? cat(x, "0 * 0") : sum;
  }
  // A cell that is taken as it is goes first where all else is fma then.
  std::vector<int> in_order(int i, const char* constants) const {
    std::vector<int> js = columns(i);
    if (differs()) std::stable_partition(js.begin(), js.end(), [&](int j) { return factor(i, j, constants) == "1"; });
    return js;
  }
  std::string input(int i) const {
    if (!adds(i)) return "";
    return streamed(i) ? cat("b", i, "t") : scaled(i) ? cat("e", i, " * ft") : "ft";
  }
  std::string input_of_difference() const {
    const std::string x = input(counted()), other = input(y());
    return other.empty() ? x : x.empty() ? (two_.adds ? other : cat("-(", other, ")")) : cat("(", x, two_.adds ? " + " : " - ", other, ")");
  }
  // The same of z, and a tick's input. A cell that is taken as it is goes first: all else is fma then.
  std::string row_and_input(int i, const char* fma, const char* constants) const {
    if (differs()) {
      std::string sum = i == counted() ? input_of_difference() : input(i);
      for (int j : in_order(i, constants)) sum = plus(sum, factor(i, j, constants), cat("z", j), fma);
      return sum;
    }
    std::vector<int> js = columns(i);
    std::stable_partition(js.begin(), js.end(), [&](int j) { return a(i, j) == '1'; });
    std::string sum = streamed(i) ? cat("b", i, "t") : "";
    bool input = adds(i) && !streamed(i);
    for (int j : js) {
      if (input && a(i, j) != '1') sum = plus(sum, gain(i), "ft", fma), input = false;
      sum = plus(sum, element(i, j, constants), cat("z", j), fma);
    }
    if (input) sum = plus(sum, gain(i), "ft", fma);
    return sum.empty() ? "z0 * 0" : sum;
  }
  static std::string plus(const std::string& sum, const std::string& factor, const std::string& x, const char* fma) {
    if (factor == "1") return sum.empty() ? x : cat("(", x, " + ", sum, ")");
    return sum.empty() ? cat(factor, " * ", x) : cat(fma, "(", factor, ", ", x, ", ", sum, ")");
  }

  // One tick of z and m, old values to new ones.
  std::string step(const char* type, const char* fma, const char* constants) const {
    std::string text = differences(type, constants);
    text += cells([&](int i) { return cat("    ", type, " next", i, " = ", row_and_input(i, fma, constants), ";\n"); });
    if (varies_)
      text += pairs([&](int j, int i) { return cat("    ", type, " p", j, i, " = ", row(i, cat("m", j), fma, constants), ";\n"); });
    text += cells([](int i) { return cat("    z", i, " = next", i, ";\n"); });
    if (varies_) text += pairs([](int j, int i) { return cat("    m", j, i, " = p", j, i, ";\n"); });
    return text;
  }

  // Sum k of cells, whose names start with x, and the input.
  std::string sum_text(size_t k, const char* x, const char* fma, const char* splat) const {
    std::string sum;
    for (int i = 0; i <= d_; ++i) {
      const char kind = sums_[k][static_cast<size_t>(i)];
      const std::string factor = cat(splat, "(C[", k * static_cast<size_t>(d_ + 1) + static_cast<size_t>(i), "])"),
                        term = i < d_ ? cat(x, i) : "ft";
      if (kind == '0') continue;
      if (sum.empty())
        sum = kind == '1' ? term : cat(factor, " * ", term);
      else
        sum = kind == '1' ? cat(sum, " + ", term) : cat(fma, "(", factor, ", ", term, ", ", sum, ")");
    }
    return sum;
  }

  std::string name_, kinds_, a_, b_, out_;
  std::vector<std::string> sums_;
  int d_ = 0;
  bool reverse_ = false, wave_ = false, ordered_ = false, varies_ = false;
  TwoCells two_;
};

}  // namespace dgen::codegen
