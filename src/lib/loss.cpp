// Losses on samples, spectra and levels.
#include <cmath>

#include "base/check.h"
#include "dgen/config.h"
#include "dgen/train.h"

namespace dgen {
namespace {

using X = SignalTensor;
using detail::CallSite;

void check_log_eps(const char* loss, float eps) {
  if (!(eps > 0)) detail::raise(loss, cat("log_eps must be above 0, got ", eps), {});
}

// ln(m + eps)
X log_of(const X& m, float eps) { return log(m + eps); }

X distance(const X& d, Distance kind) { return kind == Distance::l2 ? d * d : abs(d); }

// Of ln(a + eps) and ln(b + eps), whose difference has the sign of a - b: the gradient of l1 asks for no logarithm.
X log_distance(const X& a, const X& b, float eps, Distance kind) {
  X d = log_of(a, eps) - log_of(b, eps);
  return kind == Distance::l2 ? d * d : d * sign(a - b).detach();
}

void report_short_window(const SpectralLossOptions& o) {
  double needed = o.f0 > 0 ? 2 * config().sample_rate / static_cast<double>(o.f0) : 0;
  if (o.window_size < needed && config().log)
    config().log("[spectral_loss] a window of " + std::to_string(o.window_size) +
                 " holds less than two periods of f0, " + std::to_string(static_cast<int>(std::ceil(needed))) +
                 " samples");
}

}  // namespace

namespace detail {

Value mse(const Value& a, const Value& b, Loc loc) {
  CallSite site(loc);
  X d = as<X>(a) - as<X>(b);
  return (d * d).mean();
}

Value l1(const Value& a, const Value& b, Loc loc) {
  CallSite site(loc);
  return abs(as<X>(a) - as<X>(b)).mean();
}

}  // namespace detail

Signal spectral_loss(const SignalTensor& a, const SignalTensor& b, const SpectralLossOptions& o, Loc loc) {
  CallSite site(loc);
  report_short_window(o);
  if (o.hop < 0) detail::raise("spectral_loss", cat("hop must be at least 0, which is a quarter of the window, got ", o.hop), {});
  if (o.magnitude != Magnitude::linear) check_log_eps("spectral_loss", o.log_eps);
  int hop = o.hop > 0 ? o.hop : std::max(1, o.window_size / 4);
  StftOptions frames{o.window_size, hop, o.window};
  X A = stft(a, frames).magnitude(), B = stft(b, frames).magnitude();
  X d = detail::as<X>(detail::number(0));
  if (o.magnitude != Magnitude::log) d = distance(A - B, o.distance);
  if (o.magnitude != Magnitude::linear) {
    X logs = log_distance(A, B, o.log_eps, o.distance);
    d = o.magnitude == Magnitude::both ? d + logs : logs;
  }
  Signal loss = d.sum(-1).mean();
  return o.normalize ? loss * (1 / static_cast<float>(o.window_size / 2 + 1)) : loss;
}

Signal multi_scale_spectral_loss(const SignalTensor& a, const SignalTensor& b, const MultiScaleOptions& o, Loc loc) {
  CallSite site(loc);
  if (o.sizes.empty()) detail::raise("multi_scale_spectral_loss", "no sizes", {a, b});
  if (!(o.overlap >= 0 && o.overlap < 1))
    detail::raise("multi_scale_spectral_loss", cat("overlap must be at least 0 and below 1, got ", o.overlap), {});
  if (o.log_weight != 0) check_log_eps("multi_scale_spectral_loss", o.log_eps);
  Signal loss;
  for (int size : o.sizes) {
    int hop = std::max(1, static_cast<int>(std::lround(static_cast<float>(size) * (1 - o.overlap))));
    X A = stft(a, {.size = size, .hop = hop}).magnitude(), B = stft(b, {.size = size, .hop = hop}).magnitude();
    Signal term = abs(A - B).mean() + o.log_weight * log_distance(A, B, o.log_eps, Distance::l1).mean();
    loss = loss ? loss + term : term;
  }
  return loss;
}

Signal loudness_loss(const SignalTensor& a, const SignalTensor& b, const LoudnessOptions& o, Loc loc) {
  CallSite site(loc);
  return abs(loudness(a, o) - loudness(b, o)).mean();
}

}  // namespace dgen
