// Every composite of the public API at every clock: its value on the backend under test against the interpreter's, its gradient with
// respect to every learnable argument against differences in float64. What was tried is the table of docs/coverage_composites.md.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "e2e/composites.h"
#include "frontend/run.h"
#include "support/backends.h"
#include "support/graphs.h"
#include "support/page.h"

namespace dgen::test {
namespace {

constexpr double kRate = 1000;

constexpr const char* kAbout = R"(# What the tests try of the composed operators

As [the page of the primitive operators](coverage.md), for what the library makes of them: value and gradient of every public function
that is no primitive, by the clock of its arguments. **static** is once a run, **hop** once every four frames, **frame** once a frame,
**bank** three of them a frame. The value is compared with the interpreter's; the interpreter's own is there, finite and not zero
everywhere. The gradient is that of every learnable argument: signals, options, weights, initial values, by differences in float64. `x`:
agrees; `0`: agrees, and the gradient is zero for every argument; `-`: not tried, for the reason in the last column. Written by
`DGEN_UPDATE=1 build/release/tests/test_e2e`, and checked by it; with `DGEN_TEST_BACKEND=cuda` on a machine with a GPU,
[the page for CUDA](coverage_composites_cuda.md).
)";

const std::vector<Composite>& composites() {
  static const std::vector<Composite> all = [] {
    std::vector<Composite> list = sound_composites(), arrays = array_composites();
    list.insert(list.end(), arrays.begin(), arrays.end());
    return list;
  }();
  return all;
}

// What agreed of one composite on one backend, by clock: 0 where nothing was tried.
struct Row {
  std::array<char, kClocks> value{}, gradient{};
};
using Page = std::map<std::pair<dgen::Backend, const Composite*>, Row>;

// A composite at a clock.
struct Trial {
  const Composite* composite;
  Clock clock;
};

// Trials that run for so many frames, in programs of so many.
std::vector<std::vector<Trial>> programs(int frames, size_t most) {
  std::vector<std::vector<Trial>> all;
  for (const Composite& composite : composites())
    for (Clock clock : {fixed, hop, frame, bank}) {
      if (composite.frames != frames || !composite.has(clock)) continue;
      if (all.empty() || all.back().size() == most) all.emplace_back();
      all.back().push_back({&composite, clock});
    }
  return all;
}

// Trials in one program with the gradients of the sum of their losses; no two share a param.
class Batch {
 public:
  Batch(const std::vector<Trial>& trials, int frames) : frames_(frames) {
    for (const Trial& trial : trials) add(*trial.composite, trial.clock);
    captured_.emplace();
    for (const Case& one : cases_) captured_->output(one.value);
    Value total = cases_[0].loss;
    for (size_t i = 1; i < cases_.size(); ++i) total = detail::scalar("add", {total, cases_[i].loss}, {});
    learnable_ = captured_->output_gradients(captured_->add(total));
  }

  void check(Page& page) {
    Rows want = run(dgen::Backend::interpreter);
    for (dgen::Backend backend : backends()) {
      SCOPED_TRACE(backend_name(backend));
      Rows got = backend == dgen::Backend::interpreter ? want : run(backend);
      for (size_t c = 0; c < cases_.size(); ++c) mark(c, got, want, page[{backend, cases_[c].composite}]);
    }
  }

 private:
  struct Case {
    const Composite* composite;
    Clock clock;
    std::string name;
    Value value, loss;
    std::vector<GradcheckRow> differences;
  };

  // Differences are the interpreter's whatever the backend, so it is judged here; with values that lie at no jump.
  void add(const Composite& composite, Clock clock) {
    static const char* clocks[] = {" static", " hop", " frame", " bank"};
    OnBackend interpreter(dgen::Backend::interpreter);
    Case one{&composite, clock, std::string(composite.name) + clocks[clock], {}, {}, {}};
    Gradcheck checked;
    for (uint64_t set = 0; set < 3; ++set) {
      Bench bench(one.name, clock, set);
      one.value = composite.make(bench);
      SignalTensor weight = bench.noise(one.value.shape(), one.value.clock().period);
      one.loss = detail::reduced_loss("coverage", (detail::as<SignalTensor>(one.value) * weight).sum(), Reduction::mean);
      checked = gradcheck(one.loss, {.frames = frames_, .tolerance = 1e-4});
      if (std::none_of(checked.rows.begin(), checked.rows.end(), [](auto& row) { return row.spread > 0.1; })) break;
    }
    EXPECT_TRUE(checked.ok) << one.name << '\n' << checked.table();
    one.differences = std::move(checked.rows);
    cases_.push_back(std::move(one));
  }

