// What the environment asks to see, read once: DGEN_DEBUG=1..6, DGEN_DUMP=folder, DGEN_CHECK=1, DGEN_NAN=1.
#pragma once
#include <string>

namespace dgen::driver {

struct Debug {
  int level = 0;      // 1 summary, 2 time of each kernel, 3 regions and strategies, 4 sources, 5 IR after each pass
  std::string dump;   // folder for the IR of every stage, kernels and plan
  bool check = false; // compare every stored value with the interpreter
  bool nan = false;   // name the first value that is not finite
};

const Debug& debug();
void debug_print(const std::string& text);

}  // namespace dgen::driver
