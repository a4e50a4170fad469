// Composites that work sample by sample: curves, memories, filters, delays, spectra of sound, losses.
#include "e2e/composites.h"

namespace dgen::test {
namespace {

using X = SignalTensor;
using Make = std::function<Value(Bench&)>;

// Arguments of what bends lie on both sides.
const Shape kFew{4};

constexpr const char* kOneSignal = "takes one signal, and is a bank of lines itself";

Make biquad(BiquadMode mode) {
  bool has_gain = mode == BiquadMode::peaking || mode == BiquadMode::lowshelf || mode == BiquadMode::highshelf;
  return [=](Bench& b) -> Value {
    BiquadOptions options{.cutoff = b.knob(60, 240), .q = b.knob(0.5f, 3), .mode = mode};
    if (has_gain) options.gain_db = b.knob(-9, 12);
    return b.signal().biquad(options);
  };
}

Make svf(SvfMode mode) {
  return [=](Bench& b) -> Value { return b.signal().svf({.cutoff = b.knob(60, 240), .q = b.knob(0.5f, 3), .mode = mode}); };
}

std::vector<Composite> curves() {
  return {
      {"relu", [](Bench& b) -> Value { return b.signal(kFew).relu(); }},
      {"leaky_relu", [](Bench& b) -> Value { return leaky_relu(b.signal(kFew), b.knob(0.01f, 0.3f, kFew)); }},
      {"gelu", [](Bench& b) -> Value { return b.signal(kFew).gelu(); }},
      {"exp_sigmoid", [](Bench& b) -> Value { return b.signal(kFew).exp_sigmoid(); }},
      {"db_to_amp", [](Bench& b) -> Value { return b.knob(-20, 6, kFew).db_to_amp(); }},
      {"amp_to_db", [](Bench& b) -> Value { return b.knob(0.1f, 2, kFew).amp_to_db(); }},
      {"hz_to_midi", [](Bench& b) -> Value { return b.knob(100, 900, kFew).hz_to_midi(); }},
      {"midi_to_hz", [](Bench& b) -> Value { return b.knob(40, 80, kFew).midi_to_hz(); }},
      {"clamp", [](Bench& b) -> Value { return b.signal(kFew).clamp(b.knob(-0.5f, -0.1f, kFew), b.knob(0.1f, 0.5f, kFew)); }},
      {"select", [](Bench& b) -> Value { return b.gate(kFew).select(b.signal(kFew), b.signal(kFew)); }},
      {"selector", [](Bench& b) -> Value { return selector(1.0f + b.gate(kFew), b.signal(kFew), b.signal(kFew)); }},
      {"mix", [](Bench& b) -> Value { return b.signal(kFew).mix(b.signal(kFew), b.knob(0, 1, kFew)); }},
      {"wrap", [](Bench& b) -> Value { return b.signal(kFew).wrap(b.knob(-0.4f, -0.2f, kFew), b.knob(0.1f, 0.3f, kFew)); }},
      {"triangle", [](Bench& b) -> Value { return b.knob(0, 1, kFew).triangle(b.knob(0.3f, 0.8f, kFew)); }},
      {"scale", [](Bench& b) -> Value {
         X inlo = b.knob(-2, -1, kFew), inhi = b.knob(1, 2, kFew), outlo = b.knob(0, 1, kFew), outhi = b.knob(2, 3, kFew);
         return b.signal(kFew).scale(inlo, inhi, outlo, outhi, {.exp = b.knob(0.5f, 2, kFew)});
       }},
      {"compound assignment", [](Bench& b) -> Value {
         X x = b.signal(kFew);
         x += b.signal(kFew), x *= b.knob(1, 2, kFew), x -= b.signal(kFew), x /= b.knob(1, 2, kFew);
         return x;
       }},
  };
}

std::vector<Composite> memories() {
  return {
      {"frames", [](Bench& b) -> Value { return b.signal().frames(6, 2 * kHop); }},
      {"last", [](Bench& b) -> Value { return b.signal().last(3); }},
      {"every", [](Bench& b) -> Value { return b.signal().every(2 * kHop); }},
      {"hold", [](Bench& b) -> Value { return b.signal().hold(); }},
      {"interpolate linear", [](Bench& b) -> Value { return b.signal().interpolate(); }},
      {"interpolate hann", [](Bench& b) -> Value { return b.signal().interpolate({.kind = Interpolation::hann}); }},
      {"prev", [](Bench& b) -> Value { return b.signal().prev(); }},
      {"delta", [](Bench& b) -> Value { return b.signal().delta(); }},
      {"change", [](Bench& b) -> Value { return b.signal().change(); }},
      {"history", [](Bench& b) -> Value {
         X x = b.signal(), feedback = b.knob(0.2f, 0.8f);
         auto [prev, write] = SignalTensor::history(x.shape(), {.init = b.weights(x.shape()), .hop = b.clock == hop ? kHop : 1});
         return write(x + feedback * prev);
       }},
      {"accum", [](Bench& b) -> Value { return b.signal().accum(); }},
      {"accum with reset", [](Bench& b) -> Value { return b.signal().accum({.reset = b.trigger()}); }},
      {"accum with bounds", [](Bench& b) -> Value { return b.signal().accum({.min = -0.5f, .max = 0.75f}); }},
      {"accum with bounds that move", [](Bench& b) -> Value {
         return b.signal().accum({.min = -0.5f - 0.1f * b.gate({}), .max = 0.75f + 0.1f * b.gate({})});
       }},
      {"latch", [](Bench& b) -> Value { return b.signal().latch(b.trigger()); }},
      {"onepole", [](Bench& b) -> Value { return b.signal().onepole(b.knob(0.2f, 0.9f)); }},
      {"click", [](Bench& b) -> Value { return b.signal() * Signal::click(); }},
      {"phasor", [](Bench& b) -> Value { return Signal::phasor(b.knob(30, 90)); }},
      {"phasor with reset", [](Bench& b) -> Value { return Signal::phasor(b.knob(30, 90), {.reset = b.trigger()}); }},
  };
}

std::vector<Composite> filters() {
  return {
      {"biquad lowpass", biquad(BiquadMode::lowpass)},
      {"biquad highpass", biquad(BiquadMode::highpass)},
      {"biquad bandpass", biquad(BiquadMode::bandpass)},
      {"biquad bandpass_skirt", biquad(BiquadMode::bandpass_skirt)},
      {"biquad notch", biquad(BiquadMode::notch)},
      {"biquad allpass", biquad(BiquadMode::allpass)},
      {"biquad peaking", biquad(BiquadMode::peaking)},
      {"biquad lowshelf", biquad(BiquadMode::lowshelf)},
      {"biquad highshelf", biquad(BiquadMode::highshelf)},
      {"svf lowpass", svf(SvfMode::lowpass)},
      {"svf highpass", svf(SvfMode::highpass)},
      {"svf bandpass", svf(SvfMode::bandpass)},
      {"svf notch", svf(SvfMode::notch)},
      {"svf peak", svf(SvfMode::peak)},
      {"svf allpass", svf(SvfMode::allpass)},
      {"ladder", [](Bench& b) -> Value {
         return b.signal().ladder({.cutoff = b.knob(60, 240), .resonance = b.knob(0.1f, 0.8f), .drive = b.knob(1, 3)});
       }},
      {"compressor", [](Bench& b) -> Value {
         CompressorOptions options{.ratio = b.knob(2, 6, kFew), .threshold_db = b.knob(-24, -12, kFew), .knee_db = b.knob(4, 12, kFew)};
         options.attack = b.knob(0.002f, 0.006f, kFew), options.release = b.knob(0.03f, 0.1f, kFew);
         return b.signal(kFew).compressor(options);
       }},
      {"compressor with sidechain", [](Bench& b) -> Value {
         return b.signal().compressor({.threshold_db = b.knob(-24, -12), .sidechain = b.signal()});
       }},
  };
}

std::vector<Composite> delays() {
  return {
      {"delay", [](Bench& b) -> Value { return b.signal().delay(b.knob(0.2f, 6.7f), 8); }},
      {"delay of a number", [](Bench& b) -> Value { return b.signal().delay(2.5f); }},
      {"comb", [](Bench& b) -> Value { return b.signal().comb({.time = b.knob(1.2f, 6.7f), .max = 8, .feedback = b.knob(0.2f, 0.8f)}); }},
      {"comb with damping", [](Bench& b) -> Value {
         return b.signal().comb({.time = 5, .feedback = b.knob(0.2f, 0.8f), .damping = b.knob(0.1f, 0.6f)});
       }},
      {"allpass_delay", [](Bench& b) -> Value {
         return b.signal().allpass_delay({.time = b.knob(1.2f, 6.7f), .max = 8, .gain = b.knob(0.2f, 0.8f)});
       }},
      {"fdn", [](Bench& b) -> Value {
         return fdn(b.signal().scalar(), {.times = {3, 5, 7, 8}, .decay = b.knob(0.05f, 0.2f), .damping = b.knob(0.1f, 0.5f)});
       }, {bank}, kOneSignal},
      {"convolve", [](Bench& b) -> Value { return b.signal().convolve(b.weights({5})); }},
      {"convolve, partitioned", [](Bench& b) -> Value { return b.signal().convolve(b.weights({257})); }, {}, "", kLong},
      {"filter_hops", [](Bench& b) -> Value { return b.signal().filter_hops(b.knob(0, 1, {5}), {.hop = 8}); }},
  };
}

Complex<X> spectrum(Bench& b, Window window = Window::hann) { return stft(b.signal(), {.size = 8, .hop = kHop, .window = window}); }

Make spectral(Magnitude magnitude, Distance distance) {
  return [=](Bench& b) -> Value {
    return spectral_loss(b.signal(), b.signal(), {.window_size = 8, .magnitude = magnitude, .distance = distance});
  };
}

std::vector<Composite> spectra_and_losses() {
  return {
      {"stft, hann", [](Bench& b) -> Value { return spectrum(b).planes(); }},
      {"stft, hamming", [](Bench& b) -> Value { return spectrum(b, Window::hamming).planes(); }},
      {"stft, blackman", [](Bench& b) -> Value { return spectrum(b, Window::blackman).planes(); }},
      {"stft, rect", [](Bench& b) -> Value { return spectrum(b, Window::rect).planes(); }},
      {"istft", [](Bench& b) -> Value { return istft(spectrum(b) * b.knob(0, 1, {1}), {.size = 8, .hop = kHop}); }},
      {"mel", [](Bench& b) -> Value { return b.knob(0, 1, {9}).mel(4); }},
      {"loudness", [](Bench& b) -> Value { return loudness(b.signal(), {.hop = kHop, .size = 16}); }},
      {"mse", [](Bench& b) -> Value { return mse(b.signal(), b.signal()); }},
      {"l1", [](Bench& b) -> Value { return l1(b.signal(), b.signal()); }},
      {"spectral_loss", spectral(Magnitude::linear, Distance::l2)},
      {"spectral_loss, log", spectral(Magnitude::log, Distance::l2)},
      {"spectral_loss, both, l1", spectral(Magnitude::both, Distance::l1)},
      {"multi_scale_spectral_loss", [](Bench& b) -> Value {
         return multi_scale_spectral_loss(b.signal(), b.signal(), {.sizes = {16, 8}, .overlap = 0.5f});
       }},
      {"loudness_loss", [](Bench& b) -> Value { return loudness_loss(b.signal(), b.signal(), {.hop = kHop, .size = 16}); }},
  };
}

}  // namespace

std::vector<Composite> sound_composites() {
  std::vector<Composite> all;
  for (auto part : {curves, memories, filters, delays, spectra_and_losses})
    for (Composite& one : part()) all.push_back(std::move(one));
  return all;
}

}  // namespace dgen::test
