#include "compile/c_compiler.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "base/check.h"
#include "base/process.h"

namespace dgen::compilers {
namespace {

// Runs body(0) .. body(n-1) on up to `jobs` threads, all of them even if some throw; rethrows the first by index.
template <class Body>
void run_jobs(std::size_t n, std::size_t jobs, const Body& body) {
  std::vector<std::exception_ptr> errors(n);
  std::atomic<std::size_t> next = 0;
  auto work = [&] {
    for (std::size_t i; (i = next++) < n;) {
      try {
        body(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(n, jobs); ++i) helpers.emplace_back(work);
    work();
  }
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

CCompiler::CCompiler(CompileConfig config, std::shared_ptr<KernelCache> cache)
    : config_(std::move(config)), cache_(cache ? std::move(cache) : std::make_shared<KernelCache>(config_)) {}

const Toolchain& CCompiler::toolchain() {
  std::lock_guard lock(mutex_);
  if (!toolchain_) toolchain_ = find_toolchain(config_, *cache_);
  return *toolchain_;
}

std::vector<std::string> CCompiler::flags(const COptions& options) {
  std::vector<std::string> flags = {"-std=gnu11",
                                    cat("-O", options.optimize),
                                    toolchain().native_flag,
                                    "-fno-math-errno",
                                    "-fno-trapping-math",
                                    "-ffp-contract=off",
                                    "-fPIC",
                                    "-shared",
                                    "-fno-tree-slp-vectorize",  // gcc's drops float roundings
                                    "-w"};
  // The text is vectors, but for short arrays such as partial results, which gcc sees to.
  if (options.optimize == 2 && toolchain().family == "gcc") flags.insert(flags.end(), {"-ftree-vectorize", "-fvect-cost-model=dynamic"});
  else flags.push_back("-fno-tree-vectorize");
  flags.insert(flags.end(), options.extra_flags.begin(), options.extra_flags.end());
  return flags;
}

// The first line makes the text the whole cache key.
std::string CCompiler::full_source(const std::string& text, const std::vector<std::string>& flags) {
  std::string line = "// dgen kernel, " + toolchain().fingerprint + " |";
  for (const std::string& flag : flags) line += " " + flag;
  return line + " |\n" + text;
}

std::string CCompiler::run(const Staging& staging, const std::vector<std::string>& flags) {
  std::vector<std::string> argv = toolchain().command;
  argv.insert(argv.end(), flags.begin(), flags.end());
  for (const std::string& word : {std::string("-o"), staging.binary(), staging.source(), std::string("-lm")}) {
    argv.push_back(word);
  }
  ProcessResult result = run_process(argv, {"TMPDIR=" + staging.folder()});
  if (!result.started) fail("the C compiler ", argv[0], " does not run: ", result.output);
  bool built = result.exit_code == 0 && access(staging.binary().c_str(), R_OK) == 0;
  return built ? "" : cat(result.output, "exit code ", result.exit_code, " of ", argv[0]);
}

std::shared_ptr<Library> CCompiler::build(const std::string& source, const std::vector<std::string>& flags) {
  return cache_->library(source, [&](const Staging& staging) { return run(staging, flags); });
}

std::shared_ptr<Library> CCompiler::compile(const std::string& text, const COptions& options) {
  auto all_flags = flags(options);
  return build(full_source(text, all_flags), all_flags);
}

std::vector<std::shared_ptr<Library>> CCompiler::compile_many(std::span<const std::string> texts,
                                                              const COptions& options) {
  auto all_flags = flags(options);
  std::vector<std::shared_ptr<Library>> libraries(texts.size());
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    libraries[i] = cache_->find_library(full_source(texts[i], all_flags));
    if (!libraries[i]) missing.push_back(i);
  }
  std::size_t jobs = config_.jobs > 0 ? static_cast<std::size_t>(config_.jobs) : std::thread::hardware_concurrency();
  run_jobs(missing.size(), std::max<std::size_t>(jobs, 1),
           [&](std::size_t i) { libraries[missing[i]] = build(full_source(texts[missing[i]], all_flags), all_flags); });
  return libraries;
}

CCompiler& default_compiler() {
  static CCompiler compiler(CompileConfig::from_environment(), default_cache());
  return compiler;
}

std::shared_ptr<Library> compile_c(const std::string& text, const COptions& options) {
  return default_compiler().compile(text, options);
}

std::vector<std::shared_ptr<Library>> compile_c_many(std::span<const std::string> texts, const COptions& options) {
  return default_compiler().compile_many(texts, options);
}

}  // namespace dgen::compilers
