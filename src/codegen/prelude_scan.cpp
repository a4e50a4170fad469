// Linear recurrences s' = A s + b of one lane, in C. A segment is eight ticks, a group as many segments as a vector has lanes,
// both counted from the stream's start. A segment lies in a lane: there the state is m v + z in float, where z comes from
// zeros, m is the product of the A so far and v the state at the segment's start. A group's v come from its z and m in as many
// steps as it takes to double up to all lanes, and from s, in double, the state at the group's start. Where a run begins or
// ends within a group, all that is kept, and what is less than a segment is done tick by tick with the same operations, so no
// cut of a run changes a bit. From the first tick on whose state is not finite, or where products of A have grown (states made from
// such would be small differences of large numbers), ticks are computed in order, to the end of the group; the next one starts from
// the cells. So are all ticks of constant A whose powers leave float's range or grow. As written, a masked coefficient
// of 0 (of a value not chosen) drops what it multiplies, and so does a gradient of 0.
#include "codegen/prelude.h"
#include "codegen/prelude_scan_order.h"

namespace dgen::codegen {
namespace {

class Scan : RecurrenceInOrder {
 public:
  using RecurrenceInOrder::RecurrenceInOrder;

  std::string text() const {
    return state() + (varies_ ? "" : powers()) + double_up() + start() + begin() + ticks() + in_order() + groups() + whole();
  }

 private:
  // What is kept between runs (see StateLayout). cell: the values that the cells had, to see what changed between runs; ends: z
  // and m at the ends of the group's segments so far. Of constant A: its static elements, to see the same, and its powers, of
  // ticks, of the segments before a lane, and of a group, once ready is 1; wild: they leave float's range; into: see basis(). serial:
  // the rest of the group goes in order, s are the cells.
  std::string state() const {
    const int dd = d_ * d_;
    std::string text = cat("typedef struct { double s[", d_, "]", varies_ ? "" : cat(", whole[", dd, "], A[", dd, "]"), "; float cell[", d_,
                           "], z[", d_, "], v[", d_, "], ends[", 16 * d_, "]");
    return text +
           (varies_ ? cat(", m[", dd, "], products[", 16 * dd, "]")
                    : cat(", ready, wild, into[", dd, "], tick[", 9 * dd, "], lane[", 16 * dd, "]")) +
           "; int serial; } " + name_ + "_state;\n";
  }

  // Two cells whose poles lie close to each other and to 1 (a filter far below the sample rate) are nearly the same in every
  // tick: powers of A grow large and cancel. So segments are joined in a basis in which A turns and shrinks, [c w; -w c]: one
  // cell becomes its distance from c' times the other, in units d. p: cells from the basis, u: into it, both exact in float.
  bool based() const { return !varies_ && d_ == 2; }
  static std::string basis() {
    return R"(  const double c = 0.5 * (a[0] + a[3]), pull = __builtin_fabs(1 - __builtin_fabs(c));
  double w = __builtin_sqrt(__builtin_fabs(c * c - a[0] * a[3] + a[1] * a[2]));
  const int other = __builtin_fabs(a[1]) < __builtin_fabs(a[2]), i = other ? 0 : 3, j = other ? 1 : 2;
  const double by = a[3 - j];
  w = w > pull ? w : pull, w = w > 0x1p-12 ? w : 0x1p-12;
  if (__builtin_fabs(by) > 0x1p-12) {
    p[i] = DG_AS_FLOAT(DG_AS_UINT((float)(w / __builtin_fabs(by))) & 0x7f800000u), u[i] = 1 / p[i];
    p[j] = (float)((c - a[3 - i]) / by), u[j] = -p[j] / p[i];
  }
)";
  }

