#include "ir/graph.h"

#include <algorithm>

#include "ir/op.h"

namespace dgen::ir {
namespace {

size_t mix(size_t h, size_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ull + (h << 7 | h >> 57); }

size_t hash_attr(const Attr& attr) {
  if (auto* i = std::get_if<int64_t>(&attr)) return std::hash<int64_t>()(*i);
  if (auto* f = std::get_if<double>(&attr)) return std::hash<double>()(*f) + 1;
  if (auto* s = std::get_if<std::string>(&attr)) return std::hash<std::string>()(*s) + 2;
  size_t h = 3;
  for (int64_t v : std::get<Ints>(attr)) h = mix(h, static_cast<size_t>(v));
  return h;
}

bool same(const Node& a, const Node& b) {
  return a.op == b.op && a.in == b.in && a.type == b.type && a.attrs == b.attrs;
}

}  // namespace

size_t hash_node(const Node& node) {
  size_t h = reinterpret_cast<size_t>(node.op);
  for (Id i : node.in) h = mix(h, static_cast<size_t>(i) + 1);
  for (auto& item : node.attrs.items()) h = mix(h, hash_attr(item.value));
  for (int64_t s : node.type.shape) h = mix(h, static_cast<size_t>(s) + 11);
  h = mix(h, static_cast<size_t>(node.type.clock.period * 2 + node.type.clock.reverse));
  return h ^ h >> 32;  // tables take the low bits
}

Id Graph::add(Node&& node) {
  const Id next = size();
  for (Id i : node.in) DGEN_ASSERT(i >= 0 && i < next);
  bool shared = !node.op->is(identity);
  if (shared) {
    if (2 * indexed_ >= index_.size()) grow_index();
    size_t h = hash_node(node), i = first_slot(h);
    for (; index_[i].id != none; i = (i + 1) & (index_.size() - 1))
      if (index_[i].hash == h && same((*this)[index_[i].id], node)) return index_[i].id;
    index_[i] = {h, next};
    ++indexed_;
  }
  nodes_.push_back(std::move(node));
  return next;
}

void Graph::grow_index() {
  std::vector<Slot> old(std::max<size_t>(4 * index_.size(), 64), Slot{0, none});
  old.swap(index_);
  for (const Slot& slot : old) {
    if (slot.id == none) continue;
    size_t i = first_slot(slot.hash);
    while (index_[i].id != none) i = (i + 1) & (index_.size() - 1);
    index_[i] = slot;
  }
}

Id Graph::add(Op op, Ids in, Attrs attrs, Loc loc) {
  std::vector<Type> types;
  types.reserve(in.size());
  for (Id i : in) types.push_back((*this)[i].type);
  Type type = infer_type(op, types, attrs);
  return add(Node{op, std::move(in), std::move(attrs), std::move(type), loc, {}});
}

std::vector<Id> Graph::roots() const {
  std::vector<Id> all = outputs;
  all.insert(all.end(), effects.begin(), effects.end());
  for (auto& cell : cells)
    if (cell.write != none) all.push_back(cell.write);
  return all;
}

std::vector<Ids> users(const Graph& g) {
  std::vector<Ids> result(static_cast<size_t>(g.size()));
  for (Id id = 0; id < g.size(); ++id)
    for (Id in : g[id].in) result[static_cast<size_t>(in)].push_back(id);
  return result;
}

Graph rebuild(const Graph& g, const std::unordered_map<Id, Id>& instead) {
  auto resolve = [&](Id id) {
    if (instead.empty()) return id;
    for (auto it = instead.find(id); it != instead.end(); it = instead.find(id)) id = it->second;
    return id;
  };
  std::vector<Id> to(static_cast<size_t>(g.size()), none);
  Graph out;
  out.rewrites = g.rewrites;
  out.cells = g.cells;
  for (auto& cell : out.cells) cell.write = none;
  std::vector<bool> written(g.cells.size(), false);
  std::vector<Id> pending = g.outputs;
  pending.insert(pending.end(), g.effects.begin(), g.effects.end());
  auto visit = [&](Id root) {
    std::vector<Id> stack{resolve(root)};
    while (!stack.empty()) {
      Id id = stack.back();
      if (to[static_cast<size_t>(id)] != none) {
        stack.pop_back();
        continue;
      }
      bool ready = true;
      for (Id in : g[id].in)
        if (Id source = resolve(in); to[static_cast<size_t>(source)] == none) stack.push_back(source), ready = false;
      if (!ready) continue;
      stack.pop_back();
      Node node = g[id];
      for (Id& in : node.in) in = to[static_cast<size_t>(resolve(in))];
      if (node.attrs.has("cell")) {
        auto cell = static_cast<size_t>(node.attrs.i("cell"));
        if (!written[cell] && g.cells[cell].write != none) written[cell] = true, pending.push_back(g.cells[cell].write);
      }
      to[static_cast<size_t>(id)] = out.add(std::move(node));
    }
  };
  for (size_t i = 0; i < pending.size(); ++i) visit(pending[i]);
  for (size_t c = 0; c < g.cells.size(); ++c)
    if (written[c]) out.cells[c].write = to[static_cast<size_t>(resolve(g.cells[c].write))];
  for (Id o : g.outputs) out.outputs.push_back(to[static_cast<size_t>(resolve(o))]);
  for (Id e : g.effects) out.effects.push_back(to[static_cast<size_t>(resolve(e))]);
  return out;
}

Graph rewrite(const Graph& g, function_ref<Id(Graph&, Id, Node&&)> rewrite_node, std::vector<Id>* map) {
  std::vector<Id> own;
  std::vector<Id>& to = map ? *map : own;
  to.assign(static_cast<size_t>(g.size()), none);
  Graph out;
  out.rewrites = g.rewrites;
  out.cells = g.cells;
  for (Id id = 0; id < g.size(); ++id) {
    Node node = g[id];
    for (Id& in : node.in) in = to[static_cast<size_t>(in)];
    to[static_cast<size_t>(id)] = rewrite_node(out, id, std::move(node));
  }
  for (auto& cell : out.cells)
    if (cell.write != none) cell.write = to[static_cast<size_t>(cell.write)];
  for (Id o : g.outputs) out.outputs.push_back(to[static_cast<size_t>(o)]);
  for (Id e : g.effects) out.effects.push_back(to[static_cast<size_t>(e)]);
  return out;
}

}  // namespace dgen::ir
