// A recorded compile as one HTML page that needs nothing but its neighbours in the folder.
#pragma once
#include "driver/record.h"

namespace dgen::driver {

std::string page(const Record& record, const std::string& title);

}  // namespace dgen::driver
