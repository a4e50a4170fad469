// Linear recurrences keep the digits that ticks in order have, forward and backward, and any cut gives the same bits. Filters far below
// the sample rate, whose cells are nearly alike, are what joined segments could get wrong.
#include <chrono>
#include <complex>
#include <functional>

#include "support/graphs.h"
#include "support/sanitized.h"

namespace dgen::test {
namespace {

// Denominators of Butterworth low passes by the bilinear transform: the coefficients after the leading 1.
std::vector<float> butterworth(int order, double turns) {
  const double warped = std::tan(M_PI * turns);
  std::vector<std::complex<double>> all{1};
  for (int k = 0; k < order; ++k) {
    const std::complex<double> s = warped * std::polar(1.0, M_PI * (2 * k + order + 1) / (2.0 * order)), pole = (1.0 + s) / (1.0 - s);
    all.push_back(0);
    for (size_t i = all.size(); i-- > 1;) all[i] -= all[i - 1] * pole;
  }
  std::vector<float> a;
  for (size_t i = 1; i < all.size(); ++i) a.push_back(static_cast<float>(all[i].real()));
  return a;
}

// Coefficients as params, which a stream of ones makes vary.
struct Filter {
  Patch p;
  Ex x = p.input(), one;
  std::vector<Ex> a, cells;

