// From a graph to its first samples: with an empty kernel cache, with a full one, and in a process that has seen an
// equal graph. A program is compiled once a process, so each sample is a process of its own, which looks at the clock
// itself: times are how long one waits, with a compiler on each core. The baseline is the same arithmetic as plain C: given to
// the C compiler, loaded with dlopen, called.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "dgen/dgen.h"
#include "driver/driver.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr int frames = 64;

// Arithmetic with some sines, as parts of 500 statements on x that are summed: a patch of many voices. The plain C
// makes a function of each part, since a compiler's time grows faster than the length of a function.
enum class Op { add, subtract, multiply, abs, sine };
using Part = std::vector<Op>;

std::vector<Part> patch_of(int length) {
  std::vector<Part> parts;
  const std::vector<float> random = bench::white_noise(length);
  for (size_t i = 0; i < random.size(); ++i) {
    if (i % 500 == 0) parts.emplace_back();
    parts.back().push_back(i % 25 == 24 ? Op::sine : static_cast<Op>(2 * (random[i] + 1)));
  }
  return parts;
}

template <class T>
T apply(Op op, const T& t, const T& x) {
  using std::abs, std::sin;
  if (op == Op::add) return t + x;
  if (op == Op::subtract) return t - x;
  if (op == Op::multiply) return t * x;
  return op == Op::abs ? abs(t) : sin(t);
}

template <class T>
T value_of(const std::vector<Part>& parts, const T& x) {
  T sum = x;
  for (const Part& part : parts) {
    T t = x;
    for (Op op : part) t = apply(op, t, x);
    sum = sum + t;
  }
  return sum;
}

std::string text_of(const std::vector<Part>& parts) {
  const char* statements[] = {"t = t + x;", "t = t - x;", "t = t * x;", "t = t < 0 ? -t : t;", "t = sinf(t);"};
  std::string text = "float sinf(float);\n", calls;
  for (const Part& part : parts) {
    const std::string name = "part" + std::to_string(&part - parts.data());
    text += "static __attribute__((noinline)) float " + name + "(float x) {\n  float t = x;\n";
    for (Op op : part) text += std::string("  ") + statements[static_cast<int>(op)] + "\n";
    text += "  return t;\n}\n";
    calls += " + " + name + "(x[i])";
  }
  return text + "void run(const float* x, float* y, int n) {\n  for (int i = 0; i < n; ++i) y[i] = x[i]" + calls +
         ";\n}\n";
}

// A folder that goes with its last owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "dgen_bench_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder could be made: set TMPDIR");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Sample {
  double first = 0, again = 0;  // seconds of realize() for a new graph, and for an equal one built afterwards
  double error = 1;             // 1 also where the equal graph was compiled
};

Sample realize_twice(const std::vector<Part>& parts) {
  const std::vector<float> x = bench::white_noise(frames, 7);
  Sample sample;
  const Signal graph = value_of(parts, Signal::input(0));
  std::vector<float> y;
  sample.first = bench::waiting_seconds_of([&] { y = graph.realize({.frames = frames, .inputs = {x}}); });
  const int64_t compiles = driver::compile_requests();
  const Signal equal = value_of(parts, Signal::input(0));
  sample.again = bench::waiting_seconds_of([&] { equal.realize({.frames = frames, .inputs = {x}}); });
  std::vector<double> exact;
  for (double v : x) exact.push_back(value_of(parts, v));
  if (driver::compile_requests() == compiles) sample.error = bench::rms_error(y, exact);
  return sample;
}

// In a new process, whose kernel cache is that folder.
Sample in_new_process(const std::vector<Part>& parts, const std::filesystem::path& cache) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe could be made");
  const pid_t child = fork();
  if (child == 0) {
    setenv("DGEN_CACHE_DIR", cache.c_str(), 1);
    ssize_t written = 0;
    try {
      const Sample sample = realize_twice(parts);
      written = write(ends[1], &sample, sizeof sample);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    _exit(written == sizeof(Sample) ? 0 : 1);
  }
  close(ends[1]);
  Sample sample;
  const bool whole = read(ends[0], &sample, sizeof sample) == sizeof sample;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!whole) throw std::runtime_error("the new process failed");
  return sample;
}

