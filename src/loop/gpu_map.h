// A kernel for a GPU: its loops get blocks and threads, and barriers stand where threads of a block read what others wrote.
//
//   narrow ticks     for t parallel                 one thread a tick
//   wide ticks       for t parallel: for e lanes    one block a tick, its threads share the elements
//   recurrences      for t: for e lanes             one block, ticks in order; one thread if there are no elements
//   matrix products  dg_matmul(...)                 the threads of all blocks share the elements of the result
//
// A launch passes some arrays one by one; the addresses of more stand in a table in memory.
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

constexpr int64_t kMostArrays = 400;  // of a launch: CUDA passes 4 KiB

ir::Kernel map_to_gpu(ir::Kernel kernel);
std::vector<ir::Kernel> map_to_gpu(std::vector<ir::Kernel> kernels);

}  // namespace dgen::loop
