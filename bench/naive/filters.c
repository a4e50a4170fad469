// Filters, sample by sample, and their gradients by a walk back over the samples.
#include "real.h"

void NAME(onepole_frames)(const real* x, const real* c, real* y, int n) {
  real low = 0;
  for (int i = 0; i < n; ++i) y[i] = low = (1 - c[i]) * x[i] + c[i] * low;
}

// State lives in a local copy: through a pointer it could be the output, and the compiler would store it every sample.
typedef struct {
  real b0, b1, b2, a1, a2;
} Coefficients;

static Coefficients lowpass(real cutoff, real q, real rate) {
  real w = two_pi * cutoff / rate, cosine = cos(w), alpha = sin(w) / (2 * q), gain = 1 / (1 + alpha);
  real b1 = (1 - cosine) * gain;
  return (Coefficients){b1 / 2, b1, b1 / 2, -2 * cosine * gain, (1 - alpha) * gain};
}

static real tick(Coefficients k, real x, real state[2]) {
  real y = k.b0 * x + state[0];
  state[0] = k.b1 * x - k.a1 * y + state[1];
  state[1] = k.b2 * x - k.a2 * y;
  return y;
}

void NAME(biquad)(const real* x, real cutoff, real q, real rate, real state[2], real* y, int n) {
  Coefficients k = lowpass(cutoff, q, rate);
  real s[2] = {state[0], state[1]};
  for (int i = 0; i < n; ++i) y[i] = tick(k, x[i], s);
  state[0] = s[0], state[1] = s[1];
}

void NAME(biquad_frames)(const real* x, const real* cutoff, real q, real rate, real state[2], real* y, int n) {
  real s[2] = {state[0], state[1]};
  for (int i = 0; i < n; ++i) y[i] = tick(lowpass(cutoff[i], q, rate), x[i], s);
  state[0] = s[0], state[1] = s[1];
}

// Adjoints of the two state variables, walking back.
typedef struct {
  real s1, s2;
} Adjoint;

// One sample back: adds to the adjoint of the coefficients and returns that of x.
static real tick_back(Coefficients k, real x, real y, real gy, Adjoint* l, Coefficients* gk) {
  real g = gy - k.a1 * l->s1 - k.a2 * l->s2, gx = k.b0 * g + k.b1 * l->s1 + k.b2 * l->s2;
  gk->b0 += g * x;
  gk->b1 += l->s1 * x;
  gk->b2 += l->s2 * x;
  gk->a1 -= l->s1 * y;
  gk->a2 -= l->s2 * y;
  *l = (Adjoint){g, l->s1};
  return gx;
}

// From the coefficients to cutoff and q.
static void lowpass_back(real cutoff, real q, real rate, Coefficients g, real* gcutoff, real* gq) {
  Coefficients k = lowpass(cutoff, q, rate);
  real w = two_pi * cutoff / rate, sine = sin(w), cosine = cos(w), gain = 1 / (1 + sine / (2 * q));
  real alpha_w = cosine / (2 * q), alpha_q = -sine / (2 * q * q);
  real galpha = -(g.b0 * k.b0 + g.b1 * k.b1 + g.b2 * k.b2 + g.a1 * k.a1 + g.a2 * (1 + k.a2)) * gain;
  real gw = (g.b0 / 2 + g.b1 + g.b2 / 2 + 2 * g.a1) * sine * gain + galpha * alpha_w;
  *gcutoff += gw * two_pi / rate;
  *gq += galpha * alpha_q;
}

real NAME(biquad_gradient)(const real* x, const real* target, const real params[3], real rate, real* y,
                           real gradient[3], int n) {
  real state[2] = {0, 0}, loss = 0;
  Coefficients k = lowpass(params[1], params[2], rate), gk = {0, 0, 0, 0, 0};
  for (int i = 0; i < n; ++i) {
    y[i] = tick(k, params[0] * x[i], state);
    loss += (y[i] - target[i]) * (y[i] - target[i]) / n;
  }
  Adjoint l = {0, 0};
  gradient[0] = gradient[1] = gradient[2] = 0;
  for (int i = n - 1; i >= 0; --i)
    gradient[0] += x[i] * tick_back(k, params[0] * x[i], y[i], 2 * (y[i] - target[i]) / n, &l, &gk);
  lowpass_back(params[1], params[2], rate, gk, &gradient[1], &gradient[2]);
  return loss;
}

real NAME(biquad_frames_gradient)(const real* x, const real* target, const real* scale, const real params[3], real rate,
                                  real* y, real gradient[3], int n) {
  real state[2] = {0, 0}, loss = 0;
  for (int i = 0; i < n; ++i) {
    y[i] = tick(lowpass(params[1] * scale[i], params[2], rate), params[0] * x[i], state);
    loss += (y[i] - target[i]) * (y[i] - target[i]) / n;
  }
  Adjoint l = {0, 0};
  gradient[0] = gradient[1] = gradient[2] = 0;
  for (int i = n - 1; i >= 0; --i) {
    real cutoff = params[1] * scale[i], gcutoff = 0;
    Coefficients k = lowpass(cutoff, params[2], rate), gk = {0, 0, 0, 0, 0};
    gradient[0] += x[i] * tick_back(k, params[0] * x[i], y[i], 2 * (y[i] - target[i]) / n, &l, &gk);
    lowpass_back(cutoff, params[2], rate, gk, &gcutoff, &gradient[2]);
    gradient[1] += scale[i] * gcutoff;
  }
  return loss;
}
