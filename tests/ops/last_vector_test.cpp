// The last vector of a loop, which has fewer lanes: as many ticks as may be give the bits of one tick at a time, and nothing is
// read or written beside an array, even where the memory beside it may not be touched.
#include <dgen/dgen.h>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <functional>

namespace dgen::test {
namespace {

constexpr int kMost = 33;  // two of the widest vectors and one lane

// Floats between memory that must not be touched: they end, or begin, at the border.
class Fenced {
 public:
  Fenced(int count, bool at_end) : bytes_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    memory_ = static_cast<char*>(mmap(nullptr, 3 * bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + bytes_, bytes_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<float*>(memory_ + bytes_ + (at_end ? bytes_ - static_cast<size_t>(count) * 4 : 0));
  }
  ~Fenced() { munmap(memory_, 3 * bytes_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  float* data() const { return data_; }

 private:
  size_t bytes_;
  char* memory_;
  float* data_;
};

float sample(int i) { return std::sin(1.3f * static_cast<float>(i) + 0.4f); }

std::vector<float> in_one_block(Program& program, int frames, bool at_end) {
  program.reset();
  Fenced x(frames, at_end), y(frames, at_end);
  for (int i = 0; i < frames; ++i) x.data()[i] = sample(i);
  const float* in[] = {x.data()};
  float* out[] = {y.data()};
  program.process(in, out, frames);
  return {y.data(), y.data() + frames};
}

std::vector<float> by_ticks(Program& program, int frames) {
  program.reset();
  std::vector<float> y(static_cast<size_t>(frames));
  for (int i = 0; i < frames; ++i) {
    const float x = sample(i);
    const float* in[] = {&x};
    float* out[] = {&y[static_cast<size_t>(i)]};
    program.process(in, out, 1);
  }
  return y;
}

void expect_bits_of_ticks(const std::function<Signal(const Signal&)>& patch) {
  Program program = compile(patch(Signal::input(0)));
  for (int frames = 1; frames <= kMost; ++frames)
    for (bool at_end : {false, true}) EXPECT_EQ(in_one_block(program, frames, at_end), by_ticks(program, frames)) << frames << " frames";
}

Signal long_expression(const Signal& x) {
  Signal y = x;
  for (int i = 0; i < 20; ++i) y = y * x + 0.1f * sin(y);
  return y;
}

TEST(LastVector, Pointwise) {
  expect_bits_of_ticks([](const Signal& x) { return tanh(x) * 0.5f + x * x; });
}
TEST(LastVector, ManyStatements) { expect_bits_of_ticks(long_expression); }
TEST(LastVector, Delays) {
  expect_bits_of_ticks([](const Signal& x) { return x.delay(3) + 0.5f * x; });
}
TEST(LastVector, Phasors) {
  expect_bits_of_ticks([](const Signal& x) { return Signal::phasor(440.0f) * x; });
}

// Rows of any length, their elements or their ticks as lanes: the sum adds what it adds one tick at a time.
TEST(LastVector, Rows) {
  for (int size = 1; size <= kMost; ++size) {
    std::vector<float> numbers;
    for (int i = 0; i < size; ++i) numbers.push_back(sample(100 + i));
    Program program = compile((exp(Tensor(numbers) * Signal::input(0)) * Tensor(numbers)).sum());
    for (int frames : {1, 5, kMost})
      EXPECT_EQ(in_one_block(program, frames, true), by_ticks(program, frames)) << size << " elements, " << frames << " frames";
  }
}

// A gradient is a sum over time: as many products as there are ticks.
TEST(LastVector, SumsOverTime) {
  for (int frames = 1; frames <= kMost; ++frames) {
    std::vector<float> x;
    double want = 0, size = 0;
    for (int i = 0; i < frames; ++i) x.push_back(sample(i)), want += static_cast<double>(sample(i)), size += std::fabs(sample(i));
    Tensor p = Tensor::param({2});
    (p * Signal::input(0)).sum().backward({.frames = frames, .inputs = {x}, .reduction = Reduction::sum});
    EXPECT_NEAR(p.grad()->realize()[0], want, 1e-6 * size) << frames;
  }
}

}  // namespace
}  // namespace dgen::test
