#include "ir/parse.h"

#include <charconv>
#include <cctype>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>

#include "ir/op.h"
#include "ir/print.h"

namespace dgen::ir {
namespace {

constexpr size_t kMaxNodes = size_t{1} << 20, kMaxCells = size_t{1} << 16, kMaxRank = 16, kMaxNames = 1024, kMaxWord = 64;
constexpr int64_t kMaxSize = int64_t{1} << 31, kMaxElements = int64_t{1} << 40;

// Attribute names outlive every graph, so they are kept for good; there are few.
std::string_view intern(const std::string& name) {
  static std::mutex mutex;
  static std::set<std::string> names;
  std::lock_guard lock(mutex);
  auto found = names.find(name);
  if (found != names.end()) return *found;
  if (names.size() >= kMaxNames) fail("too many names of attributes");
  return *names.insert(name).first;
}

struct Place {
  int line = 0;
  size_t column = 0;  // from 0
};

[[noreturn]] void fail_at(Place at, const std::string& what) { fail(at.line, ":", at.column + 1, ": ", what); }

// One line of text and a position in it.
class Cursor {
 public:
  Cursor(std::string_view text, int line) : text_(text), line_(line) { skip_space(); }

  Place place() const { return {line_, at_}; }
  [[noreturn]] void error(const std::string& what) const { fail_at(place(), what); }
  bool done() const { return at_ == text_.size() || text_[at_] == ';'; }
  char peek() const { return done() ? '\0' : text_[at_]; }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    skip_space();
    return true;
  }
  void expect(char c) {
    if (!take(c)) error(cat("expected '", c, "'", found()));
  }
  void expect_end() const {
    if (!done()) error("expected the end of the line" + found());
  }
  std::string found() const { return done() ? ", found the end of the line" : cat(", found '", shown(peek()), "'"); }

  std::string word() {
    size_t begin = at_;
    while (!done() && (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_')) ++at_;
    if (at_ == begin) error("expected a name" + found());
    std::string w(text_.substr(begin, at_ - begin));
    if (w.size() > kMaxWord) fail_at({line_, begin}, "the name is too long");
    skip_space();
    return w;
  }

  int64_t integer() {
    int64_t value = 0;
    size_t begin = at_;
    auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (code == std::errc::result_out_of_range) error("the number is too large");
    if (code != std::errc()) error("expected an integer" + found());
    at_ = static_cast<size_t>(end - text_.data());
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e')) fail_at({line_, begin}, "expected an integer, found a fraction");
    skip_space();
    return value;
  }
  int64_t integer(int64_t lo, int64_t hi, const char* what) {
    Place at = place();
    int64_t value = integer();
    if (value < lo || value > hi) fail_at(at, cat(what, " ", value, " is not in [", lo, ", ", hi, "]"));
    return value;
  }

  // An integer, or a double if it is written as one.
  Attr number() {
    size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || (text_[end] && std::strchr("+-.", text_[end]))))
      ++end;
    std::string_view token = text_.substr(at_, end - at_);
    if (token.find_first_of(".en") == std::string_view::npos) return integer();
    double value = 0;
    auto [stop, code] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (code == std::errc::result_out_of_range) error("the number is out of range");
    if (code != std::errc() || stop != token.data() + token.size()) error("expected a number" + found());
    at_ = end;
    skip_space();
    return value;
  }

  std::string quoted() {
    expect_quote();
    std::string out;
    for (;;) {
      if (at_ == text_.size()) error("the string has no end");
      char c = text_[at_++];
      if (c == '"') break;
      out += c == '\\' ? escape() : c;
    }
    skip_space();
    return out;
  }

 private:
  static std::string shown(char c) { return std::isprint(static_cast<unsigned char>(c)) ? std::string(1, c) : "?"; }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  void expect_quote() {
    if (peek() != '"') error("expected a string" + found());
    ++at_;
  }
  char escape() {
    if (at_ == text_.size()) error("the string has no end");
    char c = text_[at_++];
    if (c == '"' || c == '\\') return c;
    unsigned value = 0;
    const char* hex = text_.data() + at_;
    if (c != 'x' || text_.size() - at_ < 2 || std::from_chars(hex, hex + 2, value, 16).ptr != hex + 2) error("unknown escape in a string");
    at_ += 2;
    return static_cast<char>(value);
  }

