// manifest.csv: which files are kept for validation.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dgen::ddsp {

enum class Split { train, validation };
const char* name(Split split);

// Rows of cells; quoted cells may hold commas, quotes and line ends.
std::vector<std::vector<std::string>> parse_csv(const std::string& text);

class Manifest {
 public:
  // The nearest manifest.csv with the columns `file` and `split` in the folder or up to three folders above it.
  static std::optional<Manifest> find(std::filesystem::path folder);

  // Rows name files by the end of their path, with or without extension; empty for a file that no row names.
  std::optional<Split> split(const std::filesystem::path& file) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Row {
    std::string file;
    Split split;
  };
  std::filesystem::path path_;
  std::vector<Row> rows_;
};

}  // namespace dgen::ddsp
