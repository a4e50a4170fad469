// Everything the compile layer takes from outside. Nothing below this struct reads the environment.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace dgen::compilers {

struct CompileConfig {
  std::string cc;           // a command such as "gcc" or "ccache clang"; empty: the first of cc, gcc, clang
  std::string search_path;  // folders separated by ':', as in PATH
  std::string cache_dir;    // kernel cache; empty: a private temporary folder, removed at the end
  std::string temp_dir = "/tmp";
  std::uint64_t cache_bytes = std::uint64_t(512) << 20;
  int jobs = 0;                                 // compilers run at a time; 0: one a hardware thread
  std::function<void(const std::string&)> log;  // notices (an untrusted folder, a full disk); any thread may call it

  // CC, PATH, TMPDIR; $DGEN_CACHE_DIR, else $XDG_CACHE_HOME/dgen, else ~/.cache/dgen.
  static CompileConfig from_environment();
};

}  // namespace dgen::compilers