  Filter(int order, double turns, bool varies) {
    if (varies) one = p.input({}, 1, 1, 1);
    for (float value : butterworth(order, turns)) a.push_back(varies ? p.number(value) * one : p.number(value));
    for (int i = 0; i < order; ++i) cells.push_back(p.cell({}));
  }
  Ex next() const {
    Ex y = x;
    for (size_t i = 0; i < a.size(); ++i) y = y - cells[i] * a[i];
    return y;
  }
};

Ex direct(Filter& f) {
  for (size_t i = 1; i < f.cells.size(); ++i) f.p.write(f.cells[i], f.cells[i - 1]);
  return f.p.write(f.cells[0], f.next());
}
Ex transposed(Filter& f) {
  const Ex y = f.x + f.cells[0];
  for (size_t i = 0; i < f.cells.size(); ++i) {
    const Ex back = -(y * f.a[i]);
    f.p.write(f.cells[i], i + 1 < f.cells.size() ? back + f.cells[i + 1] : back);
  }
  return y;
}
// Of order 2, with the second cell as some multiple of the first, and undone where it is read.
Ex multiple(Filter& f, double by) {
  f.p.write(f.cells[1], f.cells[0] * by);
  return f.p.write(f.cells[0], f.x - f.cells[0] * f.a[0] - f.cells[1] * f.a[1] * (1 / by));
}
Ex opposite(Filter& f) { return multiple(f, -1); }
Ex halved(Filter& f) { return multiple(f, .5); }
Ex chosen(Filter& f) {
  f.p.write(f.cells[1], ex("select", {f.one - 2.0, f.x, f.cells[0]}));
  return f.p.write(f.cells[0], f.next());
}
// All of A varies and no element is 0 as it is written: only the numbers tell.
Ex faded(Filter& f) {
  f.p.write(f.cells[1], f.cells[0] * f.one + f.cells[1] * (1.0 - f.one));
  return f.p.write(f.cells[0], f.next());
}
// One-poles in series around which the last one's output goes back.
Ex ladder(Filter& f) {
  Ex u = f.x - f.cells.back() * (f.one.g ? f.one : f.p.c(1));
  const Ex step = f.a[0] * (1.0 / static_cast<double>(f.cells.size())) + 1.0;  // small for a low cutoff
  for (Ex cell : f.cells) u = f.p.write(cell, cell + (u - cell) * step);
  return u;
}

double rms_error(const std::vector<float>& got, const Values& want) {
  double difference = 0, size = 0;
  for (size_t t = 0; t < want.size(); ++t) difference += std::pow(static_cast<double>(got[t]) - want[t], 2), size += want[t] * want[t];
  return std::sqrt(difference / size);
}

struct Case {
  const char* name;
  Ex (*form)(Filter&);
  int least_order, most_order;
  bool constant;
  const char *of_two, *of_more;  // strategy: of order 2 where A varies, of orders above where it is constant
  double most_turns = 0.5;       // stable up to there
};
constexpr Case cases[] = {
    {"direct", direct, 2, 4, true, "Scan", "OrderedFma"},
    {"transposed", transposed, 2, 4, true, "Scan", "OrderedFma"},
    {"opposite", opposite, 2, 2, true, "OrderedFma", ""},
    {"halved", halved, 2, 2, true, "OrderedFma", ""},
    {"chosen", chosen, 2, 2, false, "OrderedFma", ""},
    {"faded", faded, 2, 2, false, "Scan", ""},
    {"ladder", ladder, 2, 4, true, "Scan", "Scan", 0.1},
};
constexpr int64_t frames = 3000;

void expect_digits(const Patch& p) {
  driver::Options plain = fast_build();
  plain.plain = true;
  const std::vector<Values> want = Oracle(p).run(frames);
  const Rows got = run_fresh(p, Backend::cpu, frames), in_order = run_fresh(p, Backend::cpu, frames, plain);
  EXPECT_LE(rms_error(got[0], want[0]), 4 * rms_error(in_order[0], want[0]) + 2e-6);
  EXPECT_LE(std::fabs(got[1][0] / want[1][0] - 1), 4 * std::fabs(in_order[1][0] / want[1][0] - 1) + 2e-4);
}

void expect_same_bits(const Patch& p, size_t outputs = 1) {
  Player player(p, Backend::cpu);
  const Rows whole = player.play_alone(frames);
  const int64_t sizes[] = {1, 8, 5, 64, 129, 3, 300, 16};
  for (int64_t done = 0, block = 0; done < frames; ++block) {
    const int64_t n = std::min(frames - done, sizes[static_cast<size_t>(block) % std::size(sizes)]);
    const Rows part = player.play(n);
    for (size_t i = 0; i < outputs; ++i)
      ASSERT_EQ(0, std::memcmp(part[i].data(), whole[i].data() + done, static_cast<size_t>(n) * sizeof(float))) << "from frame " << done;
    done += n;
  }
}

// Cells that all read each other, with coefficients of which only the graph says that they vary: poles close to the unit circle, found
// by random matrices whose scans lost one or two digits.
TEST(ScanDigits, CellsThatReadEachOther) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  const std::vector<std::vector<float>> all = {
      {0.865188144f, 0.100743503f, -0.186805734f, -0.52141806f, 0.985998574f, -0.410063551f, -0.0389124397f, 0.320091168f, 0.719439437f},
      {1.00822844f, 0.280492478f, -0.783837963f, 2.68180291f, -0.0142968991f, 0.827687329f, 0.403279585f, -1.63556055f, -0.00183079167f,
       -0.0751067708f, 1.21442782f, -0.718582649f, -0.00337614414f, -0.202521867f, 0.592322116f, -0.938245023f},
      {0.421862306f, -0.930319048f, 737.58893f, 13.2640426f, -0.973716178f, 0.267096608f, -1217.79136f, 63.5214128f, -3.76999575e-05f,
       8.70137332e-05f, 0.910770343f, -0.000147060813f, -0.0205122629f, -0.0253179657f, 10.8902923f, 1.64390771f}};
  for (const std::vector<float>& a : all) {
    Patch p;
    Ex x = p.input(), one = p.input({}, 1, 1, 1), y = x * 0.0;
    const size_t order = a.size() == 9 ? 3 : 4;
    std::vector<Ex> cells, next;
    for (size_t i = 0; i < order; ++i) cells.push_back(p.cell({}));
    for (size_t i = 0; i < order; ++i) {
      next.push_back(x * (1.0 - 0.4 * static_cast<double>(i)));
      for (size_t j = 0; j < order; ++j) next[i] = next[i] + cells[j] * (p.number(a[i * order + j]) * one);
    }
    for (size_t i = 0; i < order; ++i) y = y + p.write(cells[i], next[i]);
    const Ex loss = p.loss(y);
    p.output(y), p.output(p.grad(loss, 0));
    SCOPED_TRACE(testing::Message() << "order " << order << ", last element " << a.back());
    expect_digits(p);
    expect_same_bits(p);
  }
}

// Of two cells whose coefficients vary: y and its gradient to the first param.
void expect_good_scan(Patch& p, const Ex& y) {
  const Ex loss = p.loss(y);
  p.output(y), p.output(p.grad(loss, 0));
  EXPECT_NE(Player(p, Backend::cpu).program().explain().find("Scan: linear of order 2, varying"), std::string::npos);
  expect_digits(p);
  expect_same_bits(p);
}

TEST(ScanDigits, AsManyAsInOrder) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (const Case& c : cases)
    for (int order = c.least_order; order <= c.most_order; ++order)
      for (const bool varies : {false, true})
        for (const double turns : {0.001, 0.02, 0.1, 0.45}) {
          if ((!varies && !c.constant) || turns > c.most_turns) continue;
          const char* kind = varies ? ", varying, " : ", constant, ";
          SCOPED_TRACE(testing::Message() << c.name << ", order " << order << kind << turns << " turns");
          Filter f(order, order > 2 ? std::max(turns, 0.005) : turns, varies);
          const Ex y = c.form(f), loss = f.p.loss(y);
          f.p.output(y), f.p.output(f.p.grad(loss, 0));
          const std::string plan = Player(f.p, Backend::cpu).program().explain();
          const char* strategy = order == 2 ? (varies ? c.of_two : "Scan") : varies ? "OrderedFma" : c.of_more;
          EXPECT_NE(plan.find(cat("(forward) at frame  ", strategy)), std::string::npos) << plan;
          expect_digits(f.p);
        }
}

