// Pages of the documents that a test writes.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace dgen::test {

// The file holds the page; DGEN_UPDATE=1 writes it anew.
inline void expect_page(const std::string& path, const std::string& page) {
  if (std::getenv("DGEN_UPDATE")) std::ofstream(path, std::ios::binary) << page;
  std::ostringstream now;
  now << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_EQ(now.str(), page) << "DGEN_UPDATE=1 writes it anew";
}

}  // namespace dgen::test
