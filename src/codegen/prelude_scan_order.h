// A linear recurrence of one lane tick by tick, in C: the cells are kept in float64, as fast as float32, since only what goes out is
// rounded. What is not finite is computed as it is written: a masked coefficient of 0 (of a value not chosen) drops what it multiplies,
// and so does a gradient of 0.
#pragma once
#include <string>
#include <vector>

#include "codegen/prelude_scan_terms.h"

namespace dgen::codegen {

class RecurrenceInOrder : protected ScanTerms {
 public:
  using ScanTerms::ScanTerms;

  std::string text_in_order() const {
    return cat("typedef struct { double s[", d_, "]; float cell[", d_, "]; } ", name_, "_state;\n", in_order(), tile_in_order());
  }

 protected:
  // `count` ticks from t0 on, in double: eight at a time, and once more as they are written if what comes out is not finite in float.
  std::string in_order() const {
    const char* sign = reverse_ ? "-" : "+";
    std::string text = cat("static void ", name_, "_in_order(", declared(), ", long t0, long count) {\n");
    text += cells([](int i) { return cat("  double s", i, " = g->s[", i, "];\n  float x", i, " = g->cell[", i, "];\n"); });
    text += cat("  for (long many; count > 0; count -= many, t0 = t0 ", sign, " many) {\n    many = count < 8 ? count : 8;\n");
    text += cat("    if (many == 8) {\n    double ", cells([](int i) { return cat(i ? ", r" : "r", i, " = s", i); }), ";\n    float ");
    text += cells([](int i) { return cat(i ? ", q" : "q", i, " = x", i, ", wild", i, " = 0"); }) + ";\n    DG_UNROLL\n";
    text += cat("    for (int k = 0; k < 8; ++k) {\n    const long t = t0 ", sign, " k;\n", inputs(), next(), outputs(true), taken());
    text += cells([&](int i) { return is_copy(i) ? "" : cat("    wild", i, " += n", i, " * 0;\n"); });
    text += cat("    }\n    if (", cells([](int i) { return cat(i ? " + wild" : "wild", i); }), " == 0) continue;\n");
    text += cells([](int i) { return cat("    s", i, " = r", i, ", x", i, " = q", i, ";\n"); }) + "    }\n";
    text += cat("    for (int k = 0; k < many; ++k) {\n    const long t = t0 ", sign, " k;\n", inputs(), next());
    text += cat("    if (!(", cells([&](int i) { return is_copy(i) ? "" : cat("n", i, " * 0 + "); }), "0 == 0)) {\n", as_written(),
                "    }\n", outputs(true), taken(), "    }\n  }\n");
    return text + cells([](int i) { return cat("  g->s[", i, "] = s", i, ", g->cell[", i, "] = x", i, ";\n"); }) + "}\n";
  }
  std::string next() const {
    return cells([&](int i) { return cat("    double d", i, " = ", fused(i, adds(i) ? cat("(double)(", input(i), ")") : ""), ";\n"); }) +
           cells([](int i) { return cat("    float n", i, " = (float)d", i, ";\n"); });
  }
  std::string taken() const {
    return cells([](int i) { return cat("    s", i, " = d", i, ", x", i, " = n", i, ";\n"); });
  }
  std::string as_written() const {
    const char* masked = reverse_ ? "dg_scan_term_r" : "dg_scan_term";
    return cells([&](int i) {
      std::string sum = adds(i) ? cat("(double)(", input(i), ")") : "0.0";
      for (int j : read(i)) sum = cat(plain(i, j) ? "dg_scan_plain" : masked, "(", element(i, j, "A"), ", x", j, ", ", sum, ")");
      return cat("      d", i, " = n", i, " = (float)", sum, ";\n");
    });
  }
  // Row i of A times the cells, and what is added. Cells that wait for one other are there early, of the rest a cell's own comes last;
  // of more than two a half is added up beside: what a tick waits for is what it costs.
  std::string fused(int i, std::string sum) const {
    std::vector<int> early, late;
    for (int j : read(i)) (is_early(j) ? early : late).push_back(j);
    auto add = [&](const std::string& to, int j) {
      const std::string factor = element(i, j, "A");
      if (to.empty()) return factor == "1" ? cat("s", j) : cat(factor, " * s", j);
      return factor == "1" ? cat("(", to, " + s", j, ")") : cat("DG_FMA_DOUBLE(", factor, ", s", j, ", ", to, ")");
    };
    for (int j : early) sum = add(sum, j);
    std::string beside;
    const size_t half = late.size() > 2 ? late.size() / 2 : late.size();
    for (size_t k = 0; k < half; ++k) sum = add(sum, late[k]);
    for (size_t k = late.size(); k-- > half;) beside = add(beside, late[k]);
    return beside.empty() ? (sum.empty() ? "0.0" : sum) : cat(sum, " + ", beside);
  }
  bool is_early(int i) const {
    const std::vector<int> js = read(i);
    return js.empty() || (js.size() == 1 && js[0] != i);
  }
  // Of a copy it was seen before if it is not finite.
  bool is_copy(int i) const { return is_early(i) && !adds(i) && !read(i).empty() && a(i, read(i)[0]) == '1'; }
  std::vector<int> read(int i) const {  // the cells that cell i reads, its own last
    std::vector<int> js = columns(i);
    std::erase_if(js, [&](int j) { return a(i, j) == '0'; });
    return js;
  }

