// Responses of many patches on every backend, whole and in blocks that go on where the last one ended.
#include "patches.h"

#include "support/backends.h"
#include "support/serial_error.h"

namespace dgen::test {

void PrintTo(const Patch& patch, std::ostream* out) { *out << patch.name; }

namespace {

std::vector<Patch> all_patches() {
  std::vector<Patch> all;
  for (auto rows : {filter_patches(), delay_patches(), memory_patches(), hop_patches(), feedback_patches()})
    all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

class Impulse : public testing::TestWithParam<std::tuple<Backend, Patch>> {
  OnBackend settings_{std::get<0>(GetParam())};
};

void expect_response(const std::vector<float>& got, const Patch& patch) {
  Values want = patch.expect(patch.frames);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], patch.relative * std::abs(want[i]) + patch.absolute)
        << "element " << i % (want.size() / static_cast<size_t>(patch.frames)) << " of frame "
        << i / (want.size() / static_cast<size_t>(patch.frames));
}

std::vector<float> run_in_blocks(Program& program, int frames, int block) {
  std::vector<float> all;
  program.reset();
  for (int n = 0; n < frames; n += block) {
    auto part = program.run({.frames = std::min(block, frames - n), .preserve_state = true})[0];
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST_P(Impulse, Response) {
  const Patch& patch = std::get<1>(GetParam());
  Value y = patch.build();
  Program program = compile(y);
  std::vector<float> whole = program.run({.frames = patch.frames})[0];
  expect_response(whole, patch);
  for (int block : {1, 7, 16, 64}) {
    SCOPED_TRACE(testing::Message() << "blocks of " << block);
    std::vector<float> got = run_in_blocks(program, patch.frames, block);
    if (!patch.recurrent || block % 16 == 0) {
      ASSERT_EQ(got, whole);
      continue;
    }
    double bound = 4 * serial_error(y, patch.frames);
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], whole[i], bound) << "value " << i;
  }
}

std::string patch_name(const testing::TestParamInfo<std::tuple<Backend, Patch>>& info) {
  return std::string(std::get<1>(info.param).name) + "_" + backend_name(std::get<0>(info.param));
}
INSTANTIATE_TEST_SUITE_P(Patches, Impulse, testing::Combine(testing::ValuesIn(backends()), testing::ValuesIn(all_patches())), patch_name);

}  // namespace
}  // namespace dgen::test
