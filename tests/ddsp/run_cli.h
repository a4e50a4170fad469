// The program as a command line calls it, with what it prints.
#pragma once
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "apps/ddsp/cli.h"

namespace dgen::ddsp {

struct Outcome {
  int status;
  std::string out, error;
};

inline Outcome ddsp(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ddsp");
  std::vector<const char*> argv;
  for (const std::string& a : arguments) argv.push_back(a.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status = run_cli(static_cast<int>(argv.size()), argv.data());
  std::string out = ::testing::internal::GetCapturedStdout();
  return {status, std::move(out), ::testing::internal::GetCapturedStderr()};
}

}  // namespace dgen::ddsp
