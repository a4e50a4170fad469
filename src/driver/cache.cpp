// Programs by structure: an equal graph, rebuilt, finds its program without a compile.
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/check.h"
#include "driver/programs.h"
#include "ir/op.h"

namespace dgen::driver {

using namespace ir;

namespace {

// The captured graph without labels, lines and data, as bytes.
class Key {
 public:
  Key(const Graph& g, const Options& options) {
    put(static_cast<int64_t>(options.backend));
    put(options.exact_blocks);
    put(options.memory_budget);
    put(options.threads);
    put(options.chunk_frames);
    put(options.tile_frames);
    put(options.optimize);
    for (auto& node : g.nodes()) {
      put(reinterpret_cast<int64_t>(node.op));
      put(static_cast<int64_t>(node.in.size()));
      for (Id in : node.in) put(in);
      for (auto& item : node.attrs.items()) attr(item.value);
      put(node.clock().period * 2 + node.clock().reverse);
      for (int64_t s : node.shape()) put(s);
      put(-1);
    }
    for (auto& cell : g.cells) put(cell.write), text_ += cell.key;
    for (Id o : g.outputs) put(o);
    put(-2);
    for (Id e : g.effects) put(e);
  }
  std::string take() { return std::move(text_); }

 private:
  void put(int64_t v) { text_.append(reinterpret_cast<const char*>(&v), sizeof v); }
  void attr(const Attr& value) {
    put(static_cast<int64_t>(value.index()));
    if (auto* i = std::get_if<int64_t>(&value)) return put(*i);
    if (auto* f = std::get_if<double>(&value)) return void(text_.append(reinterpret_cast<const char*>(f), sizeof *f));
    if (auto* s = std::get_if<std::string>(&value)) return void(text_ += *s);
    for (int64_t v : std::get<Ints>(value)) put(v);
  }
  std::string text_;
};

}  // namespace

std::shared_ptr<Program> get_program(const Capture& capture, const Options& options) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::shared_ptr<Program>> programs;
  std::string key = Key(capture.graph, options).take();
  {
    std::lock_guard lock(mutex);
    if (auto found = programs.find(key); found != programs.end()) return found->second;
  }
  std::shared_ptr<Program> program;
  if (options.backend == Backend::cuda) fail("the CUDA backend is not part of this build");
  if (options.backend == Backend::interpreter) program = make_interp_program(capture.graph);
  else program = make_cpu_program(capture.graph, options);
  std::lock_guard lock(mutex);
  return programs.emplace(std::move(key), std::move(program)).first->second;
}

}  // namespace dgen::driver
