// Feedback written by hand gets the strategy of the library's function, by what it computes.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <sstream>

namespace {

using namespace dgen;

// Strategies of feedback in a program's explain, with what they say of it.
std::vector<std::string> feedback_of(const Signal& y) {
  std::vector<std::string> found;
  std::istringstream lines(compile(y).explain());
  for (std::string line; std::getline(lines, line);)
    for (const char* strategy : {"  Scan: ", "  Serial"})
      if (const size_t at = line.find(strategy); at != std::string::npos) found.push_back(line.substr(at, line.find(" in cell") - at));
  return found;
}

// Transposed direct form II and direct form I, constant and varying, get the strategy of biquad(), by what they compute.
TEST(ByHand, ABiquadIsTheSameScan) {
  const Signal x = Signal::input(0);
  for (const Signal& a1 : {Signal::param(-1.6f), Signal::input(1)}) {
    const bool varies = a1.is_frame_varying();
    const Signal cutoff = varies ? 1000.0f * a1 : Signal::param(1000);
    const std::vector<std::string> library = feedback_of(x.biquad({.cutoff = cutoff}));
    ASSERT_EQ(library.size(), 1u);
    EXPECT_EQ(library[0].find("  Scan: linear of order 2, " + std::string(varies ? "varying" : "constant")), 0u) << library[0];

    auto [s1, write1] = Signal::history();
    auto [s2, write2] = Signal::history();
    const Signal y = 0.1f * x + s1;
    write1(0.2f * x - a1 * y + s2);
    write2(0.1f * x - 0.7f * y);
    EXPECT_EQ(feedback_of(y), library);

    auto [y1, write_y] = Signal::history();
    auto [y2, write_y1] = Signal::history();
    auto [x1, write_x] = Signal::history();
    auto [x2, write_x1] = Signal::history();
    const Signal direct = write_y(0.1f * x + 0.2f * x1 + 0.1f * x2 - a1 * y1 - 0.7f * y2);
    write_y1(y1), write_x(x), write_x1(x1);
    EXPECT_EQ(feedback_of(direct), library);
  }
}

}  // namespace
