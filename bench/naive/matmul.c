// A product of matrices, as a programmer writes it who knows that rows are contiguous.
#include "real.h"

void NAME(matmul)(const real* a, const real* b, int m, int n, int k, real* c) {
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) c[i * n + j] = 0;
    for (int p = 0; p < k; ++p)
      for (int j = 0; j < n; ++j) c[i * n + j] += a[i * k + p] * b[p * n + j];
  }
}
