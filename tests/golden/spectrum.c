void k0(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i1 = at;
      const dg_vf v7 = dg_load_v(a1 + i1);
      dg_store_v(a0 + i1, v7);
    }
    if (at < n0) {
      const dg_part there = dg_part_of(n0 - at);
      const long i1 = at;
      const dg_vf v7 = dg_load_v_part(a1 + i1, there);
      dg_store_v_part(a0 + i1, v7, there);
    }
  }
}
void k1(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  float* restrict a0 = (float*)a[0];
  float a1[16];
  const float* restrict a2 = (const float*)a[2];
  const float* restrict a3 = (const float*)a[3];
  float a4[18];
  float a5[18];
  const float* restrict a6 = (const float*)a[6];
  dg_vf a7[16];
  dg_vf a8[16];
  dg_vf a9[18];
  dg_vf a10[18];
  dg_vf a11[16];
  {
    long at = n1;
    for (; at + DG_W <= n0; at += DG_W) {
      const long i6 = at;
      const long v43 = i6 * 4;
      const long v44 = (-15) + v43;
      const long v46 = n2 * 1;
      const long v47 = v44 + v46;
      dg_pack_v(a7 + 0, a2 + v47, 4, 16);
      const long v51 = i6 * 4;
      const long v52 = v51 + n2;
      for (long i7 = 0; i7 < 16; ++i7) {
        const long v54 = v51 + i7;
        const long v55 = v54 + n2;
        const long v56 = v55 + (-15);
        const long v57 = v56 - v47;
        const dg_vf v58 = a7[v57];
        const float v59 = a3[i7];
        const dg_vf v60 = (v58 * dg_splat(v59));
        a8[i7] = v60;
      }
      for (long i8 = 0; i8 < 1; ++i8) {
        const long v62 = i8 * 16;
        const long v63 = i8 * 18;
        dg_rfft_16_v(a8 + v62, a9 + v63);
      }
      for (long i9 = 0; i9 < 2; ++i9) {
        const long v65 = i9 * 9;
        for (long i10 = 0; i10 < 9; ++i10) {
          const long v67 = v65 + i10;
          const dg_vf v68 = a9[v67];
          const float v69 = a6[i10];
          const dg_vf v70 = (v68 * dg_splat(v69));
          a10[v67] = v70;
        }
      }
      const long v71 = i6 * 16;
      for (long i11 = 0; i11 < 1; ++i11) {
        const long v73 = i11 * 18;
        const long v74 = i11 * 16;
        const long v75 = v71 + v74;
        dg_irfft_16_v(a10 + v73, a11 + 0);
        dg_unpack_v(a0 + v75, a11 + 0, 16, 16);
      }
    }
    for (long i0 = at; i0 < n0; ++i0) {
      const long v12 = i0 * 4;
      const long v13 = v12 + n2;
      for (long i1 = 0; i1 < 16; ++i1) {
        const long v14 = v12 + i1;
        const long v15 = v14 + n2;
        const long v17 = v15 + (-15);
        const float v19 = a2[v17];
        const float v20 = a3[i1];
        const float v21 = (v19 * v20);
        a1[i1] = v21;
      }
      for (long i2 = 0; i2 < 1; ++i2) {
        const long v23 = i2 * 16;
        const long v25 = i2 * 18;
        dg_rfft_16(a1 + v23, a4 + v25);
      }
      for (long i3 = 0; i3 < 2; ++i3) {
        const long v30 = i3 * 9;
        for (long i4 = 0; i4 < 9; ++i4) {
          const long v31 = v30 + i4;
          const float v32 = a4[v31];
          const float v33 = a6[i4];
          const float v34 = (v32 * v33);
          a5[v31] = v34;
        }
      }
      const long v35 = i0 * 16;
      for (long i5 = 0; i5 < 1; ++i5) {
        const long v37 = i5 * 18;
        const long v38 = i5 * 16;
        const long v39 = v35 + v38;
        dg_irfft_16(a5 + v37, a0 + v39);
      }
    }
  }
}
void k2(void* const* a, const long* n) {
  const long n0 = n[0];
  const long n1 = n[1];
  const long n2 = n[2];
  float* restrict a0 = (float*)a[0];
  const float* restrict a1 = (const float*)a[1];
  const long v5 = n2 * (-1);
  {
    long at = n1;
    for (; at < n0; at += DG_W) {
      const dg_part there = dg_part_of(n0 - at);
      const long i1 = at;
      const long v60 = i1 + v5;
      const long v61 = v60 + 4;
      const dg_vi v62 = dg_splat_i((int)v61) + dg_lanes_v();
      const dg_vi v63 = v62 / dg_splat_i((int)4);
      const dg_vi v64 = v63 + dg_splat_i((int)(-1));
      const dg_vi v65 = v63 * dg_splat_i((int)4);
      const dg_vi v66 = v65 + dg_splat_i((int)(-4));
      const dg_vi v67 = dg_splat_i((int)n2) + v65;
      const dg_vi v68 = v67 + dg_splat_i((int)(-4));
      const dg_vi v69 = v63 * dg_splat_i((int)(-4));
      const dg_vi v70 = dg_splat_i((int)v60) + dg_lanes_v();
      const dg_vi v71 = v70 + v69;
      const dg_vi v72 = v71 + dg_splat_i((int)4);
      const dg_vi v73 = v71 + dg_splat_i((int)16);
      const dg_vi v74 = v63 + dg_splat_i((int)(-4));
      const dg_vi v75 = v63 * dg_splat_i((int)16);
      const dg_vi v76 = v75 + dg_splat_i((int)(-64));
      const dg_vi v77 = v63 * dg_splat_i((int)12);
      const dg_vi v78 = dg_splat_i((int)v60) + dg_lanes_v();
      const dg_vi v79 = v78 + v77;
      const dg_vi v80 = v79 + dg_splat_i((int)(-48));
      const dg_vf v81 = dg_gather_v_part(a1, v80, there);
      const dg_vi v82 = v71 + dg_splat_i((int)12);
      const dg_vi v83 = v63 + dg_splat_i((int)(-3));
      const dg_vi v84 = v75 + dg_splat_i((int)(-48));
      const dg_vi v85 = v79 + dg_splat_i((int)(-36));
      const dg_vf v86 = dg_gather_v_part(a1, v85, there);
      const dg_vf v87 = (v81 + v86);
      const dg_vi v88 = v71 + dg_splat_i((int)8);
      const dg_vi v89 = v63 + dg_splat_i((int)(-2));
      const dg_vi v90 = v75 + dg_splat_i((int)(-32));
      const dg_vi v91 = v79 + dg_splat_i((int)(-24));
      const dg_vf v92 = dg_gather_v_part(a1, v91, there);
      const dg_vf v93 = (v87 + v92);
      const dg_vi v94 = v75 + dg_splat_i((int)(-16));
      const dg_vi v95 = v79 + dg_splat_i((int)(-12));
      const dg_vf v96 = dg_gather_v_part(a1, v95, there);
      const dg_vf v97 = (v93 + v96);
      dg_store_v_part(a0 + i1, v97, there);
    }
  }
}
