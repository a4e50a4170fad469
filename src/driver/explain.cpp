#include "driver/explain.h"

#include <map>
#include <sstream>

#include "ir/op.h"

namespace dgen::driver {

using namespace ir;
using schedule::Store;
using schedule::Strategy;

const char* strategy_name(const schedule::Region& region, const Graph& g) {
  switch (region.strategy) {
    case Strategy::gemm: return "Gemm";
    case Strategy::scan: return "Scan";
    case Strategy::ordered: return "OrderedFma";
    case Strategy::shift: return "Shift";
    case Strategy::blocks: return "DelayBlocks";
    case Strategy::phase_sum: return "PhaseSum";
    case Strategy::sines: return "Sines";
    case Strategy::sum_time: return "Reduce";
    case Strategy::serial: {
      for (Id id : region.nodes)
        if (g[id].shape().size() > 1) return "SerialLanes";
      return "Serial";
    }
    case Strategy::pointwise: break;
  }
  for (Id id : region.nodes)
    if (g[id].op->family == Family::spectral) return "Fft";
  for (Id id : region.nodes)
    if (g[id].op->family == Family::reduce) return "Reduce";
  return "Pointwise";
}

const char* sweep_name(int level) {
  static const char* sweeps[] = {"static", "forward", "reverse"};
  return sweeps[level % 3];
}

std::string explain_plan(const schedule::Plan& plan, const std::map<int, std::string>& notes) {
  std::ostringstream out;
  const Graph& g = plan.graph;
  out << g.size() << " nodes, " << g.cells.size() << " cells, " << plan.regions.size() << " regions; partial sums of " << plan.chunk
      << " frames\n";
  for (size_t r = 0; r < plan.regions.size(); ++r) {
    const auto& region = plan.regions[r];
    out << "region " << r << "  sweep " << region.level << " (" << sweep_name(region.level) << ") at " << region.clock.str() << "  "
        << strategy_name(region, g) << ": " << region.reason;
    if (auto note = notes.find(static_cast<int>(r)); note != notes.end()) out << "; " << note->second;
    out << "\n";
    for (Id id : region.nodes) {
      const Node& node = g[id];
      int64_t bytes = 4 * node.shape().size();
      out << "  %" << id << " = " << node.op->name << " " << node.shape().str();
      if (!node.label.empty()) out << " \"" << node.label << "\"";
      const Store store = plan.store[static_cast<size_t>(id)];
      out << (store == Store::stream ? "  stored, " : store == Store::param ? "  in its param, " : "  local, ");
      out << bytes << " bytes" << (node.clock().is_static() ? "" : " a tick");
      if (plan.history[static_cast<size_t>(id)] > 0) out << ", " << plan.history[static_cast<size_t>(id)] << " ticks of history";
      out << "\n";
    }
  }
  return out.str();
}

std::string explain_memory(const schedule::MemoryPlan& m) {
  std::ostringstream out;
  out << "memory of a run of " << m.frames << " frames";
  if (m.tiled()) out << " in tiles of " << m.tile_frames;
  if (m.recompute) out << ", each computed again in the reverse sweep (checkpoints at their borders)";
  int64_t apart = 0;
  std::map<std::string, std::pair<int64_t, int64_t>> kinds;  // places and bytes
  for (const schedule::Place& p : m.places) {
    auto& [count, bytes] = kinds[schedule::keep_name(p.keep)];
    ++count, bytes += p.bytes, apart += p.bytes;
  }
  out << ": " << m.bytes << " bytes, " << apart << " without sharing\n";
  for (auto& [name, kind] : kinds) out << "  " << name << ": " << kind.first << " values, " << kind.second << " bytes\n";
  return out.str();
}

}  // namespace dgen::driver
