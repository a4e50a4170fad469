#include "compile/toolchain.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "base/hash.h"
#include "base/process.h"

namespace dgen::compilers {
namespace {

struct Macros {
  std::string flag, text;
};

bool is_program(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

// Empty when there is no such program.
std::string resolve(const std::string& name, const std::string& search_path) {
  if (name.find('/') != std::string::npos) return is_program(name) ? name : "";
  std::istringstream folders(search_path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (is_program(path)) return path;
  }
  return "";
}

std::vector<std::string> find_command(const CompileConfig& config) {
  std::vector<std::string> words;
  std::istringstream text(config.cc);
  for (std::string word; text >> word;) words.push_back(word);
  std::vector<std::string> candidates = {"cc", "gcc", "clang"};
  if (!words.empty()) candidates = {words[0]};
  std::string tried;
  for (const std::string& name : candidates) {
    if (std::string path = resolve(name, config.search_path); !path.empty()) {
      if (words.empty()) return {path};
      words[0] = path;
      return words;
    }
    tried += (tried.empty() ? "" : ", ") + name;
  }
  fail("no C compiler found: install gcc or clang, or set CC (tried ", tried, ")");
}

// Every word that is a program counts, so that a compiler behind ccache is seen to change.
std::string describe_files(const std::vector<std::string>& command, const std::string& search_path) {
  std::string text;
  for (const std::string& word : command) {
    text += word;
    struct stat info;
    std::string path = resolve(word, search_path);
    if (!path.empty() && stat(path.c_str(), &info) == 0) {
      text += cat("=", path, ":", info.st_size, ":", static_cast<long long>(info.st_mtime));
    }
    text += " ";
  }
  return text;
}

// The lines that say what the first processor is; empty where there is no such file. Not read as a whole: the system writes
// each processor's part when it is asked for.
std::string describe_processor() {
  std::ifstream lines("/proc/cpuinfo");
  std::string text;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    for (const char* name : {"vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU "}) {
      if (line.starts_with(name)) text += line + "\n";
    }
  }
  return text;
}

// clang calls its target plain x86-64 under -march=native: only the macros tell the features.
Macros ask_macros(const std::vector<std::string>& command) {
  std::string complaint;
  for (const char* flag : {"-march=native", "-mcpu=native", "-O2"}) {
    std::vector<std::string> argv = command;
    for (const char* word : {flag, "-dM", "-E", "-x", "c", "/dev/null"}) argv.push_back(word);
    ProcessResult result = run_process(argv, {"LC_ALL=C"});
    if (result.started && result.exit_code == 0) return {flag, result.output};
    complaint = result.output;
  }
  fail("the C compiler ", command.back(), " does not run: ", complaint);
}

bool has_macro(const std::string& macros, const std::string& name) {
  return macros.find("#define " + name + " ") != std::string::npos;
}

std::string macro(const std::string& macros, const std::string& name) {
  std::string start = "#define " + name + " ";
  std::size_t at = macros.find(start);
  if (at == std::string::npos) return "?";
  at += start.size();
  return macros.substr(at, macros.find('\n', at) - at);
}

// "family version flag hash"
std::string make_fingerprint(const std::vector<std::string>& command, const std::string& files) {
  Macros macros = ask_macros(command);
  bool clang = has_macro(macros.text, "__clang__");
  auto part = [&](const char* name) { return macro(macros.text, name); };
  std::string version =
      clang ? cat(part("__clang_major__"), ".", part("__clang_minor__"), ".", part("__clang_patchlevel__"))
            : cat(part("__GNUC__"), ".", part("__GNUC_MINOR__"), ".", part("__GNUC_PATCHLEVEL__"));
  return cat(clang ? "clang " : "gcc ", version, " ", macros.flag, " ", hash128(files + macros.text).hex());
}

}  // namespace

Toolchain find_toolchain(const CompileConfig& config, KernelCache& cache) {
  Toolchain found;
  found.command = find_command(config);
  std::string files = describe_files(found.command, config.search_path);
  std::string processor = describe_processor();
  std::string note = cat("toolchain ", files, "\n", processor);
  std::optional<std::string> known = processor.empty() ? std::nullopt : cache.find_note(note);
  found.fingerprint = known ? *known : make_fingerprint(found.command, files);
  if (!known && !processor.empty()) cache.store_note(note, found.fingerprint);
  std::istringstream(found.fingerprint) >> found.family >> found.version >> found.native_flag;
  return found;
}

}  // namespace dgen::compilers
