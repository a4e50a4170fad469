// operator new that counts, for tests of what must not allocate. In a file of its own, so that no compiler sees through it.
#include <cstdlib>
#include <new>

#include "support/sanitized.h"

thread_local bool counting_allocations = false;
thread_local int allocations = 0;

// Sanitizers have their own, which must free what it gave.
#if !DGEN_SANITIZED

void* operator new(std::size_t size) {
  if (counting_allocations) ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif
