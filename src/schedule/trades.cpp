#include "schedule/trades.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::schedule {

using namespace ir;

namespace {

constexpr int64_t kFewest = 2048;    // elements: shorter copies stay in the nearest cache and take hardly any time
constexpr int64_t kShortestRow = 32;  // within which the vectors at both ends lie
constexpr int64_t kVector = 16;       // rows fill vectors of any width, so that no element is done twice

constexpr int64_t kNarrow = 1, kMostAxes = 2;  // of a pad that three by three taps read; 25 took 2.5 times as long as put together

class Trades {
 public:
  explicit Trades(const Graph& g) : g_(g), taken_(g.cells.size(), false) {}

  std::vector<Trade> run() {
    std::vector<Trade> found;
    for (const Cell& behind : g_.cells) {
      if (behind.write == none) continue;
      const Id read = g_[behind.write].in[0];
      if (!is_read(read)) continue;
      const Trade trade{cell(read).write, behind.write};
      if (!fits(trade)) continue;
      taken_[number(trade.write)] = taken_[number(trade.behind)] = true;
      found.push_back(trade);
    }
    return found;
  }

 private:
  size_t number(Id id) const { return static_cast<size_t>(g_[id].attrs.i("cell")); }
  const Cell& cell(Id id) const { return g_.cells[number(id)]; }
  bool is_read(Id id) const {
    static const Op state_read = op("state_read");
    return g_[id].op == state_read;
  }

  bool fits(const Trade& trade) const {
    if (trade.write == none || trade.write == trade.behind || g_[trade.write].type != g_[trade.behind].type) return false;
    const Shape& shape = g_[trade.write].shape();
    if (shape.size() < kFewest || shape.back() < kShortestRow || shape.back() % kVector != 0) return false;
    if (taken_[number(trade.write)] || taken_[number(trade.behind)]) return false;
    // A field of which only the same element is read is done with where it is made anew: nothing is copied there.
    return read_elsewhere(number(trade.write)) && only_elements(number(trade.behind), trade.write);
  }

  bool reads(Id id, size_t cell) const {
    return std::ranges::any_of(g_[id].in, [&](Id in) { return is_read(in) && number(in) == cell; });
  }
  bool read_elsewhere(size_t cell) const {
    bool found = false;
    for (Id id = 0; id < g_.size(); ++id) found = found || (!g_[id].op->elementwise() && reads(id, cell));
    return found;
  }
  // Is a cell read for the elements of what is written only, each for the one at its own place?
  bool only_elements(size_t cell, Id write) const {
    std::vector<bool> from(static_cast<size_t>(g_.size()), false);
    for (Id id = 0; id < g_.size(); ++id) {
      const Ids& in = g_[id].in;
      const bool follows = reads(id, cell) || std::ranges::any_of(in, [&](Id i) { return from[static_cast<size_t>(i)]; });
      if (!follows) continue;
      if (!g_[id].op->elementwise() || g_[id].type != g_[write].type) return false;
      from[static_cast<size_t>(id)] = id != write && id != g_[write].in[0];
    }
    const std::vector<Id> roots = g_.roots();
    return std::ranges::none_of(roots, [&](Id id) { return from[static_cast<size_t>(id)] || (is_read(id) && number(id) == cell); });
  }

  const Graph& g_;
  std::vector<bool> taken_;  // by cell
};

}  // namespace

static bool in_steps_of_one(const Graph& g, const std::vector<Ids>& users, Id id) {
  static const Op windows = op("windows");
  return std::ranges::all_of(users[static_cast<size_t>(id)], [&](Id user) {
    return g[user].op != windows || (g[user].attrs.i("stride") == 1 && in_steps_of_one(g, users, user));
  });
}

bool is_asked(const Graph& g, const std::vector<Ids>& users, const std::vector<Trade>& trades, Id pad) {
  static const Op state_read = op("state_read"), of_pad = op("pad");
  if (g[pad].op != of_pad || g[g[pad].in[0]].op != state_read) return false;
  const int64_t cell = g[g[pad].in[0]].attrs.i("cell");
  if (std::ranges::none_of(trades, [&](const Trade& t) { return g[t.write].attrs.i("cell") == cell; })) return false;
  const Ints& pairs = g[pad].attrs.ints("pairs");
  const bool narrow = *std::ranges::max_element(pairs) <= kNarrow && std::ranges::count(pairs, 0) + 2 * kMostAxes >= std::ssize(pairs);
  return narrow && in_steps_of_one(g, users, pad);
}

std::vector<Trade> find_trades(const Graph& g) { return Trades(g).run(); }

}  // namespace dgen::schedule
