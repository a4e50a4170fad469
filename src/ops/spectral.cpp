// Fourier transforms of the last axis. A spectrum is two planes, real then imaginary: [.., 2, bins]. Forward transforms are
// unnormalised, inverse ones have 1/n; a real signal of n samples has n/2 + 1 bins.
#include <complex>
#include <map>
#include <numbers>

#include "base/fft_size.h"
#include "ops/families.h"

namespace dgen::ops {
namespace {

using Complex = std::complex<double>;
using Spectrum = std::vector<Complex>;

// e^(-2 pi i k / n) for k in [0, n), exact at quarter turns.
const Spectrum& twiddles(int64_t n) {
  thread_local std::map<int64_t, Spectrum> table;
  Spectrum& w = table[n];
  if (!w.empty()) return w;
  static constexpr Complex quarters[] = {{1, 0}, {0, -1}, {-1, 0}, {0, 1}};
  for (int64_t k = 0; k < n; ++k)
    w.push_back(4 * k % n == 0 ? quarters[4 * k / n]
                               : std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n)));
  return w;
}

int64_t smallest_factor(int64_t n) {
  int64_t p = 2;
  while (n % p != 0) ++p;
  return p;
}

// out = the transform of in[0], in[stride], ..., of n = w.size() / stride elements; single: every sum rounded to float32.
void transform(const Complex* in, Complex* out, int64_t n, int64_t stride, const Spectrum& w, bool single) {
  if (n == 1) return void(out[0] = in[0]);
  int64_t p = smallest_factor(n), m = n / p, size = static_cast<int64_t>(w.size());
  for (int64_t r = 0; r < p; ++r) transform(in + r * stride, out + r * m, m, stride * p, w, single);
  Spectrum parts(static_cast<size_t>(p));
  for (int64_t k = 0; k < m; ++k) {
    for (int64_t r = 0; r < p; ++r) parts[static_cast<size_t>(r)] = out[r * m + k];
    for (int64_t q = 0; q < p; ++q) {
      Complex sum = parts[0];
      for (int64_t r = 1; r < p; ++r) {
        sum += parts[static_cast<size_t>(r)] * w[static_cast<size_t>(r * (q * m + k) * stride % size)];
        if (single) sum = std::complex<float>(sum);
      }
      out[q * m + k] = sum;
    }
  }
}

Spectrum forward(const Spectrum& x, bool single) {
  Spectrum out(x.size());
  int64_t n = static_cast<int64_t>(x.size());
  transform(x.data(), out.data(), n, 1, twiddles(n), single);
  return out;
}

// The inverse is the forward transform between conjugations.
Spectrum inverse(Spectrum x, bool single) {
  for (Complex& v : x) v = std::conj(v);
  x = forward(x, single);
  for (Complex& v : x) v = std::conj(v) / static_cast<double>(x.size());
  return x;
}

// Real bins n/2 + 1 extended to all n; the imaginary parts of bin 0 and of bin n/2 are ignored.
Spectrum mirrored(const double* re, const double* im, int64_t n) {
  Spectrum full(static_cast<size_t>(n));
  for (int64_t k = 0; k <= n / 2; ++k) {
    bool edge = k == 0 || 2 * k == n;
    Complex v(re[k], edge ? 0 : im[k]);
    full[static_cast<size_t>(k)] = v;
    if (!edge) full[static_cast<size_t>(n - k)] = std::conj(v);
  }
  return full;
}

// Types -----------------------------------------------------------------------------------------------------------------

int64_t checked_size(int64_t n) {
  if (n < 1) fail("size must be at least 1, got ", n);
  if (n > max_fft_size) fail("size ", n, " is larger than ", max_fft_size);
  if (!fft_size_ok(n))
    fail("size ", n, " has a prime factor other than 2, 3 and 5; the nearest good size is ", nearest_fft_size(n));
  return n;
}

