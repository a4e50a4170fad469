// Kernels as text: one renderer, a Dialect a target. It decides nothing: the loop IR says what runs where.
#pragma once
#include <span>
#include <string>

#include "codegen/prelude.h"
#include "ir/loop.h"

namespace dgen::codegen {

// C:    void NAME(void* const* a, const long* n)         arrays and run-time integers of one launch
// CUDA: extern "C" __global__ void NAME(same)            a parallel loop is spread over all threads
// Metal: the same with an argument buffer of the arrays; rendered and checked as text, never run
struct Dialect {
  Target target;
  std::string_view before_name, arguments;  // $n: the number of arrays
  std::string_view array;                   // "a[$i]"
  std::string_view restrict_word, real_long;
  std::string_view total_type;     // of a sum over time, twice as precise as float
  std::string_view serial_guard;   // opens a kernel without a parallel loop
  std::string_view parallel_loop;  // "for (...)" with $v $lo $hi
  std::string_view ivdep;
};
const Dialect& dialect(Target target);

// Helpers used by the kernels, then the kernels.
std::string render_program(Target target, std::span<const ir::Kernel> kernels);
std::string render_kernel(const Dialect& dialect, const ir::Kernel& kernel);

}  // namespace dgen::codegen
