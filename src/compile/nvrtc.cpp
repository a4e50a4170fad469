#include "compile/nvrtc.h"

#include "base/check.h"
#include "base/try_file.h"

namespace dgen::compilers {
namespace {

// NVRTC's C interface, as far as it is used. Results are 0 for success.
using Program = void*;
using Version = int(int* major, int* minor);
using CreateProgram = int(Program*, const char* text, const char* name, int headers, const char* const* header_texts,
                          const char* const* header_names);
using DestroyProgram = int(Program*);
using CompileProgram = int(Program, int flags, const char* const* flag_texts);
using GetSize = int(Program, std::size_t*);
using GetBytes = int(Program, char*);
using GetErrorString = const char*(int);

std::vector<std::string> library_names() {
  std::vector<std::string> names;
  for (const char* folder : {"", "/usr/local/cuda/lib64/"}) {
    for (const char* version : {".13", ".12", ".11.2", ""}) names.push_back(cat(folder, "libnvrtc.so", version));
  }
  return names;
}

std::string get_bytes(const Library& nvrtc, Program program, const char* size_name, const char* bytes_name) {
  std::size_t size = 0;
  if (nvrtc.function<GetSize>(size_name)(program, &size) != 0 || size == 0) return "";
  std::string bytes(size, '\0');
  return nvrtc.function<GetBytes>(bytes_name)(program, bytes.data()) == 0 ? bytes : "";
}

}  // namespace

Nvrtc::Nvrtc(std::span<const std::string> names) {
  std::string tried;
  for (const std::string& name : names) {
    library_ = Library::try_open(name);
    if (library_) break;
    tried += (tried.empty() ? "" : ", ") + name;
  }
  if (!library_) fail("CUDA's run-time compiler is not installed (tried ", tried, ")");
  library_->function<Version>("nvrtcVersion")(&major_, &minor_);
}

const Nvrtc* Nvrtc::find(std::string* why) {
  struct Found {
    const Nvrtc* nvrtc = nullptr;
    std::string why;
  };
  // Never unloaded: NVRTC keeps threads and exit handlers of its own.
  static const Found found = [] {
    Found result;
    try {
      result.nvrtc = new Nvrtc(library_names());
    } catch (const Error& error) {
      result.why = error.what();
    }
    return result;
  }();
  if (why) *why = found.why;
  return found.nvrtc;
}

std::string Nvrtc::compile(const std::string& text, const std::vector<std::string>& flags, std::string* cubin) const {
  std::vector<const char*> flag_texts;
  for (const std::string& flag : flags) flag_texts.push_back(flag.c_str());
  auto describe = [&](int error) { return library_->function<GetErrorString>("nvrtcGetErrorString")(error); };

  Program program = nullptr;
  int error =
      library_->function<CreateProgram>("nvrtcCreateProgram")(&program, text.c_str(), "kernel.cu", 0, nullptr, nullptr);
  if (error != 0) return cat("NVRTC: ", describe(error));
  error = library_->function<CompileProgram>("nvrtcCompileProgram")(program, static_cast<int>(flags.size()),
                                                                    flag_texts.data());
  std::string complaint;
  if (error != 0) {
    std::string log = get_bytes(*library_, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
    complaint = cat("NVRTC: ", describe(error), "\n", log.c_str());  // c_str: the log ends with a zero byte
  } else {
    *cubin = get_bytes(*library_, program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
    if (cubin->empty()) complaint = "NVRTC returned no cubin: the architecture must be real, as sm_90";
  }
  library_->function<DestroyProgram>("nvrtcDestroyProgram")(&program);
  return complaint;
}

std::string compile_cubin(const std::string& cuda_text, const std::string& arch, const CudaOptions& options,
                          KernelCache& cache) {
  std::string why;
  const Nvrtc* nvrtc = Nvrtc::find(&why);
  if (!nvrtc) fail(why);
  std::vector<std::string> flags = {"--gpu-architecture=" + arch, "--std=c++17", "--fmad=false"};
  flags.insert(flags.end(), options.extra_flags.begin(), options.extra_flags.end());
  std::string line = cat("// dgen kernel, NVRTC ", nvrtc->major(), ".", nvrtc->minor(), " |");
  for (const std::string& flag : flags) line += " " + flag;
  std::string source = line + " |\n" + cuda_text;
  return cache.cubin(source, [&](const Staging& staging) {
    std::string cubin;
    std::string complaint = nvrtc->compile(source, flags, &cubin);
    if (complaint.empty() && !try_write_file(staging.binary(), cubin)) complaint = "the cubin cannot be written";
    return complaint;
  });
}

std::string compile_cubin(const std::string& cuda_text, const std::string& arch, const CudaOptions& options) {
  return compile_cubin(cuda_text, arch, options, *default_cache());
}

}  // namespace dgen::compilers
