// The three types, how they mix, and what a mistake says: Tensor (once a run), Signal (once a frame), SignalTensor (both).
#include <dgen/dgen.h>

#include <cstdio>

using namespace dgen;

int main() {
  Tensor zeros = Tensor::zeros(Shape{3, 4});
  Tensor weights = Tensor::randn(Shape{64, 32}, {.seed = 1}, true);  // learnable
  Signal osc = Signal::phasor(440);
  Signal dry = Signal::input(0);

  // Tensor with Signal is a SignalTensor; a bank of frequencies is one too; sum() goes back to a Signal.
  SignalTensor gated = Tensor({0, 1, 1, 0}) * osc;
  SignalTensor bank = Signal::phasor(Tensor({440, 880, 1320}));
  Signal mono = bank.sum() * dry;

  for (const Value& x : {Value(zeros), Value(weights), Value(osc), Value(gated), Value(bank), Value(mono)})
    std::printf("shape %-8s clock %-7s %s\n", x.shape().str().c_str(), x.clock().str().c_str(),
                x.requires_grad() ? "learnable" : "");

  // A SignalTensor realizes as one row of elements a frame.
  std::vector<float> rows = gated.realize(3);
  for (size_t n = 0; n < 3; ++n)
    std::printf("frame %zu: %.5f %.5f %.5f %.5f\n", n, rows[4 * n], rows[4 * n + 1], rows[4 * n + 2], rows[4 * n + 3]);

  std::string text;
  try {
    matmul(Tensor({{1, 2, 3}, {4, 5, 6}}), Tensor::ones(Shape{4, 5}));
  } catch (const Error& e) {
    text = e.what();
  }
  std::printf("%s\n", text.c_str());
  return rows.size() == 12 && rows[4] == 0 && rows[5] > 0 && text.find("inner sizes differ") != text.npos ? 0 : 1;
}
