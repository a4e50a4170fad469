#include "analysis/recurrence.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "analysis/feedback.h"
#include "base/two_cells.h"
#include "ir/expr.h"
#include "ir/op.h"
#include "ir/print.h"

namespace dgen::analysis {

using namespace ir;

namespace {

Op read_op() {
  static const Op read = op("state_read");
  return read;
}
bool is_read(const Node& node) { return node.op == read_op() && !node.clock().is_static(); }
bool is_write(const Graph& g, Id id) {
  const Node& node = g[id];
  return !node.clock().is_static() && node.attrs.has("cell") && g.cells[static_cast<size_t>(node.attrs.i("cell"))].write == id;
}

// Static, or held from a static value.
bool stands_still(const Graph& g, Id id) {
  static const Op hold = op("hold");
  while (!g[id].clock().is_static()) {
    const Node& node = g[id];
    if (node.in.size() != 1 || (node.op != hold && !node.op->is(view_only))) return false;
    id = node.in[0];
  }
  return true;
}

// Reads and writes of a component, by cell.
Recurrence cells_of(const Graph& g, const std::vector<Id>& component) {
  Recurrence r;
  for (Id id : component)
    if (is_write(g, id)) r.write.push_back(id);
  r.read.assign(r.order(), none);
  for (Id id : component)
    for (size_t i = 0; i < r.order(); ++i)
      if (is_read(g[id]) && g[id].attrs.i("cell") == g[r.write[i]].attrs.i("cell")) r.read[i] = id;
  return r;
}

// The nodes that read each node, and how often roots do.
struct Readers {
  explicit Readers(const Graph& g) : nodes(users(g)), roots(nodes.size(), 0) {
    for (Id root : g.roots()) ++roots[static_cast<size_t>(root)];
  }
  int count(Id id) const { return static_cast<int>(nodes[static_cast<size_t>(id)].size()) + roots[static_cast<size_t>(id)]; }

  std::vector<Ids> nodes;  // as often as they do
  std::vector<int> roots;
};

// Values that depend on the cells of one component as what multiplies each cell, and the rest.
class Parts {
 public:
  Parts(const Graph& g, const std::vector<Id>& component) : g_(g), cells_(cells_of(g, component)) { why_not_ = look_at(component); }
  void look_around(const std::vector<Id>& component, const Readers& readers) {
    find_input(component, readers);
    for (Id id : component) read_outside_[id] = readers.count(id);
    for (Id id : component)
      for (Id in : g_[id].in)
        if (read_outside_.count(in)) --read_outside_[in];
    if (input_ != none) find_sums(component, readers);
  }

  bool affine() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }
  const LinearLanes& lanes() const { return lanes_; }
  // Values outside of the component that are sums of its cells and its input, too, and all that reads what they are made of.
  const std::vector<Id>& sums() const { return sums_; }

  // Sees the nodes of the component in order, in a copy of the graph where inputs come first. Returns what takes the place
  // of a write or of the value that is written: a write of the isolated form; of another value that is read outside: the same
  // of the cells and the input, where their factors are static; else none.
  Id visit(Graph& out, Id id, const std::vector<Id>& to) {
    if (!varies_.count(id)) return none;
    if (is_read(g_[id])) return read(out, id, to[static_cast<size_t>(id)]), none;
    if (is_write(g_, id)) return isolate(out, id, to);
    combine(out, id, to);
    for (Id write : cells_.write)
      if (g_[write].in[0] == id) return isolate(out, write, to);
    if (read_outside_.at(id) == 0) return none;
    const Id scaled = multiple_of_write(out, id, to);
    return scaled != none ? scaled : combination(out, id, to);
  }

 private:
  using Split = std::vector<Id>;  // by cell, of the input, then the rest; none is 0
  size_t input_part() const { return cells_.order(); }
  size_t rest_part() const { return cells_.order() + 1; }

