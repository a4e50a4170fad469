void k0(void* const* a, const long* n) {
  const long n0 = n[0];
  float* restrict a0 = (float*)a[0];
  float* restrict a1 = (float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float v2 = a2[0];
  const float v3 = (1.0f - v2);
  a0[0] = v3;
  const float v6 = (float)((double)(int)0 + (double)n0);
  const float v7 = (1.0f / v6);
  a1[0] = v7;
}
void k1(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float v5 = a1[0];
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i1 = at;
      const dg_vf v9 = dg_load_v(a2 + i1);
      const dg_vf v10 = (dg_splat(v5) * v9);
      dg_store_v(a0 + i1, v10);
    }
    if (at < n0) {
      const dg_part there = dg_part_of(n0 - at);
      const long i1 = at;
      const dg_vf v9 = dg_load_v_part(a2 + i1, there);
      const dg_vf v10 = (dg_splat(v5) * v9);
      dg_store_v_part(a0 + i1, v10, there);
    }
  }
}
void k2(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  float* restrict a1 = (float*)a[1];
  float* restrict g2 = (float*)a[2];
  float a2[1];
  const float* restrict a3 = (const float*)a[3];
  const float* restrict a4 = (const float*)a[4];
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
void k3(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i1 = at;
      const dg_vf v9 = dg_load_v(a1 + i1);
      const dg_vf v10 = dg_load_v(a2 + i1);
      const dg_vf v11 = (v9 - v10);
      dg_store_v(a0 + i1, v11);
    }
    if (at < n0) {
      const dg_part there = dg_part_of(n0 - at);
      const long i1 = at;
      const dg_vf v9 = dg_load_v_part(a1 + i1, there);
      const dg_vf v10 = dg_load_v_part(a2 + i1, there);
      const dg_vf v11 = (v9 - v10);
      dg_store_v_part(a0 + i1, v11, there);
    }
  }
}
void k4(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  for (long i0 = n1; i0 < n0; ++i0) {
    const long v5 = i0 * 4096;
    const long v6 = v5 + 4096;
    const long v7 = v6 < n2 ? v6 : n2;
    const long v10 = i0 * (-4096);
    const long v11 = v10 + v7;
    float i2;
    {
      union { float one[16]; dg_vf all[16 / DG_W]; } w0;
      for (int j = 0; j < 16 / DG_W; ++j) w0.all[j] = dg_splat(0.0f);
      long q = 0;
      for (; q + 16 <= v11; q += 16) {
        DG_UNROLL
        for (long j = 0; j < 16 / DG_W; ++j) {
          const long i3 = q + j * DG_W;
          const long v19 = v5 + i3;
          const dg_vf v20 = dg_load_v(a1 + v19);
          w0.all[j] = DG_FMA_V(v20, v20, w0.all[j]);
        }
      }
      if (q < v11) {
        DG_UNROLL
        for (long j = 0; j < 16 / DG_W && q + j * DG_W < v11; ++j) {
          const long i3 = q + j * DG_W;
          const dg_part there = dg_part_of(v11 - i3);
          const long v19 = v5 + i3;
          const dg_vf v20 = dg_load_v_part(a1 + v19, there);
          w0.all[j] = dg_blend_part(DG_FMA_V(v20, v20, w0.all[j]), w0.all[j], there);
        }
      }
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w0.one[j] = w0.one[j] + w0.one[j + h];
      i2 = w0.one[0];
    }
    a0[i0] = i2;
  }
}
void k4_total(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  double* restrict a0 = (double*)a[0];
  const float* restrict a1 = (const float*)a[1];
  for (long i0 = n1; i0 < n0; ++i0) {
    dg_add_to(a1 + i0, a0 + 0, 1);
  }
}
void k5(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float v5 = a1[0];
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i1 = at;
      const dg_vf v10 = dg_load_v(a2 + i1);
      const dg_vf v11 = dg_mulz_v(dg_splat(v5), v10);
      const dg_vf v12 = (v11 + v11);
      dg_store_v(a0 + i1, v12);
    }
    if (at < n0) {
      const dg_part there = dg_part_of(n0 - at);
      const long i1 = at;
      const dg_vf v10 = dg_load_v_part(a2 + i1, there);
      const dg_vf v11 = dg_mulz_v(dg_splat(v5), v10);
      const dg_vf v12 = (v11 + v11);
      dg_store_v_part(a0 + i1, v12, there);
    }
  }
}
void k6(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  float* restrict g1 = (float*)a[1];
  float a1[1];
  const float* restrict a2 = (const float*)a[2];
  const float* restrict a3 = (const float*)a[3];
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
void k7(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  float* restrict a0 = (float*)a[0];
  float* restrict a1 = (float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float* restrict a3 = (const float*)a[3];
  const float* restrict a4 = (const float*)a[4];
  for (long i0 = n1; i0 < n0; ++i0) {
    const long v5 = i0 * 4096;
    const long v6 = v5 + 4096;
    const long v7 = v6 < n2 ? v6 : n2;
    const long v10 = i0 * (-4096);
    const long v11 = v10 + v7;
    float i2;
    float i4;
    {
      union { float one[16]; dg_vf all[16 / DG_W]; } w0;
      for (int j = 0; j < 16 / DG_W; ++j) w0.all[j] = dg_splat(0.0f);
      union { float one[16]; dg_vf all[16 / DG_W]; } w1;
      for (int j = 0; j < 16 / DG_W; ++j) w1.all[j] = dg_splat(0.0f);
      long q = 0;
      for (; q + 16 <= v11; q += 16) {
        DG_UNROLL
        for (long j = 0; j < 16 / DG_W; ++j) {
          const long i5 = q + j * DG_W;
          const long i6 = q + j * DG_W;
          const long v26 = v5 + i5;
          const dg_vf v27 = dg_load_v(a2 + v26);
          const dg_vf v28 = dg_load_v(a3 + v26);
          const dg_vf v29 = dg_mulz_v(v27, v28);
          w0.all[j] = w0.all[j] + v29;
          const long v31 = v5 + i6;
          const dg_vf v32 = dg_load_v(a2 + v31);
          const dg_vf v33 = dg_load_v(a4 + v31);
          const dg_vf v34 = dg_mulz_v(v32, v33);
          w1.all[j] = w1.all[j] + v34;
        }
      }
      if (q < v11) {
        DG_UNROLL
        for (long j = 0; j < 16 / DG_W && q + j * DG_W < v11; ++j) {
          const long i5 = q + j * DG_W;
          const long i6 = q + j * DG_W;
          const dg_part there = dg_part_of(v11 - i5);
          const long v26 = v5 + i5;
          const dg_vf v27 = dg_load_v_part(a2 + v26, there);
          const dg_vf v28 = dg_load_v_part(a3 + v26, there);
          const dg_vf v29 = dg_mulz_v(v27, v28);
          w0.all[j] = dg_blend_part(w0.all[j] + v29, w0.all[j], there);
          const long v31 = v5 + i6;
          const dg_vf v32 = dg_load_v_part(a2 + v31, there);
          const dg_vf v33 = dg_load_v_part(a4 + v31, there);
          const dg_vf v34 = dg_mulz_v(v32, v33);
          w1.all[j] = dg_blend_part(w1.all[j] + v34, w1.all[j], there);
        }
      }
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w0.one[j] = w0.one[j] + w0.one[j + h];
      i2 = w0.one[0];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w1.one[j] = w1.one[j] + w1.one[j + h];
      i4 = w1.one[0];
    }
    a0[i0] = i2;
    a1[i0] = i4;
  }
}
void k7_total(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  double* restrict a0 = (double*)a[0];
  const float* restrict a1 = (const float*)a[1];
  double* restrict a2 = (double*)a[2];
  const float* restrict a3 = (const float*)a[3];
  for (long i0 = n0 - 1; i0 >= n1; --i0) {
    dg_add_to(a1 + i0, a0 + 0, 1);
    dg_add_to(a3 + i0, a2 + 0, 1);
  }
}
void k8(void* const* a, const long* n) {
  const long n0 = n[0];
  float* restrict a0 = (float*)a[0];
  float* restrict a1 = (float*)a[1];
  const float* restrict a2 = (const float*)a[2];
  const float* restrict a3 = (const float*)a[3];
  const float* restrict a4 = (const float*)a[4];
  const float* restrict a5 = (const float*)a[5];
  const float v2 = a2[0];
  const float v4 = (float)((double)(int)0 + (double)n0);
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
void finish4(void* const* a, const long* n) {
  float* restrict a0 = (float*)a[0];
  const double* restrict a1 = (const double*)a[1];
  for (long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0];
    a0[i0] = v3;
  }
}
void finish7(void* const* a, const long* n) {
  float* restrict a0 = (float*)a[0];
  const double* restrict a1 = (const double*)a[1];
  float* restrict a2 = (float*)a[2];
  const double* restrict a3 = (const double*)a[3];
  for (long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0];
    a0[i0] = v3;
  }
  for (long i1 = 0; i1 < 1; ++i1) {
    const float v5 = a3[i1];
    a2[i1] = v5;
  }
}
