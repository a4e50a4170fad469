// Loop IR: kernels as data. Expressions are hash-consed numbers in an arena, statements a tree of loops over them.
// An `int` in an interface here is the number of an expression.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "ir/graph.h"

namespace dgen::ir {

enum class LoopOp {
  fconst,   // f
  iconst,   // i
  var,      // loop variable or let, number i
  arg,      // run-time integer of the kernel call, number i (see KernelArg)
  scalar,   // a scalar operator's row over float arguments, or over double ones
  widen,    // float to double
  iadd, isub, imul, idiv, imod, imin, imax,  // integers; idiv and imod of non-negative values by positive constants
  ilt, ieq, iand,                            // 0 or 1
  where,    // integer condition, a, b (any equal types)
  to_float, // sum of a 32-bit and a 64-bit integer, rounded to float
  to_int,   // float to integer, truncated; NaN gives 0, values beyond +-2^31 are clamped
  load,     // array i at integer index
  call,     // pure helper function `name` of the prelude
  // Of vectors only (see loop/vectorise.h):
  ramp,     // an integer and, from lane to lane, i more
  gather,   // array i at an integer index a lane
  clamped,  // array i at begin + clamp(position + lane, least, most), those four being numbers
};
using Args = SmallVector<int, 4>;
enum class LoopType { f32, i64, u64, f64 };

// "+" of iadd and so on, as C and the printer write them; empty for what does not stand between its arguments.
std::string_view infix(LoopOp op);

struct LoopExpr {
  LoopOp op;
  LoopType type = LoopType::f32;
  Args args;
  int64_t i = 0;
  double f = 0;
  Op row = nullptr;
  std::string name;
  bool lanes = false;  // a vector, one value a lane; integers have 32 bits then
  int64_t stride = 0;  // of a vector load: elements from lane to lane; 0: the array holds vectors
  bool operator==(const LoopExpr&) const = default;
};

// What an array of a kernel stands for; the driver binds it to memory when it launches.
struct ArrayRef {
  enum Kind {
    stream,   // id = node: [tick][element], index 0 is the tile's first tick; earlier (later, in reverse) ticks lie before (after)
    state,    // id = cell: a cell's value between ticks
    segment,  // id = a scan's first cell: how far it is in its segment (codegen/prelude_scan.cpp)
    phase,    // id = phasor node: u64 phases
    param,    // id = slot
    tensor,   // id = slot
    exact,    // id = node: a static value of one element, in double beside its stream
    literal,  // id = slot: constants that became run-time values
    input,    // id = node: host data of an input node, index 0 is the tile's first tick
    scalars,  // run-time floats: sample rate, see RunScalar
    partial,  // id = node: float32 partial sums of a sum over time
    total,    // id = node: float64 sums
    local,    // lives in the kernel, one tick long
  };
  Kind kind;
  Id id = none;
  int64_t size = 0;       // elements a tick (local: in all)
  LoopType type = LoopType::f32;
  bool written = false;
  enum Home {
    memory,     // locals: of one thread
    registers,  // copied to a local array while the kernel runs
    shared,     // local: of all threads of a block, in fast memory; on a CPU `at` floats into memory of all that meet
    scratch,    // local: `at` floats into memory of a GPU's block, or of a call on a CPU
  } home = memory;
  int64_t at = 0;
  bool lanes = false;     // local: of vectors
  bool aligned = false;   // local: begins where a cache line does
  int64_t room = 0;       // local or in registers: if more than size, for the last vector of a bank to lie in it whole
  bool operator==(const ArrayRef&) const = default;
};
enum class RunScalar { sample_rate, inv_sample_rate, ticks_base };

// Run-time integers of a launch. tile_frame: stream frame of the tile's first frame; per clock (id = period): tick0 is the
// run's tick number of the tile's first tick, offset its frame minus the tile's first frame; lo, hi: ticks to do;
// ticks: of a clock in the whole run; tile_ticks: in the tile; lane_lo, lane_hi: groups of lanes to do (loop/share.h);
// scratch: address of memory that is the call's own, Kernel::scratch floats; common: of all calls that meet, Kernel::common floats;
// meeting: of where they do (runtime/threads.h).
struct KernelArg {
  enum Kind { lo, hi, tile_frame, tick0, offset, step, ticks, tile_ticks, lane_lo, lane_hi, scratch, common, meeting } kind;
  int64_t period = 0;
  bool operator==(const KernelArg&) const = default;
};

enum class LoopTag {
  serial,    // in order
  groups,    // in order, but a vector of neighbours in any order
  lanes,     // in any order: elements
  parallel,  // in any order: ticks or chunks; cut among threads
  vector,    // in any order, a vector of iterations at a time: the variable is that of lane 0
  // What a GPU mapping makes of them:
  grid,      // one iteration a thread of any block
  blocks,    // one iteration a block, all its threads together
  threads,   // one iteration a thread of the block; of a reduce or call: its threads share the work
};

struct Stmt {
  enum Kind {
    loop,    // for var in [lo, hi), descending if reverse: body
    reduce,  // var = op over extents: body computes value, or value * factor, for vars[...]; 16 lanes, fixed order
    let,     // expression value is computed here, or read back from array[index], where a part before has left it
    store,   // array[index] = value
    add,     // array[index] += value
    guard,   // if (value) body
    call,    // name(arrays at index..., constants)
    barrier, // all threads of the block, or of a CPU's kernel (loop/meet.h), meet
    single,  // body, by one of these threads
    part,    // body, in a function of its own
  };
  Kind kind;
  int var = -1;
  int lo = -1, hi = -1, value = -1, index = -1, array = -1;
  bool reverse = false;             // of a vector loop too: the last vector first
  LoopTag tag = LoopTag::serial;
  std::string name;                 // call: function; reduce: "sum", "max" or "prod"
  std::vector<int> vars;            // reduce: one variable an extent
  std::vector<int> extents;         // integer expressions
  int factor = -1;                  // reduce, sum: of value; each product is added before it is rounded
  std::vector<std::pair<int, int>> pointers;  // call: array and index expression (-1: 0)
  std::vector<int> numbers;         // call: trailing integer expressions
  std::vector<int64_t> spans;       // call: elements used at each pointer, if known; the last pointer is then the result
  int rows = -1;                    // call: which number counts rows, of which the first array and the result have a span's share each
  bool lanes = false;               // call: of the function for vectors
  std::vector<Stmt> body;
  // Vectors: elements of memory from lane to lane (store, add); iterations that fill no vector.
  int64_t stride = 0;
  // loop, reduce: the last vector may have fewer lanes, and touches no memory of others.
  enum Mask {
    whole,  // it has all lanes
    last,   // it stands apart, after a loop without masks: best for short bodies
    every,  // all vectors are masked, so that the text has the body once
    bank,   // and so are those abreast: a bank in feedback that fills no vectors
  } mask = whole;
  std::vector<Stmt> rest;  // loop that is better not masked: the body for one iteration
  int rest_var = -1;
  bool overlaps = false;            // loop with a rest: the last vector may do iterations again instead
  int abreast = 1;                  // loop: vectors computed side by side where there are as many; 1, 2 or 4
  struct Carried {
    int var, first, next;  // var is first in the first iteration, then what next was in the one before; each is taken in this order
  };
  std::vector<Carried> carried;             // loop in order
  std::vector<std::pair<int, int>> trades;  // loop: arrays that take each other's place after each iteration, inside the loop only
  int64_t share = 0;                // loop, call: iterations, rows or columns a lane, where threads may share the kernel's lanes
};

struct Kernel {
  std::string name;
  std::string why;                  // strategy and reason, for explain
  std::vector<LoopExpr> exprs;
  std::vector<ArrayRef> arrays;
  std::vector<KernelArg> args;
  std::vector<Stmt> body;
  int vars = 0;
  int64_t lanes = 0, lane_group = 0;  // lanes that threads may share, and how many stay together; 0: none (loop/share.h)
  bool meet = false;                  // lanes are shares of its long loops and products, lane_group of them worth a thread (loop/meet.h)
  // How a GPU launches it (see loop/gpu_map.h).
  enum Spread { one_block, ticks_over_threads, ticks_over_blocks, elements_over_threads } spread = one_block;
  int threads = 1;       // of a block
  int64_t scratch = 0;   // floats of memory a block, on a CPU a call
  int64_t common = 0;    // floats of memory that all calls have that meet, on a CPU
  bool table = false;    // the addresses of its arrays stand in memory, more than a launch passes
  std::vector<std::pair<int64_t, int64_t>> var_range;  // [lo, hi) of integer variables where known, else (0, -1)
};

// Builds one kernel: expressions are folded, shared and placed by a let in the outermost scope that knows their operands;
// statements go to the innermost open scope.
class LoopBuilder {
 public:
  explicit LoopBuilder(std::string name);

