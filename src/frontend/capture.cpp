#include "frontend/capture.h"

#include "driver/debug.h"

namespace dgen::detail {

void PointerMap::clear() {
  count_ = 0;
  if (++epoch_ == 0) slots_.assign(1024, Slot{nullptr, 0, 0}), epoch_ = 1;
}

inline size_t PointerMap::place(const void* key) const {
  size_t mask = slots_.size() - 1;
  size_t i = (reinterpret_cast<size_t>(key) * 0x9E3779B97F4A7C15ull >> 20) & mask;
  while (slots_[i].epoch == epoch_ && slots_[i].key != key) i = (i + 1) & mask;
  return i;
}

inline int32_t PointerMap::find(const void* key) const {
  const Slot& slot = slots_[place(key)];
  return slot.epoch == epoch_ ? slot.value : -1;
}

void PointerMap::insert(const void* key, int32_t value) {
  if (2 * count_ >= slots_.size()) grow();
  slots_[place(key)] = {key, epoch_, value};
  ++count_;
}

void PointerMap::grow() {
  std::vector<Slot> old(2 * slots_.size(), Slot{nullptr, 0, 0});
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.epoch == epoch_) slots_[place(slot.key)] = slot;
}

namespace {

CaptureMaps& cleared_maps() {
  thread_local CaptureMaps instance;
  instance.ids.clear();
  instance.slots.clear();
  instance.numbers.clear();
  return instance;
}

struct Ops {
  ir::Op param = ir::op("param"), input = ir::op("input"), noise = ir::op("noise");
  ir::Op read = ir::op("state_read"), write = ir::op("state_write");
  ir::Op assign = ir::op("assign"), grad = ir::op("grad");
};

const Ops& ops() {
  static const Ops table;
  return table;
}

}  // namespace

Capturer::Capturer() : Capturer(cleared_maps()) {}

ir::Id Capturer::add(const Value& v) {
  if (!v) fail("[capture] an empty handle");
  runtime::Trace::Scope span(driver::trace(), "capture");
  visit(v.node().get());
  for (; written_ < cells_.size(); ++written_) {
    std::shared_ptr<Cell> cell = cells_[written_];
    if (cell->write) visit(cell->write.get());
  }
  return ids_.find(v.node().get());
}

// Depth first, inputs before their users, without recursion.
void Capturer::visit(const Node* root) {
  if (ids_.find(root) >= 0) return;
  stack_.push_back({root, 0});
  while (!stack_.empty()) {
    Visit& top = stack_.back();
    if (top.next < top.node->in.size()) {
      const Node* in = top.node->in[top.next++].get();
      if (ids_.find(in) < 0) stack_.push_back({in, 0});
      continue;
    }
    const Node* node = top.node;
    stack_.pop_back();
    if (ids_.find(node) < 0) ids_.insert(node, emit(*node));
  }
}

ir::Id Capturer::emit(const Node& node) {
  ir::Node copy{node.op, {}, node.attrs, node.type, node.loc, node.label};
  copy.in.reserve(node.in.size());
  for (const NodePtr& in : node.in) copy.in.push_back(ids_.find(in.get()));
  int64_t cell = -1;
  if (node.storage) {
    bool param = node.op == ops().param || node.op == ops().grad;
    copy.attrs = {{"slot", slot_of(node.storage, param)}, {"shape", node.storage->shape.sizes()}};
  } else if (node.unseeded) {
    copy.attrs.set("number", noises_++);
  } else if (node.op == ops().input) {
    inputs_.push_back({node.attrs.i("channel"), node.shape().size(), node.attrs.i("period"), node.label, node.loc});
  } else if (node.op == ops().read || node.op == ops().write) {
    copy.attrs.set("cell", cell = cell_of(node));
  }
  ir::Id id = capture_.graph.add(std::move(copy));
  if (node.op == ops().write)
    capture_.graph.cells[static_cast<size_t>(cell)].write = id;
  else if (cell >= 0)
    capture_.graph.cells[static_cast<size_t>(cell)].key = node.label;
  return id;
}

int64_t Capturer::slot_of(const driver::StoragePtr& storage, bool param) {
  int32_t slot = slots_.find(storage.get());
  if (slot >= 0) return slot;
  auto& list = param ? capture_.params : capture_.tensors;
  slots_.insert(storage.get(), static_cast<int32_t>(list.size()));
  list.push_back(storage);
  return static_cast<int64_t>(list.size()) - 1;
}

int64_t Capturer::cell_of(const Node& node) {
  std::shared_ptr<Cell> cell = node.cell.lock();
  DGEN_ASSERT(cell);
  int32_t number = numbers_.find(cell.get());
  if (number >= 0) return number;
  numbers_.insert(cell.get(), static_cast<int32_t>(cells_.size()));
  capture_.graph.cells.push_back({cell->type, ir::none, {}});
  cells_.push_back(std::move(cell));
  return static_cast<int64_t>(cells_.size()) - 1;
}

void Capturer::assign(const driver::StoragePtr& target, const Value& v) {
  ir::Id value = add(v);
  const ir::Type type = capture_.graph[value].type;
  ir::Attrs attrs{{"slot", slot_of(target, true)}};
  capture_.graph.effects.push_back(capture_.graph.add({ops().assign, {value}, std::move(attrs), type, {}, {}}));
}

std::vector<driver::StoragePtr> Capturer::output_gradients(ir::Id loss) {
  std::vector<driver::StoragePtr> learnable;
  for (size_t slot = 0; slot < capture_.params.size(); ++slot) {
    const driver::StoragePtr& storage = capture_.params[slot];
    if (!storage->learnable) continue;
    ir::Attrs attrs{{"slot", static_cast<int64_t>(slot)}, {"shape", storage->shape.sizes()}};
    capture_.graph.outputs.push_back(
        capture_.graph.add({ops().grad, {loss}, std::move(attrs), {storage->shape, ir::static_clock}, {}, {}}));
    learnable.push_back(storage);
  }
  return learnable;
}

}  // namespace dgen::detail
