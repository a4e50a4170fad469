// The small decoder of apps/ddsp: two dense layers with layer norm, sixty harmonics, filtered noise, a spectral loss,
// and a step of Adam. Every quantity of a tick is kept for the way back.
#include <stdlib.h>
#include <string.h>

#include "real.h"

enum { hidden = 128, harmonics = 60, bands = 65, taps = 128, hop = 64, sample_rate = 16000 };

typedef struct {
  int in, out;
  real *weight, *bias;
} Dense;

typedef struct {
  Dense layer[2];
  real *gain[2], *shift[2];
  Dense amplitudes, noise;
} Model;

static real* take(real** at, int n) {
  real* p = *at;
  *at += n;
  return p;
}

static Dense dense_at(real** at, int in, int out) {
  real* weight = take(at, in * out);
  return (Dense){in, out, weight, take(at, out)};
}

// Parameters, or their gradients, lie in one array. Returns how many there are.
static int model_at(Model* m, real* params) {
  real* at = params;
  for (int i = 0; i < 2; ++i) {
    m->layer[i] = dense_at(&at, i == 0 ? 2 : hidden, hidden);
    m->gain[i] = take(&at, hidden);
    m->shift[i] = take(&at, hidden);
  }
  m->amplitudes = dense_at(&at, hidden, harmonics + 1);
  m->noise = dense_at(&at, hidden, bands);
  return (int)(at - params);
}

static void dense(Dense d, const real* x, real* y) {
  for (int j = 0; j < d.out; ++j) {
    y[j] = d.bias[j];
    for (int i = 0; i < d.in; ++i) y[j] += x[i] * d.weight[i * d.out + j];
  }
}

// gx is added to.
static void dense_back(Dense d, Dense g, const real* x, const real* gy, real* gx) {
  for (int j = 0; j < d.out; ++j) {
    g.bias[j] += gy[j];
    for (int i = 0; i < d.in; ++i) {
      g.weight[i * d.out + j] += x[i] * gy[j];
      gx[i] += d.weight[i * d.out + j] * gy[j];
    }
  }
}

// Layer norm and leaky ReLU; x becomes the normalised input. Returns 1 / standard deviation.
static real activate(real* x, const real* gain, const real* shift, real* y) {
  real mean = 0, power = 0;
  for (int i = 0; i < hidden; ++i) mean += x[i] / hidden;
  for (int i = 0; i < hidden; ++i) power += (x[i] - mean) * (x[i] - mean) / hidden;
  real inverse = 1 / sqrt(power + (real)1e-5);
  for (int i = 0; i < hidden; ++i) {
    x[i] = (x[i] - mean) * inverse;
    real v = x[i] * gain[i] + shift[i];
    y[i] = v > 0 ? v : (real)0.01 * v;
  }
  return inverse;
}

// g is the adjoint of the output before, of the layer's input afterwards.
static void activate_back(const real* x, real inverse, const real* y, const real* gain, real* ggain, real* gshift,
                          real* g) {
  real sum = 0, dot = 0;
  for (int i = 0; i < hidden; ++i) {
    g[i] *= y[i] > 0 ? 1 : (real)0.01;
    ggain[i] += g[i] * x[i];
    gshift[i] += g[i];
    g[i] *= gain[i];
    sum += g[i] / hidden;
    dot += g[i] * x[i] / hidden;
  }
  for (int i = 0; i < hidden; ++i) g[i] = (g[i] - sum - x[i] * dot) * inverse;
}

static const real ln10 = (real)2.302585092994045684;
static real sigmoid(real v) { return 1 / (1 + exp(-v)); }
static real exp_sigmoid(real v) { return 2 * pow(sigmoid(v), ln10) + (real)1e-7; }
static real exp_sigmoid_slope(real v) { return 2 * ln10 * pow(sigmoid(v), ln10) * (1 - sigmoid(v)); }

typedef struct {
  real in[2], x[2][hidden], inverse[2], z[2][hidden];
  real raw[harmonics + 1], share[harmonics], sum, amplitude[harmonics];
  real raw_noise[bands], ir[taps];
  real gamplitude[harmonics], gir[taps];
} Tick;

