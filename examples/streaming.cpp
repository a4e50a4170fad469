// Block by block like a plug-in: with preserve_state a run goes on where the last one ended, without it it starts afresh.
#include <dgen/dgen.h>

#include <cstdio>
#include <numbers>

using namespace dgen;

int main() {
  Signal wave = sin(Signal::phasor(440) * (2 * std::numbers::pi_v<float>));
  Signal patch = wave.biquad({.cutoff = 800}).delay(100);

  std::vector<float> whole = patch.realize(1024);
  std::vector<float> first = patch.realize(512);  // fresh state
  std::vector<float> second = patch.realize({.frames = 512, .preserve_state = true});

  first.insert(first.end(), second.begin(), second.end());
  std::printf("two blocks of 512 and one of 1024 are %s\n", first == whole ? "equal to the last bit" : "different");

  // The same without building a graph, allocating or locking: what an audio callback calls.
  Program program = compile(patch);
  std::vector<float> streamed(1024);
  for (int n = 0; n < 1024; n += 128) {
    float* out[] = {streamed.data() + n};
    program.process(nullptr, out, 128);
  }
  std::printf("eight blocks of 128 are %s\n", streamed == whole ? "equal to the last bit" : "different");
  return first == whole && streamed == whole ? 0 : 1;
}
