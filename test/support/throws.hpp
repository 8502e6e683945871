#pragma once

#include <c10/util/Exception.h>
#include <gmock/gmock.h>

#include <exception>
#include <string>

namespace packseq::test {

/// What an exception says to a user; LibTorch's add the place in the source.
inline std::string message_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}

}  // namespace packseq::test

/// `statement` throws an exception of this type whose text contains `text`.
#define EXPECT_THROWS(statement, type, text) \
  EXPECT_THAT([&] { statement; },            \
              testing::Throws<type>(testing::ResultOf(packseq::test::message_of, testing::HasSubstr(text))))
