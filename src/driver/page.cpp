#include "driver/page.h"

#include <map>

#include "base/check.h"
#include "driver/drawing.h"
#include "driver/dump.h"
#include "driver/explain.h"
#include "ir/op.h"
#include "ir/print.h"
#include "ir/print_loop.h"

namespace dgen::driver {

using namespace ir;
using schedule::Plan;
using schedule::Store;

namespace {

constexpr const char* kStyle = R"(
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em; color: #222; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: 2px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
td.n { text-align: right; }
pre, code, .graph text { font-family: ui-monospace, monospace; font-size: 12.5px; }
pre { background: #f7f7f7; padding: 8px; overflow-x: auto; }
ins { background: #d8f5d0; text-decoration: none; } del { background: #fbdcdc; text-decoration: none; }
summary { cursor: pointer; margin: 4px 0; } .scroll { overflow: auto; max-height: 80vh; border: 1px solid #ddd; }
.graph rect { stroke: #888; } .graph rect.root { stroke: #222; stroke-width: 2.5; } .graph rect.reverse { stroke-dasharray: 2 2; }
.graph .small { font-size: 11px; fill: #555; } .edge { fill: none; stroke: #999; }
.feedback { fill: none; stroke: #d33; stroke-dasharray: 5 4; } .tip { fill: #d33; }
)";

std::string link(const std::string& to, const std::string& text) {
  return cat("<a href=\"", escape_markup(to), "\">", escape_markup(text), "</a>");
}
std::string pre(const std::string& text) { return cat("<pre>", escape_markup(text), "</pre>\n"); }
std::string details(const std::string& summary, const std::string& body) {
  return cat("<details><summary>", summary, "</summary>\n", body, "</details>\n");
}

// ---- passes ---------------------------------------------------------------------------------------------------------------

// A node's line without its own and its inputs' numbers, which every pass gives anew.
std::string unnumbered(const Graph& g, Id id) {
  std::string line = print_node(g, id), out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '%') {
      out += line[i];
      continue;
    }
    while (i + 1 < line.size() && line[i + 1] >= '0' && line[i + 1] <= '9') ++i;
  }
  return out;
}

// The graph, what is new in it marked, and then what is gone.
std::string difference(const Graph& before, const Graph& after) {
  std::map<std::string, int> left;
  for (Id id = 0; id < before.size(); ++id) ++left[unnumbered(before, id)];
  std::string text = "<pre>", gone;
  for (Id id = 0; id < after.size(); ++id) {
    std::string line = escape_markup(print_node(after, id));
    bool known = left[unnumbered(after, id)]-- > 0;
    text += known ? line + "\n" : "<ins>" + line + "</ins>\n";
  }
  for (Id id = before.size(); id-- > 0;)
    if (int& n = left[unnumbered(before, id)]; n > 0) --n, gone = cat("<del>", escape_markup(print_node(before, id)), "</del>\n", gone);
  return text + gone + "</pre>\n";
}

std::string rewrites(const Stage& stage) {
  std::string text = "<table><tr><th>rule</th><th>before</th><th>after</th></tr>\n";
  for (auto& rule : stage.rewrites)
    text += cat("<tr><td>", escape_markup(rule.rule), "</td><td><code>", escape_markup(rule.before), "</code></td><td><pre>",
                escape_markup(rule.after), "</pre></td></tr>\n");
  return text + "</table>\n";
}

std::string stages(const Record& r) {
  std::string text = "<h2 id=\"passes\">Passes</h2>\n";
  for (size_t i = 0; i < r.stages.size(); ++i) {
    const Stage& stage = r.stages[i];
    std::string head = cat("<b>", escape_markup(stage.name), "</b>: ", escape_markup(stage.does), ", ", stage.graph.size(), " nodes");
    std::string body =
        link(stage_file(r, i), stage_file(r, i)) + (i == 0 ? pre(print(stage.graph)) : difference(r.stages[i - 1].graph, stage.graph));
    if (!stage.rewrites.empty()) body += details(cat(stage.rewrites.size(), " rewrites"), rewrites(stage));
    text += details(head, body);
  }
  return text;
}

// ---- the plan -------------------------------------------------------------------------------------------------------------

std::string kernel_links(const Record& r, int region) {
  std::string text;
  for (auto& k : r.kernels)
    if (k.region == region) text += link("#" + k.kernel.name, k.kernel.name) + " ";
  return text;
}

std::string regions(const Record& r) {
  const Plan& plan = *r.plan;
  std::string text =
      "<h2 id=\"regions\">Regions</h2>\n<p>In order of execution; " + link("plan.txt", "plan.txt") + " has them with their values.</p>\n";
  text += "<table><tr><th></th><th>sweep</th><th>clock</th><th>strategy</th><th>why</th><th>values</th><th>kernels</th></tr>\n";
  for (size_t n = 0; n < plan.regions.size(); ++n) {
    const schedule::Region& region = plan.regions[n];
    std::string values;
    for (Id id : region.nodes) values += cat("%", id, " ", plan.graph[id].op->name, " ");
    text += cat("<tr><td class=\"n\">", n, "</td><td>", region.level, " ", sweep_name(region.level), "</td><td>", region.clock.str(),
                "</td><td>", strategy_name(region, plan.graph), "</td><td>", escape_markup(region.reason), "</td><td><code>",
                escape_markup(values), "</code></td><td>", kernel_links(r, static_cast<int>(n)), "</td></tr>\n");
  }
  return text + "</table>\n";
}

std::string kernels(const Record& r) {
  std::string text = "<h2 id=\"kernels\">Kernels</h2>\n<p>All in one file, with their helpers: " +
                     link("program" + source_ending(r), "program" + source_ending(r)) + "</p>\n";
  for (auto& k : r.kernels) {
    const std::string& name = k.kernel.name;
    std::string head = cat("<b id=\"", name, "\">", name, "</b> ", k.region < 0 ? "after a tile" : cat("region ", k.region));
    std::string body = link(name + ".txt", "loop IR") + pre(print(k.kernel)) + link(name + source_ending(r), "source") + pre(k.source);
    text += details(head, body);
  }
  return text;
}

std::string buffer_class(const Plan& plan, Id id) {
  const Graph& g = plan.graph;
  const std::string_view op = g[id].op->name;
  if (op == "param" || op == "tensor" || op == "input" || op == "literal") return std::string(op);
  auto has = [id](const std::vector<Id>& list) { return std::find(list.begin(), list.end(), id) != list.end(); };
  if (has(g.outputs)) return "output";
  if (has(g.effects)) return plan.store[static_cast<size_t>(id)] == Store::param ? "written to its param" : "new value of a param";
  if (!plan.stored(id)) return "";
  return plan.store[static_cast<size_t>(id)] == Store::stream ? "stored" : "one tick";
}

std::string buffers(const Plan& plan) {
  std::string text = "<h2 id=\"buffers\">Buffers</h2>\n";
  text += "<table><tr><th>value</th><th>what</th><th>shape</th><th>clock</th><th>bytes</th><th>ticks of history</th></tr>\n";
  double stream = 0;
  int64_t fixed = 0;
  for (Id id = 0; id < plan.graph.size(); ++id) {
    const Node& node = plan.graph[id];
    std::string what = buffer_class(plan, id);
    if (what.empty()) continue;
    int64_t bytes = 4 * node.shape().size();
    bool once = node.clock().is_static();
    if (once) fixed += bytes;
    else if (what != "one tick") stream += static_cast<double>(bytes) / static_cast<double>(node.clock().period);
    text += cat("<tr><td><code>%", id, " ", node.op->name, " ", escape_markup(node.label), "</code></td><td>", what, "</td><td>",
                node.shape().str(), "</td><td>", node.clock().str(), "</td><td class=\"n\">", bytes, once ? "" : " a tick",
                "</td><td class=\"n\">", plan.history[static_cast<size_t>(id)], "</td></tr>\n");
  }
  for (size_t c = 0; c < plan.graph.cells.size(); ++c) {
    const Type& type = plan.graph.cells[c].type;
    text += cat("<tr><td><code>cell ", c, " ", escape_markup(plan.graph.cells[c].key), "</code></td><td>state</td><td>", type.shape.str(),
                "</td><td>", type.clock.str(), "</td><td class=\"n\">", 4 * type.shape.size(), "</td><td></td></tr>\n");
    fixed += 4 * type.shape.size();
  }
  return text + cat("</table>\n<p>", fixed, " bytes once, and ", stream, " bytes a frame.</p>\n");
}

}  // namespace

std::string page(const Record& r, const std::string& title) {
  std::string text = cat("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>DGen: ", escape_markup(title),
                         "</title><style>", kStyle, "</style></head><body>\n<h1>", escape_markup(title), "</h1>\n<p>",
                         r.stages.front().graph.size(), " nodes captured, ", r.stages.back().graph.size(), " after the passes");
  if (r.plan) text += cat("; ", r.plan->regions.size(), " regions, ", r.kernels.size(), " kernels");
  text += ".</p>\n";
  if (!r.error.empty()) text += cat("<p><b>Ended early:</b> ", escape_markup(r.error), "</p>\n");
  text += "<h2 id=\"graph\">Graph</h2>\n<p>As captured; a box's tip shows its line.</p><div class=\"scroll\">\n" +
          draw_svg(r.stages.front().graph) + "</div>\n";
  text += details("after the passes", "<div class=\"scroll\">\n" + draw_svg(r.stages.back().graph) + "</div>\n");
  text += stages(r);
  if (r.plan) text += regions(r) + kernels(r) + buffers(*r.plan);
  return text + "</body></html>\n";
}

}  // namespace dgen::driver
