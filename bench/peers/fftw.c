#include "fftw.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

struct FftwStft {
  int size, hop;
  float *window, *in;
  fftwf_complex* out;
  fftwf_plan plan;
};

static double seconds_of(fftwf_plan plan) {
  struct timespec from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  for (int i = 0; i < 500; ++i) fftwf_execute(plan);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

/* FFTW measures to choose a plan: where other programs run, one that is up to 1.6 times as slow as another time's. */
static fftwf_plan best_plan(int size, float* in, fftwf_complex* out) {
  fftwf_plan best = NULL;
  double least = 0;
  for (int i = 0; i < 7; ++i) {
    fftwf_forget_wisdom();
    const fftwf_plan plan = fftwf_plan_dft_r2c_1d(size, in, out, FFTW_MEASURE);
    for (int k = 0; k < size; ++k) in[k] = 0; /* planning wrote there */
    double seconds = seconds_of(plan);
    for (int k = 0; k < 4; ++k) seconds = fmin(seconds, seconds_of(plan));
    if (best && seconds >= least) {
      fftwf_destroy_plan(plan);
      continue;
    }
    if (best) fftwf_destroy_plan(best);
    best = plan, least = seconds;
  }
  return best;
}

FftwStft* fftw_stft_make(int size, int hop) {
  FftwStft* s = malloc(sizeof *s);
  *s = (FftwStft){size, hop, fftwf_alloc_real((size_t)size), fftwf_alloc_real((size_t)size), fftwf_alloc_complex((size_t)size / 2 + 1),
                  NULL};
  s->plan = best_plan(size, s->in, s->out);
  for (int i = 0; i < size; ++i) s->window[i] = (float)(0.5 - 0.5 * cos(6.283185307179586477 * i / size));
  return s;
}

void fftw_stft_run(FftwStft* s, const float* x, int n, float* y) {
  for (int tick = 0; tick * s->hop < n; ++tick) {
    const int first = tick * s->hop - s->size + 1, from = first < 0 ? -first : 0;
    for (int i = 0; i < from; ++i) s->in[i] = 0;
    for (int i = from; i < s->size; ++i) s->in[i] = x[first + i] * s->window[i];
    fftwf_execute(s->plan);
    for (int k = 0; k <= s->size / 2; ++k) *y++ = sqrtf(s->out[k][0] * s->out[k][0] + s->out[k][1] * s->out[k][1]);
  }
}

void fftw_stft_free(FftwStft* s) {
  fftwf_destroy_plan(s->plan);
  fftwf_free(s->window);
  fftwf_free(s->in);
  fftwf_free(s->out);
  free(s);
}