  std::string look_at(const std::vector<Id>& component) {
    const Type& type = g_[cells_.write[0]].type;
    auto named = [this](Id id) { return cat("%", id, " = ", g_[id].op->name); };
    for (Id id : component) {
      const bool cell = is_read(g_[id]) || is_write(g_, id);
      if (g_[id].type != type || (!cell && g_[id].op->family != Family::scalar)) return cat("it leads through ", named(id));
      if (!cell && depends(id) && linear(id) == 0) return cat("not linear in its cells: ", named(id));
      if (is_read(g_[id]) || depends(id)) varies_[id];
    }
    if (varies_.empty()) return "nothing reads its cells";
    if (cells_.order() > kMostOrder) return cat("linear in ", cells_.order(), " cells, a recurrence has ", kMostOrder, " at most");
    if (type.clock.period != 1) return "linear, at a slower clock than frames";
    lanes_ = {type.shape.size(), cells_.order()};
    std::map<Id, unsigned> reads;  // cells, as bits
    for (Id id : component) {
      for (size_t i = 0; i < cells_.order(); ++i) {
        if (cells_.read[i] == id) reads[id] = 1u << i;
        if (cells_.write[i] == id) lanes_.own = lanes_.own && (reads[g_[id].in[0]] >> i & 1) != 0;
      }
      if (!is_read(g_[id]))
        for (Id in : g_[id].in) reads[id] |= reads.count(in) ? reads.at(in) : 0;
      lanes_.copies = lanes_.copies && !depends(id);
      lanes_.varying = lanes_.varying || varies_by(id);
    }
    return lanes_.lanes == 1 ? "" : cat("linear, in ", lanes_.lanes, " lanes side by side");
  }

  // Does a stream multiply what depends on the cells?
  bool varies_by(Id id) const {
    if (!depends(id) || is_write(g_, id)) return false;
    for (size_t i = 0; i < g_[id].in.size(); ++i)
      if (is_stream(g_[id].in[i]) && !(linear(id) >> i & 1)) return true;
    return false;
  }

  bool is_stream(Id id) const { return !stands_still(g_, id) && !varies_.count(id); }

  // The input: a stream that all streams added in the component are constant multiples of; one that is read for nothing else
  // need not be computed.
  void find_input(const std::vector<Id>& component, const Readers& readers) {
    std::vector<std::vector<Id>> chains;
    for (Id id : component)
      for (size_t i = 0; i < g_[id].in.size(); ++i) {
        const Id in = g_[id].in[i];
        if (!is_stream(in) || is_read(g_[id])) continue;
        if (!is_write(g_, id) && !(linear(id) >> i & 1)) return;  // a coefficient that varies
        chains.push_back(multiples(in));
      }
    if (chains.empty()) return;
    auto common = [&](Id id) {
      return std::all_of(chains.begin(), chains.end(),
                         [id](auto& chain) { return std::find(chain.begin(), chain.end(), id) != chain.end(); });
    };
    auto first = std::find_if(chains[0].begin(), chains[0].end(), common);
    if (first == chains[0].end()) return;
    std::set<Id> leads_here(component.begin(), component.end());
    for (auto& chain : chains) leads_here.insert(chain.begin(), chain.end());
    auto for_nothing_else = [&](Id id) {
      const Ids& by = readers.nodes[static_cast<size_t>(id)];
      return readers.roots[static_cast<size_t>(id)] == 0 && std::all_of(by.begin(), by.end(), [&](Id id) { return leads_here.count(id); });
    };
    while (first + 1 != chains[0].end() && for_nothing_else(*first)) ++first;
    input_ = *first;
  }
  // A stream and what it is a constant multiple of, in turn.
  std::vector<Id> multiples(Id id) const {
    std::vector<Id> chain;
    for (;;) {
      chain.push_back(id);
      const Node& node = g_[id];
      Id next = none;
      unsigned streams = 0;
      for (size_t i = 0; i < node.in.size(); ++i)
        if (is_stream(node.in[i])) streams |= 1u << i, next = node.in[i];
      const bool one = streams != 0 && (streams & (streams - 1)) == 0;
      if (node.op->family != Family::scalar || !one || ((node.op->factors & streams) == 0 && node.op->linear != streams)) return chain;
      id = next;
    }
  }
  // What the input is multiplied by in a stream.
  Id multiple(Graph& out, Id id, const std::vector<Id>& to) const {
    if (id == input_) return constant(out, 1);
    const Node& node = g_[id];
    std::vector<Id> in;
    for (Id i : node.in) in.push_back(is_stream(i) ? multiple(out, i, to) : still(out, to[static_cast<size_t>(i)]));
    return apply(out, node.op, std::move(in), node.attrs, node.loc);
  }

