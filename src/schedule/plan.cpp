#include "schedule/plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/feedback.h"
#include "analysis/history.h"
#include "analysis/levels.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "schedule/cheap.h"
#include "schedule/chunk.h"
#include "schedule/exact.h"
#include "schedule/in_place.h"
#include "schedule/order.h"
#include "schedule/reason.h"
#include "schedule/sines.h"
#include "schedule/sums.h"
#include "schedule/trades.h"

namespace dgen::schedule {

using namespace ir;
using analysis::Kept;

namespace {

// Of operators inlined into one stored value: passes go through them by recursion, and each reader computes them again.
constexpr int64_t kDeepestTree = 64, kLargestTree = 250;
constexpr int64_t kFewOperations = 3, kLongRow = 16, kWideRow = 256;
constexpr int64_t kOperationsOfRead = 6, kOperationsOfNumber = 2;  // what storing a wide row, or less, and reading it anew takes
constexpr int64_t kLargestFunction = 500;  // operators of a region: a compiler's time grows faster than a function's length

class Planner {
 public:
  Planner(Graph g, const PlanOptions& options) : options_(options) {
    p_.graph = std::move(g);
    n_ = static_cast<size_t>(p_.graph.size());
    p_.level = analysis::sweep_levels(p_.graph);
    p_.component = analysis::feedback_components(p_.graph);
    p_.history = analysis::history_ticks(p_.graph);
    users_ = users(p_.graph);
    root_.assign(n_, false);
    for (Id root : p_.graph.roots()) root_[at(root)] = true;
    kept_ = analysis::kept_until(p_.graph);
    worth_.assign(n_, false);
    if (options.keep) worth_ = analysis::worth_keeping(p_.graph);
    for (int l : p_.level) p_.levels = std::max(p_.levels, l + 1);
    feedback_ = analysis::are_feedback(p_.component);
    for (Id id = 0; id < p_.graph.size(); ++id)
      if (in_feedback(id)) loops_[p_.component[at(id)]].push_back(id);
    if (options.scans || options.blocks) choose_loops();
    if (options.trades) p_.trades = find_trades(p_.graph);
  }

  Plan run() {
    choose_anchors();
    bound_trees();
    make_units();
    choose_kept();
    order();
    make_regions();
    choose_storage();
    p_.chunk = chunk_of(p_, options_.chunk_frames);
    keep_exact(&p_);
    for (Region& region : p_.regions) {
      region.reason = reason_of(p_, region, options_, loops_);
      if (region.kept == Kept::inputs) region.reason += "; kept while inputs are the same";
    }
    return std::move(p_);
  }

 private:
  const Graph& g() const { return p_.graph; }
  const Node& node(Id id) const { return p_.graph[id]; }
  static size_t at(Id id) { return static_cast<size_t>(id); }

  // A sum over time is computed in its input's sweep; its value is ready in its own.
  bool sums_time(Id id) const { return node(id).clock().is_static() && id_op(id, "sum_time"); }
  bool id_op(Id id, std::string_view name) const { return node(id).op->name == name; }
  int run_level(Id id) const { return sums_time(id) ? p_.level[at(node(id).in[0])] : p_.level[at(id)]; }
  bool in_feedback(Id id) const { return feedback_[static_cast<size_t>(p_.component[at(id)])]; }
  bool computed(Id id) const {
    Op op = node(id).op;
    return op->family != Family::leaf && !op->is(view_only) && !passes(id);
  }
  // Moves values between clocks without work.
  bool passes(Id id) const { return node(id).op->family == Family::time && !node(id).op->is(materialise) && !id_op(id, "delay"); }

  // Feedback that need not be computed tick by tick.
  void choose_loops() {
    for (auto& [component, nodes] : loops_) {
      if (options_.scans && find_recurrence(component, nodes)) continue;
      auto late = options_.blocks ? analysis::late_feedback(g(), nodes, kBlock) : std::nullopt;
      if (late) late_[component] = std::move(*late);
    }
  }

