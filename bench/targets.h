// What each row must reach on one core with AVX-512 (about two thirds of what hand-written prototypes reached there).
// Rows without a figure of their own only have to be right.
#pragma once

namespace bench {

// 0: nothing is asked.
struct Target {
  double ratio = 0;    // times faster than the naive loop
  double seconds = 0;  // at most: of processor time, for compiling by the clock
  double error = 0;    // at most, against float64
};

// An SNR in dB as noise to signal: 80 dB is 1e-4, 90 dB 3.16e-5, 65 dB 5.62e-4.
inline constexpr double snr_65 = 5.62e-4, snr_80 = 1e-4, snr_90 = 3.16e-5;
// Relative errors of values and of gradients wherever nothing else is said.
inline constexpr double of_values = 1e-5, of_gradients = 1e-4;

namespace must {
// Of the sum of weights.
inline constexpr Target sine_1{.ratio = 25, .error = 2e-6};
inline constexpr Target sine_16{.ratio = 20, .error = 2e-6};
inline constexpr Target sine_100{.ratio = 40, .error = 2e-6};
inline constexpr Target sine_1000{.error = 2e-6};
// In cycles.
inline constexpr Target phase_of_long_runs{.error = 2e-7};
inline constexpr Target phasor_frames{.ratio = 8, .error = of_values};
inline constexpr Target onepole_frames{.ratio = 6, .error = of_values};
inline constexpr Target biquad{.ratio = 8, .error = of_values};
inline constexpr Target biquad_block_16{.ratio = 5, .error = of_values};
inline constexpr Target biquad_stereo{.error = of_values};
inline constexpr Target biquad_20_hz{.ratio = 8, .error = snr_80};
inline constexpr Target biquad_5_hz{.ratio = 8, .error = snr_65};
inline constexpr Target biquad_frames{.ratio = 7, .error = snr_90};
inline constexpr Target biquad_frames_short{.ratio = 3.5, .error = snr_90};
inline constexpr Target biquad_gradient{.ratio = 4, .error = of_gradients};
inline constexpr Target biquad_frames_gradient{.ratio = 3, .error = of_gradients};
inline constexpr Target order_two_lanes{.ratio = 12, .error = of_values};
inline constexpr Target comb{.ratio = 10, .error = of_values};
inline constexpr Target ladder_1{.ratio = 2, .error = of_values};
inline constexpr Target ladder_8{.ratio = 12, .error = of_values};
inline constexpr Target ladder_16{.ratio = 20, .error = of_values};
inline constexpr Target ladder_64{.ratio = 60, .error = of_values};
inline constexpr Target ladder_gradient{.ratio = 1 / 1.6, .error = of_gradients};
inline constexpr Target ladder_checkpoints{.ratio = 1 / 2.6, .error = of_gradients};
// Rounding excites slow waves, which last: the C of bench/naive in float32 is at 4e-4.
inline constexpr Target membrane{.ratio = 25, .error = 1e-3};
inline constexpr Target stft_magnitude{.ratio = 10, .error = of_values};
// Against FFTW: three quarters of its time.
inline constexpr Target stft_fftw{.ratio = 1 / 0.75, .error = of_values};
// Against oneDNN: a tenth longer.
inline constexpr Target matmul{.ratio = 1 / 1.1, .error = of_values};
inline constexpr Target compile_500{.seconds = 0.2, .error = of_values};
inline constexpr Target compile_5000{.seconds = 0.7, .error = of_values};
inline constexpr Target compile_20000{.seconds = 2, .error = of_values};
inline constexpr Target compile_from_disk{.seconds = 2e-3, .error = of_values};
inline constexpr Target compile_again{.seconds = 100e-6, .error = of_values};
inline constexpr Target value{.error = of_values};
inline constexpr Target seed_patch{.ratio = 20, .error = of_values};
inline constexpr Target gradient{.error = of_gradients};
// Distances change sign where magnitudes meet: the C of bench/naive in float32 is at 5e-4, and we may be at eight times
// that, as for random graphs.
inline constexpr Target training_step{.error = 4e-3};
}  // namespace must

}  // namespace bench
