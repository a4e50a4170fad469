// STFT magnitudes by FFTW, for the rows against it; built where FFTW is there.
#pragma once
#ifdef __cplusplus
extern "C" {
#endif

// stft_magnitude of naive.h by FFTW: one measured plan for a window, run for each.
typedef struct FftwStft FftwStft;
FftwStft* fftw_stft_make(int size, int hop);
void fftw_stft_run(FftwStft* s, const float* x, int n, float* y);
void fftw_stft_free(FftwStft* s);

#ifdef __cplusplus
}
#endif