  // Recurrences are of one lane at frame rate, where a scan's segments are the same ticks for every block.
  bool find_recurrence(int component, const std::vector<Id>& nodes) {
    auto found = analysis::recurrence_of(g(), nodes);
    if (!found || found->order() == 0) return false;
    const Type& type = node(found->write[0]).type;
    const bool one_lane = type.shape.size() == 1 && type.clock.period == 1;
    const Id write = found->write[0];
    const bool read = !users_[at(write)].empty() || std::count(g().outputs.begin(), g().outputs.end(), write) > 0;
    auto inside = [this, component](Id user) { return p_.component[at(user)] == component; };
    for (Id id : nodes)  // a scan gives its cells, not what they are made of
      if (!node(id).attrs.has("cell") && (is_root(id) || !std::ranges::all_of(users_[at(id)], inside))) return false;
    const bool copy = found->order() == 1 && found->b[0] != none && !read;
    if (!(found->is_shift() ? copy : one_lane)) return false;
    const ScanGains gains = scan_gains(g(), *found, [](Id) { return false; });
    for (size_t i = 0; i < found->order(); ++i)
      if (gains.gain[i] != none) multiples_.insert(found->b[i]);
    recurrences_[component] = std::move(*found);
    return true;
  }

  // ---- which values are stored -------------------------------------------------------------------------------------

  // The computed value behind views that only move elements.
  Id source(Id id) const {
    while (moves(id)) id = node(id).in[0];
    return id;
  }
  bool moves(Id id) const {
    return !stored_.empty() && !stored_[at(id)] && (node(id).op->is(view_only) || passes(id)) && node(id).in.size() == 1;
  }
  void want_stored(Id id) {
    id = source(id);
    if (computed(id)) stored_[at(id)] = true;
  }
  // What feedback need not wait for is computed before it, but for what costs less to compute than to keep.
  void want_before(Id id, int component) {
    id = source(id);
    if (!computed(id)) return;
    if (recurrences_.count(component) || !takes(id, kFewOperations, is_wide(id) ? 1 : 0)) return want_stored(id);
    for (Id in : node(id).in) want_before(in, component);
  }
  // At most so many plain operations an element, of so many arrays. What is static is made once.
  bool takes(Id id, int64_t operations, size_t arrays) const {
    if (node(id).clock().is_static()) return false;
    const Work work = work_of(g(), id, operations, is_stored_);
    return work.operations <= operations && work.arrays.size() <= arrays;
  }
  bool is_wide(Id id) const { return node(id).shape().size() >= kWideRow; }
  // Of an input that is read again and again.
  void want_whole(Id id) {
    id = want_pieces(id);
    if (computed(id)) stored_[at(id)] = true;
  }
  // Of one whose elements are read in long rows.
  Id want_pieces(Id id) {
    while (moves(id) && (!node(id).op->is(pieces) || is_asked(g(), users_, p_.trades, id))) id = node(id).in[0];
    if (node(id).op->is(pieces)) stored_[at(id)] = true;
    return id;
  }

  void choose_anchors() {
    stored_.assign(n_, false);
    for (Id root : g().outputs) stored_[at(root)] = true;
    for (Id root : g().effects) stored_[at(root)] = true;
    for (Id id = 0; id < g().size(); ++id)
      if (worth_[at(id)]) stored_[at(id)] = true;
    for (Id id = 0; id < g().size(); ++id)
      if ((node(id).op->is(materialise) && !closed_form(id)) || id_op(id, "state_read")) stored_[at(id)] = true;
    for (Id id = 0; id < g().size(); ++id) {
      const Node& user = node(id);
      if (id_op(id, "state_read"))
        for (Id init : user.in) stored_[at(init)] = true;
      for (Id in : user.in) {
        // What reads each element at most once (a sum over time, a decimate) takes computed values as they come.
        bool once = user.op->is(across_time) && !user.op->is(rereads) && !user.op->is(adds_in_place);
        bool crosses = user.op->is(across_time) || node(in).clock().period != user.clock().period;
        if (!node(in).clock().is_static() && crosses && !(once && p_.history[at(in)] == 0)) store_for_time(in);
        if (user.op->is(rereads)) want_whole(in);
        else if (computed(id) && in_feedback(id) && node(in).shape().size() >= kLongRow) want_pieces(in);
        if (run_level(id) != p_.level[at(in)]) want_stored(in);
        if (in_feedback(id) && p_.component[at(in)] != p_.component[at(id)] && !multiples_.count(in)) want_before(in, p_.component[at(id)]);
      }
      if (user.op->name == "matmul") store_factors(id);
      if (user.op->name == "matmul_panels") store_panels(id);
      if (sums_time(id)) store_product_operands(id);
      if (phase_sum(id)) store_array(user.in[0]);
      if (sines(id)) stored_[at(id)] = true, store_static(user.in[2]);
    }
    for (auto& [component, recurrence] : recurrences_) {
      for (Id id : recurrence.a)
        if (id != none && static_number(g(), id) == none) store_array(id);
    }
    store_shared();
    for (auto& [component, recurrence] : recurrences_) {
      const ScanGains gains = scan_gains(g(), recurrence, is_stored_);
      if (gains.input != none) store_array(gains.input);
      for (size_t i = 0; i < recurrence.order(); ++i)
        if (recurrence.b[i] != none && gains.gain[i] == none) store_array(recurrence.b[i]);
      take_sums(component, recurrence);
      take_sine(component, recurrence, gains.input);
    }
    take_parts();
    for (Id id = 0; id < g().size() && options_.scans; ++id)
      if (stored_[at(id)] && gemm(id)) take_ending(id);
  }

