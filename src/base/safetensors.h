// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes without gaps.
// Only F32, F64 and I64 are known here. The reader trusts nothing: any malformed file is an Error.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dgen {

struct SafeTensor {
  std::vector<int64_t> shape;
  std::variant<std::vector<float>, std::vector<double>, std::vector<int64_t>> data;
};

struct SafeFile {
  std::map<std::string, SafeTensor> tensors;
  std::map<std::string, std::string> metadata;

  // The values of a tensor that must exist with this element type.
  template <class T>
  const std::vector<T>& values(const std::string& name) const;
  const std::string& meta(const std::string& key) const;
};

SafeFile parse_safetensors(std::string_view bytes);
std::string encode_safetensors(const SafeFile& file);

// Both name the path in their errors; writing is atomic.
SafeFile read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const SafeFile& file);

}  // namespace dgen
