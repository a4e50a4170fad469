// What becomes of a loop's values when its iterations are the lanes of vectors.
//   for i: a = x[i]; b = x[3 * i]; c = y[k]; z[i] = a * b + c       a contiguous, b strided, c the same in all lanes
#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "ir/loop.h"
#include "loop/rows.h"

namespace dgen::loop {

// Costs are in about cycles; a vector is taken to have 8 lanes.
constexpr double kCostLanes = 8;

struct LaneValue {
  enum Kind { uniform, affine, lanes } kind = uniform;
  int64_t stride = 0;                  // affine: from lane to lane
  bool no_least = false, no_most = false;  // lanes: integers that may be anything, so that sums may not fit 32 bits
};

struct Lanes {
  std::string why_not;  // empty if the loop can be done in vectors
  double cost = 0;      // of a vector of iterations
  std::unordered_map<int, LaneValue> value;  // by expression computed in the loop
  std::unordered_set<int> own;               // local arrays of one iteration, which become arrays of vectors
  bool repeatable = true;                    // iterations may be done twice
  bool maskable = true;                      // lanes may be missing: no rows are turned and no transforms called
  bool contiguous = true;                    // of all in memory that differs from lane to lane
  std::unordered_map<int, Row> rows;         // by array: rows in memory that are turned into vectors
  int64_t copies = 0;                        // elements of rows that calls need as vectors

  LaneValue of(int e) const {
    auto found = value.find(e);
    return found == value.end() ? LaneValue{} : found->second;
  }
};

// Of an expression computed once, one by one.
double cost_of(const ir::LoopExpr& x);

class LaneAnalysis {
 public:
  explicit LaneAnalysis(const ir::Kernel& kernel);
  // Of a loop, or of a reduce along its last axis.
  Lanes of(const ir::Stmt& loop) const;

 private:
  const ir::Kernel& k_;
  std::vector<int> accesses_;  // by array
};

// An index that steps by one from lane to lane but stays in [least, most], and what is the same in all lanes.
struct ClampedIndex {
  IndexSum begin;
  int position = -1;
  int64_t least = 0, most = 0;
};
std::optional<ClampedIndex> clamped_index(const ir::Kernel& k, const Lanes& lanes, int index);

inline int lane_var(const ir::Stmt& s) { return s.kind == ir::Stmt::reduce ? s.vars.back() : s.var; }

// Iterations of a loop, terms of a reduce's last axis; known at run time only: as many as there often are.
double trips(const ir::Kernel& k, int lo, int hi);

}  // namespace dgen::loop
