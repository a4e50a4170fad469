#include <csignal>
#include <filesystem>
#include <vector>

#include "base/check.h"
#include "base/try_file.h"
#include "base/hash.h"
#include "base/process.h"
#include "compile/c_compiler.h"
#include "compile/nvrtc.h"
#include "compile_fixture.h"

namespace dgen::compilers {
namespace {

namespace fs = std::filesystem;

using CCompilerTest = CompileTest;

template <class E, class F>
std::string message_of(const F& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(CCompilerTest, MissingCompilerSaysWhatToInstall) {
  CompileConfig none = config();
  none.cc = "";
  none.search_path = folder_;
  EXPECT_EQ(message_of<Error>([&] { CCompiler(none).compile("int x;"); }),
            "no C compiler found: install gcc or clang, or set CC (tried cc, gcc, clang)");
  none.cc = "no-such-cc -m64";
  EXPECT_EQ(message_of<Error>([&] { CCompiler(none).compile("int x;"); }),
            "no C compiler found: install gcc or clang, or set CC (tried no-such-cc)");
}

TEST_F(CCompilerTest, BrokenCompilerSaysWhy) {
  std::string path = folder_ + "/cc";
  ASSERT_TRUE(try_write_file(path, "#!/bin/sh\necho no licence\nexit 3\n"));
  fs::permissions(path, fs::perms::owner_all);
  CompileConfig broken = config();
  broken.cc = path;
  EXPECT_EQ(message_of<Error>([&] { CCompiler(broken).compile("int x;"); }),
            "the C compiler " + path + " does not run: no licence\n");
}

TEST_F(CCompilerTest, BadTextIsAnInternalErrorWithTheKeptSource) {
  CCompiler compiler(config());
  std::string message = message_of<InternalError>([&] { compiler.compile("float f(void) { return nonsense; }\n"); });
  std::string start = "generated code does not compile; its source is kept in ";
  ASSERT_TRUE(message.starts_with(start)) << message;
  EXPECT_NE(message.find("nonsense"), std::string::npos) << message;
  std::string kept = message.substr(start.size(), message.find('\n') - start.size());
  EXPECT_NE(try_read_file(kept).value_or("").find("return nonsense;"), std::string::npos);
  EXPECT_TRUE(kept.starts_with(folder_ + "/cache/"));
  EXPECT_EQ(log_, "");  // a bad text is not mistaken for a full disk
}

// Such a host loses the compiler's exit code.
TEST_F(CCompilerTest, HostThatIgnoresChildSignals) {
  auto before = signal(SIGCHLD, SIG_IGN);
  CCompiler compiler(config());
  EXPECT_EQ(compiler.compile("int one(void) { return 1; }\n")->function<int()>("one")(), 1);
  std::string message = message_of<InternalError>([&] { compiler.compile("nonsense\n"); });
  signal(SIGCHLD, before);
  EXPECT_TRUE(message.starts_with("generated code does not compile;")) << message;
}

TEST_F(CCompilerTest, FolderNamesWithSpacesAndUmlauts) {
  CompileConfig odd = config();
  odd.cache_dir = folder_ + "/a 'b' \"c\" $d/\xc3\xbc/";
  CCompiler compiler(odd);
  EXPECT_EQ(compiler.compile("int one(void) { return 1; }\n")->function<int()>("one")(), 1);
  EXPECT_EQ(log_, "");
}

TEST_F(CCompilerTest, MissingSymbolsAreInternalErrors) {
  CCompiler compiler(config());
  auto library = compiler.compile("int one(void) { return 1; }\n");
  EXPECT_TRUE(message_of<InternalError>([&] { library->symbol("two"); }).starts_with("no symbol two in "));
  std::string message = message_of<InternalError>(
      [&] { compiler.compile("int unknown_function(void);\nint three(void) { return unknown_function(); }\n"); });
  EXPECT_TRUE(message.starts_with("generated code does not load: ")) << message;
}

TEST_F(CCompilerTest, ManyComeBackInOrder) {
  CCompiler compiler(config());
  std::vector<std::string> texts;
  for (int i = 0; i < 6; ++i) texts.push_back(cat("int value(void) { return ", i, "; }\n"));
  compiler.compile(texts[3]);
  auto libraries = compiler.compile_many(texts);
  ASSERT_EQ(libraries.size(), texts.size());
  for (int i = 0; i < 6; ++i) EXPECT_EQ(libraries[i]->function<int()>("value")(), i);
  EXPECT_EQ(compiler.cache().counters().compiles, 6u);

  texts[1] = "first mistake\n";
  texts[4] = "second mistake\n";
  std::string message = message_of<InternalError>([&] { compiler.compile_many(texts); });
  EXPECT_NE(message.find("first"), std::string::npos) << message;
}

// Both families build code with the flags of generated kernels, vectors and libm calls included.
TEST_F(CCompilerTest, GccAndClang) {
  for (std::string cc : {"gcc", "clang"}) {
    CompileConfig one = config();
    one.cc = cc;
    CCompiler compiler(one);
    try {
      compiler.toolchain();
    } catch (const Error&) {
      std::cout << cc << " is not installed\n";
      continue;
    }
    EXPECT_EQ(compiler.toolchain().family, cc);
    EXPECT_EQ(compiler.toolchain().native_flag.substr(0, 2), "-m");
    for (int level = 0; level <= 3; ++level) {
      auto library = compiler.compile(
          "typedef float vec __attribute__((vector_size(32)));\n"
          "float sinf(float);\n"
          "float f(const float* x) { vec v; __builtin_memcpy(&v, x, 32); v = v * v + 1; return v[7] + sinf(0); }\n",
          {.optimize = level});
      float x[8] = {0, 1, 2, 3, 4, 5, 6, 7};
      EXPECT_EQ(library->function<float(const float*)>("f")(x), 50);
    }
  }
}

TEST_F(CCompilerTest, FingerprintIsKeptBetweenProcesses) {
  std::string counted = folder_ + "/cc";
  std::string real = CCompiler(config()).toolchain().command.back();
  ASSERT_TRUE(try_write_file(counted, "#!/bin/sh\necho run >> " + folder_ + "/runs\nexec " + real + " \"$@\"\n"));
  fs::permissions(counted, fs::perms::owner_all);
  CompileConfig wrapped = config();
  wrapped.cc = counted;
  std::string first = CCompiler(wrapped).toolchain().fingerprint;
  EXPECT_EQ(CCompiler(wrapped).toolchain().fingerprint, first);
  if (fs::exists("/proc/cpuinfo")) {
    EXPECT_EQ(try_read_file(folder_ + "/runs"), "run\n");
  }

  ASSERT_TRUE(try_write_file(counted, *try_read_file(counted) + "# changed\n"));
  EXPECT_NE(CCompiler(wrapped).toolchain().fingerprint, first);
}

TEST_F(CCompilerTest, LauncherBeforeTheCompiler) {
  CompileConfig launched = config();
  launched.cc = "env cc";
  CCompiler compiler(launched);
  EXPECT_EQ(compiler.compile("int one(void) { return 1; }\n")->function<int()>("one")(), 1);
}

TEST_F(CCompilerTest, ConfigFollowsTheEnvironment) {
  CompileConfig config = CompileConfig::from_environment();
  EXPECT_FALSE(config.search_path.empty());
  EXPECT_FALSE(config.temp_dir.empty());
}

TEST_F(CCompilerTest, NvrtcCompilesWithoutAGpu) {
  std::string why;
  const Nvrtc* nvrtc = Nvrtc::find(&why);
  if (!nvrtc) GTEST_SKIP() << why;
  EXPECT_GE(nvrtc->major(), 11);
  KernelCache cache(config());
  std::string text = "extern \"C\" __global__ void scale(float* x, float k) { x[threadIdx.x] *= k; }\n";
  std::string cubin = compile_cubin(text, "sm_80", {}, cache);
  EXPECT_EQ(cubin.substr(1, 3), "ELF");
  EXPECT_NE(cubin.find("scale"), std::string::npos);
  EXPECT_EQ(compile_cubin(text, "sm_80", {}, cache), cubin);
  EXPECT_EQ(cache.counters().compiles, 1u);
  EXPECT_EQ(cache.counters().disk_hits, 1u);

  std::string message = message_of<InternalError>([&] { compile_cubin("nonsense text\n", "sm_80", {}, cache); });
  EXPECT_NE(message.find("its source is kept in " + cache.folder()), std::string::npos) << message;
  EXPECT_NE(message.find("NVRTC_ERROR_COMPILATION"), std::string::npos) << message;
  EXPECT_NE(message.find("nonsense"), std::string::npos) << message;
}

TEST_F(CCompilerTest, MissingNvrtcSaysWhatWasTried) {
  std::vector<std::string> names = {"libnone.so.1", folder_ + "/libnone.so"};
  EXPECT_EQ(message_of<Error>([&] { Nvrtc nvrtc(names); }),
            "CUDA's run-time compiler is not installed (tried libnone.so.1, " + folder_ + "/libnone.so)");
}

TEST(Process, OutputStatusAndEnvironment) {
  ProcessResult result =
      run_process({"/bin/sh", "-c", "echo out; echo err >&2; echo $DGEN_X; cat; exit 7"}, {"DGEN_X=5"});
  EXPECT_TRUE(result.started);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\nerr\n5\n");
  EXPECT_FALSE(run_process({"/no/such/program"}).started);
  result = run_process({"/bin/sh", "-c", "kill -9 $$"});
  EXPECT_EQ(result.exit_code, 137);
  EXPECT_EQ(result.output.substr(0, 17), "ended by signal 9");
}

TEST(Hash, EveryBitCounts) {
  std::string text(300, 'a');
  Hash128 first = hash128(text);
  EXPECT_EQ(first.hex().size(), 32u);
  for (char& c : text) {
    c ^= 1;
    EXPECT_NE(hash128(text), first);
    c ^= 1;
  }
  EXPECT_EQ(hash128(text), first);
  EXPECT_NE(hash128(""), hash128(std::string(1, '\0')));
  EXPECT_EQ((Hash128{0x0123456789abcdef, 0xf0}).hex(), "0123456789abcdef00000000000000f0");
}

}  // namespace
}  // namespace dgen::compilers