Type infer_rfft(std::span<const Type> in, const Attrs&) {
  const Shape& from = in[0].shape;
  if (from.rank() == 0) fail("needs an axis to transform, got a value of shape ()");
  Shape to = from;
  to[to.rank() - 1] = 2;
  to.push_back(checked_size(from.back()) / 2 + 1);
  return {to, in[0].clock};
}

Type infer_irfft(std::span<const Type> in, const Attrs& attrs) {
  const Shape& from = in[0].shape;
  int64_t n = checked_size(attrs.i("n"));
  if (from.rank() < 2 || from[from.rank() - 2] != 2 || from.back() != n / 2 + 1)
    fail("size ", n, " needs a spectrum of shape (..,2,", n / 2 + 1, "), got ", from.str());
  Shape to(Ints(from.begin(), from.end() - 1));
  to[to.rank() - 1] = n;
  return {to, in[0].clock};
}

Type infer_fft(std::span<const Type> in, const Attrs&) {
  const Shape& from = in[0].shape;
  if (from.rank() < 2 || from[from.rank() - 2] != 2) fail("needs a spectrum of shape (..,2,n), got ", from.str());
  checked_size(from.back());
  return in[0];
}

// Interpreter -----------------------------------------------------------------------------------------------------------

void eval_rfft(EvalCtx& c) {
  int64_t n = c.input(0).shape().back(), bins = n / 2 + 1;
  const double* x = c.in(0);
  double* out = c.out;
  for (int64_t row = c.input(0).shape().size() / n; row-- > 0; x += n, out += 2 * bins) {
    Spectrum y = forward(Spectrum(x, x + n), c.single);
    for (int64_t k = 0; k < bins; ++k) {
      out[k] = c.round(y[static_cast<size_t>(k)].real());
      out[bins + k] = c.round(y[static_cast<size_t>(k)].imag());
    }
  }
}

void eval_irfft(EvalCtx& c) {
  int64_t n = c.shape().back(), bins = n / 2 + 1;
  const double* x = c.in(0);
  double* out = c.out;
  for (int64_t row = c.shape().size() / n; row-- > 0; x += 2 * bins, out += n) {
    Spectrum y = inverse(mirrored(x, x + bins, n), c.single);
    for (int64_t k = 0; k < n; ++k) out[k] = c.round(y[static_cast<size_t>(k)].real());
  }
}

void eval_complex(EvalCtx& c, Spectrum (*function)(Spectrum, bool)) {
  int64_t n = c.shape().back();
  const double* x = c.in(0);
  double* out = c.out;
  for (int64_t row = c.shape().size() / (2 * n); row-- > 0; x += 2 * n, out += 2 * n) {
    Spectrum y(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) y[static_cast<size_t>(k)] = {x[k], x[n + k]};
    y = function(std::move(y), c.single);
    for (int64_t k = 0; k < n; ++k) {
      out[k] = c.round(y[static_cast<size_t>(k)].real());
      out[n + k] = c.round(y[static_cast<size_t>(k)].imag());
    }
  }
}

void eval_fft(EvalCtx& c) {
  eval_complex(c, [](Spectrum x, bool single) { return forward(x, single); });
}
void eval_ifft(EvalCtx& c) {
  eval_complex(c, inverse);
}

// Gradients -------------------------------------------------------------------------------------------------------------

// [bins]: 1 in bins 0 and n/2, which stand for themselves, 0 in those that stand for a conjugate pair.
Ex edge_bins(Graph& g, int64_t n) {
  Ex k = {&g, apply(g, "iota", {}, {{"n", n / 2 + 1}})};
  return n % 2 == 0 ? fn("or_", eq(k, 0), eq(k, static_cast<double>(n / 2))) : eq(k, 0);
}

void vjp_rfft(VjpCtx& v) {
  int64_t n = v.x(0).shape().back();
  Ex edge = edge_bins(v.g, n), whole = edge.c(static_cast<double>(n));
  v.give(0, ex("irfft", {v.dy() * select(edge, whole, whole * 0.5)}, {{"n", n}}));
}