static real hann(int i, const real* cosine) { return (1 - cosine[i]) / 2; }
// Of a bin in an inverse transform: those inside stand for two.
static real weight_of(int bin) { return (bin == 0 || bin == bands - 1 ? 1 : 2) / (real)taps; }

static void controls(const Model* m, real f0, real loudness, const real* cosine, Tick* t) {
  t->in[0] = log2(f0 / 440) / 2;
  t->in[1] = (loudness + 80) / 40 - 1;
  for (int i = 0; i < 2; ++i) {
    dense(m->layer[i], i == 0 ? t->in : t->z[0], t->x[i]);
    t->inverse[i] = activate(t->x[i], m->gain[i], m->shift[i], t->z[i]);
  }
  dense(m->amplitudes, t->z[1], t->raw);
  t->sum = (real)1e-7;
  for (int k = 0; k < harmonics; ++k) {
    t->share[k] = f0 * (k + 1) < sample_rate / 2 ? exp_sigmoid(t->raw[k + 1]) : 0;
    t->sum += t->share[k];
  }
  for (int k = 0; k < harmonics; ++k) t->amplitude[k] = t->share[k] / t->sum * exp_sigmoid(t->raw[0]);
  dense(m->noise, t->z[1], t->raw_noise);
  real magnitude[bands];
  for (int k = 0; k < bands; ++k) magnitude[k] = exp_sigmoid(t->raw_noise[k] - 5) * weight_of(k);
  for (int i = 0; i < taps; ++i) {
    real sum = 0;
    for (int k = 0; k < bands; ++k) sum += magnitude[k] * cosine[(i + taps / 2) * k % taps];
    t->ir[i] = sum * hann(i, cosine);
  }
}

static void controls_back(const Model* m, const Model* g, real f0, const real* cosine, const Tick* t) {
  real graw[harmonics + 1], gnoise[bands], gz[hidden] = {0}, gz0[hidden] = {0}, gin[2] = {0};
  real total = exp_sigmoid(t->raw[0]), dot = 0;
  for (int k = 0; k < harmonics; ++k) dot += t->gamplitude[k] * t->share[k] / t->sum;
  graw[0] = dot * exp_sigmoid_slope(t->raw[0]);
  for (int k = 0; k < harmonics; ++k) {
    real gshare = (t->gamplitude[k] - dot) * total / t->sum;
    graw[k + 1] = f0 * (k + 1) < sample_rate / 2 ? gshare * exp_sigmoid_slope(t->raw[k + 1]) : 0;
  }
  real gir[taps];
  for (int i = 0; i < taps; ++i) gir[i] = t->gir[i] * hann(i, cosine);
  for (int k = 0; k < bands; ++k) {
    real sum = 0;
    for (int i = 0; i < taps; ++i) sum += gir[i] * cosine[(i + taps / 2) * k % taps];
    gnoise[k] = sum * weight_of(k) * exp_sigmoid_slope(t->raw_noise[k] - 5);
  }
  dense_back(m->amplitudes, g->amplitudes, t->z[1], graw, gz);
  dense_back(m->noise, g->noise, t->z[1], gnoise, gz);
  activate_back(t->x[1], t->inverse[1], t->z[1], m->gain[1], g->gain[1], g->shift[1], gz);
  dense_back(m->layer[1], g->layer[1], t->z[0], gz, gz0);
  activate_back(t->x[0], t->inverse[0], t->z[0], m->gain[0], g->gain[0], g->shift[0], gz0);
  dense_back(m->layer[0], g->layer[0], t->in, gz0, gin);
}

// Harmonics at frame i of a phase; controls are interpolated from the tick before to this one.
static real harmonic(const Tick* before, const Tick* now, real t, real phase) {
  real y = 0;
  for (int k = 0; k < harmonics; ++k)
    y += sin(two_pi * phase * (k + 1)) * (before->amplitude[k] + (now->amplitude[k] - before->amplitude[k]) * t);
  return y;
}

