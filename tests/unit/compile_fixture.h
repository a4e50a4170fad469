// A folder for one test, removed after it.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "compile/config.h"

namespace dgen::compilers {

class CompileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "dgen-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The environment's compiler, a cache of the test's own, and the log in `log_`.
  CompileConfig config() {
    CompileConfig config = CompileConfig::from_environment();
    config.cache_dir = folder_ + "/cache";
    config.temp_dir = folder_;
    config.log = [this](const std::string& line) { log_ += line + "\n"; };
    return config;
  }

  std::string folder_, log_;
};

}  // namespace dgen::compilers
