// Kernels as text: one renderer, a Dialect a target. It decides nothing: the loop IR says what runs where.
#pragma once
#include <set>
#include <span>
#include <string>

#include "codegen/prelude.h"
#include "ir/loop.h"

namespace dgen::codegen {

// C:     void NAME(void* const* a, const long* n)         arrays and run-time integers of one launch
// CUDA:  __global__ __launch_bounds__(threads) void NAME(float* a0, ..., long n0...) the same one by one, but for the kernel's own arrays;
//        NAME(void* const* table, long n0...) where there are too many
// Metal: an argument buffer of the arrays; rendered and checked as text, never run
struct Dialect {
  Target target;
  std::string_view before_name, arguments;  // $t: threads of a block; $n: the number of arrays; empty: one by one
  std::string_view array;                   // "a[$i]"
  std::string_view restrict_word, real_long;
  std::string_view space;            // of arrays in device memory
  std::string_view total_type;       // of a sum over time, twice as precise as float
  // Words for a GPU's threads; empty on the host.
  std::string_view thread, threads, block, blocks;
  std::string_view barrier, single;  // $m, $l: numbers of the meeting and of a call's first lanes
  std::string_view shared;
};
const Dialect& dialect(Target target);

// What a kernel calls that takes long to compile: products, transforms, scans. A text has each of them once.
std::set<std::string> long_functions(const ir::Kernel& kernel);

// Helpers used by the kernels, then the kernels. Those of a GPU have been mapped (loop/gpu_map.h).
std::string render_program(Target target, std::span<const ir::Kernel* const> kernels);
std::string render_kernel(const Dialect& dialect, const ir::Kernel& kernel);

}  // namespace dgen::codegen
