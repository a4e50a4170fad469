// What the program prints: formatted lines, a table, a progress bar.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace dgen::ddsp {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

// Columns as wide as their longest cell; the first is left-aligned, the others right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;
  std::string csv() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A bar on a terminal; elsewhere a line at each quarter. Goes to standard error.
class Progress {
 public:
  Progress(std::string label, size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(const std::string& what);

 private:
  void clear();

  std::string label_;
  size_t total_, done_ = 0, quarter_ = 0;
  bool terminal_;
};

}  // namespace dgen::ddsp
