// What the environment asks to see, read once: DGEN_DEBUG=1..6, DGEN_DUMP=folder, DGEN_TRACE=file, DGEN_CHECK=1, DGEN_NAN=1,
// DGEN_OPT=0.
#pragma once
#include <string>

#include "runtime/trace.h"

namespace dgen::driver {

struct Debug {
  // 1 a line a program, 2 time of each kernel, 3 regions and strategies, 4 sources, 5 IR after each pass, 6 rewrites
  int level = 0;
  std::string dump;   // folder for the IR of every stage, kernels and plan
  std::string trace;  // file for the spans of compiles and runs
  bool check = false; // compare every stored value with the interpreter
  bool nan = false;   // name the first value that is not finite
  bool plain = false; // optimise nothing
};

const Debug& debug();
void debug_print(const std::string& text);
// Where spans go; null when nobody asked for them.
runtime::Trace* trace();

}  // namespace dgen::driver