  // The product itself never exists then.
  void take_ending(Id product) {
    const ProductEnding ending = product_ending(g(), product, [this](Id id) { return is_root(id) ? Ids() : users_[at(id)]; });
    if (ending.sum == none || p_.history[at(product)] > 0 || p_.level[at(ending.last)] != p_.level[at(product)]) return;
    store_static(ending.bias);
    stored_[at(ending.sum)] = false, stored_[at(ending.last)] = true;
    p_.component[at(ending.last)] = p_.component[at(product)];
    endings_[p_.component[at(product)]] = ending;
  }

  // What is read of a feedback value outside it, if that is little: the loop then stores this and not the whole.
  void take_parts() {
    std::map<Id, std::set<Id>> parts;
    auto reads = [&](Id id) {
      Id from = id;
      while (node(from).op->is(view_only) && node(from).in.size() == 1 && !in_feedback(from)) from = node(from).in[0];
      const bool same = p_.level[at(id)] == p_.level[at(from)] && node(id).clock() == node(from).clock();
      if (same && !in_feedback(id) && in_feedback(from) && !recurrences_.count(p_.component[at(from)])) parts[from].insert(id);
    };
    for (Id id = 0; id < g().size(); ++id) {
      if (!node(id).op->is(view_only))
        for (Id in : node(id).in) reads(in);
      else if (stored_[at(id)]) reads(id);
    }
    for (auto& [from, views] : parts) {
      int64_t size = 0;
      for (Id id : views) size += node(id).shape().size();
      if (2 * size > node(from).shape().size()) continue;
      for (Id id : views) stored_[at(id)] = true, p_.component[at(id)] = p_.component[at(from)], parts_.insert(id);
    }
  }

  // What a scan's cells and input add up to is made by the scan.
  void take_sums(int component, const analysis::Recurrence& r) {
    for (Id id = 0; id < g().size(); ++id) {
      const bool may = stored_[at(id)] && (id_op(id, "fma") || id_op(id, "mul")) && p_.level[at(id)] == p_.level[at(r.write[0])];
      if (may && !scan_sum(g(), r, id, is_stored_).factors.empty()) p_.component[at(id)] = component;
    }
  }

  // A single sine that nothing but a scan reads, and only as its input, is made by the scan.
  void take_sine(int component, const analysis::Recurrence& r, Id input) {
    if (input == none || recurrence_strategy(g(), r) != Strategy::scan || !sines(input)) return;
    if (is_root(input) || p_.history[at(input)] > 0 || node(node(input).in[0]).shape().size() > 1) return;
    for (Id id : r.a)
      if (id != none && array_behind(g(), id, is_stored_) == input) return;
    std::vector<Id> todo{input};
    while (!todo.empty()) {
      const Id id = todo.back();
      todo.pop_back();
      const bool inside = stored_[at(id)] && id != input;
      if (inside && (p_.component[at(id)] != component || p_.level[at(id)] != p_.level[at(input)])) return;
      if (!inside) todo.insert(todo.end(), users_[at(id)].begin(), users_[at(id)].end());
    }
    p_.component[at(input)] = component;
  }

