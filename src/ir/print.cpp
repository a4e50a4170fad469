#include "ir/print.h"

#include <charconv>
#include <cstdio>

#include "ir/op.h"

namespace dgen::ir {
namespace {

// The shortest text that reads back as the same double, and never as an integer.
std::string number(double value) {
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string s(text, end);
  return s.find_first_of(".en") == std::string::npos ? s + ".0" : s;
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
      out += hex;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string attr_text(const Attr& attr) {
  if (auto* i = std::get_if<int64_t>(&attr)) return std::to_string(*i);
  if (auto* f = std::get_if<double>(&attr)) return number(*f);
  if (auto* s = std::get_if<std::string>(&attr)) return quoted(*s);
  std::string list;
  for (int64_t v : std::get<Ints>(attr)) list += (list.empty() ? "" : ",") + std::to_string(v);
  return "[" + list + "]";
}

std::string type_text(const Type& type) { return type.shape.str() + "@" + type.clock.str(); }

std::string cell_line(const Cell& cell, size_t number) {
  std::string line = cat("cell ", number, " : ", type_text(cell.type));
  if (cell.write != none) line += cat(" write %", cell.write);
  if (!cell.key.empty()) line += " key " + quoted(cell.key);
  return line + "\n";
}

}  // namespace

std::string print_attrs(const Attrs& attrs) {
  std::string text;
  for (auto& item : attrs.items()) text += cat(text.empty() ? "" : ",", item.name, "=", attr_text(item.value));
  return text.empty() ? text : "{" + text + "}";
}

std::string print_call(Op op, const Ids& in, const Attrs& attrs) {
  std::string text(op->name);
  for (size_t i = 0; i < in.size(); ++i) text += cat(i ? ", %" : " %", in[i]);
  return attrs.items().empty() ? text : text + " " + print_attrs(attrs);
}

std::string print_node(const Graph& g, Id id) {
  const Node& node = g[id];
  std::string line = cat("%", id, " = ", print_call(node.op, node.in, node.attrs), " : ", type_text(node.type));
  if (!node.label.empty()) line += " " + quoted(node.label);
  return line;
}

std::string print(const Graph& g) {
  std::string text;
  for (Id id = 0; id < g.size(); ++id) text += print_node(g, id) + "\n";
  for (size_t c = 0; c < g.cells.size(); ++c) text += cell_line(g.cells[c], c);
  for (Id id : g.outputs) text += cat("output %", id, "\n");
  for (Id id : g.effects) text += cat("effect %", id, "\n");
  return text;
}

std::string print_dot(const Graph& g) {
  std::string text = "digraph dgen {\n  node [shape=box, fontname=monospace];\n";
  for (Id id = 0; id < g.size(); ++id) {
    const Node& node = g[id];
    std::string attrs = print_attrs(node.attrs);
    std::string label = cat("%", id, " ", node.op->name, attrs.empty() ? "" : " " + attrs, "  ", type_text(node.type));
    if (!node.label.empty()) label += "  " + node.label;
    text += cat("  n", id, " [label=", quoted(label), "];\n");
    for (Id in : node.in) text += cat("  n", in, " -> n", id, ";\n");
    if (!node.attrs.has("cell")) continue;
    Id write = g.cells[static_cast<size_t>(node.attrs.i("cell"))].write;
    if (write != none && write != id) text += cat("  n", write, " -> n", id, " [style=dashed, constraint=false];\n");
  }
  for (size_t o = 0; o < g.outputs.size(); ++o)
    text += cat("  out", o, " [label=\"output ", o, "\", shape=ellipse];\n  n", g.outputs[o], " -> out", o, ";\n");
  return text + "}\n";
}

}  // namespace dgen::ir
