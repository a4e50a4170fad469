#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/flush_denormals.h"
#include "base/try_file.h"
#include "runtime/device.h"
#include "runtime/threads.h"
#include "runtime/trace.h"
#include "support/sanitized.h"

namespace dgen::runtime {
namespace {

TEST(ThreadPool, EveryIndexOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (std::int64_t n : {0, 1, 2, 5, 6, 7, 100, 1001}) {
      for (std::int64_t grain : {0, 1, 10, 5000}) {
        std::vector<int> visits(n);
        pool.parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end, int thread) {
          EXPECT_GE(thread, 0);
          EXPECT_LT(thread, threads);
          for (std::int64_t i = begin; i < end; ++i) ++visits[i];
        });
        EXPECT_EQ(visits, std::vector<int>(n, 1));
      }
    }
  }
}

TEST(ThreadPool, PartitionIsFixed) {
  ThreadPool pool(3);
  for (int repeat = 0; repeat < 100; ++repeat) {
    std::vector<int> owner(11, -1);
    std::vector<std::thread::id> ids(3);
    pool.parallel_for(11, 1, [&](std::int64_t begin, std::int64_t end, int thread) {
      ids[thread] = std::this_thread::get_id();
      for (std::int64_t i = begin; i < end; ++i) owner[i] = thread;
    });
    EXPECT_EQ(owner, (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2}));
    EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), 3u);
  }
}

