#include "loop/gpu_map.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "loop/walk.h"

namespace dgen::loop {

using namespace ir;

namespace {

constexpr int kThreads = 128, kMostThreads = 512;
constexpr int64_t kWide = 8;              // elements that are worth a block
constexpr int64_t kLongFold = 64;         // terms of a reduce that are
constexpr int64_t kThreadFloats = 64;     // of a thread's own arrays
constexpr int64_t kSharedFloats = 10240;  // of a block: 40 of the 48 KiB that every GPU has

bool shares_work(const std::string& call) { return call == "dg_matmul" || call == "dg_add_to"; }

class Mapper {
 public:
  explicit Mapper(Kernel kernel) : k_(std::move(kernel)) {}

  Kernel run() {
    Stmt* ticks = parallel_loop(k_.body);
    if (Stmt* product = only_product()) {
      product->tag = LoopTag::grid;
      k_.spread = Kernel::elements_over_threads, k_.threads = kThreads;
    } else if (!wide()) {
      if (ticks) ticks->tag = LoopTag::grid, k_.spread = Kernel::ticks_over_threads, k_.threads = kThreads;
    } else {
      if (ticks) ticks->tag = LoopTag::blocks, k_.spread = Kernel::ticks_over_blocks;
      map_block();
    }
    k_.table = std::count_if(k_.arrays.begin(), k_.arrays.end(), [](auto& a) { return a.kind != ArrayRef::local; }) > kMostArrays;
    return std::move(k_);
  }

 private:
  const LoopExpr& expr(int e) const { return k_.exprs[static_cast<size_t>(e)]; }

  static Stmt* parallel_loop(std::vector<Stmt>& body) {
    for (Stmt& s : body)
      if (s.kind == Stmt::loop && s.tag == LoopTag::parallel) return &s;
    return nullptr;
  }

  // A kernel that is one matrix product.
  Stmt* only_product() {
    Stmt* product = nullptr;
    for (Stmt& s : k_.body) {
      if (s.kind == Stmt::let) continue;
      if (product || s.kind != Stmt::call || s.name != "dg_matmul") return nullptr;
      product = &s;
    }
    return product;
  }

  // Iterations of a loop over elements, terms of a reduce; those known at run time only count as many.
  int64_t count(const Stmt& s) const {
    constexpr int64_t many = 1 << 20;
    if (s.kind == Stmt::loop)
      return expr(s.lo).op == LoopOp::iconst && expr(s.hi).op == LoopOp::iconst ? expr(s.hi).i - expr(s.lo).i : many;
    return expr(s.extents.back()).op == LoopOp::iconst ? expr(s.extents.back()).i : many;
  }

  bool wide() const {
    bool wide = false;
    int64_t own = 0;
    for (auto& a : k_.arrays) own += a.kind == ArrayRef::local ? a.size : 0;
    for_statements(k_.body, [&](const Stmt& s) {
      wide = wide || s.kind == Stmt::call || (s.kind == Stmt::loop && s.tag == LoopTag::lanes && count(s) >= kWide) ||
             (s.kind == Stmt::reduce && count(s) >= kLongFold);
    });
    return wide || own > kThreadFloats;
  }

  // ---- a block's threads -------------------------------------------------------------------------------------------------

  void map_block() {
    for (ArrayRef& a : k_.arrays)
      if (a.home == ArrayRef::registers) a.home = ArrayRef::memory;  // all threads see it
    int64_t most = 32;
    for_statements(k_.body, [&](const Stmt& s) {
      if (s.kind == Stmt::loop && s.tag == LoopTag::lanes) most = std::max(most, count(s));
      if (s.kind == Stmt::call && shares_work(s.name) && !s.spans.empty()) most = std::max(most, s.spans.back());
    });
    k_.threads = static_cast<int>(std::min<int64_t>((most + 31) / 32 * 32, kMostThreads));
    list(k_.body);
    home_locals();
  }

  // What the threads of the block have done since they last met, to arrays that the kernel writes.
  struct Since {
    bool reads = false, writes = false;
    bool any() const { return reads || writes; }
  };

  // Statements that all threads of the block run side by side.
  void list(std::vector<Stmt>& body) {
    std::vector<Stmt> out;
    for (Stmt& s : body) statement(s, out);
    body = std::move(out);
  }

  void meet(std::vector<Stmt>& out) {
    out.push_back({Stmt::barrier});
    since_ = {};
  }

  void statement(Stmt& s, std::vector<Stmt>& out) {
    switch (s.kind) {
      case Stmt::let: return let(s, out);
      case Stmt::store: case Stmt::add: return single(s, out);
      case Stmt::call: return call(s, out);
      case Stmt::guard: return guard(s, out);
      case Stmt::reduce: return reduce(s, out);
      case Stmt::loop: return s.tag == LoopTag::lanes ? lanes(s, out) : in_step(s, out);
      case Stmt::barrier: case Stmt::single: case Stmt::part: break;
    }
    throw InternalError("a kernel is mapped twice");
  }

