#pragma once

#include <c10/util/Exception.h>

namespace packseq::fuzz {

/// Only the errors that are documented, and none that LibTorch raises somewhere deep.
template <class Action>
void may_refuse(Action&& action) {
  try {
    action();
  } catch (const c10::ValueError&) {
  } catch (const c10::TypeError&) {
  }
}

}  // namespace packseq::fuzz
