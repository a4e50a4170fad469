// Spectra by a radix-2 transform of complex numbers, one window at a time.
#include <stdlib.h>

#include "real.h"

typedef struct {
  int size, hop;
  real *window, *cosine, *sine, *re, *im;  // the last two are the window at work
} Stft;

static Stft make_stft(int size, int hop) {
  real* memory = malloc(5 * (size_t)size * sizeof(real));
  Stft s = {size, hop, memory, memory + size, memory + 2 * size, memory + 3 * size, memory + 4 * size};
  for (int i = 0; i < size; ++i) {
    s.cosine[i] = cos(two_pi * i / size);
    s.sine[i] = sin(two_pi * i / size);
    s.window[i] = (1 - s.cosine[i]) / 2;
  }
  return s;
}

static void free_stft(Stft s) { free(s.window); }

static void swap(real* a, real* b) {
  real t = *a;
  *a = *b;
  *b = t;
}

static void fft(Stft s) {
  for (int i = 1, j = 0; i < s.size; ++i) {
    int bit = s.size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) swap(&s.re[i], &s.re[j]), swap(&s.im[i], &s.im[j]);
  }
  for (int half = 1; half < s.size; half *= 2)
    for (int i = 0; i < s.size; i += 2 * half)
      for (int k = 0; k < half; ++k) {
        int a = i + k, b = a + half, t = k * (s.size / (2 * half));
        real re = s.re[b] * s.cosine[t] + s.im[b] * s.sine[t], im = s.im[b] * s.cosine[t] - s.re[b] * s.sine[t];
        s.re[b] = s.re[a] - re, s.im[b] = s.im[a] - im;
        s.re[a] += re, s.im[a] += im;
      }
}

// The spectrum of the window that ends at a tick, into s.re and s.im.
static void transform(Stft s, const real* x, int tick) {
  int first = tick * s.hop - s.size + 1;
  for (int i = 0; i < s.size; ++i) {
    s.re[i] = first + i < 0 ? 0 : x[first + i] * s.window[i];
    s.im[i] = 0;
  }
  fft(s);
}

static real magnitude(Stft s, int bin) { return sqrt(s.re[bin] * s.re[bin] + s.im[bin] * s.im[bin]); }

void NAME(stft_magnitude)(const real* x, int n, int size, int hop, real* y) {
  Stft s = make_stft(size, hop);
  for (int tick = 0; tick * hop < n; ++tick) {
    transform(s, x, tick);
    for (int k = 0; k <= size / 2; ++k) *y++ = magnitude(s, k);
  }
  free_stft(s);
}

static real sign(real x) { return (real)((x > 0) - (x < 0)); }

// From the adjoint of the spectrum of a window to that of the samples.
static void transform_back(Stft s, real* gradient, int tick) {
  for (int k = 0; k < s.size; ++k) {
    if (k > s.size / 2) s.re[k] = s.im[k] = 0;
    s.im[k] = -s.im[k];
  }
  fft(s);
  int first = tick * s.hop - s.size + 1;
  for (int i = first < 0 ? -first : 0; i < s.size; ++i) gradient[first + i] += s.window[i] * s.re[i];
}

static real one_scale(const real* x, const real* target, int n, int size, real* gradient) {
  const real eps = (real)1e-3;
  Stft s = make_stft(size, size / 4);
  real loss = 0, *wanted = malloc((size_t)(size / 2 + 1) * sizeof(real));
  real each = 1 / ((real)((n + s.hop - 1) / s.hop) * (real)(size / 2 + 1));
  for (int tick = 0; tick * s.hop < n; ++tick) {
    transform(s, target, tick);
    for (int k = 0; k <= size / 2; ++k) wanted[k] = magnitude(s, k);
    transform(s, x, tick);
    for (int k = 0; k <= size / 2; ++k) {
      real m = magnitude(s, k), linear = m - wanted[k], logs = log(m + eps) - log(wanted[k] + eps);
      loss += each * (fabs(linear) + fabs(logs));
      real g = m > 0 ? each * (sign(linear) + sign(logs) / (m + eps)) / m : 0;
      s.re[k] *= g, s.im[k] *= g;
    }
    if (gradient) transform_back(s, gradient, tick);
  }
  free(wanted);
  free_stft(s);
  return loss;
}

real NAME(spectral_loss)(const real* x, const real* target, int n, real* gradient) {
  static const int sizes[] = {2048, 1024, 512, 256, 128, 64};
  real loss = 0;
  if (gradient)
    for (int i = 0; i < n; ++i) gradient[i] = 0;
  for (int i = 0; i < 6; ++i) loss += one_scale(x, target, n, sizes[i], gradient);
  return loss;
}