  // A tick's factors and inputs, and what goes out before the cells x become n, and after.
  std::string inputs() const {
    std::string text;
    each_varying([&](const std::string& name) { text += cat("    const float ", name, "t = ", name, "[t];\n"); });
    if (has_input()) text += cat("    const float ft = ", wave_ ? "dg_wave_at(f, t)" : "f[t]", ";\n");
    for (int i = 0; i < d_; ++i) {
      if (streamed(i)) text += cat("    const float b", i, "t = b", i, "[t];\n");
      if (scaled(i)) text += cat("    const float e", i, " = B[", i, "];\n");
    }
    return text + outputs(false);
  }
  std::string outputs(bool later) const {
    std::string text = cells([&](int i) {
      return later ? (after(i) ? cat("    w", i, "[t] = n", i, ";\n") : "") : before(i) ? cat("    u", i, "[t] = x", i, ";\n") : "";
    });
    for (size_t k = 0; k < sums_.size(); ++k)
      if (of_next(sums_[k]) == later) text += cat("    y", k, "[t] = ", sum_text(k, later ? "n" : "x", "DG_FMA", ""), ";\n");
    return text;
  }

  // A tile. kept: the state; `first`: its first tick's number in the stream.
  std::string signature() const {
    return cat("static void ", name_, "(", streams(true, true), cells([](int i) { return cat(", float *cell", i); }),
               ", double *kept, long n, long first", wave_ ? ", long by_row" : "", ") {\n  ", name_, "_state *g = (", name_,
               "_state *)kept;\n");
  }
  std::string from_outside() const {
    return cells([](int i) { return cat(i ? " || " : "", "__builtin_memcmp(&g->cell[", i, "], cell", i, ", 4) != 0"); });
  }

 private:
  std::string tile_in_order() const {
    std::string text = signature() + "  (void)first;\n";
    text +=
        cat("  if (", from_outside(), ") {\n", cells([](int i) { return cat("    g->s[", i, "] = g->cell[", i, "] = *cell", i, ";\n"); }));
    text += cat("  }\n  ", name_, "_in_order(", shared(), ", ", reverse_ ? "n - 1" : "0", ", n);\n");
    return text + cells([](int i) { return cat("  *cell", i, " = g->cell[", i, "];\n"); }) + "}\n";
  }
};

}  // namespace dgen::codegen
