#include "manifest.h"

#include <algorithm>

#include "base/file.h"

namespace dgen::ddsp {
namespace {

bool ends_with_path(const std::string& path, const std::string& end) {
  if (end.empty() || !path.ends_with(end)) return false;
  return path.size() == end.size() || path[path.size() - end.size() - 1] == '/';
}

}  // namespace

const char* name(Split split) { return split == Split::train ? "train" : "val"; }

std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1);
  rows.back().emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& cell = rows.back().back();
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"')
      cell += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (quoted)
      cell += c;
    else if (c == ',')
      rows.back().emplace_back();
    else if (c == '\n')
      rows.emplace_back(1);
    else if (c != '\r')
      cell += c;
  }
  if (rows.back() == std::vector<std::string>{""}) rows.pop_back();
  return rows;
}

std::optional<Manifest> Manifest::find(std::filesystem::path folder) {
  folder = std::filesystem::weakly_canonical(folder);
  for (int level = 0; level < 4; ++level, folder = folder.parent_path()) {
    Manifest found;
    found.path_ = folder / "manifest.csv";
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(found.path_, ignored)) continue;
    const auto rows = parse_csv(read_file(found.path_));
    if (rows.empty()) continue;
    const auto column = [&](const char* title) {
      return std::find(rows[0].begin(), rows[0].end(), title) - rows[0].begin();
    };
    const size_t file = static_cast<size_t>(column("file")), split = static_cast<size_t>(column("split"));
    for (size_t i = 1; i < rows.size(); ++i) {
      if (file >= rows[i].size() || split >= rows[i].size()) continue;
      const std::string& s = rows[i][split];
      found.rows_.push_back({rows[i][file], s.starts_with("val") || s == "test" ? Split::validation : Split::train});
    }
    if (!found.rows_.empty()) return found;
  }
  return {};
}

std::optional<Split> Manifest::split(const std::filesystem::path& file) const {
  const std::filesystem::path whole = std::filesystem::weakly_canonical(file);
  const std::string with = whole.generic_string(), without = (whole.parent_path() / whole.stem()).generic_string();
  for (const Row& row : rows_)
    if (ends_with_path(with, row.file) || ends_with_path(without, row.file)) return row.split;
  return {};
}

}  // namespace dgen::ddsp