// The patch as plain C.
class PlainC {
 public:
  explicit PlainC(const std::vector<Part>& parts) {
    std::ofstream(folder_.path() / "naive.c") << text_of(parts);
    compile_seconds();
  }
  double compile_seconds() const {
    const char* cc = std::getenv("CC");
    const std::string stem = (folder_.path() / "naive").string();
    const std::string compiler = cc ? cc : "cc";
    // Linking with -ffast-math would make this process flush denormals when it loads the library.
    const std::string command = compiler + " -O3 -march=native -ffast-math -fPIC -c -o " + stem + ".o " + stem +
                                ".c && " + compiler + " -shared -o " + stem + ".so " + stem + ".o";
    return bench::waiting_seconds_of([&] {
      if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    });
  }
  double load_seconds() const {
    void* library = nullptr;
    const double seconds = bench::waiting_seconds_of([&] { library = load(); });
    dlclose(library);
    return seconds;
  }
  double call_seconds() const {
    void* library = load();
    auto run = reinterpret_cast<void (*)(const float*, float*, int)>(dlsym(library, "run"));
    const std::vector<float> x = bench::white_noise(frames, 7);
    std::vector<float> y(frames);
    const double seconds = bench::waiting_seconds_of([&] { run(x.data(), y.data(), frames); });
    dlclose(library);
    return seconds;
  }

 private:
  void* load() const {
    void* library = dlopen((folder_.path() / "naive.so").c_str(), RTLD_NOW);
    if (!library || !dlsym(library, "run")) throw std::runtime_error("the plain C does not load");
    return library;
  }
  TemporaryFolder folder_;
};

// What the rows of one length share.
struct Setup {
  std::vector<Part> parts;
  PlainC naive;
  TemporaryFolder full;  // a kernel cache that has the patch
  double error = 0;      // the largest of all samples

  explicit Setup(int length) : parts(patch_of(length)), naive(parts) { realize(full); }
  Sample realize(const TemporaryFolder& cache) {
    const Sample sample = in_new_process(parts, cache.path());
    error = std::fmax(error, sample.error);
    return sample;
  }
};

Setup& setup_of(int length) {
  static std::map<int, std::unique_ptr<Setup>> all;
  std::unique_ptr<Setup>& setup = all[length];
  if (!setup) setup = std::make_unique<Setup>(length);
  return *setup;
}

bench::Pair cold(Setup& s) {
  return {[&s] { return s.realize(TemporaryFolder()).first; }, [&s] { return s.naive.compile_seconds(); },
          [&s] { return s.error; }};
}

bench::Pair from_disk(Setup& s) {
  return {[&s] { return s.realize(s.full).first; }, [&s] { return s.naive.load_seconds(); }, [&s] { return s.error; }};
}

bench::Pair equal_graph(Setup& s) {
  return {[&s] { return s.realize(s.full).again; }, [&s] { return s.naive.call_seconds(); }, [&s] { return s.error; }};
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bench;
  struct Length {
    int statements, rounds;
    Target cold;
  };
  for (const Length& n : {Length{500, 9, must::compile_500}, Length{5000, 9, must::compile_5000},
                          Length{20000, 9, must::compile_20000}}) {
    const std::string of = ", " + std::to_string(n.statements) + " statements";
    row(
        "compile, cold" + of, n.cold, [n] { return cold(setup_of(n.statements)); }, n.rounds);
    row("compile, kernel on disk" + of, must::compile_from_disk, [n] { return from_disk(setup_of(n.statements)); });
    row("compile, equal graph" + of, must::compile_again, [n] { return equal_graph(setup_of(n.statements)); });
  }
  return run_rows(argc, argv);
}
