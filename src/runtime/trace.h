// Writes events for a trace viewer (Perfetto, chrome://tracing).
//
//   Trace trace("run.json");
//   { Trace::Scope scope(&trace, "tile", 3); ... }
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace dgen::runtime {

// Safe to use from several threads. Viewers read the file also when the program ended early.
class Trace {
 public:
  explicit Trace(const std::string& path);  // throws Error when the file cannot be made
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // Each begin needs its end on the same thread. A number (of a tile, say) is shown beside the name.
  void begin(std::string_view name, std::int64_t number = -1);
  void end();

  // Nothing happens when `trace` is null.
  class Scope {
   public:
    template <class Name>  // a string is not looked at for nothing
    Scope(Trace* trace, const Name& name, std::int64_t number = -1) : trace_(trace) {
      if (trace_) trace_->begin(name, number);
    }
    ~Scope() {
      if (trace_) trace_->end();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Trace* trace_;
  };

 private:
  void write(char phase, std::string_view name, std::int64_t number);

  std::mutex mutex_;  // guards the next two
  std::FILE* file_;
  bool first_ = true;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace dgen::runtime
