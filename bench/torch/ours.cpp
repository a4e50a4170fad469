// Ours of `scripts/bench --torch`: one job a process. Arguments: job, folder of the inputs, batch, threads.
// It prints a line when it is ready; then, for each number of steps that it reads, a line with the seconds they took, the
// processor time, the value of the last step, and the bytes of memory at their peak above those at the start.
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <numbers>
#include <numeric>

#include "../apps/ddsp/decoder.h"
#include "base/check.h"
#include "harness.h"

using namespace dgen;

namespace {

constexpr int frames = 64000, hop = 64;
constexpr float rate = 16000;

std::vector<float> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> data(static_cast<size_t>(file.tellg()) / sizeof(float));
  file.seekg(0).read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size() * sizeof(float)));
  if (!file) throw Error("cannot read " + path);
  return data;
}

void store(const std::string& path, const std::vector<float>& data) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size() * sizeof(float)));
}

// "VmRSS:" or "VmHWM:" in bytes.
double memory(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (word == key) return file >> word, 1024 * std::stod(word);
  throw Error("/proc/self/status has no " + key);
}

using Job = std::function<double()>;  // a step; returns its value

Job steps_on(TrainingStep step, const std::string& folder, const std::vector<std::string>& names) {
  std::vector<std::vector<float>> inputs;
  for (const std::string& name : names) inputs.push_back(load(folder + "/" + name));
  return [=]() mutable { return step.run({inputs.begin(), inputs.end()}); };
}

// A decoder of apps/ddsp. Its first weights go to files, for the peer to begin with.
Job training_of(const ddsp::Config& settings, const std::string& folder, int batch) {
  const ddsp::Decoder decoder(settings);
  for (auto& [name, value] : decoder.params()) store(folder + "/" + name, value.realize(1));
  const Shape shape{batch};
  const SignalTensor f0 = SignalTensor::input(0, shape, {.hop = hop}), level = SignalTensor::input(1, shape, {.hop = hop});
  const Signal loss = multi_scale_spectral_loss(decoder.build(f0, level).mix, SignalTensor::input(2, shape));
  Adam adam(decoder.values(), {.lr = 1e-3f, .clip_grad_norm = 3});
  return steps_on(compile_training(loss, adam, {.frames = frames}), folder, {"f0", "loudness", "sound"});
}

Job training(const std::string& folder, int batch) { return training_of({}, folder, batch); }

// The paper's: 512 units and three layers of 512.
Job paper(const std::string& folder, int batch) {
  ddsp::Config settings;
  settings.hidden = settings.gru = 512, settings.layers = 3;
  return training_of(settings, folder, batch);
}

// Gradients to all weights of a recurrent layer of 512 units that reads 512 features, over 250 ticks.
Job recurrent(const std::string& folder, int batch) {
  constexpr int units = 512, ticks = 250;
  const RecurrentWeights w = gru_weights(units, units, 1);
  const NamedParams params{{"input", w.input}, {"hidden", w.hidden}, {"bias", w.bias}, {"hidden_bias", w.hidden_bias}};
  std::vector<Value> values;
  for (auto& [name, value] : params) store(folder + "/gru." + name, value.realize(1)), values.push_back(value);
  const SignalTensor state = gru(SignalTensor::input(0, Shape{batch, units}, {.hop = hop}), w);
  SGD sgd(values, {.lr = 0.1f});
  return steps_on(compile_training((state * state).mean(), sgd, {.frames = ticks * hop}), folder, {"features"});
}

// Gradient descent on a gain of each clip: the gradient goes through every sample.
Job spectral_loss_of_clips(const std::string& folder, int batch) {
  const Shape shape{batch};
  const Tensor gain = Tensor::full(shape, 0.5f, true);
  const Signal loss = multi_scale_spectral_loss(gain * SignalTensor::input(0, shape), SignalTensor::input(1, shape));
  SGD sgd({gain}, {.lr = 1e-4f});
  return steps_on(compile_training(loss, sgd, {.frames = frames}), folder, {"noise", "sound"});
}

// Gradients to a gain of each harmonic and to the tuning of each clip; only the gains move by more than rounding.
Job harmonic_bank(const std::string& folder, int batch) {
  constexpr int count = 60;
  const Tensor gain = Tensor::full(Shape{count}, 1, true), tuning = Tensor::full(Shape{batch}, 1, true);
  const SignalTensor f0 = tuning * SignalTensor::input(0, Shape{batch}, {.hop = hop});
  const SignalTensor amplitudes = gain * SignalTensor::input(1, Shape{batch, count}, {.hop = hop});
  const SignalTensor turns = Signal::phasor(f0.interpolate()).unsqueeze(-1) * (Tensor::arange(count) + 1.0f);
  const SignalTensor sound = (sin(turns * (2 * std::numbers::pi_v<float>)) * amplitudes.interpolate()).sum(-1);
  SGD sgd({gain}, {.lr = 0.01f});
  sgd.add_group({tuning}, {.lr_scale = 1e-20f});
  return steps_on(compile_training((sound * sound).mean(), sgd, {.frames = frames}), folder, {"f0", "amplitudes"});
}

// The patch of bench/seed_patch.cpp; its value is the mean magnitude.
Job seed_patch(const std::string&, int) {
  const Signal sine = sin(Signal::phasor(440.0f) * (2 * std::numbers::pi_v<float>));
  auto [prev, write] = Signal::history();
  const Signal sound = 0.5f * write(mix(sine, prev, 0.9f));
  Program program = compile(stft(sound, {.size = 1024, .hop = 256}).magnitude().mean());
  return [=]() mutable {
    const std::vector<float> ticks = program.run({.frames = 4096, .per_tick = true})[0];
    return std::accumulate(ticks.begin(), ticks.end(), 0.0) / static_cast<double>(ticks.size());
  };
}

void serve(const Job& job, double at_start) {
  std::cout << "ready" << std::endl;
  for (int steps = 0; std::cin >> steps;) {
    const auto start = std::chrono::steady_clock::now();
    double value = 0;
    const double processor = bench::seconds_of([&] {
      for (int i = 0; i < steps; ++i) value = job();
    });
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    std::cout << wall.count() << ' ' << processor << ' ' << value << ' ' << memory("VmHWM:") - at_start << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const double at_start = memory("VmHWM:");
  const std::map<std::string, Job (*)(const std::string&, int)> jobs = {{"training", training}, {"paper", paper},
                                                                         {"recurrent", recurrent}, {"loss", spectral_loss_of_clips},
                                                                         {"bank", harmonic_bank}, {"patch", seed_patch}};
  if (argc != 5 || !jobs.count(argv[1])) throw Error("arguments: one of the jobs in main(), folder, batch, threads");
  config().threads = std::stoi(argv[4]);
  config().sample_rate = rate;
  std::cout.precision(9);
  serve(jobs.at(argv[1])(argv[2], std::stoi(argv[3])), at_start);
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
