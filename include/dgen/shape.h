// Shape: the sizes of an n-dimensional array, row-major. Rank 0 is one element.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace dgen {

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : sizes_(sizes) {}
  explicit Shape(std::vector<int64_t> sizes) : sizes_(std::move(sizes)) {}

  int rank() const { return static_cast<int>(sizes_.size()); }
  int64_t operator[](int axis) const { return sizes_[static_cast<size_t>(axis)]; }
  int64_t& operator[](int axis) { return sizes_[static_cast<size_t>(axis)]; }
  int64_t back() const { return sizes_.back(); }
  // Number of elements.
  int64_t size() const {
    int64_t n = 1;
    for (int64_t s : sizes_) n *= s;
    return n;
  }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  auto begin() const { return sizes_.begin(); }
  auto end() const { return sizes_.end(); }
  void push_back(int64_t n) { sizes_.push_back(n); }
  bool operator==(const Shape&) const = default;
  // "(2,3)"; rank 0 is "()".
  std::string str() const {
    std::string text = "(";
    for (size_t i = 0; i < sizes_.size(); ++i) text += (i ? "," : "") + std::to_string(sizes_[i]);
    return text + ")";
  }

 private:
  std::vector<int64_t> sizes_;
};

}  // namespace dgen
