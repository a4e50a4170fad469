// Whole files in memory: read at once, written so that a reader sees the old file or the new one, never a part.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace dgen {

std::string read_file(const std::filesystem::path& path);

// Writes a temporary file in the same folder and renames it. A failure (disk full, no permission) is an Error that
// names the path, and leaves neither a partial file nor the temporary one.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

}  // namespace dgen