  bool loads_written(int e) const {
    const LoopExpr& x = expr(e);
    return x.op == LoopOp::load && k_.arrays[static_cast<size_t>(x.i)].written;
  }
  bool reads_written(const std::vector<Stmt>& body) const {
    bool found = false;
    for_statements(body, [&](const Stmt& s) {
      found = found || (s.kind == Stmt::let && loads_written(s.value)) || s.kind == Stmt::add || s.kind == Stmt::call;
    });
    return found;
  }
  bool writes(const std::vector<Stmt>& body) const {
    bool found = false;
    for_statements(body, [&](const Stmt& s) { found = found || s.kind == Stmt::store || s.kind == Stmt::add || s.kind == Stmt::call; });
    return found;
  }

  void let(Stmt& s, std::vector<Stmt>& out) {
    if (loads_written(s.value)) {
      if (since_.writes) meet(out);
      since_.reads = true;
    }
    out.push_back(std::move(s));
  }

  // Neighbouring stores share one thread's turn.
  void single(Stmt& s, std::vector<Stmt>& out) {
    bool joins = !out.empty() && out.back().kind == Stmt::single;
    if (!joins) {
      if (since_.any()) meet(out);
      out.push_back({Stmt::single});
    }
    since_.writes = true;
    out.back().body.push_back(std::move(s));
  }

  void call(Stmt& s, std::vector<Stmt>& out) {
    if (!shares_work(s.name)) return single(s, out);
    if (since_.any()) meet(out);
    since_.writes = true;
    s.tag = LoopTag::threads;
    out.push_back(std::move(s));
  }

  void guard(Stmt& s, std::vector<Stmt>& out) {
    Since before = since_;
    list(s.body);
    since_.reads |= before.reads, since_.writes |= before.writes;
    out.push_back(std::move(s));
  }

  // A loop that all threads run together begins and ends each round with nothing open.
  void in_step(Stmt& s, std::vector<Stmt>& out) {
    if (since_.any()) meet(out);
    list(s.body);
    if (since_.any()) meet(s.body);
    out.push_back(std::move(s));
  }

  void lanes(Stmt& s, std::vector<Stmt>& out) {
    if (since_.any()) meet(out);
    widest(s).tag = LoopTag::threads;
    since_ = {reads_written(s.body), writes(s.body)};
    out.push_back(std::move(s));
  }

  // Of loops that stand directly inside each other, the one with most iterations; those around it all threads run.
  Stmt& widest(Stmt& outer) const {
    Stmt *best = &outer, *at = &outer;
    for (;;) {
      Stmt* inner = nullptr;
      for (Stmt& s : at->body) {
        if (s.kind == Stmt::let) continue;
        if (inner || s.kind != Stmt::loop || s.tag != LoopTag::lanes) return *best;
        inner = &s;
      }
      if (!inner) return *best;
      at = inner;
      if (count(*at) > count(*best)) best = at;
    }
  }

  // A long fold is shared by 16 threads, one a partial result; short ones every thread does for itself.
  void reduce(Stmt& s, std::vector<Stmt>& out) {
    bool shared = count(s) >= kLongFold, reads = reads_written(s.body);
    if (shared ? since_.any() || folded_ : reads && since_.writes) meet(out);
    if (shared) s.tag = LoopTag::threads, folded_ = true;
    since_.reads = since_.reads || reads || shared;
    out.push_back(std::move(s));
  }

  // ---- local arrays ------------------------------------------------------------------------------------------------------

  // Those that only one loop over threads touches belong to each thread; others to the block.
  void home_locals() {
    std::vector<std::set<const Stmt*>> users(k_.arrays.size());
    find_users(k_.body, nullptr, users);
    int64_t shared = 0;
    for (size_t i = 0; i < k_.arrays.size(); ++i) {
      ArrayRef& a = k_.arrays[i];
      if (a.kind != ArrayRef::local || (users[i].size() <= 1 && !users[i].count(nullptr))) continue;
      if (shared + a.size <= kSharedFloats) a.home = ArrayRef::shared, shared += a.size;
      else a.home = ArrayRef::scratch, a.at = k_.scratch, k_.scratch += (a.size + 31) / 32 * 32;
    }
  }

  void find_users(const std::vector<Stmt>& body, const Stmt* inside, std::vector<std::set<const Stmt*>>& users) const {
    for (auto& s : body) {
      const Stmt* here = s.kind == Stmt::loop && s.tag == LoopTag::threads ? &s : inside;
      auto use = [&](int64_t array) { users[static_cast<size_t>(array)].insert(inside); };
      if (s.kind == Stmt::let && expr(s.value).op == LoopOp::load) use(expr(s.value).i);
      if (s.kind == Stmt::store || s.kind == Stmt::add) use(s.array);
      for (auto [array, index] : s.pointers) use(array);
      find_users(s.body, here, users);
    }
  }

  Kernel k_;
  Since since_;
  bool folded_ = false;  // the block's partial results may still be read
};

}  // namespace

Kernel map_to_gpu(Kernel kernel) { return Mapper(std::move(kernel)).run(); }

std::vector<Kernel> map_to_gpu(std::vector<Kernel> kernels) {
  for (Kernel& kernel : kernels) kernel = map_to_gpu(std::move(kernel));
  return kernels;
}

}  // namespace dgen::loop
