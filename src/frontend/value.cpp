// What every handle can say of itself, and how handles are made from data, host input and nothing.
#include <atomic>
#include <cmath>
#include <numbers>
#include <set>

#include "frontend/node.h"

namespace dgen {

using detail::Node;

std::string Value::Clock::str() const { return ir::Clock{period, false}.str(); }

const Shape& Value::shape() const {
  if (!node_) detail::raise("shape", "an empty handle", {});
  return node_->type.shape;
}

int64_t Value::size(int axis) const {
  int n = rank();
  if (axis < -n || axis >= n) {
    const std::string what = cat("axis ", axis, " is out of range for ", shape().str());
    detail::fail_at("size", what, this, 1, {node_->loc.file, node_->loc.line});
  }
  return shape()[axis < 0 ? axis + n : axis];
}

Value::Clock Value::clock() const {
  shape();
  return {node_->type.clock.period};
}

// Through cells, too, whose writers may have come later.
bool Value::requires_grad() const {
  static const ir::Op detach = ir::op("detach");
  std::vector<const detail::Node*> todo;
  if (node_) todo.push_back(node_.get());
  std::set<const detail::Node*> seen(todo.begin(), todo.end());
  while (!todo.empty()) {
    const detail::Node& node = *todo.back();
    todo.pop_back();
    if (node.storage && node.in.empty() && node.storage->learnable) return true;
    if (node.op == detach) continue;
    for (const detail::NodePtr& in : node.in)
      if (seen.insert(in.get()).second) todo.push_back(in.get());
    auto cell = node.cell.lock();
    if (cell && cell->write && seen.insert(cell->write.get()).second) todo.push_back(cell->write.get());
  }
  return false;
}

const std::string& Value::name() const {
  shape();
  return node_->label;
}

void Value::set_name(std::string name) const {
  shape();
  if (node_->storage) node_->storage->name = name;
  node_->label = std::move(name);
  detail::count_graph_edit();
}

namespace {

// The memory of a constant or param; what else a handle may be is an Error.
driver::Storage& storage_of(const detail::NodePtr& node, const char* op) {
  if (!node) fail("[", op, "] an empty handle");
  if (!node->storage || !node->in.empty())
    fail("[", op, "] only a constant or a param has values of its own", detail::where(node->loc));
  return *node->storage;
}

}  // namespace

void Value::assign(std::span<const float> values) const {
  driver::Storage& storage = storage_of(node_, "assign");
  if (values.size() != storage.size())
    fail("[assign] ", values.size(), " values for shape ", storage.shape.str(), detail::where(node_->loc));
  storage.assign(values);
}

void Value::zero_grad() const { storage_of(node_, "zero_grad").grad.clear(); }

std::optional<Value> Value::gradient() const {
  if (!node_ || !node_->storage || node_->storage->grad.empty()) return std::nullopt;
  return detail::leaf(detail::make_storage(node_->storage->shape, node_->storage->grad, false), false, {});
}

namespace {

template <class T>
std::optional<T> typed(std::optional<Value> v) {
  return v ? std::optional<T>(T(detail::Wrap{}, std::move(*v))) : std::nullopt;
}

}  // namespace

std::optional<Tensor> Tensor::grad() const { return typed<Tensor>(gradient()); }
std::optional<Signal> Signal::grad() const { return typed<Signal>(gradient()); }
std::optional<SignalTensor> SignalTensor::grad() const { return typed<SignalTensor>(gradient()); }

// Tensors
// --------------------------------------------------------------------------------------------------------------

namespace {

// As many values as a shape has elements.
std::vector<float> filled(const Shape& shape, float value, Loc loc) {
  detail::check_shape("tensor", shape, loc);
  try {
    return std::vector<float>(static_cast<size_t>(shape.size()), value);
  } catch (const std::bad_alloc&) {
    detail::fail_at("tensor", "not enough memory for shape " + shape.str(), nullptr, 0, loc);
  }
}

Tensor from_data(const Shape& shape, std::vector<float> data, bool learnable, Loc loc) {
  detail::check_shape("tensor", shape, loc);
  if (static_cast<int64_t>(data.size()) != shape.size())
    detail::fail_at("tensor", cat(data.size(), " values for shape ", shape.str()), nullptr, 0, loc);
  return Tensor(detail::Wrap{}, detail::leaf(detail::make_storage(shape, std::move(data), learnable), learnable, loc));
}

// splitmix64 (Steele, Lea and Flood 2014).
uint64_t scramble(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// Uniform in (0, 1], then a pair of normal values by Box and Muller.
float normal(uint64_t seed, uint64_t i) {
  auto uniform = [&](uint64_t k) { return static_cast<double>((scramble(scramble(seed) ^ k) >> 11) + 1) * 0x1p-53; };
  double radius = std::sqrt(-2 * std::log(uniform(2 * (i / 2)))),
         angle = 2 * std::numbers::pi * uniform(2 * (i / 2) + 1);
  return static_cast<float>(radius * (i % 2 ? std::sin(angle) : std::cos(angle)));
}

}  // namespace

Tensor::Tensor(std::initializer_list<std::initializer_list<float>> rows, bool requires_grad, Loc loc) {
  std::vector<float> data;
  for (auto& row : rows) {
    if (row.size() != rows.begin()->size())
      detail::fail_at("tensor", cat("rows of ", rows.begin()->size(), " and of ", row.size(), " values"), nullptr, 0,
                      loc);
    data.insert(data.end(), row.begin(), row.end());
  }
  int64_t height = static_cast<int64_t>(rows.size()), width = height ? static_cast<int64_t>(rows.begin()->size()) : 0;
  *this = from_data({height, width}, std::move(data), requires_grad, loc);
}

Tensor::Tensor(std::vector<float> values, bool requires_grad, Loc loc) {
  Shape shape{static_cast<int64_t>(values.size())};
  *this = from_data(shape, std::move(values), requires_grad, loc);
}

Tensor::Tensor(std::vector<float> values, const Shape& shape, bool requires_grad, Loc loc)
    : Tensor(from_data(shape, std::move(values), requires_grad, loc)) {}

Tensor Tensor::zeros(const Shape& shape, bool requires_grad, Loc loc) { return full(shape, 0, requires_grad, loc); }
Tensor Tensor::ones(const Shape& shape, bool requires_grad, Loc loc) { return full(shape, 1, requires_grad, loc); }

Tensor Tensor::full(const Shape& shape, float value, bool requires_grad, Loc loc) {
  return from_data(shape, filled(shape, value, loc), requires_grad, loc);
}

Tensor Tensor::randn(const Shape& shape, const RandnOptions& options, bool requires_grad, Loc loc) {
  static std::atomic<uint64_t> unseeded{0};
  uint64_t seed = options.seed ? *options.seed : unseeded.fetch_add(1);
  std::vector<float> data = filled(shape, 0, loc);
  for (size_t i = 0; i < data.size(); ++i) data[i] = options.std * normal(seed, i);
  return from_data(shape, std::move(data), requires_grad, loc);
}

Tensor Tensor::randn(const Shape& shape, bool requires_grad, Loc loc) {
  return randn(shape, RandnOptions{}, requires_grad, loc);
}

Tensor Tensor::arange(int64_t n, bool requires_grad, Loc loc) {
  return linspace(0, static_cast<float>(n - 1), n, requires_grad, loc);
}

Tensor Tensor::linspace(float first, float last, int64_t n, bool requires_grad, Loc loc) {
  std::vector<float> data = filled({n}, 0, loc);
  double step = n > 1 ? (static_cast<double>(last) - first) / static_cast<double>(n - 1) : 0;
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(first + step * static_cast<double>(i));
  return from_data({n}, std::move(data), requires_grad, loc);
}

Tensor Tensor::eye(int64_t n, bool requires_grad, Loc loc) {
  std::vector<float> data = filled({n, n}, 0, loc);
  for (int64_t i = 0; i < n; ++i) data[static_cast<size_t>(i * n + i)] = 1;
  return from_data({n, n}, std::move(data), requires_grad, loc);
}

// Signals
// --------------------------------------------------------------------------------------------------------------

Signal::Signal(detail::Wrap, Value v, const char* function) : Value(std::move(v)) {
  kind_ = tag;
  if (!node_ || rank() == 0) return;
  const std::string what = cat("a value of shape ", shape().str(), " where a Signal has one element; SignalTensor(x) takes part in banks");
  detail::fail_at(function, what, this, 1, {node_->loc.file, node_->loc.line});
}

Signal::Signal(float value, bool requires_grad, Loc loc)
    : Signal(detail::Wrap{}, detail::leaf(detail::make_storage({}, {value}, requires_grad), requires_grad, loc)) {}

Signal Signal::param(float value, const ParamOptions& bounds, Loc loc) {
  if (!(bounds.min <= bounds.max))
    detail::fail_at("param", cat("min ", bounds.min, " is not below max ", bounds.max), nullptr, 0, loc);
  Signal signal(value, true, loc);
  signal.node()->storage->min = bounds.min;
  signal.node()->storage->max = bounds.max;
  return signal;
}

SignalTensor Signal::reshape(const Shape& shape, Loc loc) const {
  return SignalTensor(detail::Wrap{}, detail::reshape(*this, shape, loc));
}
SignalTensor Signal::expand(const Shape& shape, Loc loc) const {
  return SignalTensor(detail::Wrap{}, detail::expand(*this, shape, loc));
}

}  // namespace dgen
