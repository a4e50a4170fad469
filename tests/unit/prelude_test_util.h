// Compiles generated C text with a system compiler and loads it.
#pragma once
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace dgen::test {

inline bool have_compiler(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

class TextLibrary {
 public:
  explicit TextLibrary(const std::string& text, const std::string& compiler = "cc", const std::string& flags = "") {
    char folder[] = "/tmp/dgen_prelude_XXXXXX";
    if (!mkdtemp(folder)) throw std::runtime_error("mkdtemp failed");
    const std::string base = std::string(folder) + "/t";
    std::ofstream(base + ".c") << text;
    std::string command = compiler +
                          " -O3 -march=native -fno-math-errno -fno-trapping-math -ffp-contract=off -fno-tree-vectorize "
                          "-fno-tree-slp-vectorize -Wall -Werror ";
    command += flags + " -shared -fPIC -o " + base + ".so " + base + ".c -lm";
    const int status = std::system(command.c_str());
    if (status == 0) handle_ = dlopen((base + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    unlink((base + ".c").c_str());
    unlink((base + ".so").c_str());
    rmdir(folder);
    if (!handle_) throw std::runtime_error("cannot compile or load the text: " + command);
  }
  TextLibrary(const TextLibrary&) = delete;
  TextLibrary& operator=(const TextLibrary&) = delete;
  ~TextLibrary() { dlclose(handle_); }

  template <class F>
  F* get(const std::string& name) const {
    void* symbol = dlsym(handle_, name.c_str());
    if (!symbol) throw std::runtime_error("no symbol " + name);
    return reinterpret_cast<F*>(symbol);
  }

 private:
  void* handle_ = nullptr;
};

// Does clang compile the text for 64-bit ARM, whose vectors are NEON's? It is not run.
inline bool compiles_for_arm(const std::string& text) {
  char folder[] = "/tmp/dgen_prelude_XXXXXX";
  if (!mkdtemp(folder)) throw std::runtime_error("mkdtemp failed");
  const std::string base = std::string(folder) + "/t";
  std::ofstream(base + ".c") << text;
  const int status = std::system(("clang --target=aarch64-linux-gnu -std=gnu11 -O2 -fno-math-errno -fno-trapping-math "
                                  "-ffp-contract=off -Wall -Werror -c -o " + base + ".o " + base + ".c").c_str());
  unlink((base + ".c").c_str());
  unlink((base + ".o").c_str());
  rmdir(folder);
  return status == 0;
}

// Compiles CUDA text for sm_90 with NVRTC: "" when it compiles, "absent" without the library, else the log.
inline std::string compile_cuda(const std::string& text) {
  void* lib = nullptr;
  for (const char* name : {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "/usr/local/cuda/lib64/libnvrtc.so"})
    if (!lib) lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!lib) return "absent";
  const auto f = [&](const char* name) { return dlsym(lib, name); };
  using Program = void*;
  const auto create = reinterpret_cast<int (*)(Program*, const char*, const char*, int, const char**, const char**)>(
      f("nvrtcCreateProgram"));
  const auto compile = reinterpret_cast<int (*)(Program, int, const char**)>(f("nvrtcCompileProgram"));
  const auto log_size = reinterpret_cast<int (*)(Program, std::size_t*)>(f("nvrtcGetProgramLogSize"));
  const auto get_log = reinterpret_cast<int (*)(Program, char*)>(f("nvrtcGetProgramLog"));
  const auto destroy = reinterpret_cast<int (*)(Program*)>(f("nvrtcDestroyProgram"));
  Program program = nullptr;
  if (create(&program, text.c_str(), "prelude.cu", 0, nullptr, nullptr) != 0) return "cannot create a program";
  const char* options[] = {"--gpu-architecture=sm_90", "--fmad=false"};
  std::string log;
  if (compile(program, 2, options) != 0) {
    std::size_t size = 0;
    log_size(program, &size);
    log.resize(size + 1);
    get_log(program, log.data());
  }
  destroy(&program);
  return log.substr(0, 2000);
}

// Least seconds of `rounds` calls.
template <class F>
double best_seconds(int rounds, F&& body) {
  double best = 1e30;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace dgen::test
