extern "C" __global__ __launch_bounds__(128) void k0(float* __restrict__ a0, const float* __restrict__ a1, long long n0, long long n1) {
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    const float v5 = a1[i0];
    a0[i0] = v5;
  }
}
extern "C" __global__ __launch_bounds__(32) void k1(float* a0, const float* __restrict__ a2, const float* __restrict__ a3, const float* __restrict__ a6, long long n0, long long n1, long long n2) {
  __shared__ float a1[16];
  __shared__ float a4[18];
  __shared__ float a5[18];
  for (long long i0 = n1 + blockIdx.x; i0 < n0; i0 += gridDim.x) {
    const long long v12 = i0 * 4;
    const long long v13 = v12 + n2;
    for (long long i1 = 0 + threadIdx.x; i1 < 16; i1 += blockDim.x) {
      const long long v8 = i1 * (-1);
      const long long v9 = v8 + 15;
      const long long v14 = v12 + i1;
      const long long v15 = v14 + n2;
      const long long v17 = v15 + (-15);
      const float v19 = a2[v17];
      const float v20 = a3[i1];
      const float v21 = (v19 * v20);
      a1[i1] = v21;
    }
    __syncthreads();
    for (long long i2 = 0 + threadIdx.x; i2 < 1; i2 += blockDim.x) {
      const long long v23 = i2 * 16;
      const long long v25 = i2 * 18;
      dg_rfft_16(a1 + v23, a4 + v25);
    }
    __syncthreads();
    for (long long i3 = 0; i3 < 2; ++i3) {
      const long long v30 = i3 * 9;
      for (long long i4 = 0 + threadIdx.x; i4 < 9; i4 += blockDim.x) {
        const long long v31 = v30 + i4;
        const float v32 = a4[v31];
        const float v33 = a6[i4];
        const float v34 = (v32 * v33);
        a5[v31] = v34;
      }
    }
    const long long v35 = i0 * 16;
    __syncthreads();
    for (long long i5 = 0 + threadIdx.x; i5 < 1; i5 += blockDim.x) {
      const long long v37 = i5 * 18;
      const long long v38 = i5 * 16;
      const long long v39 = v35 + v38;
      dg_irfft_16(a5 + v37, a0 + v39);
    }
    __syncthreads();
  }
}
extern "C" __global__ __launch_bounds__(128) void k2(float* __restrict__ a0, const float* __restrict__ a1, long long n0, long long n1, long long n2) {
  const long long v5 = n2 * (-1);
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    const long long v6 = i0 + v5;
    const long long v9 = v6 + 4;
    const long long v10 = v9 / 4;
    const long long v11 = v10 + (-1);
    const long long v12 = v10 * 4;
    const long long v14 = v12 + (-4);
    const long long v15 = n2 + v12;
    const long long v16 = v15 + (-4);
    const long long v17 = v10 * (-4);
    const long long v18 = v6 + v17;
    const long long v19 = v18 + 4;
    const long long v24 = v18 + 16;
    const long long v25 = v10 + (-4);
    const long long v26 = v10 * 16;
    const long long v28 = v26 + (-64);
    const long long v29 = v10 * 12;
    const long long v30 = v6 + v29;
    const long long v32 = v30 + (-48);
    const float v33 = a1[v32];
    const long long v36 = v18 + 12;
    const long long v38 = v10 + (-3);
    const long long v39 = v26 + (-48);
    const long long v41 = v30 + (-36);
    const float v42 = a1[v41];
    const float v43 = (v33 + v42);
    const long long v44 = v18 + 8;
    const long long v46 = v10 + (-2);
    const long long v48 = v26 + (-32);
    const long long v50 = v30 + (-24);
    const float v51 = a1[v50];
    const float v52 = (v43 + v51);
    const long long v54 = v26 + (-16);
    const long long v56 = v30 + (-12);
    const float v57 = a1[v56];
    const float v58 = (v52 + v57);
    a0[i0] = v58;
  }
}