  // Powers by squaring: what each is made of is there after a few products.
  std::string powers() const {
    const int dd = d_ * d_;
    std::string text = cat("DG_FN void ", name_, "_times(double *to, const double *x, const double *y) {\n  const double ");
    text += pairs([&](int i, int j) {
      std::string sum;
      for (int k = 0; k < d_; ++k) sum += cat(k ? " + " : "", "x[", at(i, k), "] * y[", at(k, j), "]");
      return cat(i + j ? ", " : "", "n", i, j, " = ", sum);
    });
    text += ";\n" + pairs([&](int i, int j) { return cat("  to[", at(i, j), "] = n", i, j, ";\n"); }) + "}\n";
    text += cat("static void ", name_, "_powers(", name_, "_state *g, const double *A) {\n");
    auto matrix = [&](const char* name, const auto& f) {
      return cat("  double ", name, "[", dd, "] = {") + pairs([&](int i, int j) { return cat(i + j ? ", " : "", f(i, j)); }) + "};\n";
    };
    text += matrix("a", [&](int i, int j) { return a(i, j) == 's' ? cat("A[", at(i, j), "]") : std::string(1, a(i, j)); });
    auto unit = [](int i, int j) { return i == j ? "1" : "0"; };
    text += matrix("p", unit) + matrix("u", unit) + matrix("one", unit) + (based() ? basis() : "");
    text += cat("  double tick[", 9 * dd, "], lane[DG_W * ", dd, "];\n  int wild = 0;\n");
    // `first`, then what `base` to the nth makes of it; base becomes its power of `many`.
    auto powers_of = [&](const char* base, const char* first, const char* all, const char* many) {
      return cat("  __builtin_memcpy(", all, ", ", first, ", sizeof ", first, ");\n  for (int by = 1; by < ", many,
                 "; by *= 2) {\n    for (int n = by; n < 2 * by; ++n) ", name_, "_times(", all, " + n * ", dd, ", ", base, ", ", all,
                 " + (n - by) * ", dd, ");\n    ", name_, "_times(", base, ", ", base, ", ", base, ");\n  }\n");
    };
    text += powers_of("a", "p", "tick", "8");
    text += cat("  ", name_, "_times(tick + ", 8 * dd, ", a, p), ", name_, "_times(a, u, tick + ", 8 * dd, ");\n");
    text += powers_of("a", "one", "lane", "DG_W");
    auto keep = [&](int many, const char* to, const char* from) {
      text += cat("  for (int i = 0; i < ", many, "; ++i) g->", to, "[i] = ", from, "[i], wild |= !((float)", from, "[i] * 0 == 0);\n");
    };
    keep(9 * dd, "tick", "tick"), keep(dd, "into", "u"), keep(dd, "whole", "a");
    text += cat("  for (int n = 0; n < DG_W; ++n)\n    for (int i = 0; i < ", dd, "; ++i) {\n      const float x = lane[n * ", dd,
                " + i];\n      g->lane[16 * i + ", lane("n"), "] = x, wild |= !(x * 0 == 0);\n    }\n");
    auto bound = [&](const char* many, const char* of) {
      auto m = [&](int i, int j) { return cat("(float)", of, "[n * ", dd, " + ", at(i, j), "]"); };
      const std::string all = sizes(m, [&](const std::string& x, float share) { return " && " + within(x, share); });
      text += cat("  for (int n = 0; n < ", many, "; ++n) wild |= !(1", all, ");\n");
    };
    if (bounded()) bound("9", "tick"), bound("DG_W", "lane");
    text += statics([](int i) { return cat("  g->A[", i, "] = A[", i, "];\n"); });
    return text + "  g->serial = g->wild = wild, g->ready = 1;\n}\n";
  }

  // Are products of A looked at? Two cells whose A is constant have a basis of their own.
  bool bounded() const { return d_ > 2 || (d_ == 2 && varies_); }
  // What tells that one has grown, whatever units the cells have: its diagonal, and elements times those across it. f(number, its
  // share of most_grown()).
  template <class F, class M>
  std::string sizes(const M& m, const F& f) const {
    return pairs([&](int i, int j) { return i == j ? f(m(i, i), 1.0f) : i < j ? f(cat(m(i, j), " * ", m(j, i)), 1 / most_grown()) : ""; });
  }
  float most_grown() const { return d_ == 2 && !differs() ? 2 : 4; }  // a bit or two of a state's digits
  std::string within(const std::string& x, float share) const { return cat("(DG_FABS(", x, ") < ", most_grown() / share, ")"); }

