#include "driver/launches.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "ir/op.h"
#include "loop/cost.h"

namespace dgen::driver {

using namespace ir;
using analysis::Kept;
using schedule::MemoryPlan;
using schedule::Place;
using schedule::Plan;

namespace {

// A kernel for a share of the lanes has the numbers of the whole one, then its own.
const std::vector<KernelArg>& args_of(const Step& step) { return step.by_lanes ? step.by_lanes->args : step.kernel.args; }

int64_t first_tick(const Place& p) { return p.offset + 4 * p.pad * p.size; }

}  // namespace

Launches::Launches(const Compiled& c, const MemoryPlan& memory) {
  size_t params = 0, tensor_slots = 0, channels = 0, numbers = 0;
  for (const Step& step : c.code.steps) {
    for (const ArrayRef& ref : step.kernel.arrays) {
      if (ref.kind == ArrayRef::param) params = std::max(params, static_cast<size_t>(ref.id) + 1);
      if (ref.kind == ArrayRef::tensor) tensor_slots = std::max(tensor_slots, static_cast<size_t>(ref.id) + 1);
    }
    DGEN_ASSERT(args_of(step).size() <= kMostNumbers);
    numbers += args_of(step).size();
  }
  for (const InputNode& input : c.inputs) channels = std::max(channels, input.channel + 1);
  tensors = slots + params, inputs = tensors + tensor_slots, moved = inputs + channels;
  find_movable(c.plan, memory);
  bases = moved + movable.size();
  numbers_.reserve(numbers);  // spans point into them
  launches_.reserve(c.code.steps.size());
  for (const Step& step : c.code.steps) prepare(c, memory, step);
  if (periods.empty()) periods.push_back(0);  // what has no stride still names a clock
  users.resize(bases);
  for (size_t a = 0; a < addresses.size(); ++a) {
    users[static_cast<size_t>(addresses[a].base)].push_back(a);
    if (addresses[a].stride > 0) tiled.push_back(a);
  }
  for (int level = 0; level < c.plan.levels; ++level) {
    const size_t begin = c.code.first[static_cast<size_t>(level)], end = c.code.first[static_cast<size_t>(level) + 1];
    size_t after = begin;
    while (after < end && launches_[after].step->when != Step::after_sweep) ++after;
    const std::span all(launches_);
    const auto of_tile = all.subspan(begin, after - begin);
    const bool statics = after == end && std::ranges::all_of(of_tile, [](const PreparedLaunch& l) { return l.kept == Kept::statics; });
    sweeps.push_back({level, static_cast<Sweep::Kind>(level % 3), of_tile, all.subspan(after, end - after), statics});
  }
  find_kept(memory);
}

// What is kept while inputs are the same is made from statics, too, but from no param.
void Launches::find_kept(const MemoryPlan& memory) {
  find_made_from(memory);
  inputs_follow.assign(bases, false);
  for (const PreparedLaunch& launch : launches_)
    for (size_t a = 0; a < launch.arrays && launch.kept != Kept::no; ++a) {
      const auto base = static_cast<size_t>(addresses[launch.first_array + a].base);
      if (launch.kept == Kept::inputs || base >= tensors) inputs_follow[base] = true;
    }
  for (const PreparedLaunch& launch : launches_)
    statics_step = statics_step || (launch.kept == Kept::statics && std::ranges::count(launch.numbers, training_step) > 0);
}

void Launches::find_made_from(const MemoryPlan& memory) {
  std::map<Id, std::set<size_t>> behind;  // by stream: bases that it is made from
  std::map<Id, size_t> maker;             // of a stream that is not kept itself, but what is made of it
  std::vector<std::set<size_t>> needs;    // by launch: makers of what it reads
  made_from.resize(bases);
  for (PreparedLaunch& launch : launches_) {
    if (launch.kept != Kept::statics) continue;
    launch.nth = statics++;
    std::set<size_t> from, makers;
    for (size_t a = 0; a < launch.arrays; ++a) from.insert(static_cast<size_t>(addresses[launch.first_array + a].base));
    for (const ArrayRef& ref : launch.step->kernel.arrays) {
      if (ref.kind != ArrayRef::stream && ref.kind != ArrayRef::exact) continue;
      from.insert(behind[ref.id].begin(), behind[ref.id].end());
      if (const auto made = maker.find(ref.id); made != maker.end()) makers.insert(made->second);
    }
    for (const ArrayRef& ref : launch.step->kernel.arrays) {
      if ((ref.kind != ArrayRef::stream && ref.kind != ArrayRef::exact) || !ref.written) continue;
      behind[ref.id].insert(from.begin(), from.end());
      const Place& place = memory.places[static_cast<size_t>(memory.stream[static_cast<size_t>(ref.id)])];
      if (place.keep != schedule::Keep::kept) maker[ref.id] = launch.nth;
    }
    needs.push_back(makers);
    for (size_t base : from) made_from[base].push_back(launch.nth);
  }
  for (std::vector<size_t>& launches : made_from)  // what is read and was not kept is made again
    for (size_t i = 0; i < launches.size(); ++i)
      for (size_t made : needs[launches[i]])
        if (std::ranges::count(launches, made) == 0) launches.push_back(made);
}

// An output of the forward sweep that lies in memory tick after tick, without ticks before the run.
void Launches::find_movable(const Plan& plan, const MemoryPlan& memory) {
  for (size_t i = 0; i < plan.graph.outputs.size(); ++i) {
    const Id id = plan.graph.outputs[i];
    const auto at = static_cast<size_t>(memory.stream[static_cast<size_t>(id)]);
    const Place& p = memory.places[at];
    const bool taken = std::ranges::any_of(movable, [at](const Movable& m) { return m.place == at; });
    const Clock clock = plan.graph[id].clock();
    const bool forward = !clock.is_static() && !clock.reverse;
    if (!taken && forward && p.pad == 0 && p.whole && !plan.graph[id].op->is(adds_in_place))
      movable.push_back({i, at, first_tick(p), clock.period == 1});
  }
}

void Launches::prepare(const Compiled& c, const MemoryPlan& memory, const Step& step) {
  PreparedLaunch launch;
  launch.step = &step, launch.code = step.code, launch.ffts = step.ffts;
  const size_t first_number = numbers_.size();
  launch.first_array = addresses.size();
  for (const ArrayRef& ref : step.kernel.arrays)
    if (c.device.is_host() || ref.kind != ArrayRef::local) addresses.push_back(address(c, memory, ref));
  const std::vector<KernelArg>& args = args_of(step);
  for (size_t i = 0; i < args.size(); ++i) {
    const KernelArg& arg = args[i];
    numbers_.push_back(number(arg));
    for (auto [kind, at] : {std::pair(KernelArg::lo, &launch.lo), {KernelArg::hi, &launch.hi}, {KernelArg::scratch, &launch.scratch},
                            {KernelArg::lane_lo, &launch.lane_lo}, {KernelArg::lane_hi, &launch.lane_hi},
                            {KernelArg::common, &launch.common}, {KernelArg::meeting, &launch.meeting}})
      if (arg.kind == kind) *at = static_cast<int>(i);
  }
  launch.arrays = addresses.size() - launch.first_array;
  launch.numbers = std::span(numbers_).subspan(first_number);
  if (step.when != Step::in_tile || step.level % 3 == 0)
    launch.count = one;
  else if (step.chunks)
    launch.count = chunks;
  else
    launch.count = clock_numbers + of_a_clock * clock(step.clock.period) + tile_ticks;
  if (step.region >= 0)
    if (const Kept kept = c.plan.regions[static_cast<size_t>(step.region)].kept; memory.keeps(kept)) launch.kept = kept;
  launch.again = step.when == Step::in_tile && !step.chunks;
  launch.operations = step.operations;
  if (step.parallel && c.device.is_host()) launch.least = step.least;
  if (step.by_lanes) {
    const Kernel& k = *step.by_lanes;
    launch.lane_groups = k.meet ? k.lanes : k.lanes / k.lane_group, launch.least_groups = k.meet ? k.lane_group : 1;
  }
  const bool last = &step == &c.code.steps.back() || (&step)[1].region != step.region;
  launch.ends_region = last && step.when == Step::in_tile;
  launches_.push_back(launch);
}

Address Launches::address(const Compiled& c, const MemoryPlan& memory, const ArrayRef& ref) {
  auto slot = static_cast<size_t>(ref.id);
  auto sums = [&](const std::vector<int>& place) { return memory.places[static_cast<size_t>(place.at(slot))].offset; };
  switch (ref.kind) {
    case ArrayRef::stream:
      return stream(c.plan, memory, ref.id);
    case ArrayRef::exact: {
      Address beside = stream(c.plan, memory, ref.id);
      beside.offset += 8;
      return beside;
    }
    case ArrayRef::state:
      return {state, 0, c.layout.cell.at(slot), 0};
    case ArrayRef::segment:
      return {state, 0, c.layout.segment.at(slot), 0};
    case ArrayRef::phase:
      return {state, 0, c.layout.phase.at(slot), 0};
    case ArrayRef::param:
      return {slots + ref.id, 0, 0, 0};
    case ArrayRef::tensor:
      return {static_cast<int>(tensors) + ref.id, 0, 0, 0};
    case ArrayRef::input: {
      const Node& node = c.plan.graph[ref.id];
      return {static_cast<int>(inputs) + static_cast<int>(node.attrs.i("channel")), clock(node.clock().period), 0, 4 * node.shape().size()};
    }
    case ArrayRef::scalars:
      return {scalars, 0, 0, 0};
    case ArrayRef::literal:
      return {scalars, 0, 4 * (kScalars + ref.id), 0};
    case ArrayRef::partial:
      return {arena, 0, sums(memory.partial), 0};
    case ArrayRef::total:
      return {arena, 0, sums(memory.total), 0};
    case ArrayRef::local:
      return {nowhere, 0, 0, 0};
  }
  throw InternalError("unknown kernel array");
}

Address Launches::stream(const Plan& plan, const MemoryPlan& memory, Id id) {
  const auto at = static_cast<size_t>(memory.stream.at(static_cast<size_t>(id)));
  const Place& p = memory.places[at];
  Address a{arena, 0, first_tick(p), 0};
  if (p.whole) a.clock = clock(plan.graph[id].clock().period), a.stride = 4 * p.size;
  for (size_t m = 0; m < movable.size(); ++m)
    if (movable[m].place == at) a.base = static_cast<int>(moved + m), a.offset = 0;
  return a;
}

int Launches::number(const KernelArg& arg) {
  auto of_clock = [&](ClockNumber which) { return clock_numbers + of_a_clock * clock(arg.period) + which; };
  switch (arg.kind) {
    case KernelArg::lo:
    case KernelArg::hi:
    case KernelArg::lane_lo:
    case KernelArg::lane_hi:
    case KernelArg::scratch:
    case KernelArg::common:
    case KernelArg::meeting:
      return one;
    case KernelArg::tile_frame:
      return tile_frame;
    case KernelArg::tick0:
      return of_clock(tick0);
    case KernelArg::offset:
      return of_clock(offset);
    case KernelArg::step:
      return training_step;
    case KernelArg::ticks:
      return of_clock(ticks);
    case KernelArg::tile_ticks:
      return of_clock(tile_ticks);
  }
  throw InternalError("unknown kernel argument");
}

int Launches::clock(int64_t period) {
  auto at = std::find(periods.begin(), periods.end(), period);
  if (at == periods.end()) at = periods.insert(at, period);
  return static_cast<int>(at - periods.begin());
}

Arguments::Arguments(const Launches& launches)
    : launches_(&launches),
      numbers_(Launches::clock_numbers + Launches::of_a_clock * launches.periods.size(), 1),
      before_(launches.periods.size(), 0),
      bases_(launches.bases, nullptr),
      arrays_(launches.addresses.size(), nullptr) {}

void Arguments::set_tile(const RunMemory& memory, const Tile& tile, uint64_t step, int64_t chunk) {
  const auto frame = static_cast<int64_t>(memory.position()) + tile.start;
  numbers_[Launches::tile_frame] = frame;
  numbers_[Launches::training_step] = static_cast<long>(step);
  numbers_[Launches::chunks] = chunk == 0 || tile.frames <= chunk ? tile.frames > 0 : (tile.frames + chunk - 1) / chunk;
  long* of_clock = numbers_.data() + Launches::clock_numbers;
  for (size_t c = 0; c < before_.size(); ++c, of_clock += Launches::of_a_clock) {
    const Clock clock{launches_->periods[c], false};
    const Ticks run = memory.ticks(clock), here = memory.ticks(clock, tile);
    of_clock[Launches::tick0] = here.first;
    of_clock[Launches::offset] = here.first * clock.period - frame;
    of_clock[Launches::ticks] = run.count;
    of_clock[Launches::tile_ticks] = here.count;
    before_[c] = here.first - run.first;
  }
  const bool later = tile.start > 0;
  if (later || later_)
    for (size_t a : launches_->tiled) place(a);
  later_ = later;
}

}  // namespace dgen::driver
