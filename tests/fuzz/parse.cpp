// Any text parses or is refused with dgen::Error; what parses prints, reads back as the same text and is a valid graph.
#include <cstdio>
#include <cstdlib>

#include "dgen/error.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

using namespace dgen;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ir::Graph g;
  try {
    g = ir::parse({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return 0;
  }
  std::string text = ir::print(g);
  if (ir::print(ir::parse(text)) != text) {
    std::fprintf(stderr, "not the same when read back:\n%s", text.c_str());
    std::abort();
  }
  ir::verify(g, ir::Clocks::implicit);
  ir::print_dot(g);
  return 0;
}
