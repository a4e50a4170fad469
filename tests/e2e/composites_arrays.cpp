// Composites that work on arrays: views, reductions, spectra, convolutions, reading by index, layers.
#include "e2e/composites.h"

namespace dgen::test {
namespace {

using X = SignalTensor;

constexpr const char* kTwoAxes = "its arguments have fixed axes, none of which is a bank's";

std::vector<Composite> views() {
  return {
      {"x[i]", [](Bench& b) -> Value { return b.signal({3, 2})[-1]; }},
      {"x[{begin, end}]", [](Bench& b) -> Value { return b.signal({3, 2})[{1, 3}]; }},
      {"split", [](Bench& b) -> Value { return b.signal({5}).split({2, 3}, -1)[1]; }},
      {"concat", [](Bench& b) -> Value { return concat({b.signal({2}), b.signal({3})}, -1); }},
      {"stack", [](Bench& b) -> Value { return stack({b.signal({2}), b.signal({2})}, -1); }},
      {"repeat", [](Bench& b) -> Value {
         X x = b.signal({2});
         return x.repeat(std::vector<int>(static_cast<size_t>(x.rank()), 2));
       }},
      {"squeeze, unsqueeze", [](Bench& b) -> Value { return b.signal({2, 1}).squeeze(-1).unsqueeze(0); }},
      {"transpose", [](Bench& b) -> Value { return b.signal({2, 3}).transpose(); }},
      {"windows", [](Bench& b) -> Value { return b.signal({4, 4}).windows(3); }},
  };
}

std::vector<Composite> reductions() {
  return {
      {"mean", [](Bench& b) -> Value { return b.signal({4}).mean(-1); }},
      {"logsumexp", [](Bench& b) -> Value { return b.signal({4}).logsumexp(-1); }},
      {"norm", [](Bench& b) -> Value { return b.signal({4}).norm(-1); }},
      {"var", [](Bench& b) -> Value { return b.signal({4}).var(-1); }},
      {"argmax", [](Bench& b) -> Value { return b.signal({3, 4}).argmax(); }},
      {"softmax", [](Bench& b) -> Value { return b.signal({4}).softmax(); }},
      {"log_softmax", [](Bench& b) -> Value { return b.signal({4}).log_softmax(); }},
      {"cumsum", [](Bench& b) -> Value { return b.signal({4}).cumsum(); }},
      {"matmul", [](Bench& b) -> Value { return b.signal({2, 3}).matmul(b.signal({3, 2})); }},
  };
}

Complex<X> complex(Bench& b) { return {b.signal({4}), b.signal({4})}; }

std::vector<Composite> spectra() {
  return {
      {"rfft", [](Bench& b) -> Value { return b.signal({6}).rfft().planes(); }},
      {"irfft", [](Bench& b) -> Value { return complex(b).irfft(6); }},
      {"fft", [](Bench& b) -> Value { return b.signal({6}).fft().planes(); }},
      {"ifft", [](Bench& b) -> Value { return b.signal({6}).ifft().planes(); }},
      {"fft of a Complex", [](Bench& b) -> Value { return complex(b).fft().planes(); }},
      {"ifft of a Complex", [](Bench& b) -> Value { return complex(b).ifft().planes(); }},
      {"Complex + - *", [](Bench& b) -> Value {
         Complex<X> z = complex(b);
         return (z * complex(b) + 2.0f * conj(z) - z * b.signal({4}) + (0.5f - -z)).planes();
       }},
      {"power", [](Bench& b) -> Value { return complex(b).power(); }},
      {"magnitude", [](Bench& b) -> Value { return complex(b).magnitude(); }},
      {"phase", [](Bench& b) -> Value { return complex(b).phase(); }},
      {"polar", [](Bench& b) -> Value { return polar(b.signal({4}), b.knob(0, 6, {4})).planes(); }},
  };
}

std::vector<Composite> convolutions() {
  return {
      {"conv1d", [](Bench& b) -> Value { return b.signal({7}).conv1d(b.weights({3}), {.stride = 2, .padding = 1}); }, {bank}, kTwoAxes},
      {"conv1d of channels", [](Bench& b) -> Value {
         X x = b.signal({2, 5});
         return (b.clock == bank ? x : x.unsqueeze(0)).conv1d(b.weights({2, 2, 3}), {.dilation = 2});
       }},
      {"conv1d, causal", [](Bench& b) -> Value {
         X x = b.signal({2, 5});
         return (b.clock == bank ? x : x.unsqueeze(0)).pad({{0, 0}, {0, 0}, {2, 0}}).conv1d(b.weights({2, 2, 3}));
       }},
      {"conv1d over last ticks", [](Bench& b) -> Value {
         X x = b.signal({2}).last(3);
         return (b.clock == bank ? x : x.unsqueeze(0)).conv1d(b.weights({2, 2, 3}));
       }},
      {"conv2d", [](Bench& b) -> Value { return b.signal({4, 5}).conv2d(b.weights({2, 3})); }, {bank}, kTwoAxes},
      {"conv2d of channels", [](Bench& b) -> Value {
         X x = b.signal({2, 4, 3});
         return (b.clock == bank ? x : x.unsqueeze(0)).conv2d(b.weights({2, 2, 2, 2}), {.padding = 1});
       }},
  };
}

std::vector<Composite> reading() {
  return {
      {"gather", [](Bench& b) -> Value { return b.weights({5, 2}).gather(b.knob(0, 5, {4})); }},
      {"scatter_add", [](Bench& b) -> Value { return scatter_add(b.knob(0, 3, {4}).floor(), b.signal({4}), 3); }},
      {"peek", [](Bench& b) -> Value { return b.weights({5, 2}).peek(b.knob(-3, 9, {4}), b.knob(0, 2, {4})); }},
      {"peek, clamp", [](Bench& b) -> Value { return b.weights({5, 2}).peek(b.knob(-3, 9, {4}), 1, {.edge = Edge::clamp}); }},
      {"peek_row", [](Bench& b) -> Value { return b.weights({5, 2}).peek_row(b.knob(-3, 9, {4})); }},
      {"peek_row, clamp", [](Bench& b) -> Value { return b.signal({5}).peek_row(b.knob(-3, 9, {4}), {.edge = Edge::clamp}); }},
  };
}

std::vector<Composite> layers() {
  return {
      {"linear", [](Bench& b) -> Value { return linear(b.signal({3}), b.weights({3, 2})); }},
      {"linear with bias", [](Bench& b) -> Value { return linear(b.signal({3}), b.weights({3, 2}), b.weights({2})); }},
      {"layer_norm", [](Bench& b) -> Value { return layer_norm(b.signal({4})); }},
      {"layer_norm with gain", [](Bench& b) -> Value { return layer_norm(b.signal({4}), b.weights({4}), b.weights({4})); }},
      {"attention", [](Bench& b) -> Value { return attention(b.signal({3, 2}), b.signal({4, 2}), b.signal({4, 2})); }},
      {"attention, causal", [](Bench& b) -> Value { return attention(b.signal({3, 2}), b.signal({3, 2}), b.signal({3, 2}), true); }},
      {"gru", [](Bench& b) -> Value { return gru(b.signal({2}), b.named(gru_weights(2, 2))); }},
      {"lstm", [](Bench& b) -> Value { return lstm(b.signal({2}), b.named(lstm_weights(2, 2))); }},
  };
}

}  // namespace

std::vector<Composite> array_composites() {
  std::vector<Composite> all;
  for (auto part : {views, reductions, spectra, convolutions, reading, layers})
    for (Composite& one : part()) all.push_back(std::move(one));
  return all;
}

}  // namespace dgen::test
