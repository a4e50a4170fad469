void k0(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  float a1[3];
  dg_u64* restrict a2 = (dg_u64*)a[2];
  const float* restrict a3 = (const float*)a[3];
  const float* restrict a4 = (const float*)a[4];
  const float* restrict a5 = (const float*)a[5];
  dg_u64 a6[3];
  dg_vf a7[3];
  const float v7 = a3[0];
  for (long i4 = 0; i4 < 3; ++i4) {
    const float v26 = a4[i4];
    const dg_u64 v27 = dg_phase_step_static(v26, v7);
    a6[i4] = v27;
  }
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i5 = at;
      for (long i6 = 0; i6 < 3; ++i6) {
        const dg_u64 v30 = a2[i6];
        const float v31 = a4[i6];
        const dg_u64 v32 = a6[i6];
        const dg_vu v33 = dg_phase_ramp_v(v30, v32, i5);
        const dg_vf v34 = dg_phase_out_v(v33);
        const float v35 = (v31 * 0.0f);
        const dg_vf v36 = (v34 + dg_splat(v35));
        a7[i6] = v36;
      }
      dg_vf i8;
      {
        dg_vf w[1];
        for (int j = 0; j < 1; ++j) w[j] = dg_splat(0.0f);
        for (long i7 = 0; i7 < 3; ++i7) {
          const dg_vf v38 = a7[i7];
          const dg_vf v39 = (v38 * dg_splat(6.28318548f));
          const dg_vf v40 = dg_sin_v(v39);
          const float v41 = a5[i7];
          const dg_vf v42 = (v40 * dg_splat(v41));
          w[0] = w[0] + v42;
        }
        i8 = w[0];
      }
      dg_store_v(a0 + i5, i8);
    }
    for (long i0 = at; i0 < n0; ++i0) {
      for (long i1 = 0; i1 < 3; ++i1) {
        const dg_u64 v6 = a2[i1];
        const float v8 = a4[i1];
        const dg_u64 v9 = a6[i1];
        const dg_u64 v10 = dg_phase_after(v6, v9, i0);
        const float v11 = dg_phase_out(v10);
        const float v13 = (v8 * 0.0f);
        const float v14 = (v11 + v13);
        a1[i1] = v14;
      }
      float i3;
      {
        float w[1];
        for (int j = 0; j < 1; ++j) w[j] = 0.0f;
        for (long i2 = 0; i2 < 3; ++i2) {
          const float v16 = a1[i2];
          const float v18 = (v16 * 6.28318548f);
          const float v19 = dg_sin(v18);
          const float v20 = a5[i2];
          const float v21 = (v19 * v20);
          w[0] = w[0] + v21;
        }
        i3 = w[0];
      }
      a0[i0] = i3;
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
