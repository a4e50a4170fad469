// Params and optimiser state as one safetensors file.
#include "base/check.h"
#include "base/safetensors.h"
#include "dgen/train.h"
#include "frontend/node.h"

namespace dgen {
namespace {

const std::string state_prefix = "optimizer.", kind_key = "optimizer";

// State of another rule would be read as that of this one, so the kind must be the same and no piece left over.
void check_optimizer(const std::string& path, const SafeFile& file, const Optimizer& optimizer) {
  auto kind = file.metadata.find(kind_key);
  if (kind == file.metadata.end()) fail("[load] ", path, " was saved without an optimiser: load the params alone");
  if (kind->second != optimizer.kind())
    fail("[load] ", path, " has the state of ", kind->second, ", not of ", optimizer.kind(),
         ": load the params alone or use ", kind->second);
  std::map<std::string, Tensor> state = optimizer.state();
  for (auto& [name, tensor] : file.tensors) {
    if (name.rfind(state_prefix, 0) != 0) continue;
    std::string piece = name.substr(state_prefix.size());
    if (piece != "steps" && piece != "lr" && !state.count(piece))
      fail("[load] ", path, " has an unknown '", name, "': the optimiser was made with other options or params");
  }
}

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
    file.metadata[kind_key] = optimizer->kind();
  }
  write_safetensors(path, file);
}

void load(const std::filesystem::path& path, const NamedParams& params, Optimizer* optimizer) {
  SafeFile file = read_safetensors(path);
  if (optimizer) check_optimizer(path.string(), file, *optimizer);
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
