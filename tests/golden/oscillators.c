void k0(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  dg_u64* restrict a1 = (dg_u64*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float* restrict a3 = (const float*)a[3];
  const float* restrict a4 = (const float*)a[4];
  dg_u64 a5[3];
  dg_vu a6[3];
  const float v7 = a2[0];
  for (long i3 = 0; i3 < 3; ++i3) {
    const float v25 = a3[i3];
    const dg_u64 v26 = dg_phase_step_static(v25, v7);
    a5[i3] = v26;
  }
  for (long i7 = 0; i7 < 3; ++i7) {
    const dg_u64 v47 = a5[i7];
    const dg_vu v48 = dg_phase_lanes_v(v47);
    a6[i7] = v48;
  }
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i4 = at;
      dg_vf i6;
      {
        dg_vf w[1];
        for (int j = 0; j < 1; ++j) w[j] = dg_splat(0.0f);
        for (long i5 = 0; i5 < 3; ++i5) {
          const dg_u64 v29 = a1[i5];
          const float v30 = a3[i5];
          const dg_u64 v31 = a5[i5];
          const dg_u64 v32 = dg_phase_after(v29, v31, i4);
          const dg_vu v33 = a6[i5];
          const dg_vu v34 = dg_phase_plus_v(dg_splat_u(v32), v33);
          const dg_vf v35 = dg_phase_out_v(v34);
          const float v36 = (v30 * 0.0f);
          const dg_vf v37 = (v35 + dg_splat(v36));
          const dg_vf v38 = (v37 * dg_splat(6.28318548f));
          const dg_vf v39 = dg_sin_v(v38);
          const float v40 = a4[i5];
          const dg_vf v41 = (v39 * dg_splat(v40));
          w[0] = w[0] + v41;
        }
        i6 = w[0];
      }
      dg_store_v(a0 + i4, i6);
    }
    for (long i0 = at; i0 < n0; ++i0) {
      float i2;
      {
        float w[1];
        for (int j = 0; j < 1; ++j) w[j] = 0.0f;
        for (long i1 = 0; i1 < 3; ++i1) {
          const dg_u64 v6 = a1[i1];
          const float v8 = a3[i1];
          const dg_u64 v9 = a5[i1];
          const dg_u64 v10 = dg_phase_after(v6, v9, i0);
          const float v11 = dg_phase_out(v10);
          const float v13 = (v8 * 0.0f);
          const float v14 = (v11 + v13);
          const float v16 = (v14 * 6.28318548f);
          const float v17 = dg_sin(v16);
          const float v18 = a4[i1];
          const float v19 = (v17 * v18);
          w[0] = w[0] + v19;
        }
        i2 = w[0];
      }
      a0[i0] = i2;
    }
  }
}
void advance6(void* const* a, const long* n) {
  const long n0 = n[0];
  dg_u64* restrict a0 = (dg_u64*)a[0];
  const float* restrict a1 = (const float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float v1 = a1[0];
  for (long i0 = 0; i0 < 3; ++i0) {
    const float v4 = a2[i0];
    const dg_u64 v5 = dg_phase_step_static(v4, v1);
    const dg_u64 v6 = a0[i0];
    const dg_u64 v8 = dg_phase_after(v6, v5, n0);
    a0[i0] = v8;
  }
}
