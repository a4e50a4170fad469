// Whether this build runs under a sanitizer, where all is many times slower.
#pragma once

#if defined(__has_feature)
#define DGEN_HAS_FEATURE(x) __has_feature(x)
#else
#define DGEN_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || DGEN_HAS_FEATURE(address_sanitizer) || \
    DGEN_HAS_FEATURE(thread_sanitizer)
#define DGEN_SANITIZED 1
#else
#define DGEN_SANITIZED 0
#endif

namespace dgen::test {

constexpr bool kSanitized = DGEN_SANITIZED != 0;

}  // namespace dgen::test
