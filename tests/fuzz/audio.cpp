// Any bytes load as audio or are refused with dgen::Error; what is read has whole frames of the rate that was asked for.
#include <dgen/dgen.h>

#include "fuzz/memory_file.h"

using namespace dgen;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile file(data, size);
  for (const LoadOptions& options : {LoadOptions{}, LoadOptions{.sample_rate = 16000}}) try {
      const Audio audio = load_audio(file.path(), options);
      if (audio.channels < 1 || audio.samples.empty() || audio.samples.size() % static_cast<size_t>(audio.channels)) std::abort();
      if (options.sample_rate && audio.sample_rate != options.sample_rate) std::abort();
    } catch (const Error&) {
    }
  return 0;
}