  std::string_view text_;
  int line_;
  size_t at_ = 0;
};

// ---- pieces of a line -------------------------------------------------------------------------------------------------

struct Ref {
  int64_t id = -1;
  Place place;
};

Ref parse_ref(Cursor& c) {
  Ref ref{-1, c.place()};
  c.expect('%');
  ref.id = c.integer(0, INT64_MAX, "node");
  return ref;
}

void check_shape(const Shape& shape, Place at) {
  if (shape.sizes().size() > kMaxRank) fail_at(at, cat("more than ", kMaxRank, " axes"));
  int64_t n = 1;
  for (int64_t s : shape) {
    if (s < 1 || s > kMaxSize) fail_at(at, cat("size ", s, " of an axis is not in [1, ", kMaxSize, "]"));
    n *= s;
    if (n > kMaxElements) fail_at(at, cat("a shape of more than ", kMaxElements, " elements"));
  }
}

void check_clock(Clock clock, Place at) {
  if (clock.period < 0 || clock.period > kMaxSize) fail_at(at, cat("hop ", clock.period, " is not in [1, ", kMaxSize, "]"));
}

Clock parse_clock(Cursor& c) {
  Place at = c.place();
  std::string name = c.word();
  Clock clock;
  if (name == "frame") {
    clock.period = 1;
  } else if (name == "hop") {
    c.expect('(');
    clock.period = c.integer(2, kMaxSize, "hop");
    c.expect(')');
  } else if (name != "static") {
    fail_at(at, cat("unknown clock '", name, "'"));
  }
  if (c.take('\'')) clock.reverse = true;
  return clock;
}

Type parse_type(Cursor& c) {
  Place at = c.place();
  Type type;
  c.expect('(');
  for (bool first = true; !c.take(')'); first = false) {
    if (!first) c.expect(',');
    type.shape.push_back(c.integer());
    if (type.shape.sizes().size() > kMaxRank) break;
  }
  check_shape(type.shape, at);
  c.expect('@');
  type.clock = parse_clock(c);
  return type;
}

Attr parse_value(Cursor& c) {
  if (c.peek() == '"') return c.quoted();
  if (c.peek() != '[') return c.number();
  c.expect('[');
  Ints list;
  for (bool first = true; !c.take(']'); first = false) {
    if (!first) c.expect(',');
    list.push_back(c.integer(-kMaxSize, kMaxSize, "value"));
  }
  return list;
}

// Operators multiply their sizes and steps; those of a leaf (seeds) may be any.
void check_attr(Op op, const std::string& name, const Attr& value, Place at) {
  if (auto* i = std::get_if<int64_t>(&value); i && op->family != Family::leaf && (*i < -kMaxSize || *i > kMaxSize))
    fail_at(at, cat("value ", *i, " is not in [", -kMaxSize, ", ", kMaxSize, "]"));
  if (auto* list = std::get_if<Ints>(&value); list && name == "shape") check_shape(Shape(*list), at);
}

Attrs parse_attrs(Cursor& c, Op op) {
  Attrs attrs;
  if (!c.take('{')) return attrs;
  for (bool first = true; !c.take('}'); first = false) {
    if (!first) c.expect(',');
    Place at = c.place();
    std::string name = c.word();
    if (attrs.has(name)) fail_at(at, cat("attribute '", name, "' is given twice"));
    c.expect('=');
    Place value_at = c.place();
    Attr value = parse_value(c);
    check_attr(op, name, value, value_at);
    attrs.set(intern(name), std::move(value));
  }
  return attrs;
}

struct NodeLine {
  Ref self;
  Place op_place, type_place;
  Op op = nullptr;
  std::vector<Ref> in;
  Attrs attrs;
  std::optional<Type> type;
  std::string label;
};

NodeLine parse_node(Cursor& c) {
  NodeLine line;
  line.self = parse_ref(c);
  c.expect('=');
  line.op_place = c.place();
  std::string name = c.word();
  line.op = find_op(name);
  if (!line.op) fail_at(line.op_place, cat("no operator '", name, "'"));
  while (c.peek() == '%') {
    line.in.push_back(parse_ref(c));
    if (!c.take(',')) break;
    if (c.peek() != '%') c.error("expected a node" + c.found());
  }
  line.attrs = parse_attrs(c, line.op);
  if (c.take(':')) {
    line.type_place = c.place();
    line.type = parse_type(c);
  }
  if (c.peek() == '"') line.label = c.quoted();
  c.expect_end();
  return line;
}

struct CellLine {
  Place place;
  Type type;
  Ref write;
  std::string key;
};

CellLine parse_cell(Cursor& c, size_t expected) {
  CellLine line{c.place(), {}, {}, {}};
  c.integer(static_cast<int64_t>(expected), static_cast<int64_t>(expected), "cell");
  c.expect(':');
  line.type = parse_type(c);
  while (!c.done()) {
    Place at = c.place();
    std::string word = c.word();
    if (word == "write") line.write = parse_ref(c);
    else if (word == "key") line.key = c.quoted();
    else fail_at(at, cat("expected 'write' or 'key', found '", word, "'"));
  }
  return line;
}

// ---- the whole --------------------------------------------------------------------------------------------------------

class Parser {
 public:
  Graph run(std::string_view text) {
    int number = 0;
    while (!text.empty()) {
      size_t end = std::min(text.find('\n'), text.size());
      read(Cursor(text.substr(0, end), ++number));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (size_t i = 0; i < lines_.size(); ++i) visit(i);
    finish();
    return std::move(g_);
  }

 private:
  void read(Cursor c) {
    if (c.done()) return;
    if (c.peek() == '%') return add_line(parse_node(c));
    Place at = c.place();
    std::string word = c.word();
    if (word == "cell") {
      if (cells_.size() == kMaxCells) fail_at(at, "too many cells");
      cells_.push_back(parse_cell(c, cells_.size()));
    } else if (word == "output" || word == "effect") {
      (word == "output" ? outputs_ : effects_).push_back(parse_ref(c));
    } else {
      fail_at(at, cat("expected a node, cell, output or effect, found '", word, "'"));
    }
    c.expect_end();
  }

  void add_line(NodeLine line) {
    if (lines_.size() == kMaxNodes) fail_at(line.self.place, "too many nodes");
    auto [found, is_new] = line_of_.emplace(line.self.id, lines_.size());
    if (!is_new)
      fail_at(line.self.place, cat("%", line.self.id, " is defined twice, first in line ", lines_[found->second].self.place.line));
    lines_.push_back(std::move(line));
    id_.push_back(none);
  }

  size_t line_of(Ref ref) const {
    auto found = line_of_.find(ref.id);
    if (found == line_of_.end()) fail_at(ref.place, cat("%", ref.id, " is not defined"));
    return found->second;
  }

  // Adds what a line needs, then the line itself: without recursion, since chains may be long.
  void visit(size_t root) {
    std::vector<std::pair<size_t, size_t>> stack;  // line, next input
    if (id_[root] == none) enter(root, stack);
    while (!stack.empty()) {
      auto& [line, next] = stack.back();
      if (next == lines_[line].in.size()) {
        id_[line] = build(lines_[line]);
        stack.pop_back();
        continue;
      }
      size_t in = line_of(lines_[line].in[next++]);
      if (id_[in] == none) enter(in, stack);
    }
  }

  void enter(size_t line, std::vector<std::pair<size_t, size_t>>& stack) {
    if (open_.resize(lines_.size()); open_[line]) cycle(line, stack);
    open_[line] = true;
    stack.push_back({line, 0});
  }

  [[noreturn]] void cycle(size_t line, const std::vector<std::pair<size_t, size_t>>& stack) const {
    size_t first = stack.size();
    while (stack[first - 1].first != line) --first;
    std::string names;
    for (size_t i = stack.size(); i >= first; --i) {
      if (stack.size() - i < 16) names += cat("%", lines_[stack[i - 1].first].self.id, " -> ");
      else if (stack.size() - i == 16) names += "... -> ";
    }
    fail_at(lines_[line].self.place, cat("a cycle without a cell: ", names, "%", lines_[stack.back().first].self.id));
  }

  Id build(NodeLine& line) {
    Node node{line.op, {}, std::move(line.attrs), {}, {}, std::move(line.label)};
    std::vector<Type> types;
    for (Ref ref : line.in) {
      node.in.push_back(id_[line_of(ref)]);
      types.push_back(g_[node.in.back()].type);
    }
    try {
      node.type = infer_type(line.op, types, node.attrs);
    } catch (const std::exception& e) {
      fail_at(line.op_place, e.what());
    }
    check_shape(node.shape(), line.op_place);
    check_clock(node.clock(), line.op_place);
    if (line.type && *line.type != node.type)
      fail_at(line.type_place, cat("the type is ", node.shape().str(), "@", node.clock().str()));
    check_cell(node, line.op_place);
    return g_.add(std::move(node));
  }

  void check_cell(const Node& node, Place at) const {
    if (!node.attrs.has("cell")) {
      if (node.op->family == Family::state) fail_at(at, "the cell is missing");
      return;
    }
    for (auto& item : node.attrs.items())
      if (item.name == "cell" && !std::holds_alternative<int64_t>(item.value)) fail_at(at, "the cell must be an integer");
    int64_t cell = node.attrs.i("cell");
    if (cell < 0 || cell >= static_cast<int64_t>(cells_.size())) fail_at(at, cat("cell ", cell, " is not defined"));
    const Type& type = cells_[static_cast<size_t>(cell)].type;
    bool same = type.shape == node.shape() && (node.clock().is_static() || type.clock == node.clock());
    if (!same)
      fail_at(at,
              cat("cell ", cell, " is ", type.shape.str(), "@", type.clock.str(), ", not ", node.shape().str(), "@", node.clock().str()));
  }

  void finish() {
    static const Op state_write = op("state_write");
    for (size_t c = 0; c < cells_.size(); ++c) {
      CellLine& line = cells_[c];
      Cell cell{line.type, none, std::move(line.key)};
      if (line.write.id >= 0) {
        cell.write = id_[line_of(line.write)];
        const Node& node = g_[cell.write];
        if (node.op != state_write || node.attrs.i("cell") != static_cast<int64_t>(c))
          fail_at(line.write.place, cat("%", line.write.id, " does not write cell ", c));
      }
      g_.cells.push_back(std::move(cell));
    }
    for (Id id = 0; id < g_.size(); ++id)
      if (g_[id].op == state_write && g_.cells[static_cast<size_t>(g_[id].attrs.i("cell"))].write != id)
        fail("cell ", g_[id].attrs.i("cell"), " does not name '", print_node(g_, id), "' as its write");
    for (Ref ref : outputs_) g_.outputs.push_back(id_[line_of(ref)]);
    for (Ref ref : effects_) {
      g_.effects.push_back(id_[line_of(ref)]);
      if (g_[g_.effects.back()].op->name != "assign") fail_at(ref.place, cat("%", ref.id, " is no effect"));
    }
  }

  Graph g_;
  std::vector<NodeLine> lines_;
  std::unordered_map<int64_t, size_t> line_of_;
  std::vector<Id> id_;      // by line: the node, once added
  std::vector<bool> open_;  // by line: being visited, or done
  std::vector<CellLine> cells_;
  std::vector<Ref> outputs_, effects_;
};

}  // namespace

Graph parse(std::string_view text) { return Parser().run(text); }

}  // namespace dgen::ir
