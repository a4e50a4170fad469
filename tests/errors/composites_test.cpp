// A library function that fails names itself and its caller's line, whichever operator inside it objects.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace dgen;

struct Call {
  std::string text;
  std::function<void()> run;
  int line;
};

TEST(Composites, NameThemselves) {
  Tensor two({1, 2}), three({1, 2, 3}), row(std::vector<float>(6, 1), Shape{2, 3});
  Signal x = Signal::phasor(100);
  SignalTensor pair = two * x, triple = three * x, spectrum = x.buffer(64, 16);
  RecurrentWeights weights = gru_weights(3, 4), gates = lstm_weights(3, 4);
  Tensor batch = Tensor::ones({5, 4, 3});
  const std::vector<Call> calls = {
      {"[mse] shapes do not broadcast: (2) x (3)", [&] { mse(two, three); }, __LINE__},
      {"[l1] shapes do not broadcast: (2) x (3)", [&] { l1(two, three); }, __LINE__},
      {"[spectral_loss] shapes do not broadcast: (2,513) x (3,513)", [&] { spectral_loss(pair, triple); }, __LINE__},
      {"[spectral_loss] size 14 has a prime factor other than 2, 3 and 5; the nearest good size is 15",
       [&] { spectral_loss(x, x, {.window_size = 14}); }, __LINE__},
      {"[multi_scale_spectral_loss] shapes do not broadcast: (2,1025) x (3,1025)",
       [&] { multi_scale_spectral_loss(pair, triple); }, __LINE__},
      {"[loudness_loss] shapes do not broadcast: (2) x (3)", [&] { loudness_loss(pair, triple); }, __LINE__},
      {"[softmax] axis 2 is out of range for (2,3)", [&] { row.softmax(2); }, __LINE__},
      {"[log_softmax] axis 2 is out of range for (2,3)", [&] { row.log_softmax(2); }, __LINE__},
      {"[logsumexp] axis 2 is out of range for (2,3)", [&] { row.logsumexp(2); }, __LINE__},
      {"[norm] axis 2 is out of range for (2,3)", [&] { row.norm(2); }, __LINE__},
      {"[var] axis 2 is out of range for (2,3)", [&] { row.var(2); }, __LINE__},
      {"[linear] inner sizes differ: (2,3) x (2)", [&] { linear(row, two); }, __LINE__},
      {"[linear] shapes do not broadcast: (2,3) x (2)", [&] { linear(row, Tensor::eye(3), two); }, __LINE__},
      {"[layer_norm] shapes do not broadcast: (2,3) x (2)", [&] { layer_norm(row, two, three); }, __LINE__},
      {"[attention] inner sizes differ: (2,3) x (2,3)", [&] { attention(row, row.transpose(), row); }, __LINE__},
      {"[gru] the weights do not fit 2 features and 3 gates: input (3,12), hidden (4,12), bias (12), hidden_bias (12)", [&] { gru(pair, weights); }, __LINE__},
      {"[lstm] the weights do not fit 2 features and 4 gates: input (3,16), hidden (4,16), bias (16), hidden_bias (16)", [&] { lstm(pair, gates); }, __LINE__},
      {"[conv1d] ranks do not fit: (5,4,3) x (2,3)", [&] { batch.conv1d(row); }, __LINE__},
      {"[conv2d] ranks do not fit: (5,4,3) x (2,3)", [&] { batch.conv2d(row); }, __LINE__},
      {"[onepole] shapes do not broadcast: (2) x (3)", [&] { pair.onepole(three); }, __LINE__},
      {"[latch] shapes do not broadcast: (2) x (3)", [&] { pair.latch(triple); }, __LINE__},
      {"[accum] shapes do not broadcast: (2) x (3)", [&] { pair.accum({.reset = triple}); }, __LINE__},
      {"[delay] shapes do not broadcast: (2) x (3)", [&] { pair.delay(triple, 4); }, __LINE__},
      {"[phasor] shapes do not broadcast: (2) x (3)", [&] { Signal::phasor(pair, {.reset = triple}); }, __LINE__},
      {"[biquad] shapes do not broadcast: (3) x (2)", [&] { pair.biquad({.cutoff = three}); }, __LINE__},
      {"[svf] shapes do not broadcast: (3) x (2)", [&] { pair.svf({.cutoff = three}); }, __LINE__},
      {"[ladder] shapes do not broadcast: (3) x (2)", [&] { pair.ladder({.cutoff = three}); }, __LINE__},
      {"[compressor] shapes do not broadcast: (3) x (2)", [&] { pair.compressor({.sidechain = triple}); }, __LINE__},
      {"[comb] shapes do not broadcast: (2) x (3)", [&] { pair.comb({.time = 10.0f, .feedback = three}); }, __LINE__},
      {"[allpass_delay] shapes do not broadcast: (2) x (3)", [&] { pair.allpass_delay({.time = 10.0f, .gain = three}); }, __LINE__},
      {"[convolve] the response needs shape (K), got (2,3)", [&] { x.convolve(row); }, __LINE__},
      {"[filter_hops] axis -1 is out of range for ()", [&] { x.filter_hops(Signal(1)); }, __LINE__},
      {"[stft] size 14 has a prime factor other than 2, 3 and 5; the nearest good size is 15", [&] { stft(x, {.size = 14}); }, __LINE__},
      {"[mel] needs at least one band and two bins, got 0 of (2)", [&] { two.mel(0); }, __LINE__},
      {"[mix] shapes do not broadcast: (2) x (3)", [&] { mix(two, three, 0.5f); }, __LINE__},
      {"[clamp] shapes do not broadcast: (2) x (3)", [&] { clamp(two, three, 1.0f); }, __LINE__},
      {"[scale] shapes do not broadcast: (2) x (3)", [&] { scale(two, three, 1.0f, 0.0f, 1.0f); }, __LINE__},
      {"[wrap] shapes do not broadcast: (2) x (3)", [&] { wrap(two, three, 4.0f); }, __LINE__},
      {"[peek] shapes do not broadcast: (3) x (2)", [&] { row.peek(three, two); }, __LINE__},
      {"[peek_row] an empty handle", [&] { Tensor::ones({2, 3}).peek_row(Signal()); }, __LINE__},
  };
  for (const Call& call : calls) {
    std::string text = "no error";
    try {
      call.run();
    } catch (const Error& e) {
      text = e.what();
    }
    EXPECT_EQ(text, call.text + " at composites_test.cpp:" + std::to_string(call.line));
  }
}

}  // namespace
