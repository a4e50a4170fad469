extern "C" __global__ __launch_bounds__(1) void k0(float* __restrict__ a0, float* __restrict__ a1, const float* __restrict__ a2, long long n0) {
  const float v2 = a2[0];
  const float v3 = (1.0f - v2);
  a0[0] = v3;
  const float v6 = (float)((double)(int)0 + (double)n0);
  const float v7 = (1.0f / v6);
  a1[0] = v7;
}
extern "C" __global__ __launch_bounds__(128) void k1(float* __restrict__ a0, const float* __restrict__ a1, const float* __restrict__ a2, long long n0, long long n1) {
  const float v5 = a1[0];
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    const float v6 = a2[i0];
    const float v7 = (v5 * v6);
    a0[i0] = v7;
  }
}
extern "C" __global__ __launch_bounds__(1) void k2(float* __restrict__ a0, float* __restrict__ a1, float* __restrict__ g2, const float* __restrict__ a3, const float* __restrict__ a4, long long n0, long long n1) {
  float a2[1];
  for (int j = 0; j < 1; ++j) a2[j] = g2[j];
  const float v7 = a4[0];
  for (long long i0 = n1; i0 < n0; ++i0) {
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
extern "C" __global__ __launch_bounds__(128) void k3(float* __restrict__ a0, const float* __restrict__ a1, const float* __restrict__ a2, long long n0, long long n1) {
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    const float v5 = a1[i0];
    const float v6 = a2[i0];
    const float v7 = (v5 - v6);
    a0[i0] = v7;
  }
}
extern "C" __global__ __launch_bounds__(32) void k4(float* a0, const float* __restrict__ a1, long long n0, long long n1, long long n2) {
  __shared__ float fold[16];
  for (long long i0 = n1 + blockIdx.x; i0 < n0; i0 += gridDim.x) {
    const long long v5 = i0 * 4096;
    const long long v6 = v5 + 4096;
    const long long v7 = v6 < n2 ? v6 : n2;
    const long long v10 = i0 * (-4096);
    const long long v11 = v10 + v7;
    if (threadIdx.x < 16) {
      float w = 0.0f;
      for (long long i1 = threadIdx.x; i1 < v11; i1 += 16) {
        const long long v13 = v5 + i1;
        const float v15 = a1[v13];
        w = DG_FMA(v15, v15, w);
      }
      fold[threadIdx.x] = w;
    }
    __syncthreads();
    float i2;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i2 = w[0];
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      a0[i0] = i2;
    }
    __syncthreads();
  }
}
extern "C" __global__ __launch_bounds__(32) void k4_total(double* a0, const float* __restrict__ a1, long long n0, long long n1) {
  for (long long i0 = n1; i0 < n0; ++i0) {
    dg_add_to(a1 + i0, a0 + 0, 1, threadIdx.x, blockDim.x);
    __syncthreads();
  }
}
extern "C" __global__ __launch_bounds__(128) void k5(float* __restrict__ a0, const float* __restrict__ a1, const float* __restrict__ a2, long long n0, long long n1) {
  const float v5 = a1[0];
  for (long long i0 = n1 + (long long)blockIdx.x * blockDim.x + threadIdx.x; i0 < n0; i0 += (long long)gridDim.x * blockDim.x) {
    const float v6 = a2[i0];
    const float v7 = dg_mulz(v5, v6);
    const float v8 = (v7 + v7);
    a0[i0] = v8;
  }
}
extern "C" __global__ __launch_bounds__(1) void k6(float* __restrict__ a0, float* __restrict__ g1, const float* __restrict__ a2, const float* __restrict__ a3, long long n0, long long n1) {
  float a1[1];
  for (int j = 0; j < 1; ++j) a1[j] = g1[j];
  const float v8 = a3[0];
  for (long long i0 = n0 - 1; i0 >= n1; --i0) {
    const float v4 = a1[0];
    const float v6 = a2[i0];
    const float v7 = (v4 + v6);
    a0[i0] = v7;
    const float v9 = dg_mulz(v7, v8);
    a1[0] = v9;
  }
  for (int j = 0; j < 1; ++j) g1[j] = a1[j];
}
extern "C" __global__ __launch_bounds__(32) void k7(float* a0, float* a1, const float* __restrict__ a2, const float* __restrict__ a3, const float* __restrict__ a4, long long n0, long long n1, long long n2) {
  __shared__ float fold[16];
  for (long long i0 = n1 + blockIdx.x; i0 < n0; i0 += gridDim.x) {
    const long long v5 = i0 * 4096;
    const long long v6 = v5 + 4096;
    const long long v7 = v6 < n2 ? v6 : n2;
    const long long v10 = i0 * (-4096);
    const long long v11 = v10 + v7;
    if (threadIdx.x < 16) {
      float w = 0.0f;
      for (long long i1 = threadIdx.x; i1 < v11; i1 += 16) {
        const long long v13 = v5 + i1;
        const float v15 = a2[v13];
        const float v16 = a3[v13];
        const float v17 = dg_mulz(v15, v16);
        w = w + v17;
      }
      fold[threadIdx.x] = w;
    }
    __syncthreads();
    float i2;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i2 = w[0];
    }
    __syncthreads();
    if (threadIdx.x < 16) {
      float w = 0.0f;
      for (long long i3 = threadIdx.x; i3 < v11; i3 += 16) {
        const long long v20 = v5 + i3;
        const float v21 = a2[v20];
        const float v22 = a4[v20];
        const float v23 = dg_mulz(v21, v22);
        w = w + v23;
      }
      fold[threadIdx.x] = w;
    }
    __syncthreads();
    float i4;
    {
      float w[16];
      for (int j = 0; j < 16; ++j) w[j] = fold[j];
      for (int h = 8; h; h /= 2) for (int j = 0; j < h; ++j) w[j] = w[j] + w[j + h];
      i4 = w[0];
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      a0[i0] = i2;
      a1[i0] = i4;
    }
    __syncthreads();
  }
}
extern "C" __global__ __launch_bounds__(32) void k7_total(double* a0, const float* __restrict__ a1, double* a2, const float* __restrict__ a3, long long n0, long long n1) {
  for (long long i0 = n0 - 1; i0 >= n1; --i0) {
    dg_add_to(a1 + i0, a0 + 0, 1, threadIdx.x, blockDim.x);
    __syncthreads();
    dg_add_to(a3 + i0, a2 + 0, 1, threadIdx.x, blockDim.x);
    __syncthreads();
  }
}
extern "C" __global__ __launch_bounds__(1) void k8(float* __restrict__ a0, float* __restrict__ a1, const float* __restrict__ a2, const float* __restrict__ a3, const float* __restrict__ a4, const float* __restrict__ a5, long long n0) {
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
extern "C" __global__ __launch_bounds__(1) void finish4(float* __restrict__ a0, const double* __restrict__ a1) {
  for (long long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0];
    a0[i0] = v3;
  }
}
extern "C" __global__ __launch_bounds__(1) void finish7(float* __restrict__ a0, const double* __restrict__ a1, float* __restrict__ a2, const double* __restrict__ a3) {
  for (long long i0 = 0; i0 < 1; ++i0) {
    const float v3 = a1[i0];
    a0[i0] = v3;
  }
  for (long long i1 = 0; i1 < 1; ++i1) {
    const float v5 = a3[i1];
    a2[i1] = v5;
  }
}
