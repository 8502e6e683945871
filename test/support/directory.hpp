#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace packseq::test {

/// Each test has a directory of its own, and may have a file there.
class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest(const std::string& directory, const std::string& file)
      : directory_(std::filesystem::path(::testing::TempDir()) / directory), file_(directory_ / file) {}

  void SetUp() override {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }

  std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// Nothing is left beside the files that belong there.
  void expect_files(std::ptrdiff_t count) const {
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator()),
              count);
  }

  const std::filesystem::path directory_;
  const std::filesystem::path file_;
};

}  // namespace packseq::test
