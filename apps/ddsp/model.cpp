#include "model.h"

#include "checkpoint.h"
#include "decoder.h"

namespace dgen::ddsp {

struct Model::Weights {
  Config config;
  Decoder decoder;
};

Model::Model(const Config& config) : weights_(new Weights{config, Decoder(config)}) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::load(const std::filesystem::path& checkpoint) {
  Model model(checkpoint_config(checkpoint));
  load_checkpoint(checkpoint, model.weights_->decoder.params());
  return model;
}

const Config& Model::config() const { return weights_->config; }
Config& Model::config() { return weights_->config; }

void Model::set(const NamedParams& params) {
  const NamedParams own = weights_->decoder.params();
  for (size_t i = 0; i < own.size(); ++i) own[i].second.assign(params[i].second.realize());
}

Rendered Model::render(const Features& features) const {
  const Config& config = weights_->config;
  apply_settings(config);
  const InputOptions hop{.hop = config.hop};
  Sound sound = weights_->decoder.build(SignalTensor::input(0, Shape{1}, hop), SignalTensor::input(1, Shape{1}, hop));
  Controls controls = controls_of({&features}, features.size());
  Program program = compile({sound.mix, sound.harmonic, sound.noise});
  auto out = program.run({.frames = static_cast<int>(features.size()) * config.hop, .inputs = {controls.f0, controls.loudness}});
  return {std::move(out[0]), std::move(out[1]), std::move(out[2])};
}

void apply_settings(const Config& config) {
  dgen::config().sample_rate = static_cast<float>(config.sample_rate);
  dgen::config().threads = config.threads;
  dgen::config().backend = config.backend == "cuda" ? Backend::cuda : config.backend == "interpreter" ? Backend::interpreter : Backend::cpu;
}

// The decoder sounds one hop late, so it gets the next tick's features.
Controls controls_of(const std::vector<const Features*>& batch, size_t ticks) {
  Controls controls;
  for (size_t t = 0; t < ticks; ++t)
    for (const Features* f : batch) {
      const size_t next = std::min(t + 1, f->size() - 1);
      controls.f0.push_back(f->f0[next]);
      controls.loudness.push_back(f->loudness[next]);
    }
  return controls;
}

}  // namespace dgen::ddsp
