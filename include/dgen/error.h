// The two kinds of failure: Error is the caller's mistake, InternalError is ours.
#pragma once
#include <stdexcept>
#include <string>

namespace dgen {

// The message names the operator, the shapes, the label and the source line of the call where they are known:
//   [matmul] inner sizes differ: (2,3) x (4,5)
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace dgen