  // A gain behind a filter, a mix with what went in.
  void find_sums(const std::vector<Id>& component, const Readers& readers) {
    const Type& type = g_[cells_.write[0]].type;
    std::set<Id> next;  // in order, so that what a sum is made of is known
    auto look_behind = [&](Id id) {
      const Ids& behind = readers.nodes[static_cast<size_t>(id)];
      next.insert(behind.begin(), behind.end());
    };
    for (Id id : component)
      if (varies_.count(id)) look_behind(id);
    for (Id id : component) next.erase(id);
    while (!next.empty()) {
      const Id id = next.extract(next.begin()).value();
      const Node& node = g_[id];
      if (varies_.count(id) || node.op->family != Family::scalar || node.type != type || node.op->is(masks)) continue;
      const unsigned mask = linear(id);
      bool sum = mask != 0;
      for (size_t i = 0; i < node.in.size(); ++i) sum = sum && fits(node.in[i], mask >> i & 1);
      if (!sum) continue;
      varies_[id], read_outside_[id] = readers.count(id);
      sums_.push_back(id);
      look_behind(id);
    }
  }
  bool fits(Id in, bool linear) const {
    const int own = is_write(g_, in) ? 2 : 1;  // a cell's write is a root
    if (varies_.count(in)) return linear && !is_read(g_[in]) && read_outside_.at(in) == own;
    if (!is_stream(in)) return !linear;
    const std::vector<Id> chain = multiples(in);
    return linear && std::find(chain.begin(), chain.end(), input_) != chain.end();
  }

  bool depends(Id id) const {
    const Ids& in = g_[id].in;
    return std::any_of(in.begin(), in.end(), [this](Id i) { return varies_.count(i) > 0; });
  }

  // The inputs in which the operator is linear here, as bits: all that depend on cells must be among them.
  unsigned linear(Id id) const {
    const Node& node = g_[id];
    unsigned varying = 0;
    for (size_t i = 0; i < node.in.size(); ++i) varying |= static_cast<unsigned>(varies_.count(node.in[i]) > 0) << i;
    if ((varying & ~node.op->linear) == 0) return node.op->linear;
    bool one = (varying & (varying - 1)) == 0;
    return one && (varying & ~node.op->factors) == 0 ? varying : 0;
  }

  void read(Graph& out, Id id, Id now) {
    Split split(cells_.order() + 2, none);
    for (size_t i = 0; i < cells_.order(); ++i)
      if (cells_.read[i] == id) split[i] = constant(out, 1), state_.resize(cells_.order(), none), state_[i] = now;
    varies_[id] = std::move(split), masked_[id].assign(cells_.order(), false);
  }

  // Each part is the operator over that part of its inputs; other inputs stay as they are.
  void combine(Graph& out, Id id, const std::vector<Id>& to) {
    const Node& node = g_[id];
    const unsigned mask = linear(id);
    Split split(cells_.order() + 2, none);
    for (size_t part = 0; part <= rest_part(); ++part) {
      bool any = false;
      std::vector<Id> in;
      for (size_t i = 0; i < node.in.size(); ++i) {
        auto varying = varies_.find(node.in[i]);
        const bool rest = part == rest_part(), linear = mask >> i & 1;
        const Id now = to[static_cast<size_t>(node.in[i])];
        Id value = none;
        if (!linear)
          value = rest ? now : still(out, now);
        else if (varying != varies_.end())
          value = varying->second[part];
        else if (input_ == none || !is_stream(node.in[i]))
          value = rest ? now : none;
        else if (part == input_part())
          value = multiple(out, node.in[i], to);
        any = any || (linear && value != none);
        in.push_back(value == none ? constant(out, 0) : value);
      }
      if (any) split[part] = apply(out, node.op, std::move(in), node.attrs, node.loc);
    }
    varies_[id] = std::move(split);
    std::vector<bool> masked(cells_.order(), node.op->is(masks));
    for (Id in : node.in)
      for (size_t j = 0; j < cells_.order() && varies_.count(in); ++j) masked[j] = masked[j] || masked_.at(in)[j];
    masked_[id] = std::move(masked);
  }

  // A value that never changes, at the static clock: coefficients made of such ones are computed once.
  static Id still(Graph& out, Id id) {
    static const Op hold = op("hold");
    Node node = out[id];
    if (node.op == hold && out[node.in[0]].clock().is_static()) return node.in[0];
    if (!node.op->is(view_only) || node.in.size() != 1) return id;
    Id in = still(out, node.in[0]);
    return in == node.in[0] ? id : out.add(node.op, {in}, node.attrs, node.loc);
  }

  Id isolate(Graph& out, Id write, const std::vector<Id>& to) {
    auto [done, is_new] = isolated_.try_emplace(write, none);
    if (!is_new) return done->second;
    varies_[write] = varies_.at(g_[write].in[0]), masked_[write] = masked_.at(g_[write].in[0]);
    Node node = g_[write];
    if (node.label.empty()) node.label = g_[node.in[0]].label;
    node.in = {next_value(out, write, to)};
    done->second = out.add(std::move(node));
    if (out.rewrites) out.rewrites->push_back({"recurrence", print_node(g_, write), print_node(out, done->second)});
    return done->second;
  }