  // The lane of a group's nth segment in the order of ticks.
  std::string lane(const std::string& n) const { return cat("DG_LANE(", reverse_ ? cat("DG_W - 1 - (", n, ")") : n, ")"); }
  std::string earlier(const std::string& x, int by, const char* first) const {
    return cat("DG_MIX(", x, ", ", first, ", ", reverse_ ? "DG_LATER_" : "DG_SOONER_", by, ")");
  }

  // From what each of a group's segments makes of zeros, z and m, what all up to it do.
  std::string double_up() const {
    std::string text = cat("DG_FN void ", name_, "_double(const ", name_, "_state *g, dg_vf *z, dg_vf *m) {\n", zero_and_one);
    if (based()) {
      text += cells([](int i) { return cat("  const dg_vf c", i, " = z[", i, "];\n"); });
      text += cells([&](int i) {
        auto into = [&](int j) { return cat("dg_splat(g->into[", at(i, j), "])"); };
        return cat("  z[", i, "] = DG_FMA_V(", into(1 - i), ", c", 1 - i, ", ", into(i), " * c", i, ");\n");
      });
    }
    for (int by = 1; by < 16; by *= 2) {
      text += cat("#if DG_W > ", by, "\n  {\n");
      text += cells([&](int i) { return cat("  const dg_vf z", i, " = ", earlier(cat("z[", i, "]"), by, "zero"), ";\n"); });
      if (varies_)
        text += pairs([&](int i, int j) {
          return cat("  const dg_vf m", i, j, " = ", earlier(cat("m[", at(i, j), "]"), by, i == j ? "one" : "zero"), ";\n");
        });
      auto factor = [&](int i, int j) {
        return varies_ ? cat("m[", at(i, j), "]") : cat("dg_splat(g->lane[", 16 * at(i, j), " + ", lane(cat(by)), "])");
      };
      text += cells([&](int i) {
        return cat("  z[", i, "] = ",
                   sum_of(
                       i, "DG_FMA_V", cat("z[", i, "]"), [&](int j) { return factor(i, j); }, [](int j) { return cat("z", j); }),
                   ";\n");
      });
      if (varies_) {
        text += pairs([&](int i, int j) {
          std::string sum;
          for (int k : columns(i, true))
            sum = sum.empty() ? cat("m[", at(i, k), "] * m", k, j) : cat("DG_FMA_V(m[", at(i, k), "], m", k, j, ", ", sum, ")");
          return cat("  const dg_vf p", i, j, " = ", sum, ";\n");
        });
        text += pairs([&](int i, int j) { return cat("  m[", at(i, j), "] = p", i, j, ";\n"); });
      }
      text += "  }\n#endif\n";
    }
    return text + "}\n";
  }
  static constexpr const char* zero_and_one = "  const dg_vf zero = {0}, one = dg_splat(1);\n  (void)g, (void)m, (void)one;\n";

  // From these and the state s at the group's start: v, the states at its segments' starts, and e, that after the last.
  std::string start() const {
    std::string text = cat("DG_FN void ", name_, "_start(const ", name_,
                           "_state *g, const double *s, const dg_vf *z, const dg_vf *m, dg_vf *v, double *e) {\n", zero_and_one);
    text += cells([](int i) { return cat("  const dg_vf f", i, " = dg_splat((float)s[", i, "]);\n"); });
    text += cells([&](int i) {
      auto factor = [&](int j) {
        return varies_ ? earlier(cat("m[", at(i, j), "]"), 1, i == j ? "one" : "zero") : cat("dg_load_v(g->lane + ", 16 * at(i, j), ")");
      };
      return cat("  v[", i, "] = ", sum_of(i, "DG_FMA_V", earlier(cat("z[", i, "]"), 1, "zero"), factor, [](int j) { return cat("f", j); }),
                 ";\n");
    });
    text += cells([&](int i) {
      const std::string last = lane("DG_W - 1");
      auto factor = [&](int j) { return varies_ ? cat("(double)m[", at(i, j), "][", last, "]") : cat("g->whole[", at(i, j), "]"); };
      return cat("  e[", i,
                 "] = ", sum_of(i, "DG_FMA_DOUBLE", cat("(double)z[", i, "][", last, "]"), factor, [](int j) { return cat("s[", j, "]"); }),
                 ";\n");
    });
    return text + "}\n";
  }