TEST(ThreadPool, GrainLimitsTheParts) {
  ThreadPool pool(4);
  std::atomic<int> calls = 0;
  pool.parallel_for(25, 10, [&](std::int64_t, std::int64_t, int) { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(ThreadPool, NestedCallsRunInOnePart) {
  ThreadPool pool(3), other(2);
  std::atomic<int> sum = 0;
  pool.parallel_for(3, 1, [&](std::int64_t, std::int64_t, int thread) {
    pool.parallel_for(10, 1, [&](std::int64_t begin, std::int64_t end, int inner) {
      EXPECT_EQ(begin, 0);
      EXPECT_EQ(end, 10);
      EXPECT_EQ(inner, thread);
      other.parallel_for(5, 1,
                         [&](std::int64_t first, std::int64_t last, int) { sum += static_cast<int>(last - first); });
    });
  });
  EXPECT_EQ(sum, 15);
}

TEST(ThreadPool, LowestExceptionComesOutAndThePoolGoesOn) {
  ThreadPool pool(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::atomic<int> ran = 0;
    try {
      pool.parallel_for(4, 1, [&](std::int64_t begin, std::int64_t, int) {
        ++ran;
        if (begin > 0) throw std::runtime_error(std::to_string(begin));
      });
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "1");
    }
    EXPECT_EQ(ran, 4);
  }
  std::atomic<int> ran = 0;
  pool.parallel_for(4, 1, [&](std::int64_t, std::int64_t, int) { ++ran; });
  EXPECT_EQ(ran, 4);
}

// Each part reads what all others have written before they met, and writes only after they have met again.
TEST(ThreadPool, PartsMeet) {
  ThreadPool pool(4);
  for (int parts : {1, 2, 4}) {
    std::vector<int> round(static_cast<size_t>(parts), 0), wrong(static_cast<size_t>(parts), 0);
    pool.parallel_for_meeting(parts, 1, [&](std::int64_t part, std::int64_t, int, Meeting* meeting) {
      EXPECT_EQ(meeting->parts, static_cast<std::uint32_t>(parts));
      for (int i = 1; i <= 2000; ++i) {
        round[static_cast<size_t>(part)] = i;
        if (i % 500 == part) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the others stop spinning
        meeting->wait(meeting);
        for (int other : round) wrong[static_cast<size_t>(part)] += other != i;
        meeting->wait(meeting);
      }
    });
    EXPECT_EQ(wrong, std::vector<int>(static_cast<size_t>(parts), 0));
  }
}

TEST(ThreadPool, PartsMeetWhileAnotherResizes) {
  ThreadPool pool(2);
  std::atomic<bool> done = false;
  std::thread resizing([&] {
    for (int i = 0; !done; ++i) pool.resize(2 + i % 3);
  });
  for (int i = 0; i < 2000; ++i) {
    std::atomic<std::uint32_t> before = 0;
    pool.parallel_for_meeting(8, 1, [&](std::int64_t, std::int64_t, int, Meeting* meeting) {
      ++before;
      meeting->wait(meeting);
      EXPECT_EQ(before, meeting->parts);
    });
  }
  done = true;
  resizing.join();
  pool.parallel_for(2, 1, [&](std::int64_t, std::int64_t, int) {
    pool.parallel_for_meeting(8, 1, [](std::int64_t, std::int64_t, int, Meeting* meeting) { EXPECT_EQ(meeting->parts, 1u); });
  });
}

TEST(ThreadPool, TellsWhetherAllAreAwake) {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000 && pool.awake(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_FALSE(pool.awake()) << "they never sleep";
    pool.parallel_for_meeting(3, 1, [&](std::int64_t, std::int64_t, int, Meeting* meeting) {
      meeting->wait(meeting);
      EXPECT_TRUE(pool.awake());
      meeting->wait(meeting);
    });
  }
}

// As many as memory has room for work afterwards.
TEST(ThreadPool, ThreadsThatDoNotStartAreAnError) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers map more than the limit";
  auto try_many = [] {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const std::size_t most = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + (std::size_t{1} << 30);  // a stack takes 8 MiB
    const rlimit limit{most, most};
    setrlimit(RLIMIT_AS, &limit);
    ThreadPool pool(1024);
    std::string what;
    try {
      pool.parallel_for(1024, 1, [](std::int64_t, std::int64_t, int) {});
    } catch (const Error& e) {
      what = e.what();
    }
    pool.resize(2);
    std::atomic<int> parts = 0;
    pool.parallel_for(2, 1, [&](std::int64_t, std::int64_t, int) { ++parts; });
    std::fprintf(stderr, "%s; %d parts", what.c_str(), parts.load());
    std::_Exit(0);  // other tests' threads are not in this process
  };
  EXPECT_EXIT(try_many(), testing::ExitedWithCode(0), "thread [0-9]+ of 1024 does not start .*config\\(\\).threads.*; 2 parts");
}

TEST(ThreadPool, WorkersKnowDenormalsWhoeverStartsThem) {
  std::optional<FlushDenormals> flush(std::in_place);
  ThreadPool pool(2);
  pool.parallel_for(2, 1, [](std::int64_t, std::int64_t, int) {});  // starts them
  flush.reset();
  std::vector<float> tiny(2, 1e-38f);
  pool.parallel_for(2, 1, [&](std::int64_t part, std::int64_t, int) { tiny[static_cast<size_t>(part)] *= 0.1f; });
  EXPECT_GT(tiny[0], 0);
  EXPECT_EQ(tiny[1], tiny[0]);
}

TEST(ThreadPool, SeveralCallersAndSleepingWorkers) {
  ThreadPool pool(3);
  std::atomic<std::int64_t> sum = 0;
  auto call = [&] {
    for (int repeat = 0; repeat < 200; ++repeat) {
      if (repeat % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      pool.parallel_for(30, 1, [&](std::int64_t begin, std::int64_t end, int) { sum += end - begin; });
    }
  };
  std::thread a(call), b(call);
  a.join();
  b.join();
  EXPECT_EQ(sum, 2 * 200 * 30);
}

TEST(ThreadPool, Resize) {
  ThreadPool pool(2);
  for (int threads : {5, 1, 3}) {
    pool.resize(threads);
    EXPECT_EQ(pool.size(), threads);
    std::atomic<int> calls = 0;
    pool.parallel_for(100, 1, [&](std::int64_t, std::int64_t, int) { ++calls; });
    EXPECT_EQ(calls, threads);
  }
  set_thread_count(2);
  EXPECT_EQ(thread_count(), 2);
  std::vector<int> part(2);
  parallel_for(2, 1, [&](std::int64_t begin, std::int64_t, int thread) { part[begin] = thread; });
  EXPECT_EQ(part, (std::vector<int>{0, 1}));
  set_thread_count(0);
  EXPECT_GE(thread_count(), 1);
}

TEST(Block, AlignedAndZero) {
  for (std::size_t bytes : {4, 12, 4000, 400000}) {
    Block block(host_device(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.floats()) % Block::kAlignment, 0u);
    for (std::size_t i = 0; i < bytes / 4; ++i) ASSERT_EQ(block.floats()[i], 0.0f);
  }
}

TEST(Block, ReserveOnlyGrows) {
  Block block;
  block.reserve(host_device(), 100);
  block.floats()[0] = 1;
  block.reserve(host_device(), 40);
  EXPECT_EQ(block.bytes(), 100u);
  EXPECT_EQ(block.floats()[0], 1);
  block.reserve(host_device(), 1000);
  EXPECT_EQ(block.bytes(), 1000u);
  EXPECT_EQ(block.floats()[0], 0);
}

TEST(Block, CopiesAreDeep) {
  Block a(host_device(), 8);
  a.floats()[1] = 3;
  Block b = a, empty, also = empty;
  a.floats()[1] = 4;
  EXPECT_EQ(b.floats()[1], 3);
  EXPECT_TRUE(also.empty());
  b = also;
  EXPECT_TRUE(b.empty());
}

TEST(Block, BytesAreCounted) {
  std::int64_t before = memory_bytes().live;
  reset_memory_peak();
  {
    Block a(host_device(), 4000), b(std::move(a));
    EXPECT_TRUE(a.empty());
    EXPECT_EQ(memory_bytes().live, before + 4000);
    a = std::move(b);
    EXPECT_EQ(memory_bytes().live, before + 4000);
  }
  EXPECT_EQ(memory_bytes().live, before);
  EXPECT_EQ(memory_bytes().peak, before + 4000);
}

TEST(Block, TooLargeIsAnError) { EXPECT_THROW(Block(host_device(), SIZE_MAX / 2), Error); }

TEST(Trace, WritesEventsOfAllThreads) {
  std::string path = testing::TempDir() + "dgen-trace-" + std::to_string(getpid()) + ".json";
  {
    Trace trace(path);
    Trace::Scope outer(&trace, "outer \"quoted\"\n");
    std::thread([&] { Trace::Scope inner(&trace, "inner"); }).join();
    Trace::Scope nothing(nullptr, "nothing");
  }
  std::string text = *try_read_file(path);
  std::remove(path.c_str());
  EXPECT_EQ(text.substr(0, 2), "[\n");
  EXPECT_EQ(text.substr(text.size() - 3), "\n]\n");
  EXPECT_NE(text.find("{\"name\":\"outer \\\"quoted\\\"\\u000a\",\"ph\":\"B\",\"ts\":"), std::string::npos) << text;
  EXPECT_NE(text.find("\"inner\""), std::string::npos);
  EXPECT_EQ(text.find("nothing"), std::string::npos);
  EXPECT_THROW(Trace("/no/such/folder/trace.json"), Error);
}

}  // namespace
}  // namespace dgen::runtime
