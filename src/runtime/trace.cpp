#include "runtime/trace.h"

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace dgen::runtime {
namespace {

int thread_number() {
  static std::atomic<int> next = 0;
  thread_local int number = next++;
  return number;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    if (c < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<char>(c);
    }
  }
  return out;
}

}  // namespace

Trace::Trace(const std::string& path) : file_(std::fopen(path.c_str(), "we")) {
  if (!file_) fail("cannot write the trace ", path, ": ", std::strerror(errno), "; DGEN_TRACE names a file that can be written");
  std::fputs("[", file_);
}

Trace::~Trace() {
  std::fputs("\n]\n", file_);
  std::fclose(file_);
}

void Trace::begin(std::string_view name, std::int64_t number) { write('B', name, number); }

void Trace::end() { write('E', "", -1); }

void Trace::write(char phase, std::string_view name, std::int64_t number) {
  double time = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start_).count();
  std::string text = escaped(name), args = number < 0 ? "" : cat(",\"args\":{\"number\":", number, "}");
  std::lock_guard lock(mutex_);
  std::fprintf(file_, "%s\n{\"name\":\"%s\",\"ph\":\"%c\",\"ts\":%.3f,\"pid\":1,\"tid\":%d%s}", first_ ? "" : ",",
               text.c_str(), phase, time, thread_number(), args.c_str());
  first_ = false;
}

}  // namespace dgen::runtime
