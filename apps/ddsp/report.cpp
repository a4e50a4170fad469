#include "report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <unistd.h>

namespace dgen::ddsp {
namespace {

// Code points, so that names with umlauts do not shift a column.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\n") == cell.npos) return cell;
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::string format(const char* pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  std::string out(static_cast<size_t>(std::max(0, std::vsnprintf(nullptr, 0, pattern, arguments))), '\0');
  std::vsnprintf(out.data(), out.size() + 1, pattern, again);
  va_end(again);
  va_end(arguments);
  return out;
}

std::string Table::text() const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  std::string out;
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string gap(widths[c] - width(row[c]), ' ');
      out += c == 0 ? row[c] + gap : "  " + gap + row[c];
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string Table::csv() const {
  std::string out;
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) out += quoted(row[c]) + (c + 1 < row.size() ? "," : "\n");
  return out;
}

Progress::Progress(std::string label, size_t total)
    : label_(std::move(label)), total_(std::max<size_t>(total, 1)), terminal_(isatty(STDERR_FILENO)) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (terminal_) std::fprintf(stderr, "\r\033[K");
}

void Progress::step(const std::string& what) {
  ++done_;
  if (terminal_) {
    constexpr size_t cells = 30;
    const size_t full = cells * done_ / total_;
    clear();
    std::fprintf(stderr, "%s [%s%s] %zu/%zu %.40s", label_.c_str(), std::string(full, '#').c_str(),
                 std::string(cells - full, '.').c_str(), done_, total_, what.c_str());
    std::fflush(stderr);
  } else if (const size_t quarter = 4 * done_ / total_; quarter != quarter_) {
    quarter_ = quarter;
    std::fprintf(stderr, "%s %zu of %zu\n", label_.c_str(), done_, total_);
  }
}

}  // namespace dgen::ddsp
