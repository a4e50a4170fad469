#include "model.h"

#include "base/check.h"

namespace dgen::ddsp {

struct Model::Weights {
  Config config;
};

Model::Model(const Config& config) : weights_(std::make_unique<Weights>(Weights{config})) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::load(const std::filesystem::path& checkpoint) {
  fail(checkpoint.string(), ": built without the compiler");
}

const Config& Model::config() const { return weights_->config; }
Config& Model::config() { return weights_->config; }

Rendered Model::render(const Features&) const { fail("render: built without the compiler"); }

}  // namespace dgen::ddsp
