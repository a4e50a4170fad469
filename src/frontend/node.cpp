#include "frontend/node.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace dgen::detail {
namespace {

std::atomic<int64_t> node_count{0};
std::atomic<uint64_t> edit_count{0};

// The user's call that is being served by this thread, if a library function is running.
thread_local Loc current_site;
thread_local const char* current_function = nullptr;  // null outside of library functions

// What a message about op calls it.
std::string_view called(std::string_view op) { return current_function ? current_function : op; }

}  // namespace

Node::Node() { node_count.fetch_add(1, std::memory_order_relaxed); }

// Long chains are released without recursion.
Node::~Node() {
  node_count.fetch_sub(1, std::memory_order_relaxed);
  std::vector<NodePtr> todo = std::move(in);
  while (!todo.empty()) {
    NodePtr node = std::move(todo.back());
    todo.pop_back();
    if (node.use_count() != 1) continue;
    auto& inputs = const_cast<Node&>(*node).in;
    std::move(inputs.begin(), inputs.end(), std::back_inserter(todo));
    inputs.clear();
  }
}

int64_t live_nodes() { return node_count.load(std::memory_order_relaxed); }
uint64_t graph_edits() { return edit_count.load(); }
void count_graph_edit() { edit_count.fetch_add(1); }

CallSite::CallSite(Loc loc, const char* function) : outermost_(!current_function) {
  if (!outermost_) return;
  current_function = function;
  current_site = loc;
}

CallSite::~CallSite() {
  if (outermost_) current_function = nullptr;
}

ir::Loc call_site(Loc loc) {
  if (current_function) loc = current_site;
  return {loc.file, loc.line};
}

std::string where(const ir::Loc& loc) {
  if (!loc.file) return "";
  const char* slash = std::strrchr(loc.file, '/');
  return cat(" at ", slash ? slash + 1 : loc.file, ":", loc.line);
}

namespace {

std::string labels(const Value* in, size_t n) {
  std::string text;
  for (size_t i = 0; i < n; ++i)
    if (in[i].node() && !in[i].node()->label.empty()) text += (text.empty() ? " (" : ", ") + in[i].node()->label;
  return text.empty() ? text : text + ")";
}

}  // namespace

void fail_at(std::string_view op, const std::string& what, const Value* in, size_t n, Loc loc) {
  const std::string_view name = called(op);  // of a template with its arguments
  fail("[", name.substr(0, name.find('<')), "] ", what, labels(in, n), where(call_site(loc)));
}

void raise(std::string_view op, const std::string& what, std::initializer_list<Value> handles, Loc loc) {
  fail_at(op, what, handles.begin(), handles.size(), loc);
}

void check_shape(std::string_view op, const Shape& shape, Loc loc) {
  double count = 1;
  for (int64_t n : shape) {
    if (n < 1) fail_at(op, cat("an axis of size ", n, " in ", shape.str()), nullptr, 0, loc);
    count *= static_cast<double>(n);
  }
  if (!(count < static_cast<double>(kMostValues))) fail_at(op, "not enough memory for shape " + shape.str(), nullptr, 0, loc);
}

void check_handle(std::string_view op, const Value& x, Loc loc) {
  if (!x) fail_at(op, "an empty handle", nullptr, 0, loc);
}

Value make_value(NewNode node, Groups groups) { return Value(std::move(node), std::move(groups)); }

