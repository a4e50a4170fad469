// A vector of plain values with room for a few in itself: most lists of inputs and arguments hold two or three.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace dgen {

template <class T, uint32_t room>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;

  SmallVector() = default;
  explicit SmallVector(size_t size, T value = T()) { std::fill_n(extend(size), size, value); }
  SmallVector(std::initializer_list<T> values) : SmallVector(values.begin(), values.end()) {}
  SmallVector(const std::vector<T>& values) : SmallVector(values.begin(), values.end()) {}
  template <std::forward_iterator It>
  SmallVector(It first, It last) {
    std::copy(first, last, extend(static_cast<size_t>(std::distance(first, last))));
  }
  SmallVector(const SmallVector& other) : SmallVector(other.begin(), other.end()) {}
  SmallVector(SmallVector&& other) noexcept { take(other); }
  SmallVector& operator=(SmallVector other) noexcept {
    free();
    take(other);
    return *this;
  }
  ~SmallVector() { free(); }

  const T* data() const { return capacity_ > room ? at_.heap : at_.own; }
  T* data() { return capacity_ > room ? at_.heap : at_.own; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  auto rbegin() const { return std::make_reverse_iterator(end()); }
  auto rend() const { return std::make_reverse_iterator(begin()); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& operator[](size_t i) { return data()[i]; }
  const T& back() const { return end()[-1]; }
  void push_back(T value) { *extend(1) = value; }
  void reserve(size_t size) {
    if (size > capacity_) grow(static_cast<uint32_t>(size));
  }
  bool operator==(const SmallVector& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  // So many more elements, to be written.
  T* extend(size_t more) {
    const uint32_t old = size_;
    size_ += static_cast<uint32_t>(more);
    if (size_ > capacity_) grow(std::max(size_, 2 * capacity_), old);
    return data() + old;
  }
  void grow(uint32_t capacity) { grow(capacity, size_); }
  void grow(uint32_t capacity, uint32_t used) {
    T* heap = new T[capacity];
    std::copy_n(data(), used, heap);
    free();
    at_.heap = heap, capacity_ = capacity;
  }
  void take(SmallVector& other) {
    at_ = other.at_, size_ = other.size_, capacity_ = other.capacity_;
    other.size_ = 0, other.capacity_ = room;
  }
  void free() {
    if (capacity_ > room) delete[] at_.heap;
  }

  union Place {
    T own[room];
    T* heap;
  } at_ = {};
  uint32_t size_ = 0, capacity_ = room;
};

}  // namespace dgen
