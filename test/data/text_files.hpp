#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/directory.hpp"

namespace packseq::test {

/// Tests that read files of text, each in a directory of its own.
class TextFilesTest : public DirectoryTest {
 protected:
  TextFilesTest()
      : DirectoryTest(std::string("packseq_") + ::testing::UnitTest::GetInstance()->current_test_info()->name(),
                      "text") {}

  /// A new file, or a file's new content.
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    const auto path = directory_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
};

}  // namespace packseq::test
