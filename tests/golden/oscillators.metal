kernel void k0(constant dg_arrays<5>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  device dg_u64* a1 = (device dg_u64*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  const device float* a4 = (const device float*)a.at[4];
  const float v7 = a2[0];
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    float i2;
    {
      float w[1];
      for (int j = 0; j < 1; ++j) w[j] = 0.0f;
      for (long i1 = 0; i1 < 3; ++i1) {
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
kernel void advance6(constant dg_arrays<3>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  device dg_u64* a0 = (device dg_u64*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const float v1 = a1[0];
  for (long i0 = 0; i0 < 3; ++i0) {
    const float v4 = a2[i0];
    const dg_u64 v5 = dg_phase_step_static(v4, v1);
    const dg_u64 v6 = a0[i0];
    const dg_u64 v8 = dg_phase_after(v6, v5, n0);
    a0[i0] = v8;
  }
}
