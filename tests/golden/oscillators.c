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
    const float v24 = a3[i3];
    const dg_u64 v25 = dg_phase_step_static(v24, v7);
    a5[i3] = v25;
  }
  for (long i7 = 0; i7 < 3; ++i7) {
    const dg_u64 v44 = a5[i7];
    const dg_vu v45 = dg_phase_lanes_v(v44);
    a6[i7] = v45;
  }
  {
    long at = n1;
    for (; at + 4 * DG_W <= n0; at += 4 * DG_W) {
      const long i4_0 = at + 0 * DG_W;
      const long i4_1 = at + 1 * DG_W;
      const long i4_2 = at + 2 * DG_W;
      const long i4_3 = at + 3 * DG_W;
      dg_vf i6_0;
      dg_vf i6_1;
      dg_vf i6_2;
      dg_vf i6_3;
      {
        dg_vf w_0[1];
        dg_vf w_1[1];
        dg_vf w_2[1];
        dg_vf w_3[1];
        for (int j = 0; j < 1; ++j) w_0[j] = dg_splat(0.0f);
        for (int j = 0; j < 1; ++j) w_1[j] = dg_splat(0.0f);
        for (int j = 0; j < 1; ++j) w_2[j] = dg_splat(0.0f);
        for (int j = 0; j < 1; ++j) w_3[j] = dg_splat(0.0f);
        for (long i5 = 0; i5 < 3; ++i5) {
          const dg_u64 v28_0 = a1[i5];
          const dg_u64 v28_1 = a1[i5];
          const dg_u64 v28_2 = a1[i5];
          const dg_u64 v28_3 = a1[i5];
          const float v29 = a3[i5];
          const dg_u64 v30_0 = a5[i5];
          const dg_u64 v30_1 = a5[i5];
          const dg_u64 v30_2 = a5[i5];
          const dg_u64 v30_3 = a5[i5];
          const dg_u64 v31_0 = dg_phase_after(v28_0, v30_0, i4_0);
          const dg_u64 v31_1 = dg_phase_after(v28_1, v30_1, i4_1);
          const dg_u64 v31_2 = dg_phase_after(v28_2, v30_2, i4_2);
          const dg_u64 v31_3 = dg_phase_after(v28_3, v30_3, i4_3);
          const dg_vu v32_0 = a6[i5];
          const dg_vu v32_1 = a6[i5];
          const dg_vu v32_2 = a6[i5];
          const dg_vu v32_3 = a6[i5];
          const dg_vu v33_0 = dg_phase_plus_v(dg_splat_u(v31_0), v32_0);
          const dg_vu v33_1 = dg_phase_plus_v(dg_splat_u(v31_1), v32_1);
          const dg_vu v33_2 = dg_phase_plus_v(dg_splat_u(v31_2), v32_2);
          const dg_vu v33_3 = dg_phase_plus_v(dg_splat_u(v31_3), v32_3);
          const float v34 = (v29 * 0.0f);
          const dg_vf v35_0 = dg_phase_out_v(v33_0, dg_splat(v34));
          const dg_vf v35_1 = dg_phase_out_v(v33_1, dg_splat(v34));
          const dg_vf v35_2 = dg_phase_out_v(v33_2, dg_splat(v34));
          const dg_vf v35_3 = dg_phase_out_v(v33_3, dg_splat(v34));
          const dg_vf v36_0 = (v35_0 * dg_splat(6.28318548f));
          const dg_vf v36_1 = (v35_1 * dg_splat(6.28318548f));
          const dg_vf v36_2 = (v35_2 * dg_splat(6.28318548f));
          const dg_vf v36_3 = (v35_3 * dg_splat(6.28318548f));
          const dg_vf v37_0 = dg_sin_v(v36_0);
          const dg_vf v37_1 = dg_sin_v(v36_1);
          const dg_vf v37_2 = dg_sin_v(v36_2);
          const dg_vf v37_3 = dg_sin_v(v36_3);
          const float v38 = a4[i5];
          w_0[0] = DG_FMA_V(v37_0, dg_splat(v38), w_0[0]);
          w_1[0] = DG_FMA_V(v37_1, dg_splat(v38), w_1[0]);
          w_2[0] = DG_FMA_V(v37_2, dg_splat(v38), w_2[0]);
          w_3[0] = DG_FMA_V(v37_3, dg_splat(v38), w_3[0]);
        }
        i6_0 = w_0[0];
        i6_1 = w_1[0];
        i6_2 = w_2[0];
        i6_3 = w_3[0];
      }
      dg_store_v(a0 + i4_0, i6_0);
      dg_store_v(a0 + i4_1, i6_1);
      dg_store_v(a0 + i4_2, i6_2);
      dg_store_v(a0 + i4_3, i6_3);
    }
    for (; at + DG_W <= n0; at += DG_W) {
      const long i4 = at;
      dg_vf i6;
      {
        dg_vf w[1];
        for (int j = 0; j < 1; ++j) w[j] = dg_splat(0.0f);
        for (long i5 = 0; i5 < 3; ++i5) {
          const dg_u64 v28 = a1[i5];
          const float v29 = a3[i5];
          const dg_u64 v30 = a5[i5];
          const dg_u64 v31 = dg_phase_after(v28, v30, i4);
          const dg_vu v32 = a6[i5];
          const dg_vu v33 = dg_phase_plus_v(dg_splat_u(v31), v32);
          const float v34 = (v29 * 0.0f);
          const dg_vf v35 = dg_phase_out_v(v33, dg_splat(v34));
          const dg_vf v36 = (v35 * dg_splat(6.28318548f));
          const dg_vf v37 = dg_sin_v(v36);
          const float v38 = a4[i5];
          w[0] = DG_FMA_V(v37, dg_splat(v38), w[0]);
        }
        i6 = w[0];
      }
      dg_store_v(a0 + i4, i6);
    }
    if (at < n0) {
      const dg_part there = dg_part_of(n0 - at);
      const long i4 = at;
      dg_vf i6;
      {
        dg_vf w[1];
        for (int j = 0; j < 1; ++j) w[j] = dg_splat(0.0f);
        for (long i5 = 0; i5 < 3; ++i5) {
          const dg_u64 v28 = a1[i5];
          const float v29 = a3[i5];
          const dg_u64 v30 = a5[i5];
          const dg_u64 v31 = dg_phase_after(v28, v30, i4);
          const dg_vu v32 = a6[i5];
          const dg_vu v33 = dg_phase_plus_v(dg_splat_u(v31), v32);
          const float v34 = (v29 * 0.0f);
          const dg_vf v35 = dg_phase_out_v(v33, dg_splat(v34));
          const dg_vf v36 = (v35 * dg_splat(6.28318548f));
          const dg_vf v37 = dg_sin_v(v36);
          const float v38 = a4[i5];
          w[0] = DG_FMA_V(v37, dg_splat(v38), w[0]);
        }
        i6 = w[0];
      }
      dg_store_v_part(a0 + i4, i6, there);
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