  int f(double value);
  int i(int64_t value);
  int arg(KernelArg::Kind kind, int64_t period = 0);
  int scalar(Op row, Args args);  // in double where an argument is
  int scalar(std::string_view row, Args args);
  int binary(LoopOp op, int a, int b);
  int add(int a, int b) { return binary(LoopOp::iadd, a, b); }
  int sub(int a, int b) { return binary(LoopOp::isub, a, b); }
  int mul(int a, int64_t b) { return binary(LoopOp::imul, a, i(b)); }
  int div(int a, int64_t b) { return binary(LoopOp::idiv, a, i(b)); }
  int mod(int a, int64_t b) { return binary(LoopOp::imod, a, i(b)); }
  int clamp(int a, int64_t lo, int64_t hi) { return binary(LoopOp::imin, binary(LoopOp::imax, a, i(lo)), i(hi)); }
  int less(int a, int b) { return binary(LoopOp::ilt, a, b); }
  int equal(int a, int b) { return binary(LoopOp::ieq, a, b); }
  int both(int a, int b) { return binary(LoopOp::iand, a, b); }
  int inside(int a, int64_t lo, int64_t hi);  // lo <= a < hi
  int where(int condition, int a, int b);
  int widen(int a);
  int to_float(int a);
  int to_int(int a);
  int load(int array, int index);
  int call(std::string_view helper, Args args);  // see ir/helper.h

