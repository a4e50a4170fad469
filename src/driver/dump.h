// DGEN_DUMP: a compile as a folder, DIR/NAME, to read without any tool.
//   index.html       everything below, linked, with the graph drawn
//   01_clocks.dgir   the IR after each pass that changed it; dgen-opt reads it
//   rewrites.txt     the rules that the passes applied
//   plan.txt         regions, strategies, reasons, storage
//   k0.txt  k0.c     each kernel as loop IR and as source
//   program.c        all kernels with their helpers
#pragma once
#include "driver/record.h"

namespace dgen::driver {

// Throws Error when the folder cannot be written.
void dump(const Record& record, const std::string& folder, const std::string& name);

std::string stage_file(const Record& record, size_t stage);  // "01_clocks.dgir"
std::string source_ending(const Record& record);             // ".c"

}  // namespace dgen::driver