  // Read at other ticks than its own: must lie in memory, except data that already does.
  void store_for_time(Id in) {
    if (id_op(in, "input") && p_.history[at(in)] == 0) return;
    stored_[at(in)] = true;
  }
  bool gemm(Id id) const {
    if (node(id).clock().is_static() || in_feedback(id)) return false;
    return static_panels(g(), id) != none || (id_op(id, "matmul") && static_matrix(g(), node(id).in[1]).id != none);
  }
  void store_factors(Id id) {
    const Id right = node(id).in[1], known = static_matrix(g(), right).id;
    if (!gemm(id) && (!is_large_product(node(right).shape()) || summed_product(id))) return;
    store_array(node(id).in[0]);
    if (known == none) store_array(right);
    else store_static(known);
  }
  void store_panels(Id id) {
    store_static(node(id).in[1]);
    if (gemm(id)) store_array(node(id).in[0]);
  }
  void store_static(Id id) {
    if (id_op(id, "hold")) id = node(id).in[0];
    if (!id_op(id, "param") && !id_op(id, "tensor")) stored_[at(id)] = true;
  }
  bool is_root(Id id) const { return root_[at(id)]; }
  // A product that only a sum over time reads, which makes it of all its ticks at once.
  bool summed_product(Id id) const {
    const Ids& users = users_[at(id)];
    return users.size() == 1 && sums_time(users[0]) && !is_root(id) && time_product(g(), id).a != none;
  }
  void store_product_operands(Id id) {
    if (!summed_product(node(id).in[0])) return;
    const TimeProduct product = time_product(g(), node(id).in[0]);
    store_array(product.a);
    store_array(product.b);
    stored_[at(node(id).in[0])] = false;  // the product itself never exists
    products_.insert(node(id).in[0]);
  }
  void store_array(Id id) {
    id = array_behind(g(), id, is_stored_);
    if (!id_op(id, "input")) stored_[at(id)] = true;
  }

  // A computed value with several readers is computed once, but for what takes no longer to compute than to read.
  void store_shared() {
    std::vector<bool> summed(n_, false);
    if (options_.scans) summed = only_summed(g(), p_.level, is_stored_, [this](Id id) { return in_feedback(id); });
    std::vector<int> readers(n_, 0);
    for (Id id = 0; id < g().size(); ++id)
      if ((computed(id) || stored_[at(id)]) && !sines(id))
        for (Id in : node(id).in) ++readers[at(source(in))];
    for (Id id = 0; id < g().size(); ++id)
      if (computed(id) && readers[at(id)] > 1 && !products_.count(id) && !summed[at(id)])
        stored_[at(id)] = stored_[at(id)] || in_feedback(id) || !takes(id, is_wide(id) ? kOperationsOfRead : kOperationsOfNumber, 1);
  }

  // ---- how much is inlined -------------------------------------------------------------------------------------------

  // The operators computed wherever a value is read: how many, shared ones as often as they are computed, and how deep.
  struct Tree {
    int64_t size = 0, depth = 0;
    bool fits() const { return size <= kLargestTree && depth <= kDeepestTree; }
  };
  Tree tree_of(Id id) const {
    if (node(id).op->family == Family::leaf) return {};
    Tree tree{1, 1};
    for (Id in : node(id).in) {
      if (stored_[at(in)]) continue;
      tree.size += trees_[at(in)].size;
      tree.depth = std::max(tree.depth, trees_[at(in)].depth + 1);
    }
    return tree;
  }

  // Where a tree grows too large, what it reads is stored.
  void bound_trees() {
    trees_.assign(n_, {});
    for (Id id = 0; id < g().size(); ++id) {
      trees_[at(id)] = tree_of(id);
      if (trees_[at(id)].fits()) continue;
      for (Id in : node(id).in) store_tree(in);
      trees_[at(id)] = tree_of(id);
    }
    for (Id id = 0; id < g().size(); ++id) trees_[at(id)] = tree_of(id);  // without what later ones stored
  }

