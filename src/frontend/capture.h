// Capture: from handles to a graph that stands alone. The order of nodes, cells, slots and noise numbers follows from
// one fixed walk from the outputs, so equal graphs give equal captures.
#pragma once
#include <vector>

#include "frontend/node.h"

namespace dgen::detail {

// Addresses to small numbers: open addressing, cleared without touching its memory.
class PointerMap {
 public:
  void clear();
  // The number of key, or -1.
  int32_t find(const void* key) const;
  void insert(const void* key, int32_t value);

 private:
  struct Slot {
    const void* key;
    uint32_t epoch;
    int32_t value;
  };
  size_t place(const void* key) const;
  void grow();
  std::vector<Slot> slots_ = std::vector<Slot>(1024, Slot{nullptr, 0, 0});
  size_t count_ = 0;
  uint32_t epoch_ = 1;
};

// What a run needs of one host channel.
struct InputUse {
  int64_t channel, elements, period;
  std::string label;
  ir::Loc loc;
};

// Maps are kept from one capture of a thread to the next.
struct CaptureMaps {
  PointerMap ids, slots, numbers;
};

// One at a time on each thread.
class Capturer {
 public:
  Capturer();
  Capturer(const Capturer&) = delete;
  Capturer& operator=(const Capturer&) = delete;

  // Adds what the value depends on, the writers of the cells it reads included.
  ir::Id add(const Value& v);
  void output(const Value& v) { capture_.graph.outputs.push_back(add(v)); }
  // After a run the storage of a param holds v.
  void assign(const driver::StoragePtr& target, const Value& v);
  // d loss / d each learnable param met so far, as outputs.
  std::vector<driver::StoragePtr> output_gradients(ir::Id loss);

  driver::Capture& capture() { return capture_; }
  const driver::Capture& capture() const { return capture_; }
  const std::vector<InputUse>& inputs() const { return inputs_; }

 private:
  explicit Capturer(CaptureMaps& maps) : ids_(maps.ids), slots_(maps.slots), numbers_(maps.numbers) {}
  struct Visit {
    const Node* node;
    size_t next;
  };
  void visit(const Node* root);
  ir::Id emit(const Node& node);
  int64_t slot_of(const driver::StoragePtr& storage, bool param);
  int64_t cell_of(const Node& node);

  driver::Capture capture_;
  std::vector<InputUse> inputs_;
  std::vector<Visit> stack_;
  std::vector<std::shared_ptr<Cell>> cells_;
  size_t written_ = 0;  // cells whose writers have been visited
  int64_t noises_ = 0;
  PointerMap &ids_, &slots_, &numbers_;
};

}  // namespace dgen::detail
