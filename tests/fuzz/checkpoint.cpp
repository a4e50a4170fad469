// Any bytes load as a checkpoint or are refused with dgen::Error, which changes no param; what is read is written back as
// an equal file.
#include <dgen/dgen.h>

#include "base/safetensors.h"
#include "fuzz/memory_file.h"

using namespace dgen;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string again = encode_safetensors(parse_safetensors({reinterpret_cast<const char*>(data), size}));
    if (encode_safetensors(parse_safetensors(again)) != again) std::abort();
  } catch (const Error&) {
  }
  static Tensor w = Tensor::param({1, 2}), v = Tensor::param({3});
  static Adam adam({w, v});
  w.assign({1, 2}), v.assign({3});
  fuzz::MemoryFile file(data, size);
  try {
    load(file.path(), {{"w", w}, {"v", v}}, adam);
  } catch (const Error&) {
    if (w.realize() != std::vector<float>{1, 2} || v.realize() != std::vector<float>{3}) std::abort();
  }
  return 0;
}
