kernel void k0(constant dg_arrays<3>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  device float* a0 = (device float*)a.at[0];
  device float* a1 = (device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const float v2 = a2[0];
  const float v3 = (1.0f - v2);
  a0[0] = v3;
  const float v6 = (float)((long)(int)0 + (long)n0);
  const float v7 = (1.0f / v6);
  a1[0] = v7;
}
kernel void k1(constant dg_arrays<3>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const float v5 = a1[0];
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    const float v6 = a2[i0];
    const float v7 = (v5 * v6);
    a0[i0] = v7;
  }
}
kernel void k2(constant dg_arrays<5>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  device float* a1 = (device float*)a.at[1];
  device float* g2 = (device float*)a.at[2];
  float a2[1];
  const device float* a3 = (const device float*)a.at[3];
  const device float* a4 = (const device float*)a.at[4];
  for (int j = 0; j < 1; ++j) a2[j] = g2[j];
  const float v7 = a4[0];
  for (long i0 = n1; i0 < n0; ++i0) {
    const float v4 = a2[0];
    a0[i0] = v4;
    const float v6 = a3[i0];
    const float v8 = (v7 * v4);
    const float v9 = (v6 + v8);
    a1[i0] = v9;
    a2[0] = v9;
  }
  for (int j = 0; j < 1; ++j) g2[j] = a2[j];
}
kernel void k3(constant dg_arrays<3>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    const float v5 = a1[i0];
    const float v6 = a2[i0];
    const float v7 = (v5 - v6);
    a0[i0] = v7;
  }
}
kernel void k4(constant dg_arrays<2>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  threadgroup float fold[16];
  for (long i0 = n1 + dg_block; i0 < n0; i0 += dg_blocks) {
    const long v5 = i0 * 4096;
    const long v6 = v5 + 4096;
    const long v7 = v6 < n2 ? v6 : n2;
    const long v10 = i0 * (-4096);
    const long v11 = v10 + v7;
    if (dg_thread < 16) {
      float w = 0.0f;
      for (long i1 = dg_thread; i1 < v11; i1 += 16) {
        const long v13 = v5 + i1;
        const float v15 = a1[v13];
        w = DG_FMA(v15, v15, w);
      }
      fold[dg_thread] = w;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    float i2;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i2 = w[0];
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    if (dg_thread == 0) {
      a0[i0] = i2;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
  }
}
kernel void k4_total(constant dg_arrays<2>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float2* a0 = (device float2*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  for (long i0 = n1; i0 < n0; ++i0) {
    dg_add_to(a1 + i0, a0 + 0, 1, dg_thread, dg_threads);
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
  }
}
kernel void k5(constant dg_arrays<3>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const float v5 = a1[0];
  for (long i0 = n1 + (long)dg_block * dg_threads + dg_thread; i0 < n0; i0 += (long)dg_blocks * dg_threads) {
    const float v6 = a2[i0];
    const float v7 = dg_mulz(v5, v6);
    const float v8 = (v7 + v7);
    a0[i0] = v8;
  }
}
kernel void k6(constant dg_arrays<4>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float* a0 = (device float*)a.at[0];
  device float* g1 = (device float*)a.at[1];
  float a1[1];
  const device float* a2 = (const device float*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  for (int j = 0; j < 1; ++j) a1[j] = g1[j];
  const float v8 = a3[0];
  for (long i0 = n0 - 1; i0 >= n1; --i0) {
    const float v4 = a1[0];
    const float v6 = a2[i0];
    const float v7 = (v4 + v6);
    a0[i0] = v7;
    const float v9 = dg_mulz(v7, v8);
    a1[0] = v9;
  }
  for (int j = 0; j < 1; ++j) g1[j] = a1[j];
}
kernel void k7(constant dg_arrays<5>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  device float* a0 = (device float*)a.at[0];
  device float* a1 = (device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  const device float* a4 = (const device float*)a.at[4];
  threadgroup float fold[16];
  for (long i0 = n1 + dg_block; i0 < n0; i0 += dg_blocks) {
    const long v5 = i0 * 4096;
    const long v6 = v5 + 4096;
    const long v7 = v6 < n2 ? v6 : n2;
    const long v10 = i0 * (-4096);
    const long v11 = v10 + v7;
    if (dg_thread < 16) {
      float w = 0.0f;
      for (long i1 = dg_thread; i1 < v11; i1 += 16) {
        const long v13 = v5 + i1;
        const float v15 = a2[v13];
        const float v16 = a3[v13];
        const float v17 = dg_mulz(v15, v16);
        w = w + v17;
      }
      fold[dg_thread] = w;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    float i2;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i2 = w[0];
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    if (dg_thread < 16) {
      float w = 0.0f;
      for (long i3 = dg_thread; i3 < v11; i3 += 16) {
        const long v20 = v5 + i3;
        const float v21 = a2[v20];
        const float v22 = a4[v20];
        const float v23 = dg_mulz(v21, v22);
        w = w + v23;
      }
      fold[dg_thread] = w;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    float i4;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i4 = w[0];
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    if (dg_thread == 0) {
      a0[i0] = i2;
      a1[i0] = i4;
    }
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
  }
}
kernel void k7_total(constant dg_arrays<4>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  const long n1 = n[1];
  device float2* a0 = (device float2*)a.at[0];
  const device float* a1 = (const device float*)a.at[1];
  device float2* a2 = (device float2*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  for (long i0 = n0 - 1; i0 >= n1; --i0) {
    dg_add_to(a1 + i0, a0 + 0, 1, dg_thread, dg_threads);
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
    dg_add_to(a3 + i0, a2 + 0, 1, dg_thread, dg_threads);
    threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
  }
}
kernel void k8(constant dg_arrays<6>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  const long n0 = n[0];
  device float* a0 = (device float*)a.at[0];
  device float* a1 = (device float*)a.at[1];
  const device float* a2 = (const device float*)a.at[2];
  const device float* a3 = (const device float*)a.at[3];
  const device float* a4 = (const device float*)a.at[4];
  const device float* a5 = (const device float*)a.at[5];
  const float v2 = a2[0];
  const float v4 = (float)((long)(int)0 + (long)n0);
  const float v5 = (v2 / v4);
  a0[0] = v5;
  const float v6 = a3[0];
  const float v7 = a4[0];
  const float v8 = (-v7);
  const float v9 = a5[0];
  const float v10 = (v8 + v9);
  const float v12 = (v10 * 0.0500000007f);
  const float v13 = (v6 - v12);
  a1[0] = v13;
}
kernel void finish4(constant dg_arrays<2>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  device float* a0 = (device float*)a.at[0];
  const device float2* a1 = (const device float2*)a.at[1];
  for (long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0].x;
    a0[i0] = v3;
  }
}
kernel void finish7(constant dg_arrays<4>& a [[buffer(0)]], constant long* n [[buffer(1)]], device float* scratch [[buffer(2)]], uint dg_thread [[thread_position_in_threadgroup]], uint dg_threads [[threads_per_threadgroup]], uint dg_block [[threadgroup_position_in_grid]], uint dg_blocks [[threadgroups_per_grid]]) {
  device float* a0 = (device float*)a.at[0];
  const device float2* a1 = (const device float2*)a.at[1];
  device float* a2 = (device float*)a.at[2];
  const device float2* a3 = (const device float2*)a.at[3];
  for (long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0].x;
    a0[i0] = v3;
  }
  for (long i1 = 0; i1 < 1; ++i1) {
    const float v5 = a3[i1].x;
    a2[i1] = v5;
  }
}
