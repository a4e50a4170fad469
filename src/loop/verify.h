// The rules every kernel keeps; a broken one is an InternalError that shows the kernel and the expression.
#pragma once
#include "ir/loop.h"

namespace dgen::loop {

// What is used was computed before, in an enclosing scope; arrays exist and are stored to only where they may be written;
// integers and floats do not mix.
void verify(const ir::Kernel& kernel);

}  // namespace dgen::loop
