// make_accuracy: docs/accuracy.md, the largest error of every function of the prelude and its time.
//   make_accuracy FILE [STRIDE]    over every STRIDE-th float of its range; 1, the default, takes half an hour of processor time
// It fails if an error is beyond the function's bound.
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file.h"
#include "base/noise.h"
#include "codegen/prelude.h"
#include "codegen/prelude_bounds.h"
#include "compile/c_compiler.h"
#include "runtime/threads.h"

namespace {

using namespace dgen;
using Vector = std::vector<float>;
using Run = void(const float*, const float*, float*, long);

constexpr float inf = std::numeric_limits<float>::infinity();

using Function = codegen::FunctionBounds;

struct Binary {
  const char* name;
  double (*reference)(double, double);
  bool power;  // the second number such that the result is a float
  const char* range;
};
const Binary of_two[] = {{"pow", std::pow, true, "positive a, result a float"}, {"atan2", std::atan2, false, "positive a"}};

std::string runner(const std::string& name, bool two) {
  const std::string head = name + "(const float *x, const float *y, float *out, long n) {\n  for (long i = 0; i < n; i += ";
  return "void scalar_" + head + "1) out[i] = dg_" + name + (two ? "(x[i], y[i])" : "(x[i])") + ";\n}\nvoid vector_" + head +
         "DG_W) dg_store_v(out + i, dg_" + name + "_v" + (two ? "(dg_load_v(x + i), dg_load_v(y + i))" : "(dg_load_v(x + i))") + ");\n}\n";
}

struct Worst {
  double most_ulp = inf, most_absolute = 0;  // bounds, of which either suffices
  double ulp = 0, absolute = 0;
  float at = 0, beside = 0;  // of the largest error in ulp
  std::uint64_t beyond = 0;  // how many numbers meet no bound
  void take(const Worst& other) {
    beyond += other.beyond;
    if (other.ulp > ulp) ulp = other.ulp, at = other.at, beside = other.beside;
    absolute = std::max(absolute, other.absolute);
  }
  void take(float x, float y, float got, double want) {
    const auto rounded = static_cast<float>(want);
    if (std::isnan(want) || std::isinf(rounded) || std::isinf(got)) {
      const bool same =
          std::isnan(want) ? std::isnan(got) : got == rounded || std::fabs(want) > 3.4028230e38;  // on either side of the largest float
      if (!same) ulp = inf, at = x, beside = y, ++beyond;
      return;
    }
    const double error = std::fabs(got - want);
    const auto exponent = std::bit_cast<std::uint64_t>(want) >> 52 & 2047;
    const double unit = std::bit_cast<double>((exponent < 1023 - 126 ? 1023 - 126 - 23 : exponent - 23) << 52);
    absolute = std::max(absolute, error);
    beyond += std::isnan(got) || (error > most_ulp * unit && !(error <= most_absolute));
    if (error > ulp * unit || std::isnan(got)) ulp = std::isnan(got) ? inf : error / unit, at = x, beside = y;
  }
};

double nanoseconds(Run* run, const Vector& x, const Vector& y) {
  Vector out(x.size());
  double best = 1e30;
  for (int round = 0; round < 60; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 8; ++i) run(x.data(), y.data(), out.data(), static_cast<long>(x.size()));
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best * 1e9 / 8 / static_cast<double>(x.size());
}

constexpr size_t chunk = 4096;
constexpr std::uint32_t all_pairs = 1u << 26;
std::uint64_t pair_chunks(std::uint32_t stride) { return (all_pairs / stride + chunk - 1) / chunk; }

// The numbers from the begin-th to before the end-th, through the vector function; the tests hold the scalar one to the same bits.
Worst sweep(const Function& f, Run* run, std::uint32_t stride, bool negative, std::uint64_t begin, std::uint64_t end) {
  Worst worst{f.most_ulp, f.most_absolute};
  Vector x, y(chunk);
  auto flush = [&] {
    const size_t count = x.size();
    x.resize(chunk);
    run(x.data(), x.data(), y.data(), chunk);
    for (size_t i = 0; i < count; ++i) worst.take(x[i], 0, y[i], f.reference(x[i]));
    x.clear();
  };
  for (std::uint64_t i = begin; i < end; ++i) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(negative ? (1 + i * stride) | 1u << 31 : i * stride)));
    if (x.size() == chunk) flush();
  }
  flush();
  return worst;
}

// The worst of [0, n), in parts on all processors.
template <class F>
Worst worst_of(std::uint64_t n, const F& part) {
  std::mutex mutex;
  Worst worst;
  runtime::parallel_for(static_cast<std::int64_t>(n), 1, [&](std::int64_t begin, std::int64_t end, int) {
    const Worst found = part(static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end));
    std::lock_guard lock(mutex);
    worst.take(found);
  });
  return worst;
}

