#include "runtime/threads.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cfenv>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace dgen::runtime {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(20), kYieldTime = std::chrono::microseconds(200);

// Which part of which pool's job this thread is running.
struct Inside {
  const ThreadPool* pool = nullptr;
  int thread = 0;
};
thread_local Inside inside;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when `value` is no longer `old`: jobs often follow each other at once, and waking a thread takes longer. Whoever is to change
// it may wait for this processor. sleeping: of those who do.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::atomic<int>* sleeping = nullptr) {
  const auto start = std::chrono::steady_clock::now();
  while (value.load(std::memory_order_acquire) == old) {
    const auto waited = std::chrono::steady_clock::now() - start;
    if (waited > kYieldTime) break;
    if (waited > kSpinTime) std::this_thread::yield();
    else pause();
  }
  if (value.load(std::memory_order_acquire) != old) return;
  if (sleeping) sleeping->fetch_add(1, std::memory_order_relaxed);
  value.wait(old, std::memory_order_acquire);
  if (sleeping) sleeping->fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

ThreadPool::ThreadPool(int threads) { set_size(threads); }

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::resize(int threads) {
  DGEN_ASSERT(!inside.pool);
  std::lock_guard lock(mutex_);
  stop();
  set_size(threads);
}

void ThreadPool::set_size(int threads) {
  size_ = threads > 0 ? threads : hardware_threads();
  sleeping_ = size_ - 1;
}

// Those of a job's parts that do not run yet.
void ThreadPool::start(std::int64_t parts) {
  for (int index = static_cast<int>(workers_.size()) + 1; index < parts; ++index) {
    auto worker = std::make_unique<Worker>();
    try {
      worker->thread = std::thread([this, at = worker.get(), index] { serve(at, index); });
    } catch (const std::system_error& e) {
      throw Error(cat("thread ", index + 1, " of ", parts, " does not start (", e.what(), "); set config().threads to at most ", index));
    }
    workers_.push_back(std::move(worker));
  }
}

void ThreadPool::stop() {
  ending_ = true;
  for (auto& worker : workers_) {
    worker->ticket.fetch_add(1, std::memory_order_release);
    worker->ticket.notify_one();
  }
  for (auto& worker : workers_) worker->thread.join();
  workers_.clear();
  ending_ = false;
}

void ThreadPool::serve(Worker* worker, int index) {
  sleeping_.fetch_sub(1, std::memory_order_relaxed);
  std::fesetenv(FE_DFL_ENV);  // threads begin with the rounding and denormals of who started them, maybe a run that flushes
  for (std::uint32_t ticket = 0;; ++ticket) {
    wait_for_change(worker->ticket, ticket, &sleeping_);
    if (ending_) return;
    worker->error = run_part(job_, index);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

std::exception_ptr ThreadPool::run_part(const Job& job, int index) {
  Inside outer = inside;
  inside = {this, index};
  std::exception_ptr error;
  try {
    std::int64_t whole = job.n / job.parts, rest = job.n % job.parts;
    std::int64_t begin = whole * index + std::min<std::int64_t>(index, rest);
    (*job.body)(begin, begin + whole + (index < rest), index);
  } catch (...) {
    error = std::current_exception();
  }
  inside = outer;
  return error;
}

std::int64_t ThreadPool::count_parts(std::int64_t n, std::int64_t min_grain) const {
  return std::clamp<std::int64_t>(n / std::max<std::int64_t>(min_grain, 1), 1, size());
}

void ThreadPool::parallel_for(std::int64_t n, std::int64_t min_grain, Body body) {
  if (n <= 0) return;
  if (inside.pool || count_parts(n, min_grain) == 1) return body(0, n, inside.pool == this ? inside.thread : 0);

  std::lock_guard lock(mutex_);
  run_parts(n, count_parts(n, min_grain), body);
}

void ThreadPool::parallel_for_meeting(std::int64_t n, std::int64_t min_grain, MeetingBody body) {
  if (n <= 0) return;
  if (inside.pool) {
    Meeting alone(1);
    return body(0, n, inside.pool == this ? inside.thread : 0, &alone);
  }
  std::lock_guard lock(mutex_);  // the number of parts stays what it is
  Meeting meeting(count_parts(n, min_grain));
  run_parts(n, meeting.parts, [&](std::int64_t begin, std::int64_t end, int thread) noexcept { body(begin, end, thread, &meeting); });
}

void ThreadPool::run_parts(std::int64_t n, std::int64_t parts, Body body) {
  start(parts);
  job_ = {&body, n, parts};
  std::int64_t others = job_.parts - 1;
  pending_.store(static_cast<std::uint32_t>(others), std::memory_order_relaxed);
  for (std::int64_t i = 0; i < others; ++i) {
    workers_[i]->ticket.fetch_add(1, std::memory_order_release);
    workers_[i]->ticket.notify_one();
  }
  std::exception_ptr error = run_part(job_, 0);
  while (std::uint32_t left = pending_.load(std::memory_order_acquire)) wait_for_change(pending_, left);
  for (std::int64_t i = 0; i < others; ++i) {
    std::exception_ptr other = std::exchange(workers_[i]->error, nullptr);
    if (!error) error = other;
  }
  if (error) std::rethrow_exception(error);
}

// The last to come lets the others go. Until then nobody can come to the next round, so `there` is its to reset.
static void wait_for_others(Meeting* m) {
  const std::uint32_t round = m->round.load(std::memory_order_relaxed);
  if (m->there.fetch_add(1, std::memory_order_acq_rel) + 1 < m->parts) return wait_for_change(m->round, round);
  m->there.store(0, std::memory_order_relaxed);
  m->round.fetch_add(1, std::memory_order_release);
  m->round.notify_all();
}

Meeting::Meeting(std::int64_t count) : wait(wait_for_others), parts(static_cast<std::uint32_t>(count)) {}

ThreadPool& default_pool() {
  static ThreadPool pool;
  return pool;
}

int thread_count() { return default_pool().size(); }

bool threads_awake() { return default_pool().awake(); }

void set_thread_count(int threads) { default_pool().resize(threads); }

void parallel_for(std::int64_t n, std::int64_t min_grain, ThreadPool::Body body) {
  default_pool().parallel_for(n, min_grain, body);
}

void parallel_for_meeting(std::int64_t n, std::int64_t min_grain, ThreadPool::MeetingBody body) {
  default_pool().parallel_for_meeting(n, min_grain, body);
}

int hardware_threads() {
#if defined(__linux__)
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof mine, &mine) == 0) return std::max(1, CPU_COUNT(&mine));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace dgen::runtime
