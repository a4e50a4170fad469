// The decoder: pitch and loudness in, harmonics plus filtered noise out.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "config.h"
#include "decoder.h"
#include "features.h"

namespace dgen::ddsp {

// mix = harmonic + noise; features.size() * hop samples each.
struct Rendered {
  std::vector<float> mix, harmonic, noise;
};

// What the decoder is fed: [tick][batch], each tick's features one tick ahead.
struct Controls {
  std::vector<float> f0, loudness;
};
Controls controls_of(const std::vector<const Features*>& batch, size_t ticks);

// Sample rate, threads and backend of the library.
void apply_settings(const Config& config);

class Model {
 public:
  explicit Model(const Config& config);  // weights drawn from config.seed
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // A checkpoint carries its configuration (metadata "config"). One that is no checkpoint, or of another model than
  // its configuration says, is an Error with the path.
  static Model load(const std::filesystem::path& checkpoint);

  const Config& config() const;
  Config& config();  // backend and threads may be changed before the first render

  Rendered render(const Features& features) const;
  // Takes over the weights of a decoder of the same configuration.
  void set(const NamedParams& params);

 private:
  struct Weights;
  std::unique_ptr<Weights> weights_;
};

}  // namespace dgen::ddsp
