#include "driver/drawing.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::driver {

using namespace ir;

namespace {

constexpr int kWidth = 132, kHeight = 36, kGapX = 14, kGapY = 34, kMargin = 12, kLegend = 30;
constexpr const char* kHopColours[] = {"#ffe2b3", "#d9f2c4", "#f6d0e4", "#d8d4f7", "#c5f0ea", "#f3efb0"};

struct Place {
  int x = 0, y = 0;  // upper left corner
};

class Drawing {
 public:
  explicit Drawing(const Graph& g) : g_(g), users_(users(g)), row_(static_cast<size_t>(g.size())), place_(row_.size()) {
    choose_rows();
    order_rows();
    for (auto& node : g.nodes())
      if (node.clock().period > 1) hops_.emplace(node.clock().period, static_cast<int>(hops_.size()));
  }

  std::string svg() const {
    std::string text =
        cat("<svg class=\"graph\" viewBox=\"0 0 ", width_, " ", height_, "\" width=\"", width_, "\" height=\"", height_, "\">\n");
    text += legend();
    for (Id id = 0; id < g_.size(); ++id) text += edges(id);
    for (Id id = 0; id < g_.size(); ++id) text += box(id);
    return text + "</svg>\n";
  }

 private:
  static size_t at(Id id) { return static_cast<size_t>(id); }

  // A node stands below its inputs; leaves just above their first user.
  void choose_rows() {
    for (Id id = 0; id < g_.size(); ++id)
      for (Id in : g_[id].in) row_[at(id)] = std::max(row_[at(id)], row_[at(in)] + 1);
    for (Id id = g_.size(); id-- > 0;) {
      if (!g_[id].in.empty() || users_[at(id)].empty()) continue;
      int first = row_[at(users_[at(id)][0])];
      for (Id user : users_[at(id)]) first = std::min(first, row_[at(user)]);
      row_[at(id)] = first - 1;
    }
  }

  // Two sweeps, by the mean place of neighbours: down by inputs, up by users, down again.
  void order_rows() {
    int last = row_.empty() ? 0 : *std::max_element(row_.begin(), row_.end());
    std::vector<std::vector<Id>> rows(static_cast<size_t>(last) + 1);
    for (Id id = 0; id < g_.size(); ++id) rows[static_cast<size_t>(row_[at(id)])].push_back(id);
    size_t widest = 0;
    for (auto& row : rows) widest = std::max(widest, row.size());
    width_ = std::max<int>(640, static_cast<int>(widest) * (kWidth + kGapX) + 2 * kMargin);
    height_ = (last + 1) * (kHeight + kGapY) + 2 * kMargin + kLegend;
    for (auto& row : rows) set_row(row);
    for (size_t r = 1; r < rows.size(); ++r) sort_row(rows[r], [this](Id id) -> const Ids& { return g_[id].in; });
    for (size_t r = rows.size(); r-- > 0;) sort_row(rows[r], [this](Id id) -> const Ids& { return users_[at(id)]; });
    for (size_t r = 1; r < rows.size(); ++r) sort_row(rows[r], [this](Id id) -> const Ids& { return g_[id].in; });
  }

  template <class Neighbours>
  void sort_row(std::vector<Id>& row, const Neighbours& neighbours) {
    std::map<Id, double> mean;
    for (Id id : row) {
      const auto& near = neighbours(id);
      double sum = std::accumulate(near.begin(), near.end(), 0.0, [this](double s, Id n) { return s + place_[at(n)].x; });
      mean[id] = near.empty() ? place_[at(id)].x : sum / static_cast<double>(near.size());
    }
    std::stable_sort(row.begin(), row.end(), [&](Id a, Id b) { return mean[a] < mean[b]; });
    set_row(row);
  }

  void set_row(const std::vector<Id>& row) {
    int x = (width_ - static_cast<int>(row.size()) * (kWidth + kGapX) + kGapX) / 2;
    for (Id id : row) {
      place_[at(id)] = {x, kMargin + kLegend + row_[at(id)] * (kHeight + kGapY)};
      x += kWidth + kGapX;
    }
  }