  int array(ArrayRef ref);                 // finds or adds
  int local(int64_t size, LoopType type = LoopType::f32);  // a new local array

  // Statements. The functions given run at once, with the new scope open.
  void loop(int lo, int hi, LoopTag tag, bool reverse, const std::function<void(int var)>& body);
  // Elements [0, n): the iterations must not depend on each other.
  void loop(int64_t n, const std::function<void(int var)>& body) { loop(i(0), i(n), LoopTag::lanes, false, body); }
  // The fold of value(vars) over extents ("sum", "max", "prod"), as an expression usable after it in the same scope. value may
  // be called more than once: short sums and products have no loop.
  int reduce(std::string_view op, const std::vector<int64_t>& extents, const std::function<int(const std::vector<int>&)>& value);
  int reduce_to(std::string_view op, const std::vector<int>& extents, const std::function<int(const std::vector<int>&)>& value);
  void trade(int a, int b);  // they take each other's place after each iteration of the loop that is built
  void store(int array, int index, int value);
  void accumulate(int array, int index, int value);  // array[index] += value
  void guard(int condition, const std::function<void()>& body);
  void call(std::string name, std::vector<std::pair<int, int>> pointers, std::vector<int> numbers, std::vector<int64_t> spans = {},
            int rows = -1);

  // Expressions that are 0 where what is built now runs, if it leaves_out_zeros: short sums are made without products with them.
  std::unordered_set<int> zeros;
  bool leaves_out_zeros = false;
  bool left_out() const { return left_out_; }  // has it happened?

  const LoopExpr& operator[](int e) const { return kernel_.exprs[static_cast<size_t>(e)]; }
  // [lo, hi) of an integer expression where it can be told.
  bool range(int e, int64_t* lo, int64_t* hi) const;
  Kernel finish();
  Kernel& kernel() { return kernel_; }

 private:
  struct Scope {
    std::vector<Stmt>* list;
    std::vector<int> known;  // expressions placed here
    bool guarded;
  };
  int put(LoopExpr e);
  int raw(LoopOp op, int a, int b);
  size_t home(const LoopExpr& e) const;
  void open(std::vector<Stmt>* list, bool guarded);
  void close();
  void forget(int id);
  void forget_loads(int array);
  int new_var(LoopType type, int64_t lo, int64_t hi);
  bool unrolls(const Stmt& reduce) const;
  bool leaves_out(int term) const;
  int unrolled(const Stmt& reduce, const std::function<int(const std::vector<int>&)>& value);

  // [lo, hi) of an integer expression; empty if it cannot be told.
  struct Range {
    int64_t lo = 0, hi = -1;
  };
  Range range_of(const LoopExpr& e) const;

  Kernel kernel_;
  std::vector<Scope> scopes_;
  std::vector<size_t> hash_, depth_;  // by expression; depth: the scope it is placed in
  std::vector<Range> range_;   // by expression
  // Known expressions by hash: chains of them, by expression the next one.
  static constexpr size_t kChains = 1024;
  std::vector<int> chain_ = std::vector<int>(kChains, -1), next_;
  bool left_out_ = false;
  std::vector<std::pair<int, int>> trades_;  // of the loop that is built
};

}  // namespace dgen::ir