  // The cell's own value comes last, since it is on the shortest way around the loop.
  Id next_value(Graph& out, Id id, const std::vector<Id>& to) {
    static const Op madd = op("madd"), fma = op("fma"), mul = op("mul"), add = op("add");
    const Split& split = varies_.at(id);
    const Shape& shape = g_[id].shape();
    size_t own = 0;
    while (cells_.write[own] != id) ++own;
    Id rest = split[rest_part()];
    if (const Id gain = split[input_part()]; gain != none) {
      const double* known = constant_value(out, gain);
      const Id input = to[static_cast<size_t>(input_)];
      const Id term = known && *known == 1 ? input : apply(out, mul, {gain, input});
      rest = rest == none ? term : apply(out, add, {term, rest});
    }
    Id sum = broadcast_to(out, rest == none ? constant(out, 0) : rest, shape);
    for (size_t k = 0; k < cells_.order(); ++k) {
      size_t j = (own + 1 + k) % cells_.order();
      if (split[j] != none) sum = apply(out, masked_.at(id)[j] ? madd : fma, {split[j], state_[j], sum});
    }
    return sum;
  }

  // A gain behind a cell's next value: a product with its write. gains_: of what leads there, too.
  Id multiple_of_write(Graph& out, Id id, const std::vector<Id>& to) {
    static const Op mul = op("mul");
    const Node& node = g_[id];
    const unsigned mask = linear(id);
    if (node.op->is(masks)) return none;
    Id write = none;
    std::vector<Id> in;
    for (size_t i = 0; i < node.in.size(); ++i) {
      const Id from = node.in[i], now = to[static_cast<size_t>(from)];
      const bool varies = varies_.count(from) > 0;
      if (varies != static_cast<bool>(mask >> i & 1)) return none;
      if (!varies) {
        in.push_back(still(out, now));
        continue;
      }
      const auto known = gains_.find(from);
      if (write != none || (known == gains_.end() && !is_isolated(now))) return none;
      write = known == gains_.end() ? now : known->second.first;
      in.push_back(known == gains_.end() ? constant(out, 1) : known->second.second);
    }
    if (write == none) return none;
    const Id gain = apply(out, node.op, std::move(in), node.attrs, node.loc);
    if (!out[gain].clock().is_static()) return none;
    gains_[id] = {write, gain};
    return apply(out, mul, {gain, write});
  }
  bool is_isolated(Id now) const {
    return std::any_of(isolated_.begin(), isolated_.end(), [now](auto& one) { return one.second == now; });
  }

  Id combination(Graph& out, Id id, const std::vector<Id>& to) const {
    static const Op fma = op("fma"), mul = op("mul");
    const Split& split = varies_.at(id);
    auto is_static = [&out](Id part) { return part == none || out[part].clock().is_static(); };
    const std::vector<bool>& masked = masked_.at(id);
    if (split[rest_part()] != none || !std::all_of(split.begin(), split.end(), is_static)) return none;
    if (split[input_part()] == none || std::find(masked.begin(), masked.end(), true) != masked.end()) return none;
    Id sum = apply(out, mul, {split[input_part()], to[static_cast<size_t>(input_)]});
    for (size_t j = 0; j < cells_.order(); ++j)
      if (split[j] != none) sum = apply(out, fma, {split[j], state_[j], sum});
    return sum;
  }

  const Graph& g_;
  Recurrence cells_;
  std::string why_not_;
  LinearLanes lanes_;
  std::vector<Id> sums_;
  Id input_ = none;
  std::map<Id, int> read_outside_;  // by member: how often
  std::map<Id, Split> varies_;
  std::map<Id, std::vector<bool>> masked_;  // by cell: a select or an adjoint's product on the way from the cell
  Split state_;                             // the cells' reads in the copy
  std::map<Id, Id> isolated_;               // writes in the copy
  std::map<Id, std::pair<Id, Id>> gains_;   // of sums that are a write times something static: both in the copy
};

}  // namespace

