#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/check.h"
#include "base/try_file.h"
#include "compile/c_compiler.h"
#include "compile_fixture.h"

namespace dgen::compilers {
namespace {

namespace fs = std::filesystem;

const std::string kTwice = "float twice(float x) { return 2 * x; }\n";

float run_twice(const std::shared_ptr<Library>& library) { return library->function<float(float)>("twice")(21); }

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

// Replaced, not rewritten: a library that is still mapped must not change under its user.
void replace_file(const fs::path& path, const std::string& bytes) {
  fs::remove(path);
  ASSERT_TRUE(try_write_file(path, bytes));
}

class KernelCacheTest : public CompileTest {
 protected:
  // Compiles kTwice with a fresh compiler object, as a new process would, and returns its counters.
  CacheCounters compile_twice(CompileConfig config) {
    CCompiler compiler(std::move(config));
    EXPECT_EQ(run_twice(compiler.compile(kTwice)), 42);
    last_folder_ = compiler.cache().folder();
    return compiler.cache().counters();
  }
  CacheCounters compile_twice() { return compile_twice(config()); }

  std::string last_folder_;
};

TEST_F(KernelCacheTest, CompilesOnceThenHitsMemoryThenDisk) {
  CCompiler compiler(config());
  auto first = compiler.compile(kTwice);
  EXPECT_EQ(compiler.compile(kTwice), first);
  EXPECT_EQ(compiler.cache().counters().compiles, 1u);
  EXPECT_EQ(compiler.cache().counters().memory_hits, 1u);
  EXPECT_EQ(compiler.cache().counters().disk_hits, 0u);

  CacheCounters later = compile_twice();
  EXPECT_EQ(later.compiles, 0u);
  EXPECT_EQ(later.disk_hits, 1u);
  EXPECT_EQ(log_, "");
}

TEST_F(KernelCacheTest, FlagsAndTextAreTheKey) {
  CCompiler compiler(config());
  compiler.compile(kTwice);
  compiler.compile(kTwice, {.optimize = 1});
  compiler.compile(kTwice, {.extra_flags = {"-DX=1"}});
  compiler.compile(kTwice + " ");
  EXPECT_EQ(compiler.cache().counters().compiles, 4u);
}

TEST_F(KernelCacheTest, FolderIsOurs) {
  compile_twice();
  struct stat info;
  ASSERT_EQ(stat((folder_ + "/cache").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const auto& file : files_in(folder_ + "/cache")) {
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(KernelCacheTest, DamagedFilesAreMisses) {
  compile_twice();
  auto files = files_in(folder_ + "/cache");
  ASSERT_EQ(files.size(), 6u);  // the kernel and the toolchain note
  for (const auto& file : files) {
    std::string good = *try_read_file(file);
    std::vector<std::string> damaged = {"", good.substr(0, good.size() / 2), good + "x"};
    for (std::size_t at : {std::size_t(0), good.size() / 3, good.size() / 2, good.size() - 1}) {
      damaged.push_back(good);
      damaged.back()[at] ^= 0x40;
    }
    for (const std::string& bad : damaged) {
      replace_file(file, bad);
      compile_twice();
      EXPECT_EQ(try_read_file(file)->size(), good.size()) << file;
      EXPECT_EQ(compile_twice().compiles, 0u) << file;
    }
  }
}

TEST_F(KernelCacheTest, DamagedKernelIsRebuilt) {
  compile_twice();
  for (const auto& file : files_in(folder_ + "/cache")) {
    if (file.extension() != ".so") continue;
    std::string bytes = *try_read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    replace_file(file, bytes);
  }
  EXPECT_EQ(compile_twice().compiles, 1u);
}

TEST_F(KernelCacheTest, SourceIsComparedNotOnlyItsHash) {
  std::string why;
  auto folder = CacheFolder::open(folder_ + "/cache", 1 << 20, &why);
  ASSERT_NE(folder, nullptr) << why;
  auto staging = folder->stage(kNote, "one");
  ASSERT_TRUE(staging && try_write_file(staging->binary(), "1"));
  ASSERT_TRUE(folder->publish(kNote, "00000000000000000000000000000000", *staging));
  EXPECT_EQ(folder->find(kNote, "00000000000000000000000000000000", "one"), "1");
  EXPECT_EQ(folder->find(kNote, "00000000000000000000000000000000", "two"), std::nullopt);
}

TEST_F(KernelCacheTest, FolderWritableByOthersIsNotUsed) {
  fs::create_directory(folder_ + "/cache");
  chmod((folder_ + "/cache").c_str(), 0777);
  EXPECT_EQ(compile_twice().compiles, 1u);
  EXPECT_TRUE(files_in(folder_ + "/cache").empty());
  EXPECT_EQ(log_, cat("kernel cache ", folder_, "/cache is not used (writable by other users); kernels go to ",
                      last_folder_, "\n"));
  EXPECT_FALSE(fs::exists(last_folder_));  // private folders are removed
}

TEST_F(KernelCacheTest, WrongOwnerIsNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(mkdir((folder_ + "/cache").c_str(), 0700), 0);
  ASSERT_EQ(chown((folder_ + "/cache").c_str(), 12345, 12345), 0);
  EXPECT_EQ(compile_twice().compiles, 1u);
  EXPECT_NE(log_.find("(owned by another user)"), std::string::npos) << log_;
}

TEST_F(KernelCacheTest, WrongFileOwnerOrModeIsAMiss) {
  compile_twice();
  for (const auto& file : files_in(folder_ + "/cache")) {
    if (file.extension() != ".so") continue;
    chmod(file.c_str(), 0666);
    EXPECT_EQ(compile_twice().compiles, 1u);
    EXPECT_EQ(compile_twice().compiles, 0u);
    if (geteuid() == 0) {
      ASSERT_EQ(chown(file.c_str(), 12345, 12345), 0);
      EXPECT_EQ(compile_twice().compiles, 1u);
    }
    fs::rename(file, folder_ + "/elsewhere.so");
    fs::create_symlink(folder_ + "/elsewhere.so", file);
    EXPECT_EQ(compile_twice().compiles, 1u);
  }
}

TEST_F(KernelCacheTest, ImpossibleFolderFallsBack) {
  ASSERT_TRUE(try_write_file(folder_ + "/file", ""));
  CompileConfig other = config();
  other.cache_dir = folder_ + "/file/cache";
  EXPECT_EQ(compile_twice(other).compiles, 1u);
  EXPECT_NE(log_.find("is not used (cannot be made: Not a directory)"), std::string::npos) << log_;
}

TEST_F(KernelCacheTest, FolderThatVanishesFallsBack) {
  CCompiler compiler(config());
  fs::remove_all(folder_ + "/cache");
  EXPECT_EQ(run_twice(compiler.compile(kTwice)), 42);
  EXPECT_NE(log_.find("cannot be written"), std::string::npos) << log_;
}

TEST_F(KernelCacheTest, NoFolderNamedIsPrivateAndSilent) {
  CompileConfig none = config();
  none.cache_dir = "";
  EXPECT_EQ(compile_twice(none).compiles, 1u);
  EXPECT_EQ(log_, "");
  EXPECT_FALSE(fs::exists(last_folder_));
}

TEST_F(KernelCacheTest, OldestEntriesAreEvictedAndOtherFilesStay) {
  ASSERT_EQ(mkdir((folder_ + "/cache").c_str(), 0700), 0);
  ASSERT_TRUE(try_write_file(folder_ + "/cache/precious.txt", std::string(100000, 'x')));
  CompileConfig small = config();
  small.cache_bytes = 60000;
  CCompiler compiler(small);
  auto text = [](int i) { return cat("float f(float x) { return ", i, " * x; }\n"); };
  auto age = [&](int hours) {  // every file present now looks older
    for (const auto& file : files_in(folder_ + "/cache")) {
      fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(hours));
    }
  };
  auto compiles = [&](int i) {
    std::uint64_t before = compiler.cache().counters().compiles;
    compiler.compile(text(i));
    return compiler.cache().counters().compiles > before;
  };
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(compiles(i));
    age(1);
    EXPECT_FALSE(compiles(0));  // used again, so never the oldest
  }
  std::uint64_t bytes = 0;
  for (const auto& file : files_in(folder_ + "/cache")) bytes += fs::file_size(file);
  EXPECT_LE(bytes, 160000u);
  EXPECT_TRUE(fs::exists(folder_ + "/cache/precious.txt"));
  EXPECT_FALSE(compiles(7));
  EXPECT_TRUE(compiles(1));
}

// Child processes compile the same and different texts into one folder; each checks its results.
TEST_F(KernelCacheTest, ProcessesMayRace) {
  constexpr int kProcesses = 4, kTexts = 3;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      try {
        CCompiler compiler(config());
        for (int i = 0; i < kTexts; ++i) {
          auto library = compiler.compile(cat("int value(void) { return ", i, "; }\n"));
          good &= library->function<int()>("value")() == i;
        }
      } catch (...) {
        good = false;
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(files_in(folder_ + "/cache").size(), 3u * (kTexts + 1));
  CCompiler compiler(config());
  for (int i = 0; i < kTexts; ++i) compiler.compile(cat("int value(void) { return ", i, "; }\n"));
  EXPECT_EQ(compiler.cache().counters().disk_hits, std::uint64_t(kTexts));
}

}  // namespace
}  // namespace dgen::compilers