  // Behind a few views, which may repeat elements, rather than after them.
  void store_tree(Id id) {
    if (stored_[at(id)] || trees_[at(id)].size == 0 || products_.count(id)) return;
    std::vector<Id> views;
    Id from = id;
    for (Id next = source(from); from != next; from = node(from).in[0]) views.push_back(from);
    bool few = computed(from) && trees_[at(id)].depth - trees_[at(from)].depth < kDeepestTree / 2;
    stored_[at(few ? from : id)] = true;
    for (auto view = views.rbegin(); view != views.rend(); ++view) trees_[at(*view)] = tree_of(*view);
  }

  // ---- units: feedback components and single stored values ----------------------------------------------------------

  void make_units() {
    unit_of_.assign(n_, -1);
    std::map<int, int> unit_of_component;
    for (Id id = 0; id < g().size(); ++id) {
      if (!stored_[at(id)]) continue;
      int component = p_.component[at(id)];
      const bool loop = in_feedback(id) || endings_.count(component) > 0;
      auto found = loop ? unit_of_component.find(component) : unit_of_component.end();
      if (found == unit_of_component.end()) {
        if (loop) unit_of_component[component] = static_cast<int>(units_.size());
        units_.push_back({});
      }
      int u = found == unit_of_component.end() ? static_cast<int>(units_.size()) - 1 : found->second;
      units_[static_cast<size_t>(u)].nodes.push_back(id);
    }
    // Components are numbered inputs first, so from here on units come after what they read in their sweep.
    auto component = [this](const Unit& unit) { return p_.component[at(unit.nodes[0])]; };
    std::sort(units_.begin(), units_.end(), [&](auto& a, auto& b) { return component(a) < component(b); });
    for (size_t u = 0; u < units_.size(); ++u)
      for (Id id : units_[u].nodes) unit_of_[at(id)] = static_cast<int>(u);
    for (Unit& unit : units_) describe(unit);
  }

  // A phasor whose frequency is static is a closed form; any other in-order operator is a loop of its own.
  bool closed_form(Id id) const { return is_closed_form(g(), id); }
  bool phase_sum(Id id) const {
    const Node& phasor = node(id);
    return options_.scans && phasor.op->is(keeps_phase) && phasor.in.size() == 1 && !closed_form(id) && !in_feedback(id) &&
           phasor.shape().size() == 1;
  }

  // Phases that its kernel advances by itself: they are those of its own sweep.
  bool sines(Id id) const {
    return options_.scans && is_angle_sum(g(), id) && p_.level[at(id)] == p_.level[at(node(id).in[0])];
  }

  void describe(Unit& unit) {
    Id first = unit.nodes[0];
    unit.level = run_level(first);
    bool static_level = unit.level % 3 == 0;
    Clock clock = static_level ? static_clock : sums_time(first) ? node(node(first).in[0]).clock() : node(first).clock();
    for (Id id : unit.nodes)
      if (!static_level && !sums_time(id)) clock = meet(clock, node(id).clock());
    unit.clock = clock;
    for (Id id : unit.nodes) {
      const int64_t size = node(id).shape().size();
      unit.width = std::max(unit.width, size >= kLongRow ? Unit::long_rows : size > 1 || reads_wide(id) ? Unit::wide : Unit::single);
    }
    if (sums_time(first) && !static_level) unit.strategy = Strategy::sum_time, unit.joins_sums = sums_single(first);
    else if (auto found = recurrences_.find(p_.component[at(first)]); found != recurrences_.end())
      unit.strategy = recurrence_strategy(g(), found->second);
    else if (late_.count(p_.component[at(first)])) unit.strategy = Strategy::blocks;
    else if (phase_sum(first)) unit.strategy = Strategy::phase_sum;
    else if (sines(first)) unit.strategy = Strategy::sines;
    else if (endings_.count(p_.component[at(first)])) unit.strategy = Strategy::gemm;
    else if (unit.nodes.size() > 1 || in_feedback(first) || (node(first).op->is(in_order) && !static_level && !closed_form(first)))
      unit.strategy = Strategy::serial;
    else if (gemm(first)) unit.strategy = Strategy::gemm;
  }

  // A sum over time of single elements, made of single ones.
  bool sums_single(Id id) const {
    const Id in = node(id).in[0];
    return node(id).shape().size() == 1 && !node(in).op->is(scatters) && (stored_[at(in)] || (!id_op(in, "matmul") && !reads_wide(in)));
  }

