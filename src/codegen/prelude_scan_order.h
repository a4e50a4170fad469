// A linear recurrence of one lane tick by tick, in C: the cells are kept in float64, as fast as float32, since only what goes out is
// rounded. What is not finite is computed as it is written: a masked coefficient of 0 (of a value not chosen) drops what it multiplies,
// and so does a gradient of 0.
#pragma once
#include <string>

#include "codegen/prelude_scan_terms.h"

namespace dgen::codegen {

class RecurrenceInOrder : protected ScanTerms {
 public:
  using ScanTerms::ScanTerms;

  std::string text() const {
    return cat("typedef struct { double s[", d_, "]; float cell[", d_, "]; } ", name_, "_state;\n", in_order(), whole());
  }

 protected:
  // `count` ticks from t on as they are written, in double.
  std::string in_order() const {
    std::string text = cat("static void ", name_, "_in_order(", declared(), ", long t, long count) {\n");
    text += cells([](int i) { return cat("  double s", i, " = g->s[", i, "];\n  float x", i, " = g->cell[", i, "];\n"); });
    text += cat("  for (; count > 0; --count, ", reverse_ ? "--t" : "++t", ") {\n", inputs());
    auto fma = [](int, int) { return "DG_FMA_DOUBLE"; };
    text += cells([&](int i) { return cat("    double d", i, " = ", as_written(i, "s", fma), ";\n"); });
    text += cells([](int i) { return cat("    float n", i, " = (float)d", i, ";\n"); });
    text += cat("    if (!(", all_finite([](int i) { return cat("n", i); }), ")) {\n");
    const char* masked = reverse_ ? "dg_scan_term_r" : "dg_scan_term";
    auto term = [&](int i, int j) { return plain(i, j) ? "dg_scan_plain" : masked; };
    text += cells([&](int i) { return cat("      d", i, " = n", i, " = (float)", as_written(i, "x", term), ";\n"); });
    text += cat("    }\n", outputs(true), cells([](int i) { return cat("    s", i, " = d", i, ", x", i, " = n", i, ";\n"); }), "  }\n");
    return text + cells([](int i) { return cat("  g->s[", i, "] = s", i, ", g->cell[", i, "] = x", i, ";\n"); }) + "}\n";
  }
  template <class F>
  std::string as_written(int i, const char* x, const F& term) const {
    std::string sum = !adds(i)      ? "0.0"
                      : streamed(i) ? cat("(double)b", i, "t")
                      : scaled(i)   ? cat("(double)(e", i, " * ft)")
                                    : "(double)ft";
    for (int j : columns(i))
      if (a(i, j) != '0') sum = cat(term(i, j), "(", element(i, j, "A"), ", ", x, j, ", ", sum, ")");
    return sum;
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
    return cells([](int i) { return cat(i ? " || " : "", "g->cell[", i, "] != *cell", i); });
  }

 private:
  std::string whole() const {
    std::string text = signature() + "  (void)first;\n";
    text += cat("  if (", from_outside(), ") {\n", cells([](int i) { return cat("    g->s[", i, "] = g->cell[", i, "] = *cell", i, ";\n"); }));
    text += cat("  }\n  ", name_, "_in_order(", shared(), ", ", reverse_ ? "n - 1" : "0", ", n);\n");
    return text + cells([](int i) { return cat("  *cell", i, " = g->cell[", i, "];\n"); }) + "}\n";
  }
};

}  // namespace dgen::codegen
