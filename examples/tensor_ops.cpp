// Tensors alone: elementwise maths, shapes, a reduction, a gradient.
#include <dgen/dgen.h>

#include <cstdio>

using namespace dgen;

namespace {

void print(const char* what, const Value& x) {
  std::printf("%-12s %-8s", what, x.shape().str().c_str());
  for (float v : x.realize()) std::printf(" %g", v);
  std::printf("\n");
}

}  // namespace

int main() {
  Tensor a({1, 2, 3, 4});
  Tensor b({4, 5, 6, 7});
  Tensor result = ((a + b) * 2.0f).relu().sum();
  print("sum", result);

  Tensor m({{1, 2, 3}, {4, 5, 6}});
  print("transpose", m.transpose());
  print("row 1", m[1]);
  print("mean, axis 0", m.mean(0));
  print("softmax", m.softmax());
  print("matmul", m.matmul(m.transpose()));
  print("conv1d", a.conv1d(Tensor({1, -1})));

  // Gradients are lazy values as well.
  Tensor w = Tensor::param({0.1f, 0.2f, 0.3f});
  Tensor loss = mse(m.matmul(w), Tensor({1, 0}));
  loss.backward();
  print("gradient", *w.grad());
  return result.realize() == std::vector<float>{64} ? 0 : 1;
}
