#include "run.h"

#include <cstdio>
#include <fstream>

#include "base/check.h"
#include "base/file.h"
#include "report.h"

namespace dgen::ddsp {

namespace fs = std::filesystem;

RunFolder RunFolder::create(const fs::path& root, const Config& config) {
  const RunFolder run(root);
  if (run.latest_checkpoint())
    fail(root.string(), ": holds a run already; go on with --resume or name another folder with --run");
  std::error_code error;
  for (const char* folder : {"checkpoints", "renders", "logs"}) {
    fs::create_directories(root / folder, error);
    if (error) fail((root / folder).string(), ": cannot be made: ", error.message());
  }
  run.write_config(config);
  return run;
}

RunFolder RunFolder::open(const fs::path& root) {
  const RunFolder run(root);
  if (!fs::exists(run.config_path()) || !run.latest_checkpoint()) fail(root.string(), ": no run to go on with");
  return run;
}

fs::path RunFolder::checkpoint(int step) const { return root_ / "checkpoints" / format("step_%08d.safetensors", step); }

std::optional<fs::path> RunFolder::latest_checkpoint() const {
  std::optional<fs::path> latest;
  std::error_code error;
  for (fs::directory_iterator i(root_ / "checkpoints", error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename().string();
    if (name.starts_with("step_") && name.ends_with(".safetensors") && (!latest || latest->filename() < name))
      latest = i->path();
  }
  return latest;
}

void RunFolder::write_config(const Config& config) const { write_file_atomic(config_path(), to_json(config)); }

void RunFolder::log(const std::string& line) const {
  std::puts(line.c_str());
  std::fflush(stdout);
  const fs::path path = logs() / "train.log";
  if (!(std::ofstream(path, std::ios::app) << line << '\n' << std::flush))
    std::fprintf(stderr, "ddsp: warning: %s: cannot be written, the line above is only printed\n", path.c_str());
}

}  // namespace dgen::ddsp