  // ---- one by one ------------------------------------------------------------------------------------------------------

  // Cell i in float, n ticks after its segment's start.
  std::string value(int i, const std::string& n) const {
    auto factor = [&](int j) { return varies_ ? cat("m", j, i) : cat("g->tick[(", n, ") * ", d_ * d_, " + ", at(i, j), "]"); };
    return sum_of(i, "DG_FMA", cat("z", i), factor, [](int j) { return cat("v", j); });
  }
  std::string cell_value(int i, const std::string& n) const { return differs() ? to_cells(i, value(i, n), value(1 - i, n)) : value(i, n); }
  std::string values(const std::string& n) const {
    return cells([&](int i) { return cat("    x", i, " = ", cell_value(i, n), ";\n"); });
  }
  std::string start_segment() const {
    std::string text = cells([](int i) { return cat("      z", i, " = 0;\n"); });
    return varies_ ? text + pairs([](int j, int i) { return cat("      m", j, i, " = ", i == j ? 1 : 0, ";\n"); }) : text;
  }
  std::string load() const {
    std::string text = cat("  double s[", d_, "] = {", cells([](int i) { return cat(i ? ", " : "", "g->s[", i, "]"); }), "};\n");
    text += cells([](int i) { return cat("  float z", i, " = g->z[", i, "], v", i, " = g->v[", i, "];\n"); });
    return varies_ ? text + pairs([&](int j, int i) { return cat("  float m", j, i, " = g->m[", at(j, i), "];\n"); }) : text;
  }
  std::string save() const {
    std::string text = cells([](int i) {
      return cat("  g->s[", i, "] = s[", i, "], g->z[", i, "] = z", i, ", g->v[", i, "] = v", i, ", g->cell[", i, "] = x", i, ";\n");
    });
    return varies_ ? text + pairs([&](int j, int i) { return cat("  g->m[", at(j, i), "] = m", j, i, ";\n"); }) : text;
  }

  // `count` ticks from t on, tick k of their group first; inside one group. Returns how many are done: those before the first
  // that is to be computed as it is written.
  std::string ticks() const {
    std::string text = cat("static long ", name_, "_ticks(", declared(), ", long t, long k, long count) {\n", load());
    if (varies_)
      text += cat("  if ((k & 7) == 0) ", pairs([](int j, int i) { return cat(j + i ? ", m" : "m", j, i, " = ", i == j ? 1 : 0); }), ";\n");
    text += cells([](int i) { return cat("  float x", i, " = g->cell[", i, "];\n"); });
    text += cat("  const long end = k + count;\n  int serial = 0;\n  for (; k < end && !serial; ++k, ", reverse_ ? "--t" : "++t", ") {\n");
    text += inputs() + step("float", "DG_FMA", "(float)A");
    text += cells([&](int i) { return cat("    float n", i, " = ", cell_value(i, "(k & 7) + 1"), ";\n"); });
    std::string grown;
    auto product = [](int i, int j) { return cat("m", j, i); };
    if (varies_ && bounded()) grown = sizes(product, [&](const std::string& x, float share) { return "!" + within(x, share) + " || "; });
    text += cat("    if (", grown, "!(", all_finite([](int i) { return cat("n", i); }), ")) {\n      serial = 1;\n      break;\n    }\n");
    text += outputs(true) + cells([](int i) { return cat("    x", i, " = n", i, ";\n"); });
    text += cat(end_segment(), "  }\n  if (serial) ", cells([](int i) { return cat(i ? ", s[" : "s[", i, "] = x", i); }), ";\n");
    return text + save() + "  g->serial = serial;\n  return count - (end - k);\n}\n";
  }
  std::string end_segment() const {
    const int dd = d_ * d_;
    std::string text = cat("    if ((k & 7) < 7) continue;\n    dg_vf z[", d_, "], m[", dd, "], v[", d_, "];\n    double e[", d_, "];\n");
    text += cells([&](int i) {
      return cat("    g->ends[", 16 * i, " + ", lane("(k >> 3)"), "] = z", i, ", z[", i, "] = dg_load_v(g->ends + ", 16 * i, ");\n");
    });
    if (varies_)
      text += pairs([&](int i, int j) {
        return cat("    g->products[", 16 * at(i, j), " + ", lane("(k >> 3)"), "] = m", j, i, ", m[", at(i, j),
                   "] = dg_load_v(g->products + ", 16 * at(i, j), ");\n");
      });
    text += cat("    ", name_, "_double(g, z, m);\n    ", name_, "_start(g, s, z, m, v, e);\n    const int last = k == DG_GROUP - 1;\n");
    text += cells([&](int i) {
      return cat("    const float r", i, " = last ? (float)e[", i, "] : v[", i, "][", lane("((k >> 3) + 1) % DG_W"), "];\n");
    });
    text += cat("    serial = !(", all_finite([](int i) { return cat("r", i); }), ");\n    if (serial) continue;\n", start_segment());
    text += cells([](int i) { return cat("    v", i, " = r", i, ";\n    if (last) s[", i, "] = e[", i, "];\n"); });
    return text + values("0");
  }

