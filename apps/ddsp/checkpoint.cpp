#include "checkpoint.h"

#include <charconv>

#include "base/check.h"
#include "base/file.h"
#include "base/safetensors.h"

namespace dgen::ddsp {
namespace {

const SafeTensor& find(const SafeFile& file, const std::filesystem::path& path, const std::string& name, const Shape& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) fail(path.string(), ": a checkpoint of another model: no ", name);
  if (found->second.shape != shape.sizes())
    fail(path.string(), ": a checkpoint of another model: ", name, " has another shape than ", shape.str());
  return found->second;
}

// What read_safetensors says of other files is of no use to whoever named the wrong one; the parser's words stay in brackets.
SafeFile read_checkpoint(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse_safetensors(bytes);
  } catch (const Error& e) {
    fail(path.string(), ": no checkpoint of ddsp (", e.what(), ")");
  }
}

int64_t step_of(const SafeFile& file, const std::filesystem::path& path) {
  const auto found = file.metadata.find("step");
  int64_t step = 0;
  if (found == file.metadata.end()) fail(path.string(), ": no checkpoint of ddsp (it has no step)");
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc{} || end != text.data() + text.size() || step < 0) fail(path.string(), ": no step: ", text);
  return step;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Config& config, const NamedParams& params, const Optimizer& optimizer) {
  SafeFile file;
  for (auto& [name, value] : params) file.tensors[name] = {value.shape().sizes(), value.realize()};
  for (auto& [name, value] : optimizer.state()) file.tensors["optimizer." + name] = {value.shape().sizes(), value.realize()};
  file.metadata["config"] = to_json(config);
  file.metadata["step"] = std::to_string(optimizer.steps());
  write_safetensors(path, file);
}

Config checkpoint_config(const std::filesystem::path& path) {
  const SafeFile file = read_checkpoint(path);
  const auto found = file.metadata.find("config");
  if (found == file.metadata.end()) fail(path.string(), ": no checkpoint of ddsp (it has no configuration)");
  Config config;
  merge_json(config, found->second, path.string());
  return config;
}

void load_checkpoint(const std::filesystem::path& path, const NamedParams& params, Optimizer* optimizer) {
  const SafeFile file = read_checkpoint(path);
  std::vector<std::pair<Value, const SafeTensor*>> values;
  for (auto& [name, value] : params) values.push_back({value, &find(file, path, name, value.shape())});
  if (optimizer)
    for (auto& [name, value] : optimizer->state()) values.push_back({value, &find(file, path, "optimizer." + name, value.shape())});
  const int64_t step = step_of(file, path);
  for (auto& [value, tensor] : values)
    if (!std::holds_alternative<std::vector<float>>(tensor->data)) fail(path.string(), ": a tensor is not float32");
  for (auto& [value, tensor] : values) value.assign(std::get<std::vector<float>>(tensor->data));
  if (optimizer) optimizer->set_steps(step);
}

}  // namespace dgen::ddsp