TEST(ScanDigits, AnyCutGivesTheSameBits) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (const Case& c : cases)
    for (const int order : {c.least_order, c.most_order})
      for (const double turns : {0.01, 0.49}) {
        if (turns > c.most_turns) continue;
        SCOPED_TRACE(testing::Message() << c.name << ", order " << order << ", " << turns << " turns");
        Filter f(order, turns, true);
        f.p.output(c.form(f));
        expect_same_bits(f.p);
      }
}

// Products of A grow in some segments and not in others: the pole's angle is 0 for some hundred ticks, a quarter turn for others.
TEST(ScanDigits, ProductsThatGrowAtTimes) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  Ex x = p.input(), one = p.input({}, 1, 1, 1), slow = p.cell({}), angle = p.write(slow, slow * 0.98 + x * 0.6), r = p.number(0.99f) * one;
  Ex s1 = p.cell({}), s2 = p.cell({});
  const Ex a1 = r * fn("cos", fn("min", fn("abs", angle), p.c(1.5))) * -2.0, a2 = r * r;
  p.write(s2, s1 * one + s2 * (1.0 - one));
  expect_good_scan(p, p.write(s1, x - s1 * a1 - s2 * a2));
}

// Two cells that leave float's range with opposite signs, and a third beside them: in order, fused, and where products have grown.
TEST(ScanDigits, WhatOverflowsStaysSo) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (const bool third : {false, true}) {
    Patch p;
    Ex x = p.input(), g = p.input({}, 1, 0.5, 0.5), e = p.input({}, 1, 0, 0), a = p.cell({}), b = p.cell({});
    p.inputs[0].assign(p.inputs[0].size(), 0), p.inputs[0][0] = 3e38f, p.inputs[1][1] = 2;
    Ex next_a = a * g + b * e + x, next_b = b * g + a * e - x;
    if (third) {
      Ex c = p.cell({});
      p.write(c, c * g + a * e), next_a = next_a + c * e;
    }
    p.write(b, next_b), p.output(p.write(a, next_a));
    const Rows got = run_fresh(p, Backend::cpu, 30);
    EXPECT_EQ(got[0][0], 3e38f);
    for (size_t t = 1; t < 30; ++t) EXPECT_FALSE(std::isfinite(got[0][t])) << t << (third ? ", three cells" : ", two cells");
  }
}