  // A group's start from cells as they are, in s. What is not finite is no m v.
  std::string begin() const {
    std::string text = cat("static void ", name_, "_begin(", name_, "_state *g) {\n", load());
    text += cells([](int i) { return cat("  const double c", i, " = s[", i, "];\n  float x", i, " = c", i, ";\n"); });
    text += cat("  if (", all_finite([](int i) { return cat("x", i); }), ") {\n", start_segment());
    text += cells([&](int i) { return cat("      s[", i, "] = ", in_basis(i), ", v", i, " = s[", i, "];\n"); });
    text += values("0") + "  } else {\n";
    text += start_segment() + cells([&](int i) { return cat("      z", i, " = ", from_cells(i, "c"), ", s[", i, "] = v", i, " = 0;\n"); });
    return text + "  }\n" + save() + "  g->serial = 0;\n}\n";
  }

  // ---- segments in lanes -----------------------------------------------------------------------------------------------

  // `many` whole groups of which the first lies at `at`, or one group's segments from the nth to before `end`. Phase by phase for
  // all of them, since a phase of one group alone waits for its own results: from zeros, doubling, starts, values. Returns how
  // many groups are done: none from one on whose values are not finite or whose products have grown; if this is the first, less
  // than 0: the segment, as -n, before which nothing has grown.
  std::string groups() const {
    const int dd = d_ * d_;
    std::string text = cat("DG_FN long ", name_, "_phases(", declared(), ", long at, long many, long nth, long end) {\n");
    text += cat("  const long lo = ", reverse_ ? "DG_W - end" : "nth", ", hi = ", reverse_ ? "DG_W - nth" : "end", ";\n");
    text += cat("  dg_vf z[", most(), "][", d_, "], m[", most(), "][", dd, "], v[", most(), "][", d_, "];\n");
    for (int i = 0; i < d_; ++i)
      each_kept(i, [&](const std::string& o, bool) {
        text += cat("  dg_vf ", o, "z[", most(), "][8];\n");
        for (int j = 0; varies_ && j < d_; ++j) text += cat("  dg_vf ", o, "m", j, "[", most(), "][8];\n");
      });
    if (sums_input()) text += cat("  dg_vf fx[", most(), "][8];\n");
    text += cat("  for (long q = 0; q < many; ++q) {\n", from_zeros(), "  }\n");
    text += "  if (end - nth < DG_W) {\n" +
            cells([](int i) { return cat("    z[0][", i, "] = dg_with_kept(g->ends + ", 16 * i, ", z[0][", i, "], lo, hi);\n"); });
    if (varies_) text += cat("    for (int i = 0; i < ", dd, "; ++i) m[0][i] = dg_with_kept(g->products + 16 * i, m[0][i], lo, hi);\n");
    text += cat("  }\n  for (long q = 0; q < many; ++q) ", name_, "_double(g, z[q], m[q]);\n", starts());
    text += cat("  for (long q = 0; q < done; ++q) {\n", give(), "  }\n  return done;\n}\n");
    text += cat("static long ", name_, "_part(", declared(), ", long at, long nth, long end) {\n  return ", name_, "_phases(", shared(),
                ", at, 1, nth, end);\n}\n");
    return text + cat("static long ", name_, "_groups(", declared(), ", long at, long many) {\n  return ", name_, "_phases(", shared(),
                      ", at, many, 0, DG_W);\n}\n");
  }
  // Of groups at a time: what is kept of them stays in the first-level cache.
  const char* most() const { return varies_ && d_ > 1 ? "DG_FEW_GROUPS" : "DG_MANY_GROUPS"; }
  std::string place() const { return cat("at ", reverse_ ? "-" : "+", " q * DG_GROUP"); }

