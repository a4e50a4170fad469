// Child processes without a shell.
#pragma once
#include <string>
#include <vector>

namespace dgen {

struct ProcessResult {
  bool started = false;
  int exit_code = -1;  // 128 + n when signal n ended it
  std::string output;  // standard output and error, in the order written; why it did not start
};

// Runs argv[0] (a path, PATH is not searched) with standard input empty and waits for it.
// `environment` holds NAME=VALUE settings that replace or add to this process's own.
ProcessResult run_process(const std::vector<std::string>& argv, const std::vector<std::string>& environment = {});

}  // namespace dgen
