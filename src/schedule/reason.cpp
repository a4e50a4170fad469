#include "schedule/reason.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/sorted.h"
#include "ir/lower.h"
#include "ir/op.h"
#include "schedule/sines.h"

namespace dgen::schedule {

using namespace ir;

namespace {

std::string recurrence_reason(const Graph& g, const analysis::Recurrence& r) {
  bool varies = false;
  std::string cells;
  for (Id id : r.a) varies = varies || (id != none && static_number(g, id) == none);
  for (Id id : r.write) cells += cat(cells.empty() ? "" : ",", g[id].attrs.i("cell"));
  const std::string why = analysis::why_in_order(g, r);
  return cat("linear of order ", r.order(), varies ? ", varying" : ", constant", " in cell ", cells,
             why.empty() ? ": segments of 8 frames in vector lanes"
                         : cat(": ticks in order, fused, in float64; joined segments would lose digits (", why, ")"));
}

std::string sine_reason(const Plan& plan, const Region& region) {
  for (Id id : region.nodes)
    if (is_angle_sum(plan.graph, id)) return cat("; makes the sine %", id, " of its input, an angle sum, in the same lanes");
  return "";
}

// The phasors in closed form that a stored value is made of.
std::vector<Id> closed_forms_of(const Plan& plan, Id id) {
  std::vector<Id> found, todo{id}, seen;
  while (!todo.empty()) {
    const Id from = todo.back();
    todo.pop_back();
    if (is_closed_form(plan.graph, from)) found.push_back(from);
    for (Id in : plan.node(from).in)
      if (!plan.stored(in) && insert_sorted(seen, in)) todo.push_back(in);
  }
  return found;
}

// What keeps the feedback of a region from being a scan, once for each reason.
std::string why_serial(const Plan& plan, const Region& region, const PlanOptions& options, const Loops& loops) {
  std::set<int> components;
  std::string text;
  for (Id id : region.nodes)
    if (plan.node(id).attrs.has("cell")) components.insert(plan.component[static_cast<size_t>(id)]);
  std::set<std::string> given;
  for (int component : components) {
    const auto loop = loops.find(component);
    std::vector<Id> alone;
    for (Id id : region.nodes)
      if (plan.component[static_cast<size_t>(id)] == component) alone.push_back(id);
    std::string why = analysis::why_no_scan(plan.graph, loop == loops.end() ? alone : loop->second);
    if (why.empty())
      why = options.scans ? "linear, but its sums are read elsewhere, too" : "linear: a scan, or fused, on CPUs, unless DGEN_OPT=0";
    if (given.insert(why).second) text += "; " + why;
  }
  return text;
}

}  // namespace

std::string reason_of(const Plan& plan, const Region& region, const PlanOptions& options, const Loops& loops) {
  if (region.strategy == Strategy::gemm)
    return cat("static right-hand matrix: one product over all ticks", region.ending.sum != none ? ", with what follows it" : "");
  if (region.onto.a != none) return "sum over time: the product of each chunk of the stream, added as it is made";
  if (region.strategy == Strategy::sum_time)
    return cat(region.nodes.size() > 1 ? "sums over time that share a loop, " : "sum over time ", "in chunks of the stream");
  if (region.clock.is_static()) return "static: once a run";
  if (region.is_recurrence()) return recurrence_reason(plan.graph, region.recurrence) + sine_reason(plan, region);
  if (region.strategy == Strategy::shift) return "a value a tick late: a copy";
  if (region.strategy == Strategy::phase_sum)
    return cat("phasor %", region.nodes[0], " sums a varying frequency, as integers in vector lanes");
  if (region.strategy == Strategy::sines) {
    std::string phasors;
    for (Id id : region.nodes) phasors += cat(phasors.empty() ? "%" : ", %", plan.node(id).in[0]);
    return cat("sines of phasor ", phasors, ", of static frequency: angle sums in groups of ", kSineGroup, " frames");
  }
  std::string cells, other;
  for (Id id : region.nodes) {
    const Node& node = plan.node(id);
    for (Id phasor : closed_forms_of(plan, id)) other = cat("; phasor %", phasor, " is closed-form: static frequency, no reset");
    if (node.attrs.has("cell") && node.op->name == "state_write") cells += cat(cells.empty() ? "" : ",", node.attrs.i("cell"));
    if (node.op->is(keeps_phase) && !is_closed_form(plan.graph, id)) other = cat("; phasor %", id, " sums a varying frequency");
    if (node.op->is(adds_in_place)) other = "; adds to a delay line whose time varies";
  }
  if (region.strategy == Strategy::blocks)
    return cat("feedback through cell ", cells, " by delay lines: frames in vector lanes if every way around takes ", kBlock,
               ", else in order");
  if (region.strategy == Strategy::serial)
    return cat("ticks in order: ", cells.empty() ? "state" : "feedback through cell " + cells, why_serial(plan, region, options, loops),
               other);
  return "no state: ticks in parallel" + other;
}

}  // namespace dgen::schedule
