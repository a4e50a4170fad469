#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/check.h"

extern char** environ;

namespace dgen {
namespace {

constexpr std::size_t kMaxOutput = 1 << 20;

std::string_view variable_name(std::string_view setting) { return setting.substr(0, setting.find('=')); }

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> merged_environment(const std::vector<std::string>& settings) {
  std::vector<std::string> merged = settings;
  for (char** own = environ; own && *own; ++own) {
    bool replaced = false;
    for (const std::string& setting : settings) replaced |= variable_name(setting) == variable_name(*own);
    if (!replaced) merged.push_back(*own);
  }
  return merged;
}

// Returns 0 or an errno value. The child gets default signals: the host may block or ignore some.
int spawn(const std::vector<std::string>& argv, const std::vector<std::string>& environment, int output, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGCHLD);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  int error =
      posix_spawn(pid, argv[0].c_str(), &actions, &attributes, c_strings(argv).data(), c_strings(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string read_all(int fd) {
  std::string text;
  char block[4096];
  for (;;) {
    ssize_t got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMaxOutput) text.append(block, static_cast<std::size_t>(got));
  }
}

void wait_for(pid_t pid, ProcessResult* result) {
  int status = 0;
  pid_t done;
  do {
    done = waitpid(pid, &status, 0);
  } while (done < 0 && errno == EINTR);
  // A host that ignores SIGCHLD loses the status; callers look at the output file as well.
  if (done < 0 || WIFEXITED(status)) {
    result->exit_code = done < 0 ? 0 : WEXITSTATUS(status);
    return;
  }
  result->exit_code = 128 + WTERMSIG(status);
  result->output += cat("ended by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")\n");
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  ProcessResult result;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    result.output = std::strerror(errno);
    return result;
  }
  pid_t pid = 0;
  int error = spawn(argv, merged_environment(environment), ends[1], &pid);
  close(ends[1]);
  if (error == 0) {
    result.started = true;
    result.output = read_all(ends[0]);
    wait_for(pid, &result);
  } else {
    result.output = std::strerror(error);
  }
  close(ends[0]);
  return result;
}

}  // namespace dgen
