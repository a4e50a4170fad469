// Runs that go on in the middle of a hop: losses and gradients of the ticks that lie in each call.
#include <dgen/dgen.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/backends.h"

namespace {

using namespace dgen;

class Stream : public test::EachBackend {};
// Frames with broken features are masked out: the gradient is that of the others.
TEST_P(Stream, MaskedFramesLeaveNoTraceInAProduct) {
  const float nan = std::nanf(""), inf = INFINITY;
  std::vector<float> x = {1, 2, nan, inf, 3, -1, -inf, 4}, mask = {1, 0, 1, 0}, clean = {1, 2, 0, 0, 3, -1, 0, 0};
  auto gradient = [&](const std::vector<float>& features) {
    Tensor w = Tensor::param({{0.5f, -1}, {2, 0.25f}});
    SignalTensor y = matmul(SignalTensor::input(0, {1, 2}), w);
    select(Signal::input(1) > 0.0f, y, 0.0f).sum().backward({.frames = 4, .inputs = {features, mask}});
    return w.grad()->realize();
  };
  EXPECT_EQ(gradient(x), gradient(clean));
}

INSTANTIATE_TEST_SUITE_P(Backends, Stream, testing::ValuesIn(test::backends()), test::backend_test);

int ticks_between(int hop, int from, int to) { return (to + hop - 1) / hop - (from + hop - 1) / hop; }

// The loss at tick k is gain * (4 k + 1), whose mean and slope are known.
TEST_P(Stream, MeanOverTheTicksInTheCall) {
  const int hop = 4;
  Signal gain = Signal::param(2);
  Signal loss = (gain * (frame_index() + 1.0f)).every(hop);
  int position = 0;
  for (int frames : {7, 3, 1, 6, 2, 5003, 13, 5}) {
    SCOPED_TRACE(testing::Message() << frames << " frames from " << position);
    double sum = 0;
    for (int n = position; n < position + frames; ++n) sum += n % hop == 0 ? n + 1 : 0;
    int ticks = ticks_between(hop, position, position + frames);
    BackwardOptions options{.frames = frames, .preserve_state = true};
    gain.zero_grad();
    if (ticks == 0) {
      EXPECT_THROW(loss.backward(options), Error);  // and the stream stays where it is
      continue;
    }
    EXPECT_NEAR(loss.backward(options), 2 * sum / ticks, 1e-5 * sum / ticks);
    EXPECT_NEAR(static_cast<double>(gain.grad()->realize(1)[0]), sum / ticks, 1e-5 * sum / ticks);
    position += frames;
  }
}

// The same through a training step, whose learning rate is so small that the gain stays.
TEST_P(Stream, TrainingStepCountsTheTicksInTheCall) {
  const int hop = 5, frames = 7;
  Signal gain = Signal::param(1);
  SGD opt({gain}, {.lr = 0});
  auto step = compile_training((gain * frame_index()).every(hop), opt, {.frames = frames, .preserve_state = true});
  for (int position = 0; position < 5 * frames; position += frames) {
    double sum = 0;
    for (int n = position; n < position + frames; ++n) sum += n % hop == 0 ? n : 0;
    EXPECT_NEAR(step.run(), sum / ticks_between(hop, position, position + frames), 1e-4) << "from " << position;
  }
}

// No tick, no loss: an Error, after which the step can go on with a call that has one.
TEST_P(Stream, TrainingStepWithoutTick) {
  Signal gain = Signal::param(1);
  SGD opt({gain}, {.lr = 0});
  auto step = compile_training((gain * frame_index()).every(5), opt, {.frames = 3, .preserve_state = true});
  step.run();    // frames 0 to 2
  step.run();    // 3 to 5
  EXPECT_THROW(step.run(), Error);
}

}  // namespace