  std::string from_zeros() const {
    std::string text;
    auto take = [&](const std::string& name) {
      const std::string from = name.substr(0, name.size() - 1);
      text += cat("    dg_vf ", name, "[8];\n    dg_take_segments(", name, ", ", from, " + (", place(), "), lo, hi);\n");
    };
    each_varying([&](const std::string& name) { take(name + "x"); });
    if (has_input()) text += sums_input() ? "    dg_vf *const fq = fx[q];\n" : "    dg_vf fq[8];\n";
    if (wave_) text += cat("    dg_take_wave(fq, f, ", place(), ");\n");
    else if (has_input()) text += cat("    dg_take_segments(fq, f + (", place(), "), lo, hi);\n");
    for (int i = 0; i < d_; ++i)
      if (streamed(i)) take(cat("b", i, "x"));
    if (a_.find('s') != std::string::npos)
      text += cat("    dg_vf c[", d_ * d_, "];\n", statics([](int i) { return cat("    c[", i, "] = dg_splat((float)A[", i, "]);\n"); }));
    for (int i = 0; i < d_; ++i)
      if (scaled(i)) text += cat("    const dg_vf e", i, " = dg_splat(B[", i, "]);\n");
    text += cells([](int i) { return cat("    dg_vf z", i, " = {0};\n"); });
    if (varies_) text += pairs([](int j, int i) { return cat("    dg_vf m", j, i, " = dg_splat(", i == j ? 1 : 0, ");\n"); });
    if (varies_ && bounded()) text += "    dg_vf largest = {0};\n";
    text += cat("    DG_UNROLL\n    for (int n = 0; n < 8; ++n) {\n    const int t = ", reverse_ ? "7 - n" : "n", ";\n");
    each_varying([&](const std::string& name) { text += cat("    const dg_vf ", name, "t = ", name, "x[t];\n"); });
    if (takes_input()) text += "    const dg_vf ft = fq[t];\n";
    for (int i = 0; i < d_; ++i)
      if (streamed(i)) text += cat("    const dg_vf b", i, "t = b", i, "x[t];\n");
    text += keep(false) + step("dg_vf", "DG_FMA_V", "c") + keep(true);
    if (varies_ && bounded())
      text += sizes([](int i, int j) { return cat("m", j, i); }, [](const std::string& x, float share) {
        return cat("    largest = DG_GREATER_V(largest, DG_FABS_V(", x, share < 1 ? cat(" * dg_splat(", share, "f)") : "", "));\n");
      });
    text += "    }\n";
    if (varies_ && bounded()) text += stop_where_grown();
    text += cells([](int i) { return cat("    z[q][", i, "] = z", i, ";\n"); });
    return varies_ ? text + pairs([&](int i, int j) { return cat("    m[q][", at(i, j), "] = m", j, i, ";\n"); }) : text;
  }
  // The products of q have. Lanes of a part that are not its own tell nothing.
  std::string stop_where_grown() const {
    const std::string loop = cat("while (fit < end && largest[", lane("fit"), "] < ", most_grown(), ") ++fit;\n");
    return cat("    if (!dg_all_below(largest, ", most_grown(), ")) {\n      long fit = nth;\n      ", loop,
               "      if (fit < end && q == 0) return fit > nth ? -fit : 0;\n      if (fit < end) many = q;\n    }\n");
  }
  // z and m before (u) and after (w) each tick, where values of the cell go out.
  template <class F>
  void each_kept(int i, const F& f) const {
    auto needed = [&](bool later) {
      auto cell = [&](int k) { return (later ? after(k) : before(k)) || summed(k, later); };
      return cell(i) || (differs() && i == y() && cell(counted()));
    };
    if (needed(false)) f(cat("u", i), false);
    if (needed(true)) f(cat("w", i), true);
  }
  std::string keep(bool later) const {
    return cells([&](int i) {
      std::string text;
      each_kept(i, [&](const std::string& o, bool after) {
        if (after != later) return;
        text += cat("    ", o, "z[q][t] = z", i, ";\n");
        for (int j = 0; varies_ && j < d_; ++j) text += cat("    ", o, "m", j, "[q][t] = m", j, i, ";\n");
      });
      return text;
    });
  }

