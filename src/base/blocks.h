// A sequence that only grows at its end, in blocks that stay where they are: references to elements survive. A deque's blocks
// hold three elements of 150 bytes.
#pragma once
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace dgen {

template <class T, size_t block = 64>
class Blocks {
  static_assert((block & (block - 1)) == 0);

 public:
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    const_iterator(const Blocks* all, size_t at) : all_(all), at_(at) {}
    const T& operator*() const { return (*all_)[at_]; }
    const T* operator->() const { return &(*all_)[at_]; }
    const_iterator& operator++() { return ++at_, *this; }
    const_iterator operator++(int) { return {all_, at_++}; }
    bool operator==(const const_iterator&) const = default;

   private:
    const Blocks* all_ = nullptr;
    size_t at_ = 0;
  };

  Blocks() = default;
  Blocks(const Blocks& other) {
    for (const T& value : other) push_back(value);
  }
  Blocks(Blocks&& other) noexcept : blocks_(std::move(other.blocks_)), size_(std::exchange(other.size_, 0)) {}
  Blocks& operator=(Blocks other) noexcept {
    std::swap(blocks_, other.blocks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Blocks() {
    while (size_ > 0) std::destroy_at(&at(--size_));
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& operator[](size_t i) const { return const_cast<Blocks*>(this)->at(i); }
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }
  template <class U>
  void push_back(U&& value) {
    if (size_ == block * blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<Block>());
    std::construct_at(&at(size_), std::forward<U>(value));
    ++size_;
  }

 private:
  struct Block {
    alignas(T) std::byte bytes[block * sizeof(T)];
  };
  T& at(size_t i) { return reinterpret_cast<T*>(blocks_[i / block]->bytes)[i % block]; }

  std::vector<std::unique_ptr<Block>> blocks_;
  size_t size_ = 0;
};

}  // namespace dgen