Worst sweep(const Function& f, Run* run, std::uint32_t stride) {
  Worst worst;
  for (const bool negative : {false, true}) {
    const std::uint64_t most = std::bit_cast<std::uint32_t>(negative ? std::fabs(f.low) : f.high);
    if (negative && most == 0) continue;
    const std::uint64_t n = negative ? (most - 1) / stride + 1 : most / stride + 1;
    worst.take(worst_of(n, [&](std::uint64_t begin, std::uint64_t end) { return sweep(f, run, stride, negative, begin, end); }));
  }
  return worst;
}

// Pairs of every magnitude; of pow those with a result in range.
Worst sample(const Binary& f, Run* run, std::uint64_t first, std::uint64_t pairs) {
  Worst worst;
  Vector x(chunk), y(chunk), z(chunk);
  for (std::uint64_t n = first; n < pairs; n += chunk) {
    for (size_t i = 0; i < chunk; ++i) {
      const auto any = [&](std::uint64_t k, double low, double high) { return low + (high - low) * 0.5 * (1 + noise_value(k, 0, n + i)); };
      x[i] = static_cast<float>(std::exp2(any(1, -126, 127)));
      const double span = f.power ? 149 / std::max(1e-7, std::fabs(std::log2(double(x[i])))) : std::exp2(any(3, -126, 127));
      y[i] = static_cast<float>(any(2, -span, span));
    }
    run(x.data(), y.data(), z.data(), chunk);
    for (size_t i = 0; i < chunk; ++i) worst.take(x[i], y[i], z[i], f.reference(x[i], y[i]));
  }
  return worst;
}

std::string fixed(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string page(std::uint32_t stride) {
  std::string body;
  for (const Function& f : codegen::function_bounds) body += runner(f.name, false);
  for (const Binary& f : of_two) body += runner(f.name, true);
  body += "const char *compiler(void) { return __VERSION__; }\n";
  using codegen::Target;
  const auto library = compilers::compile_c(codegen::prelude_math(Target::c) + codegen::prelude_vector(Target::c, body) + body);
  std::string text =
      cat("# Accuracy of the prelude\n\nThe functions that generated code computes with, against the C library in double. Written by "
          "`make_accuracy docs/accuracy.md`.\nOf one argument: ",
          stride == 1 ? "every float" : cat("every ", stride, "th float"), " of the range. Of two: ",
          pair_chunks(stride) * chunk,
          " pairs of every magnitude. Vectors of floats give the same bits as single floats\n(tested), so one "
          "error stands for "
          "both. An ulp is the distance of floats at the exact result; near the zeros of sines and cosines,\nwhere it shrinks to nothing, "
          "the absolute error "
          "counts. Times are for numbers in (0, 1), in ns a number, compiled by ",
          library->function<const char*()>("compiler")(), ".\n\n| function | range | largest error, ulp | at | absolute | ns, C "
          "loop | ns, in vectors "
          "|\n|---|---|---|---|---|---|---|\n");
  Vector numbers(chunk);
  for (size_t i = 0; i < chunk; ++i) numbers[i] = 0.5f + 0.499f * noise_value(1, 0, i);
  auto row = [&](const std::string& name, const std::string& range, const Worst& worst) {
    const bool sine = name.rfind("sin_", 0) == 0 || name.rfind("cos_", 0) == 0;
    auto time = [&](const char* kind) { return fixed("%.2f", nanoseconds(library->function<Run>(kind + name), numbers, numbers)); };
    text += cat("| `", name, "` | ", range, " | ", sine ? "" : fixed("%.2f", worst.ulp), " | ", sine ? "" : fixed("%.9g", worst.at),
                sine || worst.beside == 0 ? "" : fixed(", %.9g", worst.beside), " | ",
                worst.absolute < 1e-3 ? fixed("%.1e", worst.absolute) : "", " | ", time("scalar_"), " | ", time("vector_"), " |\n");
    std::printf("%s: %.3f ulp, %.3g absolute\n", name.c_str(), worst.ulp, worst.absolute);
    std::fflush(stdout);
    if (worst.beyond > 0) fail(name, " is wrong by more than it may be for ", worst.beyond, " numbers, at worst at ", worst.at);
  };
  for (const Function& f : codegen::function_bounds) {
    const std::string range = f.low == -inf ? "all" : f.low == 0 ? "all positive" : cat(fixed("%g", f.low), " to ", fixed("%g", f.high));
    row(f.name, range, sweep(f, library->function<Run>(cat("vector_", f.name)), stride));
  }
  for (const Binary& f : of_two) {
    Run* const function = library->function<Run>(cat("vector_", f.name));
    const auto chunks = [&](std::uint64_t begin, std::uint64_t end) { return sample(f, function, begin * chunk, end * chunk); };
    row(f.name, f.range, worst_of(pair_chunks(stride), chunks));
  }
  return text;
}

int run(int argc, char** argv) {
  if (argc < 2) fail("usage: make_accuracy FILE [STRIDE]");
  const int stride = argc > 2 ? std::atoi(argv[2]) : 1;
  if (stride < 1) fail("STRIDE is a positive number, not ", argv[2]);
  write_file_atomic(argv[1], page(static_cast<std::uint32_t>(stride)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_accuracy: %s\n", error.what());
    return 1;
  }
}