  // The states at the segments' starts, from group to group.
  std::string starts() const {
    std::string text = cat("  double s[", d_, "] = {", cells([](int i) { return cat(i ? ", " : "", "g->s[", i, "]"); }), "};\n");
    text += cat("  float last[", d_, "] = {0};\n  long done = 0;\n  for (; done < many; ++done) {\n");
    text += cat("    double e[", d_, "];\n    ", name_, "_start(g, s, z[done], m[done], v[done], e);\n");
    text += cells([&](int i) {
      return cat("    const float r", i, " = end < DG_W ? v[done][", i, "][", lane("end % DG_W"), "] : (float)e[", i, "];\n");
    });
    text += cat("    if (!(", all_finite([](int i) { return cat("r", i); }), ")) break;\n");
    text += cells([](int i) { return cat("    s[", i, "] = end == DG_W ? e[", i, "] : s[", i, "], last[", i, "] = r", i, ";\n"); });
    text += "  }\n  if (done == 0) return 0;\n";
    return text + cells([&](int i) {
             return cat("  g->s[", i, "] = s[", i, "], g->v[", i, "] = last[", i, "], g->cell[", i, "] = ", cell(i), ";\n");
           });
  }
  // Cell i at the start of a segment at which the state is `last`.
  std::string cell(int i) const {
    if (differs()) return to_cells(i, cat("last[", i, "]"), cat("last[", 1 - i, "]"));
    if (!based()) return cat("last[", i, "]");
    return sum_of(i, "DG_FMA", "0.0f", [&](int j) { return cat("g->tick[", at(i, j), "]"); }, [](int j) { return cat("last[", j, "]"); });
  }
  std::string give() const {
    std::string text = cells([&](int i) {
      std::string part;
      each_kept(i, [&](const std::string& o, bool) { part += cat("    dg_vf ", o, "x[8];\n"); });
      return part;
    });
    for (size_t k = 0; k < sums_.size(); ++k) text += cat("    dg_vf y", k, "x[8];\n");
    text += cat("    DG_UNROLL\n    for (int n = 0; n < 8; ++n) {\n    const int t = ", reverse_ ? "7 - n" : "n", ";\n");
    text += cells([&](int i) {
      std::string part;
      each_kept(i, [&](const std::string& o, bool after) {
        auto factor = [&](int j) {
          return varies_ ? cat(o, "m", j, "[q][t]") : cat("dg_splat(g->tick[(n + ", after ? 1 : 0, ") * ", d_ * d_, " + ", at(i, j), "])");
        };
        auto start = [](int j) { return cat("v[q][", j, "]"); };
        part += cat("    ", o, "x[t] = ", sum_of(i, "DG_FMA_V", cat(o, "z[q][t]"), factor, start), ";\n");
      });
      return part;
    });
    if (differs())
      each_kept(counted(), [&](const std::string& o, bool after) {
        const std::string of_y = cat(after ? "w" : "u", y(), "x[t]");
        text += cat("    ", o, "x[t] = ", to_cells(counted(), cat(o, "x[t]"), of_y), ";\n");
      });
    text += cells([&](int i) { return summed(i, false) ? cat("    const dg_vf x", i, " = u", i, "x[t];\n") : ""; });
    text += cells([&](int i) { return summed(i, true) ? cat("    const dg_vf n", i, " = w", i, "x[t];\n") : ""; });
    if (sums_input()) text += "    const dg_vf ft = fx[q][t];\n";
    for (size_t k = 0; k < sums_.size(); ++k)
      text += cat("    y", k, "x[t] = ", sum_text(k, of_next(sums_[k]) ? "n" : "x", "DG_FMA_V", "dg_splat"), ";\n");
    text += "    }\n";
    auto out = [&](const std::string& to, const std::string& values) {
      text += cat("    dg_give_segments(", to, " + (", place(), "), ", values, ", lo, hi);\n");
    };
    for (int i = 0; i < d_; ++i) {
      if (before(i)) out(cat("u", i), cat("u", i, "x"));
      if (after(i)) out(cat("w", i), cat("w", i, "x"));
    }
    for (size_t k = 0; k < sums_.size(); ++k) out(cat("y", k), cat("y", k, "x"));
    return text;
  }

