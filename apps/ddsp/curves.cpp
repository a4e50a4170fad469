#include "curves.h"

#include <charconv>

#include "base/file.h"
#include "manifest.h"
#include "report.h"

namespace dgen::ddsp {
namespace {

bool read_number(const std::string& text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

void save_curves(const std::filesystem::path& path, const Curves& curves) {
  Table table({"curve", "step", "loss"});
  for (const Curve* curve : {&curves.training, &curves.validation})
    for (size_t i = 0; i < curve->steps.size(); ++i)
      table.add({curve->label, format("%.0f", curve->steps[i]), format("%.9g", curve->values[i])});
  write_file_atomic(path, table.csv());
}

Curves load_curves(const std::filesystem::path& path, int step) {
  Curves curves;
  if (!std::filesystem::exists(path)) return curves;
  for (const auto& row : parse_csv(read_file(path))) {
    double at = 0, loss = 0;
    if (row.size() != 3 || !read_number(row[1], at) || !read_number(row[2], loss) || at >= step) continue;
    for (Curve* curve : {&curves.training, &curves.validation})
      if (curve->label == row[0]) curve->add(at, loss);
  }
  return curves;
}

}  // namespace dgen::ddsp
