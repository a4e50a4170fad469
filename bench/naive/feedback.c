// Feedback that is no scan of one filter: rows of filters, a delay line, tanh in the loop, a field.
#include <stdlib.h>

#include "real.h"

void NAME(allpole_rows)(const real* x, const real* a, int order, int rows, int n, real* y) {
  for (int r = 0; r < rows; ++r, x += n, y += n, a += n * order)
    for (int i = 0; i < n; ++i) {
      real sum = x[i];
      for (int k = 1; k <= order && k <= i; ++k) sum -= a[i * order + k - 1] * y[i - k];
      y[i] = sum;
    }
}

void NAME(comb)(const real* x, real feedback, int delay, real* ring, int* at, real* y, int n) {
  int now = *at;
  for (int i = 0; i < n; ++i) {
    y[i] = ring[now] = x[i] + feedback * ring[now];
    now = (now + 1) % delay;
  }
  *at = now;
}

// Of a state that is kept beside its tanh, so that a sample takes five of them.
typedef struct {
  real y, bent;
} Stage;

static real ladder_tick(real x, real g, real resonance, Stage s[4]) {
  real u = tanh(x - 4 * resonance * s[3].y);
  for (int i = 0; i < 4; ++i) {
    s[i].y += g * (u - s[i].bent);
    u = s[i].bent = tanh(s[i].y);
  }
  return s[3].y;
}

void NAME(ladder)(const real* x, const real* cutoff, const real* resonance, real rate, int voices, int n, real* y) {
  for (int v = 0; v < voices; ++v) {
    Stage s[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    real g = 1 - exp(-two_pi * cutoff[v] / rate);
    for (int i = 0; i < n; ++i) y[i * voices + v] = ladder_tick(x[i], g, resonance[v], s);
  }
}

// The size is no argument, or the loops over the kernel would take ten times as long.
static void conv2d(const real* x, int height, int width, const real* kernel, real* y) {
  enum { size = 3, pad = 1 };
  for (int i = 0; i < height; ++i)
    for (int j = 0; j < width; ++j) {
      real sum = 0;
      for (int di = 0; di < size; ++di)
        for (int dj = 0; dj < size; ++dj) {
          int row = i + di - pad, column = j + dj - pad;
          if (row >= 0 && row < height && column >= 0 && column < width)
            sum += kernel[di * size + dj] * x[row * width + column];
        }
      y[i * width + j] = sum;
    }
}

void NAME(membrane)(const real* force, const real* where, const real* kernel, real c2, real loss, int height, int width,
                    int pickup, real* y, int n) {
  int points = height * width;
  real *memory = calloc(3 * (size_t)points, sizeof(real)), *last = memory, *now = last + points, *bent = now + points;
  for (int step = 0; step < n; ++step) {
    conv2d(now, height, width, kernel, bent);
    for (int i = 0; i < points; ++i)
      last[i] = (2 - loss) * now[i] - (1 - loss) * last[i] + c2 * bent[i] + force[step] * where[i];
    real* next = last;
    last = now, now = next;
    y[step] = now[pickup];
  }
  free(memory);
}
