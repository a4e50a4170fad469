extern "C" __global__ __launch_bounds__(128) void k0(float* __restrict__ a0, dg_u64* __restrict__ a1, const float* __restrict__ a2, const float* __restrict__ a3, const float* __restrict__ a4, long long n0, long long n1) {
  const float v7 = a2[0];
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    float i2;
    {
      float w[1];
      for (int j = 0; j < 1; ++j) w[j] = 0.0f;
      for (long long i1 = 0; i1 < 3; ++i1) {
        const dg_u64 v6 = a1[i1];
        const float v8 = a3[i1];
        const dg_u64 v9 = dg_phase_step_static(v8, v7);
        const dg_u64 v10 = dg_phase_after(v6, v9, i0);
        const float v12 = (v8 * 0.0f);
        const float v13 = dg_phase_out(v10, v12);
        const float v15 = (v13 * 6.28318548f);
        const float v16 = dg_sin(v15);
        const float v17 = a4[i1];
        w[0] = DG_FMA(v16, v17, w[0]);
      }
      i2 = w[0];
    }
    a0[i0] = i2;
  }
}
extern "C" __global__ __launch_bounds__(1) void advance6(dg_u64* __restrict__ a0, const float* __restrict__ a1, const float* __restrict__ a2, long long n0) {
  const float v1 = a1[0];
  for (long long i0 = 0; i0 < 3; ++i0) {
    const float v4 = a2[i0];
    const dg_u64 v5 = dg_phase_step_static(v4, v1);
    const dg_u64 v6 = a0[i0];
    const dg_u64 v8 = dg_phase_after(v6, v5, n0);
    a0[i0] = v8;
  }
}