static void harmonic_back(Tick* before, Tick* now, real t, real phase, real g) {
  for (int k = 0; k < harmonics; ++k) {
    real each = g * sin(two_pi * phase * (k + 1));
    before->gamplitude[k] += each * (1 - t);
    now->gamplitude[k] += each * t;
  }
}

static void sound(const Tick* tick, const real* f0, const real* noise, int ticks, real* phases, real* y) {
  real phase = 0;
  for (int i = 0; i < ticks * hop; ++i) {
    int now = i / hop, before = now > 0 ? now - 1 : 0;
    real t = (real)(i % hop) / hop;
    y[i] = harmonic(&tick[before], &tick[now], t, phase);
    phases[i] = phase;
    phase += (f0[before] + (f0[now] - f0[before]) * t) / sample_rate;
    if (phase >= 1) phase -= 1;
  }
  // Each tick filters the noise of the hop that ends there.
  for (int k = 0; k < ticks; ++k)
    for (int i = 0; i < hop; ++i) {
      int from = (k - 1) * hop + 1 + i;
      for (int j = 0; j < taps && from >= 0 && k * hop + i + j < ticks * hop; ++j)
        y[k * hop + i + j] += noise[from] * tick[k].ir[j];
    }
}

static void sound_back(Tick* tick, const real* noise, int ticks, const real* phases, const real* g) {
  for (int i = 0; i < ticks * hop; ++i) {
    int now = i / hop, before = now > 0 ? now - 1 : 0;
    harmonic_back(&tick[before], &tick[now], (real)(i % hop) / hop, phases[i], g[i]);
  }
  for (int k = 0; k < ticks; ++k)
    for (int i = 0; i < hop; ++i) {
      int from = (k - 1) * hop + 1 + i;
      for (int j = 0; j < taps && from >= 0 && k * hop + i + j < ticks * hop; ++j)
        tick[k].gir[j] += noise[from] * g[k * hop + i + j];
    }
}

static void adam(real* params, const real* gradient, real* moments, int step, int n) {
  const real b1 = (real)0.9, b2 = (real)0.999, lr = (real)1e-3, limit = 3;
  real power = 0;
  for (int i = 0; i < n; ++i) power += gradient[i] * gradient[i];
  real clip = limit / (sqrt(power) + (real)1e-6);
  if (clip > 1) clip = 1;
  real m_weight = 1 - pow(b1, (real)(step + 1)), v_weight = 1 - pow(b2, (real)(step + 1));
  for (int i = 0; i < n; ++i) {
    real *m = &moments[i], *v = &moments[n + i], g = clip * gradient[i];
    *m = b1 * *m + (1 - b1) * g;
    *v = b2 * *v + (1 - b2) * g * g;
    params[i] -= lr * (*m / m_weight) / (sqrt(*v / v_weight) + (real)1e-8);
  }
}

real NAME(ddsp_step)(real* params, real* gradient, real* moments, int step, const real* f0, const real* loudness,
                     const real* noise, const real* target, int ticks) {
  Model m, g;
  int n = model_at(&m, params), frames = ticks * hop;
  model_at(&g, gradient);
  memset(gradient, 0, (size_t)n * sizeof(real));
  Tick* tick = calloc((size_t)ticks, sizeof(Tick));
  real *y = calloc(3 * (size_t)frames, sizeof(real)), *phases = y + frames, *gy = phases + frames, cosine[taps];
  for (int i = 0; i < taps; ++i) cosine[i] = cos(two_pi * i / taps);
  for (int k = 0; k < ticks; ++k) controls(&m, f0[k], loudness[k], cosine, &tick[k]);
  sound(tick, f0, noise, ticks, phases, y);
  real loss = NAME(spectral_loss)(y, target, frames, gy);
  sound_back(tick, noise, ticks, phases, gy);
  for (int k = 0; k < ticks; ++k) controls_back(&m, &g, f0[k], cosine, &tick[k]);
  adam(params, gradient, moments, step, n);
  free(y);
  free(tick);
  return loss;
}