  std::string colour(Clock clock) const {
    if (clock.is_static()) return "#ececec";
    if (clock.period == 1) return "#cfe4ff";
    return kHopColours[static_cast<size_t>(hops_.at(clock.period)) % std::size(kHopColours)];
  }

  std::string box(Id id) const {
    const Node& node = g_[id];
    const Place& p = place_[at(id)];
    std::string title = print_node(g_, id);
    if (node.loc.file) title += cat("  ", node.loc.file, ":", node.loc.line);
    bool root = std::count(g_.outputs.begin(), g_.outputs.end(), id) || std::count(g_.effects.begin(), g_.effects.end(), id);
    std::string text = cat("<g><title>", escape_markup(title), "</title><rect x=\"", p.x, "\" y=\"", p.y, "\" width=\"", kWidth,
                           "\" height=\"", kHeight, "\" rx=\"5\" fill=\"", colour(node.clock()), "\"",
                           root                   ? " class=\"root\""
                           : node.clock().reverse ? " class=\"reverse\""
                                                  : "",
                           "/>");
    text += cat("<text x=\"", p.x + 6, "\" y=\"", p.y + 15, "\">%", id, " ", escape_markup(node.op->name), "</text>");
    std::string below = node.shape().str() + (node.label.empty() ? "" : " " + node.label);
    if (below.size() > 20) below = below.substr(0, 19) + "~";
    return text + cat("<text class=\"small\" x=\"", p.x + 6, "\" y=\"", p.y + 29, "\">", escape_markup(below), "</text></g>\n");
  }

  std::string edges(Id id) const {
    const Place& to = place_[at(id)];
    std::string text;
    int n = static_cast<int>(g_[id].in.size());
    for (int i = 0; i < n; ++i) {
      const Place& from = place_[at(g_[id].in[static_cast<size_t>(i)])];
      int x0 = from.x + kWidth / 2, y0 = from.y + kHeight, x1 = to.x + kWidth * (i + 1) / (n + 1), y1 = to.y, bend = (y1 - y0) / 2;
      text += cat("<path class=\"edge\" d=\"M", x0, " ", y0, "C", x0, " ", y0 + bend, " ", x1, " ", y1 - bend, " ", x1, " ", y1, "\"/>\n");
    }
    return text + feedback(id);
  }

  // From a cell's write up to this read of it.
  std::string feedback(Id id) const {
    if (g_[id].op->name != "state_read") return "";
    Id write = g_.cells[static_cast<size_t>(g_[id].attrs.i("cell"))].write;
    if (write == none) return "";
    const Place &from = place_[at(write)], &to = place_[at(id)];
    int x0 = from.x + kWidth, y0 = from.y + kHeight / 2, x1 = to.x + kWidth, y1 = to.y + kHeight / 2, out = std::max(x0, x1) + 40;
    return cat("<path class=\"feedback\" d=\"M", x0, " ", y0, "C", out, " ", y0, " ", out, " ", y1, " ", x1, " ", y1,
               "\"/><path class=\"tip\" d=\"M", x1, " ", y1, "l8 -4v8z\"/>\n");
  }

  std::string legend() const {
    std::vector<Clock> clocks{{0, false}, {1, false}};
    for (auto& [period, number] : hops_) clocks.push_back({period, false});
    std::string text;
    int x = kMargin;
    for (Clock clock : clocks) {
      text += cat("<rect x=\"", x, "\" y=\"8\" width=\"14\" height=\"14\" fill=\"", colour(clock), "\"/><text x=\"", x + 20, "\" y=\"20\">",
                  clock.str(), "</text>");
      x += 110;
    }
    return text + cat("<text class=\"small\" x=\"", x, "\" y=\"20\">dotted border: reverse; bold: output; dashed red: feedback</text>\n");
  }

  const Graph& g_;
  std::vector<Ids> users_;
  std::vector<int> row_;  // by node
  std::vector<Place> place_;
  std::map<int64_t, int> hops_;  // periods, numbered
  int width_ = 0, height_ = 0;
};

}  // namespace

std::string draw_svg(const Graph& g) { return Drawing(g).svg(); }

std::string escape_markup(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t' ? '?' : c;
  }
  return out;
}

}  // namespace dgen::driver