// A NaN in cells that are copies, from which the others recover: cut while it is there.
TEST(ScanDigits, CutsBehindWhatIsNotFinite) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  for (int i = 0; i < 20; ++i) {
    Patch p;
    Ex x = p.input(), on = p.input({}, 1, 1, 1), half = p.number(0.5f);
    p.inputs[0][39] = 0.5f + 0.0137f * static_cast<float>(i), p.inputs[0][40] = NAN, p.inputs[0][42] = 0.9f, p.inputs[0][43] = 0;
    p.inputs[1][41] = 0;
    Ex cells[4] = {p.cell({}), p.cell({}), p.cell({}), p.cell({})};
    for (int k = 1; k < 4; ++k) p.write(cells[k], cells[k - 1]);
    p.output(p.write(cells[0], ex("select", {on, cells[0] * half, p.c(0)}) + cells[3] * p.number(0.3f) + x));
    Player player(p, Backend::cpu);
    const Rows whole = player.play_alone(64), part = (player.play(43), player.play(21));
    EXPECT_EQ(0, std::memcmp(part[0].data(), whole[0].data() + 43, 21 * sizeof(float))) << i;
  }
}

// A filter close to half the sample rate, whose products grow within two ticks: groups of it are what ticks in order are.
TEST(ScanDigits, ProductsThatGrowKeepTheDigitsOfTicksInOrder) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  driver::Options plain = fast_build();
  plain.plain = true;
  for (const double turns : {0.48, 0.49}) {
    Filter f(2, turns, true);
    f.p.output(direct(f)), f.p.output(f.cells[0]), f.p.output(f.cells[1]);
    const std::vector<Values> want = Oracle(f.p).run(frames);
    const Rows got = run_fresh(f.p, Backend::cpu, frames), in_order = run_fresh(f.p, Backend::cpu, frames, plain);
    for (size_t i = 0; i < 3; ++i) EXPECT_LE(rms_error(got[i], want[i]), 1.2 * rms_error(in_order[i], want[i])) << turns << " turns, " << i;
    expect_same_bits(f.p, 3);
  }
}

// A itself has grown, so not one tick lies in a segment: cells that cancel, of poles of radius 0.63.
TEST(ScanDigits, ProductsThatHaveGrownAtOnce) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  Patch p;
  Ex x = p.input(), one = p.input({}, 1, 1, 1), s1 = p.cell({}), s2 = p.cell({});
  const Ex next1 = s1 * (one * p.number(5.0f)) - s2 * (one * 6.1) + x, next2 = s1 * (one * 4.0) - s2 * (one * 4.8);
  p.write(s2, next2);
  expect_good_scan(p, p.write(s1, next1));
}

TEST(ScanDigits, ProductsThatGrowCostWhatTicksInOrderDo) {
  if (on_cuda()) GTEST_SKIP() << "scans are the host's";
  if (kSanitized) GTEST_SKIP() << "measures time";
  driver::Options plain = fast_build();
  plain.plain = true;
  Filter f(2, 0.48, true);
  f.p.output(direct(f));
  Player scan(f.p, Backend::cpu), in_order(f.p, Backend::cpu, plain);
  auto seconds = [](Player& player) {
    player.rewind();
    const auto from = std::chrono::steady_clock::now();
    player.play(1 << 14);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  };
  double scanned = 1e9, plainly = 1e9;
  for (int i = 0; i < 10; ++i) scanned = std::min(scanned, seconds(scan)), plainly = std::min(plainly, seconds(in_order));
  EXPECT_LT(scanned, 3 * plainly);
}

}  // namespace
}  // namespace dgen::test
