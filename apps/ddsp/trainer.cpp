#include "trainer.h"

#include "base/check.h"

namespace dgen::ddsp {

TrainResult train(const Config&, const Dataset&, const RunFolder&, bool) { fail("train: built without the compiler"); }

}  // namespace dgen::ddsp