std::vector<std::vector<Id>> components_with_cells(const Graph& g) {
  std::vector<int> number = feedback_components(g);
  std::map<int, std::vector<Id>> members;
  for (Id id = 0; id < g.size(); ++id)
    if (is_write(g, id)) members[number[static_cast<size_t>(id)]];
  for (Id id = 0; id < g.size(); ++id)
    if (auto found = members.find(number[static_cast<size_t>(id)]); found != members.end()) found->second.push_back(id);
  std::vector<std::vector<Id>> all;
  for (auto& [key, nodes] : members) all.push_back(std::move(nodes));
  return all;
}

Graph isolate_recurrences(const Graph& g) {
  std::map<Id, Parts*> parts_of;
  std::vector<std::unique_ptr<Parts>> all;
  const std::vector<std::vector<Id>> components = components_with_cells(g);
  if (components.empty()) return g;
  const Readers readers(g);
  for (auto& component : components) {
    auto parts = std::make_unique<Parts>(g, component);
    if (!parts->affine()) continue;
    parts->look_around(component, readers);
    for (Id id : component) parts_of[id] = parts.get();
    for (Id id : parts->sums()) parts_of.try_emplace(id, parts.get());
    all.push_back(std::move(parts));
  }
  if (all.empty()) return g;
  std::vector<Id> to;
  Graph out = rewrite(
      g,
      [&](Graph& o, Id id, Node&& node) {
        Id now = o.add(std::move(node));
        auto found = parts_of.find(id);
        if (found == parts_of.end()) return now;
        to[static_cast<size_t>(id)] = now;
        Id isolated = found->second->visit(o, id, to);
        return isolated == none ? now : isolated;
      },
      &to);
  return rebuild(out);
}

bool Recurrence::is_shift() const {
  return std::all_of(a.begin(), a.end(), [](Id id) { return id == none; });
}

std::string why_no_scan(const Graph& g, const std::vector<Id>& component) {
  const bool cells = std::any_of(component.begin(), component.end(), [&](Id id) { return is_write(g, id); });
  if (!cells) return "its state is no cell";
  return Parts(g, component).why_not();
}

// Of an element of A, as the scan's name has it: 0, 1, s (static) or t (every tick).
static char kind_of(const Graph& g, Id id) {
  if (id == none) return '0';
  if (!stands_still(g, id)) return 't';
  while (!g[id].clock().is_static()) id = g[id].in[0];
  const double* known = constant_value(g, id);
  return known && *known == 1 ? '1' : 's';
}

std::string why_in_order(const Graph& g, const Recurrence& r) {
  const size_t d = r.order();
  std::string kinds;
  for (Id id : r.a) kinds += kind_of(g, id);
  const bool varies = kinds.find('t') != std::string::npos;
  if (d == 1 || r.is_shift() || (d == 2 && (!varies || two_cells(kinds).counted >= 0))) return "";
  if (varies && d > 2) return "more than two cells, whose coefficients vary";
  for (size_t i = 0; i < d; ++i)
    if (kinds[i * d + i] == '0') return cat("cell ", g[r.write[i]].attrs.i("cell"), " does not read itself");
  return "";
}

LinearLanes linear_lanes(const Graph& g, const std::vector<Id>& component) { return Parts(g, component).lanes(); }

std::optional<Recurrence> recurrence_of(const Graph& g, const std::vector<Id>& component) {
  static const Op madd = op("madd"), fma = op("fma");
  Recurrence r = cells_of(g, component);
  const size_t d = r.order();
  if (d > kMostOrder) return {};
  std::set<Id> used(r.write.begin(), r.write.end());
  used.insert(r.read.begin(), r.read.end());
  used.erase(none);
  r.a.assign(d * d, none), r.masked.assign(d * d, false);
  r.b.assign(d, none);
  for (size_t i = 0; i < d; ++i) {
    if (g[r.write[i]].type != g[r.write[0]].type) return {};
    Id value = g[r.write[i]].in[0];
    while (std::binary_search(component.begin(), component.end(), value)) {
      const Node& node = g[value];
      if (node.op != madd && node.op != fma) return {};
      size_t j = 0;
      while (j < d && (r.read[j] != node.in[1] || node.in[1] == none)) ++j;
      if (j == d || r.a[i * d + j] != none || std::binary_search(component.begin(), component.end(), node.in[0])) return {};
      r.a[i * d + j] = node.in[0], r.masked[i * d + j] = node.op == madd;
      used.insert(value);
      value = node.in[2];
    }
    const double* zero = constant_value(g, value);
    r.b[i] = zero && *zero == 0 ? none : value;
  }
  if (used.size() < component.size()) return {};  // something else depends on the cells' next values and on the cells
  return r;
}

}  // namespace dgen::analysis
