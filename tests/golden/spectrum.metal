kernel void k0(constant dg_arrays<2>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    const float v5 = a1[i0];
    a0[i0] = v5;
  }
}
kernel void k1(constant dg_arrays<7>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  device float* a0 = (device float*)a.at[0];
  threadgroup float a1[16];
  const device float* a2 = (const device float*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  threadgroup float a4[18];
  threadgroup float a5[18];
  const device float* a6 = (const device float*)a.at[6];
  for (long i0 = n1 + dg_block; i0 < n0; i0 += dg_blocks) {
    const long v12 = i0 * 4;
    const long v13 = v12 + n2;
    for (long i1 = 0 + dg_thread; i1 < 16; i1 += dg_threads) {
      const long v8 = i1 * (-1);
      const long v9 = v8 + 15;
      const long v14 = v12 + i1;
      const long v15 = v14 + n2;
      const long v17 = v15 + (-15);
      const float v19 = a2[v17];
      const float v20 = a3[i1];
      const float v21 = (v19 * v20);
      a1[i1] = v21;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    for (long i2 = 0 + dg_thread; i2 < 1; i2 += dg_threads) {
      const long v23 = i2 * 16;
      const long v25 = i2 * 18;
      dg_rfft_16(a1 + v23, a4 + v25);
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    for (long i3 = 0; i3 < 2; ++i3) {
      const long v30 = i3 * 9;
      for (long i4 = 0 + dg_thread; i4 < 9; i4 += dg_threads) {
        const long v31 = v30 + i4;
        const float v32 = a4[v31];
        const float v33 = a6[i4];
        const float v34 = (v32 * v33);
        a5[v31] = v34;
      }
    }
    const long v35 = i0 * 16;
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    for (long i5 = 0 + dg_thread; i5 < 1; i5 += dg_threads) {
      const long v37 = i5 * 18;
      const long v38 = i5 * 16;
      const long v39 = v35 + v38;
      dg_irfft_16(a5 + v37, a0 + v39);
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
  }
}
kernel void k2(constant dg_arrays<2>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  const long v5 = n2 * (-1);
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    const long v6 = i0 + v5;
    const long v9 = v6 + 4;
    const long v10 = v9 / 4;
    const long v11 = v10 + (-1);
    const long v12 = v10 * 4;
    const long v14 = v12 + (-4);
    const long v15 = n2 + v12;
    const long v16 = v15 + (-4);
    const long v17 = v10 * (-4);
    const long v18 = v6 + v17;
    const long v19 = v18 + 4;
    const long v24 = v18 + 16;
    const long v25 = v10 + (-4);
    const long v26 = v10 * 16;
    const long v28 = v26 + (-64);
    const long v29 = v10 * 12;
    const long v30 = v6 + v29;
    const long v32 = v30 + (-48);
    const float v33 = a1[v32];
    const long v36 = v18 + 12;
    const long v38 = v10 + (-3);
    const long v39 = v26 + (-48);
    const long v41 = v30 + (-36);
    const float v42 = a1[v41];
    const float v43 = (v33 + v42);
    const long v44 = v18 + 8;
    const long v46 = v10 + (-2);
    const long v48 = v26 + (-32);
    const long v50 = v30 + (-24);
    const float v51 = a1[v50];
    const float v52 = (v43 + v51);
    const long v54 = v26 + (-16);
    const long v56 = v30 + (-12);
    const float v57 = a1[v56];
    const float v58 = (v52 + v57);
    a0[i0] = v58;
  }
}
