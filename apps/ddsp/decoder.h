// The decoder as a graph: Engel et al. 2020, harmonics plus filtered noise. Their controls come from a multi-layer perceptron of
// pitch and loudness; or, with config.gru, from the paper's: a perceptron for each, a GRU of both, and a third one of all three.
#pragma once
#include "config.h"
#include "dgen/dgen.h"

namespace dgen::ddsp {

// Each [batch] at frame clock.
struct Sound {
  SignalTensor mix, harmonic, noise;
};

class Decoder {
 public:
  explicit Decoder(const Config& config);  // weights drawn from config.seed

  // f0 in Hz and loudness in dB, [batch] at hop(config.hop). The sound is one hop late: give features a tick ahead.
  Sound build(const SignalTensor& f0, const SignalTensor& loudness) const;
  NamedParams params() const;
  std::vector<Value> values() const;

 private:
  void weight(const std::string& name, int64_t in, int64_t out);
  void fixed(const std::string& name, int64_t size, float value);
  const Tensor& get(const std::string& name) const;
  SignalTensor dense(const SignalTensor& x, const std::string& name) const;
  int64_t add_stack(const std::string& name, int64_t in);
  SignalTensor stack_of(SignalTensor z, const std::string& name) const;
  SignalTensor trunk(const SignalTensor& f0, const SignalTensor& loudness) const;
  SignalTensor harmonics(const SignalTensor& z, const SignalTensor& f0) const;
  SignalTensor noise(const SignalTensor& z) const;

  Config config_;
  std::vector<std::pair<std::string, Tensor>> tensors_;
};

}  // namespace dgen::ddsp
