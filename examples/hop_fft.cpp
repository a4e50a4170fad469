// Resynthesis through overlapping spectra: the transforms run once every 256 frames, the rest once a frame.
#include <dgen/dgen.h>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  Signal sig = sin(Signal::phasor(440) * (2 * std::numbers::pi_v<float>));

  SignalTensor buf = sig.buffer(1024, 256);  // the last 1024 samples, every 256 frames
  Complex<SignalTensor> spectrum = buf.fft();
  // ... spectral processing, once a hop ...
  SignalTensor recon = spectrum.ifft().re;
  Signal out = recon.overlap_add(256).scalar();  // back to one sample a frame

  Program program = compile({out, sig});
  const auto result = program.run({.frames = 4096});
  const std::vector<float>&resynthesis = result[0], &dry = result[1];

  // Four windows overlap, and a sample is last heard 1023 frames late.
  double worst = 0;
  for (size_t n = 1023; n < 4096; ++n) worst = std::max(worst, std::abs(resynthesis[n] - 4.0 * dry[n - 1023]));
  std::printf("clocks: buffer %s, spectrum %s, output %s\n", buf.clock().str().c_str(), spectrum.re.clock().str().c_str(),
              out.clock().str().c_str());
  std::printf("4096 frames, %lld transforms\n", static_cast<long long>(program.stats().ffts));
  std::printf("largest difference from 4 x[n - 1023]: %.1e\n", worst);
  return worst < 1e-4 && program.stats().ffts == 2 * 4096 / 256 ? 0 : 1;
}