  Rows run(dgen::Backend backend) {
    OnBackend settings(backend);
    driver::Options options = fast_build(0);
    options.backend = detail::driver_options().backend;
    driver::RunArgs args = detail::run_args({}, frames_, true);
    const driver::Capture& capture = captured_->capture();
    return driver::get_program(capture, options)->run(driver::Bindings(capture), args, nullptr);
  }

  void mark(size_t c, const Rows& got, const Rows& want, Row& row) const {
    double peak = peak_of(want[c]), worst = distance(got[c], want[c], 0, 1e-4 * peak);
    bool has_value = std::isfinite(peak) && peak > 0;
    EXPECT_TRUE(has_value) << cases_[c].name << " is " << peak;
    EXPECT_LE(worst, 1) << cases_[c].name << ", in units of 1e-4 of the peak";
    if (has_value && worst <= 1) row.value[cases_[c].clock] = 'x';
    bool has_slope = false, fine = true;
    for (const GradcheckRow& difference : cases_[c].differences) {
      fine &= agrees(c, difference, got);
      has_slope |= difference.difference != 0;
    }
    if (fine) row.gradient[cases_[c].clock] = has_slope ? 'x' : '0';
  }

  // As gradcheck judges: relative to the larger, but to 1e-3 of the param's largest at least.
  bool agrees(size_t c, const GradcheckRow& row, const Rows& got) const {
    size_t slot = 0;
    while (learnable_[slot]->name != row.param) ++slot;
    const std::vector<float>& gradient = got[cases_.size() + slot];
    double computed = static_cast<double>(gradient[static_cast<size_t>(row.element)]);
    double size = std::max({std::fabs(computed), std::fabs(row.difference), 1e-3 * peak_of(gradient)});
    bool fine = std::fabs(computed - row.difference) <= 1e-3 * size;
    EXPECT_TRUE(fine) << cases_[c].name << ", " << row.param << '[' << row.element << "]: " << computed << " not " << row.difference;
    return fine;
  }

  int frames_;
  std::vector<Case> cases_;
  std::optional<detail::Capturer> captured_;  // begins after gradcheck: one lives at a time
  std::vector<driver::StoragePtr> learnable_;
};

std::string page_of(const Page& rows) {
  std::string text = kAbout;
  for (dgen::Backend backend : backends()) {
    text += cat("\n## ", backend == dgen::Backend::interpreter ? "Interpreter" : backend == dgen::Backend::cpu ? "C" : "CUDA",
                "\n\n| operator | static | hop | frame | bank | gradient: static | hop | frame | bank | why not |\n",
                "|---|---|---|---|---|---|---|---|---|---|\n");
    for (const Composite& one : composites()) {
      const Row& row = rows.at({backend, &one});
      text += cat("| `", one.name, "` |");
      for (auto& marks : {row.value, row.gradient})
        for (char c : marks) text += cat(" ", std::string(1, c ? c : '-'), " |");
      text += *one.reason ? cat(" ", one.reason, " |\n") : "|\n";
    }
  }
  return text;
}

// docs/coverage_composites.md says what was tried; a machine with a GPU writes a page of its own. DGEN_UPDATE=1 writes it anew.
TEST(Composed, AgreesAndThePageIsUpToDate) {
  OnBackend settings(config().backend);
  config().sample_rate = kRate;
  Page all;
  // What the C compiler does once a file is most of its time; a kernel of CUDA has a limited number of arguments.
  const size_t most = on_cuda() ? 48 : 1000;
  for (int frames : {kShort, kLong})
    for (const std::vector<Trial>& trials : programs(frames, most)) Batch(trials, frames).check(all);
  for (const Composite& one : composites()) EXPECT_EQ(one.without.empty(), !*one.reason) << one.name;
  std::string path = cat(DGEN_SOURCE_DIR, on_cuda() ? "/docs/coverage_composites_cuda.md" : "/docs/coverage_composites.md");
  expect_page(path, page_of(all));
}

}  // namespace
}  // namespace dgen::test