  // Does computing id loop over elements of an input?
  bool reads_wide(Id id) const {
    if (node(id).op->family == Family::time && !node(id).op->is(materialise)) return false;  // picks single elements
    for (Id in : node(id).in)
      if (node(in).shape().size() > 1 || (!stored_[at(in)] && reads_wide(in))) return true;
    return false;
  }

  // Calls f(stored input, read at the very same tick?) for what a stored node reads, through inlined nodes.
  template <class F>
  void for_inputs(Id id, const F& f) const {
    seen_.resize(2 * n_, 0);
    ++walk_;
    walk_inputs(id, true, f);
  }
  template <class F>
  void walk_inputs(Id id, bool same_tick, const F& f) const {
    const Node& user = node(id);
    for (Id in : user.in) {
      bool same = same_tick && !user.op->is(across_time) && node(in).clock().period == user.clock().period;
      if (std::exchange(seen_[2 * at(in) + same], walk_) == walk_) continue;
      if (stored_[at(in)]) f(in, same);
      else walk_inputs(in, same, f);
    }
  }

  // ---- what is kept from run to run ------------------------------------------------------------------------------------

  // A unit is kept if all that it computes lasts and what others read of it is meant to be kept.
  void choose_kept() {
    for (Unit& unit : units_) {
      unit.kept = kept_[at(unit.nodes[0])];
      for (Id id : unit.nodes)
        if (kept_[at(id)] != unit.kept || (unit.kept == Kept::inputs && is_root(id))) unit.kept = Kept::no;
      const bool once = options_.keep && unit.level % 3 != 2 && unit.strategy != Strategy::sum_time;
      if (unit.kept == Kept::inputs && !once) unit.kept = Kept::no;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (const Unit& unit : units_)
        for (Id id : unit.nodes)
          for_inputs(id, [&](Id in, bool) {
            Unit& from = units_[static_cast<size_t>(unit_of_[at(in)])];
            if (from.kept == Kept::no || from.kept == unit.kept || worth_[at(in)] || node(in).clock().is_static()) return;
            from.kept = Kept::no, changed = true;
          });
    }
  }

  void order() {
    std::vector<Edge> edges;
    for (size_t u = 0; u < units_.size(); ++u)
      for (Id id : units_[u].nodes)
        for_inputs(id, [&](Id in, bool same_tick) {
          const auto from = static_cast<size_t>(unit_of_[at(in)]);
          if (from == u || units_[from].level != units_[u].level || sums_time(in)) return;
          DGEN_ASSERT(from < u);
          edges.push_back({from, u, same_tick});
        });
    order_units(units_, edges);
  }

  void make_regions() {
    using Key = std::tuple<int, int, int, int64_t, bool, int, Kept, int>;
    std::map<Key, std::vector<const Unit*>> groups;
    int alone = 0;
    for (const Unit& unit : units_) {
      const bool weights = unit.clock.is_static() && width_apart(unit) != 0;
      const bool shared = (unit.strategy == Strategy::pointwise && !weights) || unit.strategy == Strategy::serial ||
                          unit.strategy == Strategy::sines || unit.joins_sums;
      Key key{unit.level, unit.depth, static_cast<int>(unit.strategy), unit.clock.period, unit.clock.reverse, width_apart(unit), unit.kept,
              shared ? 0 : ++alone};
      groups[key].push_back(&unit);
    }
    p_.region_of.assign(n_, -1);
    for (auto& [key, units] : groups) cut(units);
  }

  // What could be one region, as regions of bounded size.
  void cut(const std::vector<const Unit*>& units) {
    Region region;
    int64_t room = kLargestFunction;
    for (const Unit* unit : units) {
      int64_t size = 0;
      for (Id id : unit->nodes) size += trees_[at(id)].size;
      if (size > room && !region.nodes.empty()) add_region(std::exchange(region, {})), room = kLargestFunction;
      room -= size;
      region.strategy = unit->strategy, region.level = unit->level, region.depth = unit->depth, region.clock = unit->clock;
      region.kept = unit->kept;
      region.nodes.insert(region.nodes.end(), unit->nodes.begin(), unit->nodes.end());
    }
    if (auto found = recurrences_.find(p_.component[at(region.nodes[0])]); found != recurrences_.end()) region.recurrence = found->second;
    if (auto found = late_.find(p_.component[at(region.nodes[0])]); found != late_.end()) region.late = found->second;
    if (auto found = endings_.find(p_.component[at(region.nodes[0])]); found != endings_.end()) region.ending = found->second;
    if (const Node& first = node(region.nodes[0]); options_.onto && region.strategy == Strategy::sum_time && products_.count(first.in[0]))
      region.onto = time_product(g(), first.in[0]);
    add_region(std::move(region));
  }

