// Matrix products with constant weights, against oneDNN's with weights in the layout it likes best.
#include <unistd.h>

#include <cstdlib>
#include <unordered_map>

#include <dnnl.hpp>

#include "dgen/dgen.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr int size = 512;

// c = a b on one thread; b is packed once.
class OneDnn {
 public:
  OneDnn(const std::vector<float>& a, const std::vector<float>& b) : a_(a), c_(a.size()) {
    const int m = static_cast<int>(a.size()) / size;
    using Layout = dnnl::memory::format_tag;
    auto of = [](int rows, Layout layout) { return dnnl::memory::desc({rows, size}, dnnl::memory::data_type::f32, layout); };
    const dnnl::matmul::desc product(of(m, Layout::ab), of(size, Layout::any), of(m, Layout::ab));
    const dnnl::matmul::primitive_desc chosen(product, engine_);
    dnnl::memory plain(of(size, Layout::ab), engine_, const_cast<float*>(b.data())), packed(chosen.weights_desc(), engine_);
    dnnl::reorder(plain, packed).execute(stream_, plain, packed);
    stream_.wait();
    matmul_ = dnnl::matmul(chosen);
    arguments_ = {{DNNL_ARG_SRC, {of(m, Layout::ab), engine_, a_.data()}},
                  {DNNL_ARG_WEIGHTS, packed},
                  {DNNL_ARG_DST, {of(m, Layout::ab), engine_, c_.data()}}};
  }
  void run() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
    benchmark::DoNotOptimize(c_.data());
  }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<float> a_, c_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// ticks rows of a at a time, as a signal of matrices.
bench::Pair product(int ticks, int rows) {
  const int m = ticks * rows;
  const std::vector<float> a = bench::white_noise(m * size), b = bench::white_noise(size * size, 2);
  std::vector<double> exact(a.size());
  naive_matmul_f64(bench::in_double(a).data(), bench::in_double(b).data(), m, size, size, exact.data());
  Program program = compile(SignalTensor::input(0, Shape{rows, size}).matmul(Tensor(b, Shape{size, size})));
  const bench::Runs run(program, {a}, {.frames = ticks});
  auto peer = std::make_shared<OneDnn>(a, b);
  return {bench::timed(run), bench::timed([=] { peer->run(); }), [=] { return bench::rms_error(run(), exact); }, "oneDNN"};
}

}  // namespace

int main(int argc, char** argv) {
  // oneDNN's threads read it before main.
  const char* threads = std::getenv("OMP_NUM_THREADS");
  if (!threads || std::string(threads) != "1") {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  config().threads = 1;
  using namespace bench;
  row("matrix product, 512 x 512 x 512", must::matmul, [] { return product(1, 512); });
  row("matrix product, 250 x 512 x 512", must::matmul, [] { return product(1, 250); });
  row("matrix product, 250 ticks of 512 x 512", must::matmul, [] { return product(250, 1); });
  return run_rows(argc, argv);
}
