// What differs between targets.
#include "codegen/render.h"

namespace dgen::codegen {

const Dialect& dialect(Target target) {
  static const Dialect dialects[] = {
      {Target::c, "void ", "(void* const* a, const long* n)", "a[$i]", "restrict", "long", "", "double", "", "", "", "", "dg_meet(n$m);",
       "if (n$l == 0) {", ""},
      {Target::cuda, "extern \"C\" __global__ __launch_bounds__($t) void ", "", "", "__restrict__", "long long", "", "double",
       "threadIdx.x", "blockDim.x", "blockIdx.x", "gridDim.x", "__syncthreads();", "if (threadIdx.x == 0) {", "__shared__ "},
      {Target::metal, "kernel void ",
       "(constant dg_arrays<$n>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], "
       "uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], "
       "uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]])",
       "a.at[$i]", "", "long", "device ", "float2", "dg_thread", "dg_threads", "dg_block", "dg_blocks",
       "threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);", "if (dg_thread == 0) {", "threadgroup "},
  };
  return dialects[static_cast<int>(target)];
}

}  // namespace dgen::codegen
