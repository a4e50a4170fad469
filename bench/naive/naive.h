// What a programmer writes first: scalar loops with no thought of speed. Each function exists twice: naive_*_f32 is the
// baseline (-O3 -march=native -ffast-math, its own object), naive_*_f64 the reference that results are checked against.
#pragma once
#ifdef __cplusplus
extern "C" {
#endif

#define NAIVE_F32(name) naive_##name##_f32
#define NAIVE_F64(name) naive_##name##_f64
#define NAIVE_DECLARE(real, NAME)                                                                                     \
  /* gain * one-pole of a sine */                                                                                     \
  void NAME(seed_patch)(real freq, real c, real gain, real rate, real* y, int n);                                     \
  /* a phase in [0, 1) that goes on from *phase */                                                                    \
  void NAME(phasor)(real freq, real rate, real* phase, real* y, int n);                                               \
  void NAME(sine_bank)(const real* freq, const real* weight, int voices, real rate, real* y, int n);                  \
  /* one phasor whose frequency changes every frame */                                                                \
  void NAME(phasor_frames)(const real* freq, real rate, real* y, int n);                                              \
  /* y = (1 - c) x + c y1 */                                                                                          \
  void NAME(onepole_frames)(const real* x, const real* c, real* y, int n);                                            \
  /* RBJ low-pass in transposed direct form II; state is kept between calls */                                        \
  void NAME(biquad)(const real* x, real cutoff, real q, real rate, real state[2], real* y, int n);                    \
  void NAME(biquad_frames)(const real* x, const real* cutoff, real q, real rate, real state[2], real* y, int n);      \
  /* mean of (low-pass(gain x) - target)^2, and its gradient to gain, cutoff and q */                                 \
  real NAME(biquad_gradient)(const real* x, const real* target, const real params[3], real rate, real* y,             \
                             real gradient[3], int n);                                                                \
  /* the same with the cutoff scaled by a signal */                                                                   \
  real NAME(biquad_frames_gradient)(const real* x, const real* target, const real* scale, const real params[3],       \
                                    real rate, real* y, real gradient[3], int n);                                     \
  /* y[i] = x[i] - sum over k of a[i][k - 1] y[i - k], for each row; the order is known at run time only */           \
  void NAME(allpole_rows)(const real* x, const real* a, int order, int rows, int n, real* y);                         \
  /* y[i] = x[i] + feedback y[i - delay], through a ring that goes on from *at */                                     \
  void NAME(comb)(const real* x, real feedback, int delay, real* ring, int* at, real* y, int n);                      \
  /* Huovilainen's four-pole filter of one x by each voice; y is [n][voices] */                                       \
  void NAME(ladder)(const real* x, const real* cutoff, const real* resonance, real rate, int voices, int n, real* y); \
  /* u = (2 - loss) u1 - (1 - loss) u2 + c2 conv2d(u1) + force where, of 3 x 3 kernels, heard at a point */           \
  void NAME(membrane)(const real* force, const real* where, const real* kernel, real c2, real loss, int height,       \
                      int width, int pickup, real* y, int n);                                                         \
  /* [m][n] = [m][k] [k][n] */                                                                                        \
  void NAME(matmul)(const real* a, const real* b, int m, int n, int k, real* c);                                      \
  /* [tick][size / 2 + 1], Hann windows of the last size samples */                                                   \
  void NAME(stft_magnitude)(const real* x, int n, int size, int hop, real* y);                                        \
  /* multi_scale_spectral_loss with its default options; gradient to x where that is not null */                      \
  real NAME(spectral_loss)(const real* x, const real* target, int n, real* gradient);                                 \
  /* A training step of the small DDSP decoder on one clip: forward, backward, clip at norm 3, Adam. moments holds    \
     both of Adam's; f0 and loudness are one a tick of 64 samples. */                                                 \
  real NAME(ddsp_step)(real* params, real* gradient, real* moments, int step, const real* f0, const real* loudness,   \
                       const real* noise, const real* target, int ticks);
NAIVE_DECLARE(float, NAIVE_F32)
NAIVE_DECLARE(double, NAIVE_F64)

#ifdef __cplusplus
}
#endif
