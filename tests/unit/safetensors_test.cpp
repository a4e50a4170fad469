#include "base/safetensors.h"

#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

#include "base/file.h"
#include "dgen/error.h"

namespace dgen {
namespace {

SafeFile sample() {
  SafeFile file;
  file.tensors["weight"] = {{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}};
  file.tensors["bias"] = {{2}, std::vector<double>{0.5, -0.25}};
  file.tensors["step"] = {{}, std::vector<int64_t>{-7}};
  file.tensors["empty"] = {{0, 4}, std::vector<float>{}};
  file.metadata["config"] = "{\"a\": \"ü\\\n\"}";
  return file;
}

std::string with_header(const std::string& header, const std::string& data = "") {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

std::string error_of(const std::string& bytes) {
  try {
    parse_safetensors(bytes);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Safetensors, RoundTrip) {
  const SafeFile file = sample(), back = parse_safetensors(encode_safetensors(file));
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (const auto& [name, t] : file.tensors) {
    EXPECT_EQ(back.tensors.at(name).shape, t.shape) << name;
    EXPECT_EQ(back.tensors.at(name).data, t.data) << name;
  }
  EXPECT_EQ(back.values<double>("bias")[1], -0.25);
  EXPECT_THROW(back.values<float>("bias"), Error);
  EXPECT_THROW(back.values<float>("missing"), Error);
  EXPECT_THROW(back.meta("missing"), Error);
}

TEST(Safetensors, EmptyFileAndWhitespace) {
  EXPECT_TRUE(parse_safetensors(encode_safetensors({})).tensors.empty());
  EXPECT_TRUE(parse_safetensors(with_header(" { } \n\t ")).tensors.empty());
}

TEST(Safetensors, Escapes) {
  const SafeFile file = parse_safetensors(with_header(R"({"__metadata__":{"k":"\u00e4\ud83c\udfbb\/\"\t"}})"));
  EXPECT_EQ(file.meta("k"), "ä🎻/\"\t");
}

TEST(Safetensors, HostileHeaders) {
  const std::string four(4, '\0'), f32 = R"("dtype":"F32","shape":[1],"data_offsets":)";
  EXPECT_EQ(error_of(""), "safetensors: file of 0 bytes is too short");
  EXPECT_EQ(error_of(std::string(8, '\xff')), "safetensors: header of 18446744073709551615 bytes in a file of 8");
  EXPECT_EQ(error_of(with_header("{")), "safetensors: bad header at byte 1: expected a string");
  EXPECT_EQ(error_of(with_header("{}x")), "safetensors: bad header at byte 2: text after the end");
  EXPECT_EQ(error_of(with_header("{\"a\":{" + f32 + "[0,4]},\"a\":{" + f32 + "[4,8]}}", four + four)),
            "safetensors: two tensors called \"a\"");
  EXPECT_EQ(error_of(with_header("{\"a\":{" + f32 + "[0,4]},\"b\":{" + f32 + "[0,4]}}", four)),
            "safetensors: tensor \"b\" leaves a gap or overlaps another");
  EXPECT_EQ(error_of(with_header("{\"a\":{" + f32 + "[0,8]}}", four)),
            "safetensors: tensor \"a\" lies outside the file (bytes 0 to 8 of 4)");
  EXPECT_EQ(error_of(with_header("{\"a\":{" + f32 + "[8,4]}}", four)),
            "safetensors: tensor \"a\" lies outside the file (bytes 8 to 4 of 4)");
  EXPECT_EQ(error_of(with_header("{}", four)), "safetensors: 4 bytes belong to no tensor");
  EXPECT_EQ(
      error_of(with_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}")),
      "safetensors: tensor \"a\": its shape does not fit its 0 bytes");
  EXPECT_EQ(
      error_of(with_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}")),
      "safetensors: bad header at byte 47: number too large");
  EXPECT_EQ(error_of(with_header("{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", four)),
            "safetensors: tensor \"a\": type BF16 is not supported (F32, F64, I64 are)");
  EXPECT_EQ(error_of(with_header("{\"a\":{\"shape\":[1]}}")),
            "safetensors: tensor \"a\" lacks dtype, shape or data_offsets");
  EXPECT_EQ(error_of(with_header(R"({"__metadata__":{"k":"\ud800"}})")),
            "safetensors: bad header at byte 28: half a surrogate pair");
  EXPECT_EQ(error_of(with_header(std::string(1 << 20, '['))), "safetensors: bad header at byte 0: expected {");
  EXPECT_EQ(error_of(with_header("{\"a\":" + std::string(1 << 20, '{'))),
            "safetensors: bad header at byte 6: expected a string");
}

TEST(Safetensors, WriterRefusesNonsense) {
  SafeFile file;
  file.tensors["a"] = {{3}, std::vector<float>{1}};
  EXPECT_THROW(encode_safetensors(file), Error);
  file.tensors["a"] = {{-1}, std::vector<float>{1}};
  EXPECT_THROW(encode_safetensors(file), Error);
}

// Every damaged file must give a value or an Error, never anything else; sanitizer builds see the rest.
TEST(Safetensors, FlippedAndTruncatedBytes) {
  const std::string good = encode_safetensors(sample());
  std::mt19937 random(1);
  int rejected = 0;
  for (size_t n = 0; n < good.size(); ++n) rejected += error_of(good.substr(0, n)) != "no error";
  EXPECT_EQ(rejected, static_cast<int>(good.size()));
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good;
    for (unsigned flips = random() % 4 + 1; flips; --flips) bad[random() % bad.size()] = static_cast<char>(random());
    error_of(bad);
  }
}

TEST(Safetensors, FilesNameTheirPath) {
  const auto folder = std::filesystem::temp_directory_path() / "dgen safetensors tést";
  std::filesystem::create_directories(folder);
  write_safetensors(folder / "a.safetensors", sample());
  EXPECT_EQ(read_safetensors(folder / "a.safetensors").tensors.size(), 4u);
  write_file_atomic(folder / "b.safetensors", "short");
  try {
    read_safetensors(folder / "b.safetensors");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.what(), (folder / "b.safetensors").string() + ": safetensors: file of 5 bytes is too short");
  }
  EXPECT_THROW(read_safetensors(folder / "missing"), Error);
  EXPECT_THROW(write_safetensors(folder / "no" / "such", sample()), Error);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 2) << "no temporary file may stay behind";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dgen
