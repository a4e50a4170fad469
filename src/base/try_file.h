// Whole-file reading and writing that reports failure by value, for places where failure is ordinary (base/file.h
// throws).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace dgen {

std::optional<std::string> try_read_file(const std::string& path);

// As try_read_file, but only a regular file of this user that nobody else may write; a symbolic link is refused.
std::optional<std::string> try_read_own_file(const std::string& path);

// Creates or overwrites the file, mode 0600. False (see errno) leaves a partial file.
bool try_write_file(const std::string& path, std::string_view bytes);

}  // namespace dgen