void vjp_irfft(VjpCtx& v) {
  int64_t n = v.attrs().i("n");
  double scale = 1 / static_cast<double>(n);
  Ex edge = edge_bins(v.g, n);
  Ex plane = ex("reshape", {{&v.g, apply(v.g, "iota", {}, {{"n", int64_t{2}}})}}, {{"shape", Ints{2, 1}}});
  Ex weight = select(edge, select(plane, edge.c(0), edge.c(scale)), edge.c(2 * scale));
  v.give(0, ex("rfft", {v.dy()}) * weight);
}

void vjp_fft(VjpCtx& v) { v.give(0, ex("ifft", {v.dy()}) * static_cast<double>(v.node().shape().back())); }
void vjp_ifft(VjpCtx& v) { v.give(0, ex("fft", {v.dy()}) * (1 / static_cast<double>(v.node().shape().back()))); }

// Loops -----------------------------------------------------------------------------------------------------------------

// One call of the generated transform of n a row; row lengths are those of input and output.
void call_rows(StmtCtx& c, int64_t n, int64_t row_in, int64_t row_out) {
  LoopBuilder& l = c.l;
  auto [array, first] = c.array_of(0);
  int in = array, in_base = first;
  std::string name = cat("dg_", c.node.op->name, "_", n);
  l.loop(c.shape().size() / row_out, [&](int row) {
    l.call(name, {{in, l.add(in_base, l.mul(row, row_in))}, {c.out, l.add(c.base, l.mul(row, row_out))}}, {}, {row_in, row_out});
  });
}

void stmt_rfft(StmtCtx& c) {
  int64_t n = c.input(0).shape().back();
  call_rows(c, n, n, 2 * (n / 2 + 1));
}
void stmt_irfft(StmtCtx& c) {
  int64_t n = c.shape().back();
  call_rows(c, n, 2 * (n / 2 + 1), n);
}
void stmt_complex(StmtCtx& c) {
  int64_t n = c.shape().back();
  call_rows(c, n, 2 * n, 2 * n);
}

constexpr int64_t kTried[] = {1, 5, 8, 12};

Uses uses_rfft(const OpDef&, int64_t) {
  Uses uses;
  for (int64_t n : kTried) uses.push_back({{{n}}});
  return uses;
}
Uses uses_irfft(const OpDef&, int64_t) {
  Uses uses;
  for (int64_t n : kTried) uses.push_back({{{3, 2, n / 2 + 1}}, {{"n", n}}});
  return uses;
}
Uses uses_complex(const OpDef&, int64_t) {
  Uses uses;
  for (int64_t n : kTried) uses.push_back({{{3, 2, n}}});
  return uses;
}

constexpr OpDef row(std::string_view name, std::string_view doc, Type (*infer)(std::span<const Type>, const Attrs&),
                    void (*eval)(EvalCtx&), void (*vjp)(VjpCtx&), void (*stmt)(StmtCtx&), Uses (*uses)(const OpDef&, int64_t)) {
  return {.name = name, .doc = doc, .family = Family::spectral, .traits = stateless | materialise | rereads,
          .infer = infer, .eval = eval, .vjp = vjp, .stmt = stmt, .uses = uses};
}

const OpDef rows[] = {
    row("rfft", "spectrum of a real signal", infer_rfft, eval_rfft, vjp_rfft, stmt_rfft, uses_rfft),
    row("irfft", "real signal of `n` samples from its spectrum", infer_irfft, eval_irfft, vjp_irfft, stmt_irfft, uses_irfft),
    row("fft", "complex transform", infer_fft, eval_fft, vjp_fft, stmt_complex, uses_complex),
    row("ifft", "inverse complex transform", infer_fft, eval_ifft, vjp_ifft, stmt_complex, uses_complex),
};

}  // namespace

std::span<const OpDef> spectral_ops() { return rows; }

}  // namespace dgen::ops