namespace {

void check_handles(std::string_view op, const Value* in, size_t n, Loc loc) {
  for (size_t i = 0; i < n; ++i) check_handle(op, in[i], loc);
}

// The node of op over inputs whose type is known.
Value build(ir::Op op, const Value* in, size_t n, ir::Attrs attrs, ir::Type type, Loc loc) {
  auto node = std::make_shared<Node>();
  node->op = op;
  node->attrs = std::move(attrs);
  node->type = std::move(type);
  node->loc = call_site(loc);
  node->in.reserve(n);
  Groups groups;
  for (size_t i = 0; i < n; ++i) {
    node->in.push_back(in[i].node());
    groups = unite(groups, in[i].groups());
  }
  return Value(std::move(node), std::move(groups));
}

ir::Ints sizes(const Shape& shape) { return shape.sizes(); }

// x repeated to shape. The rule of broadcasting has been checked.
Value expanded(const Value& x, const Shape& shape, Loc loc) {
  static const ir::Op op = ir::op("expand");
  if (x.node()->shape() == shape) return x;
  return build(op, &x, 1, {{"shape", sizes(shape)}}, {shape, x.node()->type.clock}, loc);
}

Shape broadcast(const Shape& a, const Shape& b) {
  std::vector<int64_t> out(static_cast<size_t>(std::max(a.rank(), b.rank())));
  for (int i = 0, n = static_cast<int>(out.size()); i < n; ++i) {
    int ia = i - n + a.rank(), ib = i - n + b.rank();
    int64_t na = ia < 0 ? 1 : a[ia], nb = ib < 0 ? 1 : b[ib];
    if (na != nb && na != 1 && nb != 1) fail("shapes do not broadcast: ", a.str(), " x ", b.str());
    out[static_cast<size_t>(i)] = na == 1 ? nb : na;
  }
  return Shape(std::move(out));
}

}  // namespace

Value apply(std::string_view name, std::vector<Value> in, ir::Attrs attrs, Loc loc) {
  check_handles(name, in.data(), in.size(), loc);
  ir::Op op = ir::op(name);
  std::vector<ir::Type> types;
  types.reserve(in.size());
  for (const Value& v : in) types.push_back(v.node()->type);
  try {
    ir::Type type = ir::infer_type(op, types, attrs, called(name));
    return build(op, in.data(), in.size(), std::move(attrs), std::move(type), loc);
  } catch (const Error& e) {
    fail(e.what(), labels(in.data(), in.size()), where(call_site(loc)));
  }
}

Value scalar(const char* name, std::initializer_list<Value> in, Loc loc) {
  check_handles(name, in.begin(), in.size(), loc);
  ir::Type type = in.begin()->node()->type;
  bool same = true;
  for (const Value& v : in) {
    const ir::Type& other = v.node()->type;
    type.clock = ir::meet(type.clock, other.clock);
    if (other.shape == type.shape) continue;
    same = false;
    try {
      type.shape = broadcast(type.shape, other.shape);
    } catch (const Error& e) {
      fail_at(name, e.what(), in.begin(), in.size(), loc);
    }
  }
  ir::Op op = ir::op(name);
  if (same) return build(op, in.begin(), in.size(), {}, std::move(type), loc);
  Value wide[3];
  for (size_t i = 0; i < in.size(); ++i) wide[i] = expanded(in.begin()[i], type.shape, loc);
  return build(op, wide, in.size(), {}, std::move(type), loc);
}

Value number(double value) {
  static const ir::Op op = ir::op("const");
  return build(op, nullptr, 0, {{"value", value}}, {}, Loc{});
}

Value detach(const Value& x, Loc loc) {
  Value y = apply("detach", {x}, {}, loc);
  return y;
}

driver::StoragePtr make_storage(const Shape& shape, std::vector<float> data, bool learnable) {
  auto storage = std::make_shared<driver::Storage>(shape, std::move(data));
  storage->learnable = learnable;
  return storage;
}

Value leaf(driver::StoragePtr storage, bool assigned, Loc loc) {
  static const ir::Op param = ir::op("param"), tensor = ir::op("tensor");
  auto node = std::make_shared<Node>();
  node->op = assigned ? param : tensor;
  node->type = {storage->shape, ir::static_clock};
  node->loc = call_site(loc);
  node->storage = std::move(storage);
  return Value(std::move(node), nullptr);
}

}  // namespace dgen::detail
