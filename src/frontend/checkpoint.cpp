// Params and optimiser state as one safetensors file.
#include "base/check.h"
#include "base/safetensors.h"
#include "dgen/train.h"
#include "frontend/node.h"

namespace dgen {
namespace {

const std::string state_prefix = "optimizer.";

// The leaves of a checkpoint by their names in the file.
std::map<std::string, Value> leaves(const NamedParams& params, const Optimizer* optimizer) {
  std::map<std::string, Value> all;
  for (auto& [name, value] : params) {
    if (!value || !value.node()->storage || !value.node()->in.empty())
      fail("[checkpoint] '", name, "' is no constant or param");
    if (name.rfind(state_prefix, 0) == 0) fail("[checkpoint] a param may not be called '", name, "'");
    if (!all.emplace(name, value).second) fail("[checkpoint] two params are called '", name, "'");
  }
  if (optimizer)
    for (auto& [name, value] : optimizer->state()) all.emplace(state_prefix + name, value);
  return all;
}

}  // namespace

void save(const std::filesystem::path& path, const NamedParams& params, const Optimizer* optimizer) {
  SafeFile file;
  for (auto& [name, value] : leaves(params, optimizer))
    file.tensors[name] = {value.shape().sizes(), value.node()->storage->values()};
  if (optimizer) {
    file.tensors[state_prefix + "steps"] = {{1}, std::vector<int64_t>{optimizer->steps()}};
    file.tensors[state_prefix + "lr"] = {{1}, std::vector<double>{optimizer->lr()}};
  }
  write_safetensors(path, file);
}

void load(const std::filesystem::path& path, const NamedParams& params, Optimizer* optimizer) {
  SafeFile file = read_safetensors(path);
  std::map<std::string, Value> all = leaves(params, optimizer);
  // Everything is checked before anything changes.
  for (auto& [name, value] : all) {
    auto it = file.tensors.find(name);
    if (it == file.tensors.end()) fail("[load] ", path.string(), " has no '", name, "'");
    if (it->second.shape != value.shape().sizes())
      fail("[load] ", path.string(), ": '", name, "' has shape ", Shape(it->second.shape).str(), ", not ",
           value.shape().str());
    file.values<float>(name);
  }
  for (auto& [name, tensor] : file.tensors)
    if (!all.count(name) && name.rfind(state_prefix, 0) != 0)
      fail("[load] ", path.string(), " has an unknown '", name, "'");
  if (optimizer) {
    auto& lr = file.values<double>(state_prefix + "lr");
    auto& steps = file.values<int64_t>(state_prefix + "steps");
    if (lr.size() != 1 || steps.size() != 1) fail("[load] ", path.string(), ": the optimiser's counters are damaged");
    optimizer->set_lr(lr[0]);
    optimizer->set_steps(steps[0]);
  }
  for (auto& [name, value] : all) value.assign(file.values<float>(name));
}

}  // namespace dgen
