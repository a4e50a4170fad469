// Programs by structure: an equal graph, rebuilt, finds its program without a compile.
#include <bit>
#include <chrono>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/check.h"
#include "base/hash.h"
#include "driver/bindings.h"
#include "driver/debug.h"
#include "driver/programs.h"
#include "driver/record.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;

namespace {

// The captured graph without labels, lines and data, as bytes; with or without the values of its literals.
class Key {
 public:
  Key(const Graph& g, const Options& options, bool literals) {
    static const Op constant = op("const");
    text_.reserve(static_cast<size_t>(g.size()) * 8 * sizeof(int64_t));
    put(literals);
    put(static_cast<int64_t>(options.backend));
    put(options.memory_budget);
    put(options.threads);
    put(options.chunk_frames);
    put(options.tile_frames);
    put(options.optimize);
    put(options.plain);
    put(options.careful);
    for (auto& node : g.nodes()) {
      put(reinterpret_cast<int64_t>(node.op));
      put(static_cast<int64_t>(node.in.size()));
      for (Id in : node.in) put(in);
      if (literals || node.op != constant)
        for (auto& item : node.attrs.items()) attr(item.value);
      put(node.clock().period * 2 + node.clock().reverse);
      for (int64_t s : node.shape()) put(s);
      put(-1);
    }
    for (auto& cell : g.cells) put(cell.write), put_text(cell.key);
    for (Id o : g.outputs) put(o);
    put(-2);
    for (Id e : g.effects) put(e);
  }
  std::string take() {
    flush();
    return std::move(text_);
  }

 private:
  void put(int64_t v) {
    if (used_ == std::size(words_)) flush();
    words_[used_++] = v;
  }
  void put_text(const std::string& s) {
    flush();
    text_ += s;
  }
  void flush() {
    text_.append(reinterpret_cast<const char*>(words_), used_ * sizeof *words_);
    used_ = 0;
  }
  void attr(const Attr& value) {
    put(static_cast<int64_t>(value.index()));
    if (auto* i = std::get_if<int64_t>(&value)) return put(*i);
    if (auto* f = std::get_if<double>(&value)) return put(std::bit_cast<int64_t>(*f));
    if (auto* s = std::get_if<std::string>(&value)) return put_text(*s);
    for (int64_t v : std::get<Ints>(value)) put(v);
  }
  int64_t words_[512];  // a string takes them by the page
  size_t used_ = 0;
  std::string text_;
};

// Constants as run-time slots, numbered as in Bindings.
Graph with_literal_slots(const Graph& g) {
  static const Op constant = op("const"), literal = op("literal");
  int64_t slot = 0;
  return rewrite(g, [&](Graph& out, Id, Node&& node) {
    if (node.op == constant) node.op = literal, node.attrs = {{"slot", slot++}};
    return out.add(std::move(node));
  });
}

// Which elements of constants are 0 now. A program looks whether they still are, so it serves other values, too.
Graph with_known_zeros(const Capture& capture) {
  static const Op known_zeros = op("known_zeros"), tensor = op("tensor");
  const Graph& g = capture.graph;
  if (nodes_of(g, "known_zeros").empty()) return g;
  return rewrite(g, [&](Graph& out, Id id, Node&& node) {
    if (const Node* data = node.op == known_zeros ? &g[g[id].in[0]] : nullptr; data && data->op == tensor) {
      const std::vector<float>& values = capture.tensors.at(static_cast<size_t>(data->attrs.i("slot")))->values();
      Ints zeros;
      for (size_t i = 0; i < values.size(); ++i)
        if (values[i] == 0) zeros.push_back(static_cast<int64_t>(i));
      node.attrs.set("elements", zeros);
    }
    return out.add(std::move(node));
  });
}

std::shared_ptr<Program> make_program(Graph graph, const Options& options) {
  if (options.backend == Backend::interpreter) return make_interp_program(std::move(graph));
  return make_compiled_program(std::move(graph), options);
}

// make_program, with what DGEN_DEBUG and DGEN_DUMP show around it.
std::shared_ptr<Program> watched_program(Graph graph, const Options& options) {
  show_compile(graph, options);
  runtime::Trace::Scope span(trace(), "compile");
  auto start = std::chrono::steady_clock::now();
  std::shared_ptr<Program> program = make_program(std::move(graph), options);
  show_compiled(*program, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return program;
}

struct HashKey {
  size_t operator()(const std::string& key) const { return static_cast<size_t>(hash128(key).low); }
};

struct Cache {
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<Program>, HashKey> programs;
  std::unordered_map<std::string, int, HashKey> structures;  // how often a structure was compiled
};

}  // namespace

std::string structure_of(const Capture& capture) { return Key(capture.graph, {}, true).take(); }

// A structure that comes again with other literals gets a program that takes them at run time: a constant that changes at
// each step compiles twice, not every time.
std::shared_ptr<Program> get_program(const Capture& capture, const Options& options) {
  static Cache cache;
  std::string exact = Key(capture.graph, options, true).take(), structure;
  bool slots = false;
  {
    std::lock_guard lock(cache.mutex);
    if (auto found = cache.programs.find(exact); found != cache.programs.end()) return found->second;
    structure = Key(capture.graph, options, false).take();
    if (auto found = cache.programs.find(structure); found != cache.programs.end()) return found->second;
    slots = cache.structures[structure]++ > 0;
  }
  Graph graph = with_known_zeros(capture);
  if (slots) graph = with_literal_slots(graph);
  std::shared_ptr<Program> program = watched_program(std::move(graph), options);
  std::lock_guard lock(cache.mutex);
  return cache.programs.emplace(slots ? std::move(structure) : std::move(exact), std::move(program)).first->second;
}

}  // namespace dgen::driver