  // Element i of a state whose cells are c.
  std::string in_basis(int i) const {
    if (!based()) return from_cells(i, "c");
    return cat("DG_FMA(g->into[", at(i, 1 - i), "], c", 1 - i, ", g->into[", at(i, i), "] * c", i, ")");
  }

  // ---- a tile ----------------------------------------------------------------------------------------------------------

  std::string whole() const {
    std::string text = signature();
    if (wave_) text += "  dg_wave sine, *const f = &sine;\n  dg_make_wave(f, anchors, by_row, table, *weight, first);\n";
    text += cat("  long k = ", reverse_ ? "-(first + n)" : "first", " & (DG_GROUP - 1);\n");
    if (!varies_) {
      text += cat("  const int other = g->ready == 1 && (0", statics([](int i) { return cat(" || g->A[", i, "] != A[", i, "]"); }), ");\n");
      text += cat("  if (other || g->ready != 1) ", name_, "_powers(g, A);\n");
    }
    text += cat("  if (", from_outside(), varies_ ? "" : " || other",
                ") { /* from outside */\n    g->serial = 1;\n");
    text += cells([](int i) { return cat("    g->s[", i, "] = g->cell[", i, "] = *cell", i, ";\n"); }) + "  }\n";
    text += "  for (long done = 0, count; done < n; done += count, k = (k + count) & (DG_GROUP - 1)) {\n";
    text += "    count = n - done < DG_GROUP - k ? n - done : DG_GROUP - k;\n";
    text += cat("    const long t = ", reverse_ ? "n - 1 - done" : "done");
    text += cat(", at = ", reverse_ ? "n - done + k - DG_GROUP" : "done - k", ";\n");
    text += cat("    if (k == 0 && g->serial", varies_ ? "" : " && !g->wild", ") ", name_, "_begin(g);\n");
    text += cat("    if (g->serial) {\n      ", name_, "_in_order(", shared(), ", t, count);\n      continue;\n    }\n");
    text += cat("    if ((k & 7) == 0 && count >= 8", cells([](int i) { return cat(" && g->z[", i, "] == 0"); }), ") {\n");
    text += cat("      const long all = k == 0 ? (n - done) / DG_GROUP : 0, many = all < ", most(), " ? all : ", most(), ";\n");
    text += cat("      const long good = all > 0 ? ", name_, "_groups(", shared(), ", at, many) : ", name_, "_part(", shared(),
                ", at, k / 8, (k + count) / 8);\n");
    text += "      if (good > 0) {\n        count = all > 0 ? good * DG_GROUP : count & ~7L;\n        continue;\n      }\n";
    if (varies_ && bounded())
      text += cat("      if (good < 0 && ", name_, "_part(", shared(), ", at, k / 8, -good) > 0) {\n        count = -8 * good - k;\n",
                  "        continue;\n      }\n");
    text += "    } else if ((k & 7) + count > 8) count = 8 - (k & 7);\n";
    text += cat("    const long given = ", name_, "_ticks(", shared(), ", t, k, count);\n");
    text += cat("    if (g->serial) ", name_, "_in_order(", shared(), ", t ", reverse_ ? "-" : "+", " given, count - given);\n  }\n");
    return text + cells([](int i) { return cat("  *cell", i, " = g->cell[", i, "];\n"); }) + "}\n";
  }
};

}  // namespace

std::string prelude_scan(const std::set<std::string>& names) {
  std::string text = prelude_ticks(names);
  for (auto& name : names)
    if (name.starts_with("dg_scan_")) text += ScanTerms(name).ordered() ? RecurrenceInOrder(name).text_in_order() : Scan(name).text();
  return text;
}

}  // namespace dgen::codegen
