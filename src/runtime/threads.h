// The one way host code runs on several cores.
//
//   parallel_for(lanes, 4, [&](int64_t begin, int64_t end, int thread) { kernel(begin, end, scratch[thread]); });
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/function_ref.h"

namespace dgen::runtime {

// Where the parts of one parallel_for_meeting wait for each other, as often as they like. Generated code calls `wait` through its
// address, which is this struct's.
struct Meeting {
  explicit Meeting(std::int64_t parts);

  void (*const wait)(Meeting*);
  const std::uint32_t parts;
  alignas(64) std::atomic<std::uint32_t> there = 0;
  alignas(64) std::atomic<std::uint32_t> round = 0;
};

class ThreadPool {
 public:
  using Body = function_ref<void(std::int64_t begin, std::int64_t end, int thread)>;
  using MeetingBody = function_ref<void(std::int64_t begin, std::int64_t end, int thread, Meeting* meeting)>;

  explicit ThreadPool(int threads = 0);  // the caller is one of them; 0: one a hardware thread
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return size_.load(std::memory_order_relaxed); }
  // Do all threads wait without sleep? They do for a while after a job. Until the first job of several parts there are none but the caller.
  bool awake() const { return sleeping_.load(std::memory_order_relaxed) == 0; }
  void resize(int threads);  // not from inside a body

  // Cuts [0, n) into min(size(), n / min_grain), at least one, nearly equal parts and returns when all are done. Part t
  // always runs on thread t, so that results may depend on size() but on nothing else. A call from inside a body
  // (of any pool) runs in one part, under its caller's thread number. When bodies throw, the lowest part's exception
  // comes out. Nothing is allocated once the threads run. Waking a sleeping thread can take 100 us: a part should be worth that.
  void parallel_for(std::int64_t n, std::int64_t min_grain, Body body);
  // The same for parts that wait for each other: all of them run at once. A body that throws ends the program.
  void parallel_for_meeting(std::int64_t n, std::int64_t min_grain, MeetingBody body);

 private:
  struct alignas(64) Worker {
    std::atomic<std::uint32_t> ticket = 0;  // a new value is a part to run, or the end
    std::exception_ptr error;
    std::thread thread;
  };
  struct Job {
    const Body* body = nullptr;
    std::int64_t n = 0, parts = 0;
  };

  std::int64_t count_parts(std::int64_t n, std::int64_t min_grain) const;
  void run_parts(std::int64_t n, std::int64_t parts, Body body);
  void set_size(int threads);
  void start(std::int64_t parts);
  void stop();
  void serve(Worker* worker, int index);
  std::exception_ptr run_part(const Job& job, int index);

  std::mutex mutex_;  // one job at a time
  std::atomic<int> size_ = 1, sleeping_ = 0;  // threads that do not run yet sleep, too
  std::vector<std::unique_ptr<Worker>> workers_;  // worker i is thread i + 1
  Job job_;
  bool ending_ = false;
  std::atomic<std::uint32_t> pending_ = 0;  // parts of the job that other threads still run
};

// The process's pool. set_thread_count(0): one a hardware thread, as at the start.
ThreadPool& default_pool();
int thread_count();
bool threads_awake();
void set_thread_count(int threads);
void parallel_for(std::int64_t n, std::int64_t min_grain, ThreadPool::Body body);
void parallel_for_meeting(std::int64_t n, std::int64_t min_grain, ThreadPool::MeetingBody body);
int hardware_threads();  // processors that this process may run on

}  // namespace dgen::runtime