  void add_region(Region region) {
    std::sort(region.nodes.begin(), region.nodes.end());
    std::set<Id> read;  // by other feedback in the region, too
    for (Id id : region.nodes)
      if (!parts_.empty()) for_inputs(id, [&](Id in, bool) { read.insert(in); });
    auto in_time = [&](Id id) { return !parts_.count(id) || read.count(id); };
    std::stable_partition(region.nodes.begin(), region.nodes.end(), in_time);
    for (Id id : region.nodes) p_.region_of[at(id)] = static_cast<int>(p_.regions.size());
    p_.regions.push_back(std::move(region));
  }

  // A stored value that only its own region reads, at the same tick, lives for one tick.
  void choose_storage() {
    p_.store.assign(n_, Store::inlined);
    for (Id id = 0; id < g().size(); ++id)
      if (stored_[at(id)]) p_.store[at(id)] = Store::local;
    for (Id id = 0; id < g().size(); ++id)
      if (stored_[at(id)])
        for_inputs(id, [&](Id in, bool same_tick) {
          if (!same_tick || p_.region_of[at(in)] != p_.region_of[at(id)]) p_.store[at(in)] = Store::stream;
        });
    auto stream = [&](Id id) { p_.store[at(id)] = Store::stream; };
    for (Id id = 0; id < g().size(); ++id)
      if (id_op(id, "state_read"))
        for (Id init : node(id).in) stream(init);
    // Cells lie in their streams, with room for the tick after the last.
    for (auto& [component, late] : late_)
      for (Id id : late.order)
        if (id_op(id, "state_read")) stream(id), p_.history[at(id)] = std::max<int64_t>(p_.history[at(id)], 1);
    for (Id id : g().outputs) stream(id);
    for (Id id : g().effects) stream(id);
    for (Id id = 0; id < g().size(); ++id) {
      if (!stored_[at(id)]) continue;
      const Region& region = p_.regions[static_cast<size_t>(p_.region_of[at(id)])];
      if (region.strategy == Strategy::gemm && id != region.nodes.back()) continue;
      const bool one = region.strategy == Strategy::gemm || region.strategy == Strategy::sum_time || region.strategy == Strategy::sines;
      if (one || node(id).shape().size() > options_.largest_local || node(id).op->is(adds_in_place)) stream(id);
      if (region.clock.period != node(id).clock().period) stream(id);  // several clocks in one loop
    }
  }

  Plan p_;
  size_t n_ = 0;
  PlanOptions options_;
  std::map<int, analysis::Recurrence> recurrences_;  // by component
  std::map<int, analysis::LateFeedback> late_;       // likewise
  std::set<Id> parts_;      // of feedback values, which only others read
  std::set<Id> multiples_;  // of a scan's input, which it makes itself
  std::vector<Ids> users_;
  std::vector<bool> feedback_;  // by component
  Loops loops_;
  std::vector<bool> stored_, root_;
  const IsStored is_stored_ = [this](Id id) { return stored_[at(id)]; };
  std::vector<Kept> kept_;
  std::vector<bool> worth_;
  std::vector<Tree> trees_;
  std::set<Id> products_;  // matmuls that exist only inside a sum over time
  std::map<int, ProductEnding> endings_;  // by component, of products that exist only with a bias
  std::vector<Unit> units_;
  std::vector<int> unit_of_;
  mutable std::vector<int> seen_;  // by node, read at another tick and at the same: the last walk of for_inputs that met it
  mutable int walk_ = 0;
};

}  // namespace

Plan make_plan(Graph g, const PlanOptions& options) {
  Plan plan = Planner(std::move(g), options).run();
  if (options.in_place) assign_in_place(plan);
  return plan;
}

}  // namespace dgen::schedule
